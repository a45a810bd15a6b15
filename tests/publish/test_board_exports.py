"""What leaves a board: measured numbers, each with its interval and its run, and no others."""

from __future__ import annotations

import re

import pytest
import yaml

from assay.core.errors import PlanError, SealError
from assay.publish.board.eval_results import eval_results, parse_benchmark
from assay.publish.board.exporting import Form, Wanted, export_model
from assay.publish.board.rows import rows_of
from assay.publish.board.snippet import model_card
from publish.board_documents import CELL, SEAL, document

TASK = parse_benchmark("t=org/bench#part")
DATES = {SEAL: "2026-11-29T20:00:00Z"}


def test_a_value_has_the_documented_keys_and_no_token_that_only_the_hub_can_make():
    found = eval_results(
        rows_of(document(), "small"), [TASK], dates=DATES, url="https://example.org"
    )
    assert found.left_out == ()
    [(path, text)] = found.files.items()
    assert path == ".eval_results/org--bench.yaml"
    assert yaml.safe_load(text) == [
        {
            "dataset": {"id": "org/bench", "task_id": "part"},
            "value": 0.61,
            "date": "2026-11-29",
            "source": {"url": "https://example.org", "name": "assay board"},
            "notes": "accuracy, share: 0.61 [0.55, 0.67], n=200; q8; measured by assay, "
            f"run sha256:{SEAL}",
        }
    ]


def test_the_hubs_own_reader_takes_what_is_written():
    hub = pytest.importorskip("huggingface_hub")
    rows = rows_of(document(), "small")
    [text] = eval_results(rows, [TASK], dates=DATES, url="https://example.org").files.values()
    written = yaml.safe_load(text)
    entries = hub.parse_eval_result_entries(written)
    assert hub.eval_result_entries_to_yaml(entries) == written
    assert (entries[0].dataset_id, entries[0].value, entries[0].verify_token) == (
        "org/bench",
        0.61,
        None,
    )


def test_a_benchmark_that_was_not_measured_or_has_two_values_is_told():
    rows = rows_of(document(), "small")
    with pytest.raises(PlanError, match="A103 nothing was measured of u"):
        eval_results(rows, [parse_benchmark("u=org/bench#part")], dates=DATES)
    with pytest.raises(PlanError, match="nothing was measured of t@latency_p50"):
        eval_results(rows, [parse_benchmark("t@latency_p50=org/bench#part")], dates=DATES)
    with pytest.raises(PlanError, match="2 rows have a number for t") as error:
        eval_results([*rows, *rows], [TASK], dates=DATES)
    assert "--row: small--q8" in error.value.hint
    for text in ("t", "t=bench#part", "t=org/bench", "=org/bench#part", "t=org/bench#a b"):
        with pytest.raises(PlanError, match="names no benchmark"):
            parse_benchmark(text)


def test_a_model_card_has_intervals_what_is_missing_and_how_to_verify():
    board = document()
    board["models"][0]["runs"][0]["signed"] = {
        "fingerprint": "SHA256:ab",
        "algorithm": "ecdsa-p256",
    }
    card = model_card(board["models"][0], rows_of(board, "small"))
    assert "| t | right | 0.61 \\[0.55, 0.67\\] | 200 |" in card
    assert "Not measured: median latency (t)." in card
    assert f"`sha256:{SEAL}`" in card
    assert "signed by `SHA256:ab` (ecdsa-p256)" in card
    assert "sha256sum SEAL" in card
    assert "said" not in card


def test_names_of_other_people_are_text_in_a_model_card():
    hostile = "<img src=x onerror=alert(1)>|[a](javascript:b)\n# `c`\u202e"
    board = document(label=hostile, system=hostile)
    board["models"][0]["runs"][0] |= {
        "run": hostile,
        "assay": hostile,
        "archive": "`x`\n" + hostile,
    }
    card = model_card(board["models"][0], rows_of(board, "small"))
    acts = re.sub(r"`[^`\n]*`", "", card)  # what stands between two of these is text
    assert "<" not in acts
    assert not re.search(r"(?<!\\)\]\(", acts)
    assert "\u202e" not in card
    assert [line for line in card.splitlines() if line.startswith("# ")] == []
    assert all(line.count("`") % 2 == 0 for line in card.splitlines() if "unpack" in line)


def test_reported_numbers_are_never_written(tmp_path):
    for form in Form:
        wanted = Wanted(model="small", form=form, benchmarks=[TASK])
        with pytest.raises(PlanError, match="A103 nothing was measured of Small"):
            export_model(document(origin="reported"), wanted, tmp_path / "out", board=tmp_path)
    assert not (tmp_path / "out").exists()


def test_badges_are_written_once_and_never_over_something(tmp_path):
    wanted = Wanted(model="small", form=Form.BADGE)
    found = export_model(document(), wanted, tmp_path / "out", board=tmp_path)
    assert [path.name for path in found.files] == ["small--q8.svg"]
    with pytest.raises(SealError, match="A303"):
        export_model(document(cells={"accuracy@t": CELL}), wanted, tmp_path / "out", board=tmp_path)
    with pytest.raises(PlanError, match="no archive of abababababababab"):
        export_model(
            document(), Wanted(model="small", form=Form.EEE), tmp_path / "eee", board=tmp_path
        )
