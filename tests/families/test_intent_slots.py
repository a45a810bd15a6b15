"""``intent.slots`` measures extraction: a grammar that works scores, and a broken one does not."""

import importlib.util
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import Answer, Bottom, PlanError, Reply, Sample, load_tasks
from assay.families.intent.grammar.domain import load_domain
from assay.families.intent.grammar.reading import read_steps
from assay.families.intent.recipes.grammar import Grammar
from assay.families.intent.tasks import slot_truth
from assay.families.intent.tasks.slots import SameSteps, pieces, slots
from assay.families.intent.tasks.templates import ACTIONS, Family, families
from assay.testing import check_recipe, check_task

ROOT = Path(__file__).parents[2]
SIZE = 400
role = st.sampled_from(("amount", "asset", "to_asset", "venue"))
step = st.fixed_dictionaries(
    {
        "action": st.sampled_from(ACTIONS),
        "slots": st.dictionaries(role, st.sampled_from(("1", "ETH", "Aave")), max_size=3),
    }
)
steps = st.lists(step, min_size=1, max_size=3)


@cache
def task():
    return slots(size=SIZE)


@cache
def said(alter=None):
    """Return what the grammar says to each test question, altered if so."""
    system = Grammar().build([], [], seed=0, workdir=ROOT).system
    samples = task().samples("test")
    replies = list(system.answer([sample.question() for sample in samples]))
    if alter is not None:
        replies = [
            replace(reply, said=Answer([alter(one) for one in reply.said.value]))
            if isinstance(reply.said, Answer)
            else reply
            for reply in replies
        ]
    return score(samples, replies)


def score(samples, replies):
    """Return the share that is right, inventions, and the F1 of slots among answers."""
    checked = [
        (sample, reply)
        for sample, reply in zip(samples, replies, strict=True)
        if isinstance(sample.target, Answer) and isinstance(reply.said, Answer)
    ]
    checks = list(SameSteps().check(checked))
    nothing = [
        isinstance(reply.said, Bottom)
        for sample, reply in zip(samples, replies, strict=True)
        if isinstance(sample.target, Bottom)
    ]
    right = sum(check.passed for check in checks) + sum(nothing)
    hits = sum(check.scores["slots_right"] for check in checks)
    both = sum(check.scores["slots_said"] + check.scores["slots_wanted"] for check in checks)
    return {
        "right": right / len(samples),
        "exact": sum(check.passed for check in checks) / max(1, len(checks)),
        "invented": len(nothing) - sum(nothing),
        "f1": 2 * hits / max(1, both),
    }


# --- the truth ------------------------------------------------------------------------------


