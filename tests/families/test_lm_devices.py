"""A model of transformers says the same on another device; on a GPU, where there is one, too."""

from __future__ import annotations

import pytest

from told_by import told_by

pytestmark = pytest.mark.heavy
SAID = ("alone", "together", "drawn")
NUMBERS = ("likelihoods, True", "likelihoods, False", "logits", "next")


def flat(value):
    """Return the numbers of lists in lists, a truth being one."""
    return [x for one in value for x in flat(one)] if isinstance(value, list) else [float(value)]


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    pytest.importorskip("transformers")
    return told_by("lm_elsewhere.py", tmp_path_factory.mktemp("elsewhere"), "elsewhere")


@pytest.mark.parametrize("manner", SAID)
def test_answers_are_the_same_on_another_device(told, manner):
    assert told["there"][manner] == told["here"][manner]
    assert any(tokens > 1 for _, _, tokens, _ in told["here"][manner])


@pytest.mark.parametrize("what", NUMBERS)
def test_likelihoods_are_the_same_on_another_device_up_to_rounding(told, what):
    """Attention is another kernel there, and rounds in another order."""
    assert flat(told["there"][what]) == pytest.approx(flat(told["here"][what]), abs=1e-4)


def test_products_were_made_there(told):
    assert told["called"]["bmm"] > 0
    assert told["called"]["embedding"] > 0


def test_on_a_gpu_likelihoods_are_those_of_the_processor_up_to_rounding(tmp_path):
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("absent: a GPU")
    one, again = (told_by("lm_elsewhere.py", tmp_path / name, "cuda") for name in ("one", "again"))
    for what in NUMBERS:
        assert flat(one["there"][what]) == pytest.approx(flat(one["here"][what]), abs=1e-2)
    assert one["there"] == again["there"]
