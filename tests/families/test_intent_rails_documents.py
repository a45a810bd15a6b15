"""Policies and contexts are read exactly, or refused with a code, a path and a hint."""

from __future__ import annotations

import json
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import DataError
from assay.families.intent.grammar.steps import Slot, Step
from assay.families.intent.rails import read_context, read_policy, read_steps, write_steps
from assay.families.intent.rails.canonical import canonical, patched
from assay.families.intent.rails.exact import (
    EXACT,
    divided,
    floor_to,
    places,
    read_decimal,
    show,
    show_ratio,
)
from assay.families.intent.rails.schemas import main, schemas
from runs import ROOT

CASE = canonical()[0]
WHOLE = st.integers(0, 10**30 - 1)
AMOUNTS = st.decimals(0, 10**12, places=12, allow_nan=False, allow_infinity=False)


def context(**change):
    return patched(CASE.context, change)


def policy(**change):
    return patched(CASE.policy, change)


# --- numbers --------------------------------------------------------------------------------


@given(WHOLE, st.integers(0, 30))
def test_a_decimal_is_read_digit_by_digit(whole, digits):
    written = f"{whole}.{'7' * digits}" if digits else str(whole)
    assert read_decimal(written) == Decimal(written)


@given(AMOUNTS)
def test_what_is_written_is_read_back(value):
    assert read_decimal(show(value)) == value
    assert "e" not in show(value).lower()


@given(AMOUNTS, st.integers(0, 12))
def test_cutting_takes_less_than_a_unit_and_never_adds(value, digits):
    cut = floor_to(value, digits)
    assert 0 <= value - cut < Decimal(1).scaleb(-digits)
    assert places(cut) <= digits


@given(AMOUNTS, AMOUNTS.filter(bool), st.integers(0, 12))
def test_a_ratio_is_written_on_the_side_of_any_short_limit_on_which_it_stands(value, by, limit):
    limit = Decimal(limit) / 8  # three digits: fewer than are written
    with localcontext(EXACT):
        above = value > limit * by
        below = value < limit * by
    assert (Decimal(show_ratio(value, by, up=True)) > limit) == above
    assert (Decimal(show_ratio(value, by, up=False)) < limit) == below


def test_a_quotient_is_cut_and_not_rounded():
    assert divided(Decimal(2), Decimal(3), 6) == Decimal("0.666666")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.1, "binary float"),
        (True, "truth value"),
        (None, "null is no number"),
        ("NaN", "no amount"),
        ("Infinity", "no amount"),
        ("-inf", "no amount"),
        ("-1", "negative"),
        (-1, "negative"),
        ("1e400", "digits before"),
        ("1" * 31, "digits before"),
        (10**30, "digits before"),
        ("1e-40", "digits behind"),
        ("0." + "1" * 31, "digits behind"),
        ("1" * 200, "plain decimal"),
        ("1,000", "plain decimal"),
        ("0x10", "plain decimal"),
        (" 1", "plain decimal"),
        ("1_000", "plain decimal"),
        ("٣", "plain decimal"),
        ("", "plain decimal"),
        (Decimal("NaN"), "no amount"),
        (Decimal("sNaN"), "no amount"),
        (Decimal("1." + "0" * 200 + "1"), "digits"),
    ],
)
def test_what_is_no_amount_is_refused(value, words):
    with pytest.raises(ValueError, match=words):
        read_decimal(value)


# --- documents ------------------------------------------------------------------------------


def test_numbers_of_json_text_are_never_binary_floats():
    text = json.dumps(context()).replace('"20000"', "0.1000000000000000055511151231257827")
    with pytest.raises(DataError, match="digits behind"):
        read_context(text)
    text = json.dumps(context()).replace('"20000"', "0.10")
    assert read_context(text).wallet["USDC"] == Decimal("0.10")


