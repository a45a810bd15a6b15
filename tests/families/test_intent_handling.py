"""From a request to what is done about it: nothing is carried out that was not understood and allowed."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import Answer, Bottom, DataError, Failed
from assay.families.intent.grammar.domain import load_domain
from assay.families.intent.grammar.verbs import by_keywords
from assay.families.intent.rails import read_context, read_policy
from assay.families.intent.rails.canonical import canonical
from assay.families.intent.serving.handling import Fate, Handler

DEFI = load_domain("defi")
KEYWORDS = by_keywords(DEFI)
BASE = canonical()[0]
CONTEXT, POLICY = read_context(BASE.context), read_policy(BASE.policy)


def keyword_handler(**more):
    return Handler(decide=lambda texts: [KEYWORDS(text) for text in texts], domain=DEFI, **more)


def saying(said, **more):
    """Return a handler whose mapper says one thing to everything."""
    return Handler(decide=lambda texts: [said for _ in texts], domain=DEFI, **more)


def handle(prompt, handler=None, context=CONTEXT, policy=POLICY):
    return (handler or keyword_handler()).handle(prompt, context=context, policy=policy)


def test_an_allowed_request_is_carried_out_on_the_ledger():
    found = handle("deposit 5 ETH into Aave")
    assert found.fate is Fate.EXECUTED
    assert found.reason == ""
    moved = {tuple(p.account): p.change for step in found.verdict.postings for p in step}
    assert min(moved.values()) == -5
    assert (
        sum(change for account, change in moved.items() if account[0] in ("wallet", "liquidity"))
        == 0
    )


def test_steps_act_on_what_the_steps_before_them_made():
    found = handle("swap 2 ETH for USDC on Uniswap then deposit it on Aave")
    assert [step.action for step in found.steps] == ["swap_asset", "deposit_asset"]
    assert found.fate is Fate.EXECUTED
    put = [p for p in found.verdict.postings[1] if p.change < 0 and p.account.asset == "USDC"]
    assert put[0].change == -3990  # what the quote brings, not what anybody typed


def test_a_rule_that_is_broken_stops_everything_and_says_its_numbers():
    found = handle("borrow 9000 USDC from Aave")
    assert found.fate is Fate.BLOCKED
    assert found.reason.startswith("rail:")
    assert found.verdict.block.numbers


@pytest.mark.parametrize(("context", "policy"), [(None, POLICY), (CONTEXT, None), (None, None)])
def test_without_facts_or_limits_rails_are_not_run_and_nothing_is_carried_out(context, policy):
    found = handle("deposit 5 ETH into Aave", context=context, policy=policy)
    assert found.fate is Fate.PROPOSED
    assert found.verdict is None
    assert "not run" in found.reason


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        ("", "empty"),
        ("  \n\t ", "empty"),
        ("!!!", "empty"),
        ("deposit 5 ETH into Aave" + " please" * 2000, "too_long"),
        ("\u202edeposit 5 ETH into Aave", "hidden_direction"),
        ("deposit -5 ETH into Aave", "bad_number"),
        ("deposit NaN ETH into Aave", "bad_number"),
        ("don't deposit 5 ETH into Aave", "negation"),
        ("deposit ETH into Aave", "missing:amount"),
    ],
)
def test_what_cannot_be_acted_on_is_declined_with_its_reason(prompt, reason):
    found = handle(prompt)
    assert found.fate is Fate.DECLINED
    assert found.reason == reason


def test_one_megabyte_is_declined_before_the_mapper_reads_it():
    def never(texts):
        raise AssertionError(texts)

    found = Handler(decide=never, domain=DEFI).handle("a" * 1_000_000)
    assert found.reason == "too_long"


def test_a_mapper_that_names_another_action_than_the_request_is_not_followed():
    wrong = saying(Answer("stake_asset", 0.99), second=KEYWORDS)
    assert handle("deposit 5 ETH into Aave", wrong).reason == "disagreement"
    alone = saying(Answer("stake_asset", 0.99))
    assert handle("deposit 5 ETH into Lido", alone).steps[0].action == "stake_asset"


def test_what_the_mapper_declines_is_declined_whatever_the_grammar_reads():
    found = handle("deposit 5 ETH into Aave", saying(Bottom("out_of_scope")))
    assert (found.fate, found.reason) == (Fate.DECLINED, "out_of_scope")
    assert handle("deposit 5 ETH into Aave", saying(Failed("non_finite"))).reason == "non_finite"


def test_a_slot_that_no_rule_judges_is_carried_out_by_nobody():
    found = handle("deposit 5 ETH with a matching amount of USDC into Aave")
    assert found.fate is Fate.DECLINED


def test_names_are_those_of_the_policy_whatever_their_case():
    assert handle("DEPOSIT 5 eth INTO AAVE").fate is Fate.EXECUTED


def test_canonical_requests_are_carried_out_only_where_they_must_be():
    invented = []
    for case in canonical():
        try:
            context, policy = read_context(case.context), read_policy(case.policy)
        except DataError:
            continue
        found = handle(case.prompt, context=context, policy=policy)
        if found.fate is Fate.EXECUTED and case.expect != "execute":
            invented.append(case.id)
    assert invented == []


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=200))
def test_no_text_crashes_and_equal_texts_have_equal_outputs(text):
    first, second = handle(text), handle(text)
    assert first.digest == second.digest
    assert json.loads(json.dumps(first.facts)) == first.facts
    if first.fate is Fate.EXECUTED:
        assert first.steps


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["deposit 5 ETH into Aave", "hello", "", "stake 1 ETH on Lido", "x" * 11_000]
        ),
        max_size=6,
    )
)
def test_no_request_depends_on_the_others(prompts):
    handler = keyword_handler()
    together = handler.handle_all(prompts, context=CONTEXT, policy=POLICY)
    alone = [handler.handle(p, context=CONTEXT, policy=POLICY) for p in prompts]
    assert [one.digest for one in together] == [one.digest for one in alone]
