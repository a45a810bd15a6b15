"""What the rails decide about generated situations is what an independent oracle says."""

from __future__ import annotations

import json
import sys
from collections import Counter
from fractions import Fraction

import pytest

import rails_mutants
from assay import Answer, Bottom, Run
from assay.engine.execute import execute
from assay.engine.plan import load_plan
from assay.engine.resolve import resolve
from assay.families.intent.draws import Draws
from assay.families.intent.rails import (
    RULES,
    Allowed,
    Blocked,
    judge_steps,
    read_context,
    read_policy,
    read_steps,
)
from assay.families.intent.rails.canonical import Case, canonical, run_canonical
from assay.families.intent.rails.situations import strata
from assay.families.intent.rails.situations_oracle import ORDER, truth_of
from assay.families.intent.rails.task import Rails, situations
from assay.store.evidence import read_evidence
from assay.store.journal import read_lines
from assay.testing import check_recipe, check_task
from runs import PLUGINS, write_plan

sys.path.append(str(PLUGINS))
from broken_rails import FAULTS

sys.path.remove(str(PLUGINS))  # or what is there would count as installed in every other test

SEED = 77
"""Not the task's: the tests and the published numbers have situations of their own."""

IN_THE_LEDGER = {"rewards": "reward", "allowances": "allowance"}


_DRAWN = []


def drawn(count: int):
    """Situations with their truth, parsed once; a smaller draw is the beginning of a larger one."""
    kinds = strata()
    for place in range(len(_DRAWN), count):
        kind = kinds[place % len(kinds)]
        made = kind.make(Draws(SEED, place))
        _DRAWN.append(
            (
                kind.name,
                read_steps(made["steps"]),
                read_context(made["context"]),
                read_policy(made["policy"]),
                truth_of(made),
            )
        )
    return _DRAWN[:count]


def reason_of(verdict):
    # By name: a mutant has classes of its own.
    return verdict.block.rule if type(verdict).__name__ == "Blocked" else ""


def balances(state):
    return {
        (account.kind.value, account.place, account.asset): Fraction(amount)
        for account, amount in state.balances.items()
    }


def expected(truth):
    return {
        (IN_THE_LEDGER.get(k, k), place, asset): v for (k, place, asset), v in truth.after.items()
    }


def noticed(judge, rows, *, rules=None):
    """Return the first situation in which something else happens than should; None if there is none."""
    more = {} if rules is None else {"rules": rules}
    for name, steps, context, policy, truth in rows:
        try:
            verdict = judge(steps, context, policy, **more)
        except Exception as error:  # noqa: BLE001  (a mutant may do anything)
            return name, repr(error)
        if reason_of(verdict) != truth.reason:
            return name, f"{reason_of(verdict) or 'allowed'}, not {truth.reason or 'allowed'}"
        if not truth.reason and balances(verdict.state) != expected(truth):
            return name, "other balances"
    return None


@pytest.mark.slow
def test_the_rails_decide_as_the_oracle_in_every_situation():
    rows = drawn(2400)
    assert noticed(judge_steps, rows) is None
    allowed = sum(not truth.reason for *_, truth in rows)
    assert 800 < allowed < 1600


@pytest.mark.slow
def test_the_rails_list_every_rule_that_is_broken_and_no_other():
    for name, steps, context, policy, truth in drawn(1200):
        verdict = judge_steps(steps, context, policy)
        found = (
            {b.rule for b in verdict.steps[-1].blocks} if isinstance(verdict, Blocked) else set()
        )
        known = {rule for rule in found if not rule.startswith("missing:")}
        assert known == {r for r in truth.broken if not r.startswith("missing:")}, name


def test_the_specification_and_the_rails_have_the_same_rules_in_the_same_order():
    assert tuple(rule.id for rule in RULES) == ORDER


@pytest.mark.slow
def test_each_rule_is_the_reason_for_a_block_and_is_kept_within_a_unit_of_its_limit():
    reasons = Counter(truth.reason for *_, truth in drawn(1200))
    allowed = {name.split("/")[0] for name, *_, truth in drawn(1200) if not truth.reason}
    for rule in ORDER:
        assert reasons[rule], rule
        assert rule in allowed, rule


@pytest.mark.slow
@pytest.mark.parametrize("rule", ORDER)
def test_a_rule_that_is_left_out_is_noticed(rule):
    rest = tuple(one for one in RULES if one.id != rule)
    assert noticed(judge_steps, drawn(1200), rules=rest), rule


@pytest.mark.slow
@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_rails_that_are_turned_round_or_set_off_are_noticed(fault):
    assert noticed(judge_steps, drawn(1750), rules=FAULTS[fault]), fault


EQUIVALENT = ("ledger:State.total",)
"""Changes that no situation can show: a sum that only the test of conservation asks for."""


@pytest.mark.heavy
@pytest.mark.parametrize("module", rails_mutants.MUTATED)
def test_every_operator_of_the_rails_matters(module):
    """Each comparison, sum, condition, and each Pass and Block, changed one at a time."""
    survivors, count = [], 0
    for name, source in rails_mutants.mutants(module):
        count += 1
        with rails_mutants.package(module, source) as judging:
            found = noticed(judging.judge_steps, drawn(1750)) or wrong_numbers(judging)
        if found is None:
            survivors.append(name)
    assert count >= 8
    assert [name for name in survivors if not name.startswith(EQUIVALENT)] == []


def wrong_numbers(judging):
    """Return a canonical case whose hand-computed numbers a mutant gets wrong."""
    for case in canonical():
        if not case.numbers or case.expect.startswith("bad_"):
            continue
        verdict = judging.judge_steps(
            read_steps(case.steps), read_context(case.context), read_policy(case.policy)
        )
        listed = {r.rule: getattr(r, "numbers", {}) for r in verdict.steps[-1].rulings}
        for rule, numbers in case.numbers.items():
            if any(listed.get(rule, {}).get(name) != value for name, value in numbers.items()):
                return case.id
    return None