WRONG = [
    ({"wallet": {"ETH": "-1"}}, "$.wallet.ETH", "negative"),
    ({"wallet": {"ETH": "NaN"}}, "$.wallet.ETH", "no amount"),
    ({"wallet": {"ETH": 0.5}}, "$.wallet.ETH", "binary float"),
    ({"wallet": {"ETH": "1e99"}}, "$.wallet.ETH", "digits before"),
    ({"wallet": {"": "1"}}, "$.wallet..[key]", "at least 1"),
    ({"walet": {}}, "$.walet", "no such key"),
    ({"schema": 2}, "$.schema", "1"),
    ({"now": "2026-11-28T12:00:00"}, "$.now", "without an offset"),
    ({"now": 1_764_331_200}, "$.now", "point in time"),
    ({"now": "yesterday"}, "$.now", "isoformat"),
    ({"prices": {"ETH": {"usd": "0"}}}, "$.prices.ETH.usd", "zero"),
    (
        {"prices": {"ETH": {"reference": {"source": "chainlink"}}}},
        "$.prices.ETH",
        "confirms nothing",
    ),
    ({"assets": {"ETH": {"decimals": 18.0}}}, "$.assets.ETH.decimals", "integer"),
    ({"assets": {"ETH": {"decimals": "18"}}}, "$.assets.ETH.decimals", "integer"),
    ({"assets": {"ETH": {"decimals": -1}}}, "$.assets.ETH.decimals", "greater"),
    ({"assets": {"ETH": {"native": 1}}}, "$.assets.ETH.native", "boolean"),
    (
        {"markets": {"Aave": {"reserves": {"ETH": {"ltv_max": "0.9"}}}}},
        "$.markets.Aave.reserves.ETH",
        "above liquidation_threshold",
    ),
    (
        {"markets": {"Aave": {"reserves": {"ETH": {"ltv_max": "80"}}}}},
        "$.markets.Aave.reserves.ETH.ltv_max",
        "at most 1",
    ),
    ({"markets": {"Aave": {"protocol": "aave-v9"}}}, "$.markets.Aave.protocol", "aave-v3"),
    ({"positions": {"Aave": {"collateral": {"ETH": "5001"}}}}, "$", "everybody together"),
    ({"quotes": [{"venue": "uniswap"}]}, "$.quotes[0].sell", "missing"),
    ({"quotes": "none"}, "$.quotes", "tuple"),
]


@pytest.mark.parametrize(("change", "where", "words"), WRONG, ids=[w[1] for w in WRONG])
def test_a_context_that_is_wrong_is_refused_with_its_path(change, where, words):
    with pytest.raises(DataError, match=words) as caught:
        read_context(context(**change))
    assert caught.value.code == "A200"
    assert caught.value.where == where
    assert caught.value.hint


def test_two_quotes_for_one_swap_are_refused():
    one = CASE.context["quotes"][0]
    with pytest.raises(DataError, match="same swap"):
        read_context(context(quotes=[one, {**one, "amount": "2.0", "expected": "9999"}]))


CONTRADICTIONS = [
    ({"hf_min": "0.99"}, "$.hf_min", "greater than or equal to 1"),
    ({"tx_usd": {"min": "30000"}}, "$.tx_usd", "above max"),
    ({"tx_usd": {"min": "10", "max": "none"}, "day_usd_max": "9"}, "$", "nothing could pass"),
    (
        {"risk": {"ETH": {"ltv_max": "0.9", "liquidation_threshold": "0.8"}}},
        "$.risk.ETH",
        "liquidated",
    ),
    ({"risk": {"PEPE": {"ltv_max": "0.1", "liquidation_threshold": "0.2"}}}, "$", "not allow"),
    ({"assets": ["ETH", "ETH"]}, "$", "twice"),
    ({"assets": []}, "$.assets", "too few"),
    ({"venues": {"aave": ["mint_asset"]}}, "$.venues.aave[0]", "deposit_asset"),
    ({"ltv_max": "1.01"}, "$.ltv_max", "at most 1"),
    ({"ltv_max": "NaN"}, "$.ltv_max", "no amount"),
    ({"price_age_max_s": -1}, "$.price_age_max_s", "greater"),
    ({"day_usd_max": "unlimited"}, "$.day_usd_max", "plain decimal"),
    ({"day_usd_max": None}, "$.day_usd_max", "missing"),
]


@pytest.mark.parametrize(("change", "where", "words"), CONTRADICTIONS)
def test_a_policy_that_contradicts_itself_is_refused(change, where, words):
    with pytest.raises(DataError, match=words) as caught:
        read_policy(policy(**change))
    assert caught.value.where == where


