"""A model of random weights at two precisions, asked in one plan: the table, the report, and the noise."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from assay import PlanError, Run, run
from assay.cli.main import main
from assay.families.lm.quantisation.rows import quantised, unlike
from assay.families.lm.quantisation.section import quantisation
from assay.families.lm.quantisation.telling import lines
from assay.families.supply.converting.convert import convert
from assay.publish.vary import vary
from tiny_llama import write_llama

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("xllamacpp")
pytestmark = pytest.mark.heavy

PLAN = """\
name: precisions
says: What does each precision cost?
seeds: [0]
tasks:
  - {use: lm.bbq, name: bbq, options: {path: bbq.jsonl}}
  - {use: lm.stereotype, name: likes, options: {path: likes.jsonl}}
  - {use: supply.agreement, name: agreement, options: {source: f32.gguf, prompts: own.yaml, positions: 2}}
systems:
  - {name: f32, use: lm.transformers, options: {model: f32.gguf, chat: plain}}
  - {name: q4, use: lm.gguf, options: {model: q4.gguf, chat: plain, context: 256}}
timing: {processes: 0}
claims: []
"""
QUESTIONS = 40


def _question(at: int) -> str:
    names = ("Ann", "Bob", "Cid", "Dot", "Eve", "Flo")
    one, other = names[at % 6], names[(at + 1 + at // 6 % 2) % 6]
    return json.dumps(
        {
            "category": "Age", "q": str(at), "polarity": "neg", "condition": "disambig",
            "groups": ["old"], "context": f"{one} and {other} met {at} times.", "question": "Who was late?",
            "ans": [one, other, names[(at + 3) % 6] + "."], "label": at % 3,
            "answer_info": {"ans0": [one, "old"], "ans1": [other, "nonOld"], "ans2": ["unknown", "unknown"]},
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("precisions")
    patch = pytest.MonkeyPatch()
    patch.setenv("ASSAY_CACHE", str(folder / "cache"))
    patch.setenv("OMP_NUM_THREADS", "1")
    source = write_llama(folder / "source")
    for name, precision in (("f32", "f32"), ("q4", "q4_0")):
        convert(source, folder / f"{name}.gguf", to="gguf", quantise=precision)
    (folder / "bbq.jsonl").write_text("\n".join(map(_question, range(QUESTIONS))) + "\n")
    likes = [
        ("Old", "Young"),
        ("Old " * 900, "Young " * 900),
    ]  # both fail on the second: it is too long
    likes_rows = [{"sent_more": a, "sent_less": b, "bias_type": "age"} for a, b in likes]
    (folder / "likes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in likes_rows))
    texts = "".join(f"  - {{id: t{k}, text: 'The {k} of them went home, and so'}}\n" for k in "abc")
    (folder / "own.yaml").write_text(f"name: own\nprompts:\n{texts}")
    (folder / "plan.yaml").write_text(PLAN)
    yield run(folder / "plan.yaml", out=folder / "run", workers=1)
    patch.undo()


def test_the_table_has_what_the_records_say_and_says_what_it_lacks(made: Run):
    found = quantised(made)
    reference, other = found.lines
    assert (reference.system, other.system) == ("f32", "q4")
    assert other.size < reference.size
    assert reference.kl["kl_mean"].value < 1e-6 < other.kl["kl_mean"].value
    assert reference.kl["top1"].value == 1.0
    assert reference.flips is None
    flips, on = other.flips, other.tasks["bbq"]
    assert flips.changed.value > 0, (on, flips)
    assert (
        flips.changed.n == QUESTIONS
    )  # what has no right or wrong has no flips, failures of both neither
    assert other.tasks["likes"].flips is None
    moved = flips.gained.value - flips.lost.value
    assert on.difference.value == pytest.approx(moved)
    assert on.score.value - reference.tasks["bbq"].score.value == pytest.approx(moved)
    assert other.peak_bytes is None
    said = "\n".join(line for line in lines(found) if isinstance(line, str))
    assert "Blank: memory: the plan has no timing pass" in said
    assert "compared with f32.gguf" in said


def test_systems_that_are_asked_otherwise_are_told(made: Run):
    facts = made.manifest.systems["q4"]
    altered = facts.model_copy(update={"options": facts.options | {"system": "Be brief."}})
    systems = made.manifest.systems | {"q4": altered}
    manifest = made.manifest.model_copy(update={"systems": systems})
    (said,) = unlike(replace(made, manifest=manifest), ["f32", "q4"], "f32")
    assert said.startswith("q4 is not asked as f32 is: system differ")
    assert not unlike(made, ["f32", "q4"], "f32")


def test_the_command_and_the_report_hold_the_same_table(made: Run, capfd):
    assert main(["lm", "quantisation", str(made.path), "--reference", "q4", "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert [line["system"] for line in told["systems"]] == ["q4", "f32"]
    assert told["systems"][1]["flips"]["answer_changed"]["n"] == QUESTIONS
    section = quantisation(made)
    assert section is not None
    assert section.facts["reference"] == "f32"
    assert "What precision costs" in (made.path / "derived" / "report.md").read_text()


def test_wrong_words_are_told(made: Run, tmp_path, capfd):
    with pytest.raises(PlanError, match="no model of this run"):
        quantised(made, reference="q5")
    edge = {
        "date": "2026-11-29",
        "threads": 1,
        "prompt": 8,
        "generate": 8,
        "machine": {},
        "models": [],
    }
    (tmp_path / "edge.json").write_text(json.dumps(edge | {"models": [
        {"model": "x", "runtime": "llama.cpp", "files": [{"digest": "sha256:00"}]}]}))  # fmt: skip
    words = ["lm", "quantisation", str(made.path), "--edge", str(tmp_path / "edge.json")]
    assert main(words) == 2
    assert "none of the models that it measured" in capfd.readouterr().err


def test_threads_seed_and_precision_are_in_the_record(made: Run):
    notes = {c.system: c.notes for c in made.provenance.cells if c.task == "bbq" and c.notes}
    for system, dtype in (("f32", "float32"), ("q4", None)):
        assert notes[system]["threads"] == 1
        assert (notes[system]["seed"], notes[system]["temperature"]) == (0, 0.0)
        assert notes[system].get("dtype") == dtype


def test_noise_varies_the_cache_and_the_backend(made: Run):
    words = ["prefix=apart", "use=lm.gguf"]
    apart, backend = vary(made, words, count=12, task="bbq", systems=["f32"])
    assert (apart.says, apart.changed, apart.asked) == ("prefix=apart", 0, 12)
    assert 0 <= apart.moved["ll"] < 1e-3
    assert (backend.says, backend.why_not, backend.asked) == ("use=lm.gguf", "", 12)
    assert apart.moved["ll"] < backend.moved["ll"] < 0.5
    whole, other = vary(
        made, ["prefix=apart", "dtype=bfloat16"], count=12, task="bbq", systems=["q4"]
    )
    assert (
        whole.moved["ll"] == 0.0
    )  # llama.cpp uses whole batches again, where it would cut them anyway
    assert other.why_not == "lm.gguf has no option dtype"