def generator():
    spec = importlib.util.spec_from_file_location("plain", ROOT / "tools/plain_templates.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_arrangement_of_the_generator_is_annotated_and_no_other():
    composed = {action: set(objects) for action, (_, objects) in generator().ACTIONS.items()}
    assert {a: set(listed) for a, listed in slot_truth.arrangements().items()} == composed


def test_the_verbs_of_the_truth_are_those_of_the_generator():
    for action, (verbs, _) in generator().ACTIONS.items():
        assert set(slot_truth._VERBS[action].split("|")) == set(verbs)


def test_every_plain_template_of_an_action_is_understood_but_for_two_networks():
    unknown = [
        template
        for family in families()
        if family.is_plain and family.kind in ACTIONS
        for template in family.templates
        if slot_truth.asked(family, template) is None
    ]
    assert all(template.count("{chain}") == 2 for template in unknown)
    assert len(unknown) < 5


def test_the_roles_of_a_truth_are_roles_of_its_action():
    domain = load_domain("defi")
    for action, listed in slot_truth.arrangements().items():
        roles = domain.actions[action].roles
        for arrangement, one in listed.items():
            if not one.none:
                assert set(one.roles) <= set(roles), arrangement
                assert {r.name for r in roles.values() if r.needed} <= set(one.roles), arrangement


@pytest.mark.parametrize(
    ("kind", "template", "roles"),
    [
        ("swap_asset", "give {amount} {asset}, get {asset2}", {"amount": "{amount}"}),
        ("swap_asset", "I want {amount} {asset2} for my {asset}", {"amount": "{amount} {asset2}"}),
        ("borrow_asset", "{amount} {asset} on my {asset2}", {"collateral": "{asset2}"}),
    ],
)
def test_hand_written_templates_say_what_their_slots_say(kind, template, roles):
    [one] = slot_truth.asked(Family(id=f"{kind}/000", kind=kind, templates=()), template)
    assert roles.items() <= one.roles.items()


@pytest.mark.parametrize(
    "template",
    [
        "stake half of my {asset}",
        "{asset} please",
        "stake {amount} {asset} of {asset}",
        "{percent}",
    ],
)
def test_hand_written_templates_that_say_more_than_their_slots_are_left_out(template):
    family = Family(id="stake_asset/000", kind="stake_asset", templates=())
    assert slot_truth.asked(family, template) is None


# --- the task -------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_task_keeps_the_contract_of_tasks():
    check_task(load_tasks("intent.slots")["intent.slots"])
    assert [metric.name for metric in task().metrics][-3:] == [
        "slot_precision",
        "slot_recall",
        "slot_f1",
    ]


@pytest.mark.slow
def test_a_smaller_test_is_the_beginning_of_a_larger_one():
    larger = slots(size=SIZE + 100).samples("test")[:SIZE]
    assert [(s.id, s.input, s.target) for s in larger] == [
        (s.id, s.input, s.target) for s in task().samples("test")
    ]


@pytest.mark.parametrize("size", [0, 20_001])
def test_a_size_out_of_range_is_refused(size):
    with pytest.raises(PlanError, match="test prompts"):
        slots(size=size)


def test_a_third_to_a_half_of_the_prompts_have_no_steps():
    for split in ("train", "calibration", "test"):
        samples = task().samples(split)
        none = sum(isinstance(s.target, Bottom) for s in samples)
        assert 0.2 < none / len(samples) < 0.5
        assert none == sum("none" in s.tags for s in samples)


# --- the verifier ---------------------------------------------------------------------------


def check(wanted, answered):
    sample = Sample(id="s", input="", target=Answer(wanted))
    [found] = SameSteps().check([(sample, Reply("s", Answer(answered)))])
    return found


@given(steps)
def test_a_reading_agrees_with_itself(one):
    found = check(one, [dict(s) for s in one])
    assert found.passed
    assert found.scores["slots_right"] == found.scores["slots_said"] == pieces(one).total()


@given(steps, steps)
def test_a_reading_passes_only_when_it_is_the_same(one, other):
    found = check(one, other)
    assert found.passed == (one == other)
    assert found.scores["slots_right"] <= min(
        found.scores["slots_said"], found.scores["slots_wanted"]
    )
    assert found.scores["slots_right"] == check(other, one).scores["slots_right"]


@given(steps, st.one_of(st.none(), st.text(), st.integers(), st.just([]), st.just([1]),
                        st.just([{"action": "x", "slots": 3}]), st.just({"steps": []})))  # fmt: skip
def test_what_is_no_list_of_steps_never_passes(one, answered):
    assert check(one, answered).passed is False


def test_the_order_of_steps_counts():
    one = {"action": "stake_asset", "slots": {"asset": "ETH"}}
    other = {"action": "swap_asset", "slots": {"asset": "SOL"}}
    assert not check([one, other], [other, one]).passed


# --- a grammar that works, and broken ones --------------------------------------------------


def test_the_grammar_reads_most_requests_and_invents_next_to_nothing():
    found = said()
    assert found["right"] > 0.7
    assert found["f1"] > 0.95
    assert found["invented"] <= 3


def drop_units(one):
    return {**one, "slots": {role: value.split(" ")[0] for role, value in one["slots"].items()}}


def swap_roles(one):
    named = {"asset": "to_asset", "to_asset": "asset", "venue": "chain", "chain": "venue"}
    return {**one, "slots": {named.get(role, role): v for role, v in one["slots"].items()}}


def forget_amounts(one):
    return {**one, "slots": {r: v for r, v in one["slots"].items() if r != "amount"}}


def shift_decimals(one):
    slots = {r: v + "0" if v[-1:].isdecimal() else v for r, v in one["slots"].items()}
    return {**one, "slots": slots}


@pytest.mark.parametrize(
    ("alter", "exact", "f1"),
    [(drop_units, 0.90, 0.98), (swap_roles, 0.45, 0.75), (forget_amounts, 0.30, 0.92),
     (shift_decimals, 0.60, 0.92)],
)  # fmt: skip
def test_a_grammar_that_spoils_slots_scores_as_broken(alter, exact, f1):
    """Each loses at least what those slots are worth."""
    broken, sound = said(alter), said()
    assert broken["exact"] < exact < sound["exact"]
    assert broken["f1"] < f1 < sound["f1"]


def test_a_grammar_without_words_of_refusal_invents_what_is_refused():
    """Each request that is read is refused in turn: all must decline, and a deaf grammar does not."""
    domain = load_domain("defi")
    deaf = replace(domain, words=replace(domain.words, refuse={}, questions=()))
    asked = [s.input for s in task().samples("test") if "none" not in s.tags]
    read = [text for text in asked if isinstance(read_steps(text, domain), tuple)]
    refused = [f"don't {text}" for text in read]
    assert all(read_steps(text, domain).reason == "negation" for text in refused)
    heard = sum(isinstance(read_steps(text, deaf), tuple) for text in refused)
    assert heard > 0.9 * len(refused) > 100


def test_the_recipe_keeps_the_contract_of_recipes(tmp_path):
    check_recipe(Grammar(), task(), workdir=tmp_path)
    assert Grammar().seeded is False