def test_a_policy_has_no_limit_that_is_left_out():
    for key in CASE.policy:
        with pytest.raises(DataError, match="is missing") as caught:
            read_policy({k: v for k, v in CASE.policy.items() if k != key})
        assert caught.value.where == f"$.{key}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("[]", "no JSON object"),
        ("{", "not JSON"),
        ('{"schema": 1, "schema": 1}', "twice"),
        ('{"a": NaN}', "NaN is no number"),
        ('{"a": -Infinity}', "-Infinity is no number"),
        ('{"a": ' + "9" * 5000 + "}", "5000 digits"),
        ("[" * 100_000, "nested too deep"),
        (b"\xff\xfe{}", "not JSON"),
        (" " * 4_000_001, "4000001 bytes"),
        ("\x00", "not JSON"),
    ],
)
def test_text_that_is_no_document_is_refused(text, words):
    with pytest.raises(DataError, match=words):
        read_context(text)


ANY = st.none() | st.floats() | st.text() | st.integers() | st.lists(st.text())
KEYS = st.sampled_from(["schema", "now", "wallet", "prices", "quotes", "chain"])


@given(st.dictionaries(KEYS, ANY | st.dictionaries(st.text(), ANY)))
def test_whatever_is_given_is_a_context_or_an_error_with_a_code(given_values):
    refused = None
    try:
        read_context(given_values)
    except DataError as error:
        refused = error
    assert refused is None or (refused.code == "A200" and refused.where.startswith("$"))


def test_the_schemas_in_the_manual_are_those_of_the_code(tmp_path):
    main(tmp_path)
    for name, text in schemas().items():
        assert (ROOT / "docs" / "schemas" / name).read_text("utf-8") == text
        assert (tmp_path / name).read_text("utf-8") == text
        assert json.loads(text)["additionalProperties"] is False


# --- steps ----------------------------------------------------------------------------------

ROLE = st.sampled_from(["amount", "asset", "to_asset", "venue", "chain", "slippage", "collateral"])
VALUE = st.text(max_size=8)


@given(st.lists(st.tuples(VALUE, st.dictionaries(ROLE, st.tuples(VALUE, VALUE))), max_size=4))
def test_steps_are_read_back_as_they_were_written(drawn):
    steps = tuple(
        Step(
            action=action,
            slots={
                role: Slot(kind=role, value=v, text=v, start=0, end=len(v), unit=unit)
                for role, (v, unit) in slots.items()
            },
        )
        for action, slots in drawn
    )
    assert read_steps(json.loads(json.dumps(write_steps(steps)))) == steps


@pytest.mark.parametrize(
    "wrong",
    [
        "swap",
        7,
        None,
        [7],
        [{}],
        [{"action": 7}],
        [{"action": "swap_asset", "venue": "aave"}],
        [{"action": "swap_asset", "slots": []}],
        [{"action": "swap_asset", "slots": {"amount": 2}}],
        [{"action": "swap_asset", "slots": {"amount": {"value": "2", "units": "ETH"}}}],
        [{"action": "swap_asset", "slots": {"amount": {"value": 2}}}],
        [{"action": "swap_asset", "slots": {7: "2"}}],
        [{"action": "swap_asset"}] * 51,
    ],
)
def test_what_is_no_list_of_steps_is_refused(wrong):
    with pytest.raises(DataError) as caught:
        read_steps(wrong)
    assert caught.value.where.startswith("$")


@pytest.mark.parametrize(
    ("price", "says"),
    [
        ("NaN", "NaN is no amount"),
        ("-1", "a negative number"),
        (True, "a truth value is no number"),
    ],
)
def test_a_word_that_is_written_in_capitals_stays_so_in_a_message(price, says):
    with pytest.raises(DataError) as caught:
        read_context(context(prices={"ETH": {"usd": price}}))
    assert caught.value.what.removeprefix("the context cannot be used: ") == says


def test_a_document_that_is_nested_too_deep_says_what_to_do():
    with pytest.raises(DataError, match="nested too deep") as caught:
        read_policy("[" * 100_000)
    assert "policy.json" in caught.value.hint
