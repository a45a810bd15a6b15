"""The same model at several precisions: what a table of them says, and where it leaves blanks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import DataError
from assay.families.lm.quantisation.flips import Pair, count
from assay.families.lm.quantisation.measured import find, read_edge
from assay.families.lm.quantisation.telling import _counted, per_1000

PAIRS = st.lists(
    st.builds(
        lambda group, before, after, same: Pair(
            group=("t", str(group)), before=before, after=after, same=same and before == after
        ),
        st.integers(0, 9),
        st.booleans(),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=60,
)


@given(PAIRS)
def test_what_is_gained_less_what_is_lost_is_the_difference_of_the_scores(pairs):
    flips, n = count(pairs), len(pairs)
    scores = sum(p.after for p in pairs) - sum(p.before for p in pairs)
    assert n * (flips.gained.value - flips.lost.value) == pytest.approx(scores)
    assert flips.changed.value >= flips.lost.value + flips.gained.value - 1e-12
    for each in (flips.lost, flips.gained, flips.changed):
        if each.low is not None:
            assert 0 <= each.low <= each.value <= each.high <= 1
        assert per_1000(each).value == pytest.approx(1000 * each.value)


def test_no_flip_in_a_hundred_leaves_36_in_a_thousand_open():
    pairs = [Pair(group=("t", str(k)), before=True, after=True, same=True) for k in range(100)]
    assert _counted(per_1000(count(pairs).lost)) == "0 [0, 36]"


def test_questions_of_one_group_say_less_than_as_many_groups():
    def of(groups):
        return count(
            [Pair(group=("t", str(k % groups)), before=True, after=k % groups > 3, same=k % groups > 3)
             for k in range(200)]
        ).lost  # fmt: skip

    few, many = of(20), of(200)
    assert few.high - few.low > many.high - many.low


EDGE = {
    "date": "2026-11-29",
    "threads": 1,
    "prompt": 64,
    "generate": 16,
    "machine": {"cpu": "a processor"},
    "models": [
        {
            "model": "a.gguf",
            "runtime": "llama.cpp",
            "dtype": None,
            "files": [{"digest": "sha256:aa", "size": 1, "source": "file:a.gguf"}],
            "not_measured": None,
            "peak_bytes": 10**8,
            "numbers": {"prompt_per_s": {"value": 90.0, "low": 80.0, "high": 100.0},
                        "decode_per_s": {"value": None, "low": None, "high": None, "method": "undefined: 3 values"}},
        }
    ],
}  # fmt: skip


def test_an_edge_file_is_found_by_digest_runtime_and_precision(tmp_path: Path):
    path = tmp_path / "edge.json"
    path.write_text(json.dumps(EDGE))
    measured = read_edge(path)
    here = {"digests": frozenset({"sha256:aa", "sha256:bb"}), "runtime": "llama.cpp", "dtype": None}
    found = find(measured, **here)
    assert found is not None
    assert (found.prompt.value, found.decode, found.peak_bytes) == (90.0, None, 10**8)
    assert found.why == "3 values"
    assert "edge.json, 2026-11-29, a processor" in found.says
    assert find(measured, **here | {"digests": frozenset({"sha256:bb"})}) is None
    assert find(measured, **here | {"runtime": "transformers", "dtype": "float32"}) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"models": 3}', "\xff", "[" * 100_000])
def test_a_file_that_edge_did_not_write_is_refused(tmp_path: Path, text: str):
    path = tmp_path / "edge.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match="assay lm edge --out"):
        read_edge(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_edge(tmp_path / "absent.json")