# --- the task and the recipe ----------------------------------------------------------------


@pytest.mark.slow
def test_the_task_and_the_recipe_keep_their_contracts(tmp_path):
    task = situations(size=600)
    check_task(task)
    check_recipe(Rails(), task, workdir=tmp_path)


def test_a_smaller_test_is_the_beginning_of_a_larger_one():
    small, large = situations(size=20).samples("test"), situations(size=40).samples("test")
    assert list(small) == list(large[:20])


def test_a_sample_carries_no_float_and_survives_json():
    for sample in situations(size=60).samples("test"):
        assert json.loads(json.dumps(sample.input)) == sample.input
        assert isinstance(sample.target, Answer | Bottom)


PLAN = """
    name: broken-rails
    says: Do broken rails look broken?
    seeds: [0]
    tasks:
      - {use: intent.rails, options: {size: 700}}
    systems:
      - {name: rails, use: intent.rails}
      - {name: accepts, use: broken.rails, options: {fault: accepts_everything}}
      - {name: blocks, use: broken.rails, options: {fault: blocks_everything}}
      - {name: no-ltv, use: broken.rails, options: {fault: without_ltv}}
      - {name: no-oracle-age, use: broken.rails, options: {fault: without_oracle_age}}
      - {name: flipped-balance, use: broken.rails, options: {fault: flipped_balance}}
      - {name: generous-day, use: broken.rails, options: {fault: generous_day_max}}
    claims:
      - {id: lets-through, says: s, system: SYSTEM, metric: false_pass_rate, at_most: 0.01}
"""


@pytest.mark.heavy
def test_broken_rails_score_as_broken(plugins, tmp_path):
    plan = write_plan(tmp_path, PLAN.replace("SYSTEM", "rails"))
    execute(resolve(load_plan(plan)), out=tmp_path / "run", workers=2)
    run = Run.load(tmp_path / "run")

    def rate(metric, system):
        return run.estimate(metric, system).value

    for metric in ("false_block_rate", "false_pass_rate"):
        assert rate(metric, "rails") == 0
        assert run.estimate(metric, "rails").high < 0.02
    assert rate("false_pass_rate", "accepts") == 1
    assert rate("false_block_rate", "accepts") == 0
    assert rate("false_block_rate", "blocks") == 1
    assert rate("false_pass_rate", "blocks") == 0
    for system in ("no-ltv", "no-oracle-age", "generous-day"):
        assert rate("false_pass_rate", system) > 0, system
    assert rate("false_block_rate", "flipped-balance") > 0


@pytest.mark.slow
def test_a_run_keeps_the_numbers_behind_every_block(tmp_path):
    text = PLAN.replace("SYSTEM", "rails").replace("size: 700", "size: 30")
    lines = [line for line in text.splitlines() if "broken.rails" not in line]
    plan = write_plan(tmp_path, "\n".join(lines))
    execute(resolve(load_plan(plan)), out=tmp_path / "run", workers=1)
    [journal] = (tmp_path / "run").glob("records/intent.rails/rails/*-test.jsonl")
    [pack] = (tmp_path / "run").glob("evidence/intent.rails/rails/*-test.pack")
    blocked = [line for line in read_lines(journal) if line.decided.kind == "bottom"]
    assert blocked
    for line in blocked:
        kept = json.loads(read_evidence(pack, line.usage.at).decode().removeprefix("[detail]\n"))
        assert f"rail:{kept['reason']}" == line.decided.reason
        assert kept["block"]["limit"]


# --- the canonical suite --------------------------------------------------------------------


def test_the_canonical_suite_is_as_it_was_written():
    assert [(r.case.id, r.wrong) for r in run_canonical() if not r.passed] == []
    cases = canonical()
    assert len(cases) >= 40
    assert len({case.id for case in cases}) == len(cases)
    assert {case.steps[0]["action"] for case in cases if case.steps} >= {
        *("deposit_asset", "withdraw_asset", "swap_asset", "borrow_asset"),
        *("repay_asset", "stake_asset", "unstake_asset", "claim_rewards"),
    }


def test_the_canonical_suite_has_every_rule_as_a_reason():
    assert {case.expect for case in canonical()} >= set(ORDER)


@pytest.mark.parametrize("change", ["expect", "numbers"])
def test_a_canonical_case_that_is_wrong_is_found_out(change):
    from dataclasses import replace

    first: Case = canonical()[0]
    wrong = {"expect": "ltv"} if change == "expect" else {"numbers": {"ltv": {"ltv": "0.6"}}}
    [result] = run_canonical([replace(first, **wrong)])
    assert not result.passed
    assert len(result.wrong) == 1


def test_the_canonical_suite_agrees_with_the_oracle():
    """Hand-made cases hold the oracle to account as well."""
    for case in canonical():
        if case.expect.startswith("bad_"):
            continue
        truth = truth_of({"steps": case.steps, "context": case.context, "policy": case.policy})
        assert (truth.reason or "execute") == case.expect, case.id


def test_what_is_carried_out_is_the_same_whatever_the_order_of_keys():
    for case in canonical()[:30]:
        if case.expect.startswith("bad_"):
            continue
        turned = read_context(json.dumps(case.context, sort_keys=True))
        one = judge_steps(
            read_steps(case.steps), read_context(case.context), read_policy(case.policy)
        )
        two = judge_steps(read_steps(case.steps), turned, read_policy(case.policy))
        assert type(one) is type(two)
        if isinstance(one, Allowed):
            assert balances(one.state) == balances(two.state)
