"""``supply.sanity``: gold answers pass, mutants fail, and nobody scores who does not answer."""

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import Answer, AssayError, Crash, Reply, Run, load_plan, run
from assay.families.supply.sanity import verifier
from assay.families.supply.sanity.items import read_items
from assay.families.supply.sanity.task import CATEGORIES, sanity
from assay.families.supply.sanity.verifier import Sane
from assay.plans import write_plan
from assay.sandbox import find_sandbox
from assay.testing import check_task

ITEMS = read_items().items
TASK = sanity()
SAMPLES = {s.id: s for split in ("train", "test") for s in TASK.samples(split)}


def sandboxed():
    try:
        find_sandbox()
    except AssayError:
        return False
    return True


needs_sandbox = pytest.mark.skipif(not sandboxed(), reason="no sandbox works here")


def verdicts(*pairs):
    batch = [(SAMPLES[name], Reply(name, Answer(text))) for name, text in pairs]
    return [check.passed for check in Sane().check(batch)]


@needs_sandbox
@pytest.mark.slow
def test_the_task_keeps_its_contract():
    check_task(TASK)


def test_every_category_is_asked_about_often_enough():
    counts = Counter(item.category for item in ITEMS if item.split == "test")
    assert set(counts) == set(CATEGORIES)
    assert min(counts.values()) >= 6
    assert len({item.id for item in ITEMS}) == len({item.asks for item in ITEMS}) == len(ITEMS)


@needs_sandbox
@pytest.mark.slow
def test_every_gold_answer_passes_and_every_mutant_fails():
    right = [(item.id, item.right) for item in ITEMS]
    wrong = [(item.id, text) for item in ITEMS for text in item.wrong]
    assert all(len(item.wrong) >= 1 for item in ITEMS)
    assert [pair for pair, ok in zip(right, verdicts(*right), strict=True) if not ok] == []
    assert [pair for pair, ok in zip(wrong, verdicts(*wrong), strict=True) if ok] == []


@needs_sandbox
@pytest.mark.slow
def test_the_gold_answer_of_one_prompt_is_wrong_for_every_other():
    test = [item for item in ITEMS if item.split == "test"]
    pairs = [(a.id, b.right) for a in test for b in test if a.right != b.right]
    assert [pair for pair, ok in zip(pairs, verdicts(*pairs), strict=True) if ok] == []


QUICK = [item for item in ITEMS if item.check != "program"]


@given(st.sampled_from(QUICK), st.text(max_size=60))
def test_an_answer_that_has_nothing_to_do_with_the_prompt_is_wrong(item, text):
    if item.right.casefold().strip(" .") in text.casefold():
        return
    plain = verdicts((item.id, text))
    if item.check == "number":
        return  # another spelling of the same number
    if item.check == "names":
        plain = (
            plain if not any(n.casefold() in text.casefold() for n in item.accepted) else [False]
        )
    if item.check == "pattern":
        return  # several answers have the form
    assert plain == [False]


@pytest.mark.parametrize("text", ["", " ", "I cannot answer that.", "yes", "[]", "{}", "-", "\0"])
def test_no_single_answer_passes_many_prompts(text):
    passed = verdicts(*((item.id, text) for item in QUICK))
    assert sum(passed) <= 1


@needs_sandbox
def test_code_that_ends_early_or_prints_what_it_likes_is_wrong():
    hostile = [
        "import os\nos._exit(0)",
        "raise SystemExit",
        "print('0' * 32)\nraise SystemExit",
        "import sys\nsys.stdout.close()",
        "while True: pass",
        "assert False",
    ]
    assert verdicts(*(("code-add", code) for code in hostile)) == [False] * len(hostile)


@needs_sandbox
def test_code_is_read_out_of_its_fence():
    code = "def add(a, b):\n    return a + b"
    said = [
        f"Here it is:\n```python\n{code}\n```\nIt adds.",
        f"```\n{code}\n```",
        f"```py\n{code}",
        f"{code}\n```",
        f"```rust\n{code}\n```",
    ]
    assert verdicts(*(("code-add", text) for text in said)) == [True, True, True, True, False]


def test_where_no_sandbox_works_code_is_not_judged(monkeypatch):
    def absent(*_, **__):
        raise AssayError("no sandbox works here", code="A500")

    monkeypatch.setattr(verifier, "run_python", absent)
    reply = Reply("code-add", Answer("def add(a, b):\n    return a + b"))
    [found] = Sane().check([(SAMPLES["code-add"], reply)])
    assert isinstance(found, Crash)
    assert verdicts(("sum-small", "4")) == [True]


@pytest.fixture(scope="module")
def controls() -> Run:
    with tempfile.TemporaryDirectory() as folder:
        plan = {
            "name": "controls",
            "tasks": [{"use": "supply.sanity"}],
            "systems": [{"name": "quiet", "use": "testing.faulty", "options": {"fault": "empty"}}],
            "timing": {"processes": 1, "blocks": 2, "questions": 1},
        }
        write_plan(Path(folder) / "controls.yaml", plan, says="Nobody tries.")
        yield run(load_plan(Path(folder) / "controls.yaml"), out=Path(folder) / "run")


@needs_sandbox
@pytest.mark.slow
@pytest.mark.parametrize("name", ["silent", "random", "constant"])
def test_who_does_not_answer_the_question_is_hardly_ever_right(controls, name):
    assert controls.estimate("accuracy", name).value <= 0.03
    for category in CATEGORIES:
        assert controls.estimate(f"right_{category}", name).value <= 0.2
