"""The contracts that assay relies on, and what is special about dates."""

from __future__ import annotations

from dataclasses import replace

import pytest
from assay_dates.formats import Formats, read
from assay_dates.phrases import SameDay, phrases
from assay_dates.roles import Roles, candidates

from assay import Answer, Bottom, Reply, load_tasks
from assay.testing import check_recipe, check_task

TASK = phrases()


def test_the_task_keeps_its_contract():
    check_task(TASK)


@pytest.mark.parametrize("recipe", [Formats(), Roles(), Roles(bag=0.3)], ids=repr)
def test_every_recipe_keeps_its_contract(recipe, tmp_path):
    check_recipe(recipe, TASK, workdir=tmp_path)


def test_assay_finds_the_task():
    assert list(load_tasks("dates.*")) == ["dates.phrases"]


def test_another_seed_deals_other_patterns():
    assert phrases(seed=1).samples("test") != TASK.samples("test")


def test_a_date_with_slashes_that_names_two_days_has_no_answer():
    for sample in TASK.samples("train"):
        parts = str(sample.input).split("/")
        if len(parts) == 3:
            first, second = int(parts[0][-2:]), int(parts[1])
            two_days = max(first, second) <= 12 and first != second
            assert isinstance(sample.target, Bottom) == two_days


def test_exchanging_day_and_month_is_wrong_and_noted():
    sample = next(s for s in TASK.samples("train") if isinstance(s.target, Answer))
    sample = replace(sample, target=Answer("2026-02-01"))
    said = [Reply(sample.id, Answer(day)) for day in ("2026-02-01", "2026-01-02", "2026-01-03")]
    checks = list(SameDay().check([(sample, reply) for reply in said]))
    assert [c.passed for c in checks] == [True, False, False]
    assert [c.scores["swapped"] for c in checks] == [0.0, 1.0, 0.0]


def test_the_rule_reads_two_formats_and_no_other():
    assert read("born on 3 Feb 2026") == read("2026-02-03") == Answer("2026-02-03")
    assert read("31 June 2026") == Bottom("no_such_day")
    assert read("03.02.2026") == Bottom("unknown_format")


def test_learning_finds_the_roles_of_numbers(tmp_path):
    built = Roles().build(TASK.samples("train"), TASK.samples("tune"), seed=0, workdir=tmp_path)
    samples = TASK.samples("test")
    replies = built.system.answer([s.question() for s in samples])
    right = [
        reply.said.value == sample.target.value
        for sample, reply in zip(samples, replies, strict=True)
        if isinstance(sample.target, Answer) and isinstance(reply.said, Answer)
    ]
    assert sum(right) > 0.5 * len(samples)


def test_a_long_table_is_not_read():
    assert len(candidates("1 2 3 4 5 6 7 8 9 10")) == 7
