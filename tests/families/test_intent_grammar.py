"""The grammar of domains: exact spans and values, typed steps, and a reason for everything else."""

import sys
import unicodedata
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assay import Answer, Bottom, Failed
from assay.families.intent.grammar.cases import load_cases
from assay.families.intent.grammar.domain import load_domain
from assay.families.intent.grammar.folded import fold
from assay.families.intent.grammar.reading import MOST_STEPS, as_json, read_steps
from assay.families.intent.grammar.slots import MOST_CHARACTERS, extract, scan_text
from assay.families.intent.grammar.steps import Slot, Step

DEFI, HOME = load_domain("defi"), load_domain("home")
CASES = [(domain, case) for domain in (DEFI, HOME) for case in load_cases(domain)]
WORDS = (
    *("swap", "stake", "deposit", "then", "and", ",", ";", ".", "for", "into", "on", "my", "half"),
    *("ETH", "usdc", "Aave", "aave v3", "1inch", "ether.fi", "ETH-USDC", "$", "%", "bps", "k"),
    *("2", "2.5k", "1,000", "-3", "1e9", "1e999", "0.5%", "two hundred", "it", "the rest", "there"),
    *(
        "don't",
        "?",
        "slippage",
        "\u200b",
        "\u202e",
        "\uff12",
        "\u0663",
        "½",
        "İ",
        "ß",
        "\ud83d",
        "x",
        "_",
    ),
)
INVISIBLE = "\u200b\u200d\u2060\ufeff\u202e\u202c"
request = st.lists(st.sampled_from(WORDS), max_size=25).flatmap(
    lambda words: st.sampled_from((" ".join(words), "".join(words)))
)
anything = st.one_of(st.text(max_size=80), request)
plain_request = st.tuples(
    st.sampled_from(("swap", "convert", "sell")),
    st.decimals(min_value="0.001", max_value="99999", places=3),
    st.sampled_from(("ETH", "SOL", "USDC", "DAI")),
    st.sampled_from(("WBTC", "LINK", "CRV")),
)


def steps_of(text, domain=DEFI):
    read = read_steps(text, domain)
    return as_json(read, domain) if isinstance(read, tuple) else read.reason


# --- the domains' own cases -----------------------------------------------------------------


@pytest.mark.parametrize(("domain", "case"), CASES, ids=[case.says[:60] for _, case in CASES])
def test_a_case_of_a_domain_is_read_as_it_says(domain, case):
    assert steps_of(case.says, domain) == (case.steps or case.reason)


def test_the_cases_cover_every_action_and_every_kind_of_refusal():
    defi = load_cases(DEFI)
    assert len(defi) >= 100
    assert {step["action"] for case in defi for step in case.steps} == set(DEFI.actions)
    reasons = {case.reason.partition(":")[0] for case in defi if case.reason}
    assert reasons >= {
        *("negation", "question", "condition", "later", "correction", "bad_number", "ambiguous"),
        *("missing", "unknown", "no_antecedent", "contradiction", "too_many_steps", "empty"),
        "no_keyword",
    }
    home = load_cases(HOME)
    assert {step["action"] for case in home for step in case.steps} == set(HOME.actions)


# --- properties -----------------------------------------------------------------------------


@given(anything, st.sampled_from((DEFI, HOME)))
@example("swap\u200b 2\u200b.5 E\u200bTH", DEFI)
@example("İ 2 ETH", DEFI)
def test_a_slot_is_exactly_what_stands_at_its_span(text, domain):
    slots = extract(text, domain)
    if isinstance(slots, tuple):
        ends = [0]
        for slot in slots:
            assert text[slot.start : slot.end] == slot.text
            assert slot.text
            assert slot.start >= ends[-1]
            ends.append(slot.end)


@given(anything, st.sampled_from((DEFI, HOME)))
def test_whatever_is_asked_comes_to_steps_or_to_a_reason(text, domain):
    read = read_steps(text, domain)
    if isinstance(read, Bottom):
        assert read.reason
        return
    assert 1 <= len(read) <= MOST_STEPS
    for step in read:
        roles = domain.actions[step.action].roles
        assert {role.name for role in roles.values() if role.needed} <= set(step.slots)
        for role, slot in step.slots.items():
            assert slot.kind in roles[role].kinds
            assert text[slot.start : slot.end] == slot.text


@given(anything)
def test_reading_twice_gives_the_same(text):
    assert read_steps(text, DEFI) == read_steps(text, DEFI)


@given(plain_request)
def test_an_amount_is_exact_and_never_a_float(made):
    verb, amount, asset, other = made
    text = f"{verb} {amount} {asset} for {other}"
    [step] = read_steps(text, DEFI)
    assert Decimal(step.value("amount")) == amount
    assert step.slots["amount"].unit == asset
    assert (step.value("asset"), step.value("to_asset")) == (asset, other)


@given(plain_request, st.data())
def test_what_cannot_be_seen_changes_nothing(made, data):
    verb, amount, asset, other = made
    text = f"{verb} {amount} {asset} for {other} on Uniswap"
    marks = data.draw(
        st.lists(st.tuples(st.integers(0, len(text)), st.sampled_from(INVISIBLE)), max_size=6)
    )
    hidden = text
    for place, mark in sorted(marks, reverse=True):
        hidden = hidden[:place] + mark + hidden[place:]
    assert steps_of(hidden) == steps_of(text)


@given(plain_request)
def test_full_width_letters_and_other_digits_are_the_same_letters_and_digits(made):
    verb, amount, asset, other = made
    text = f"{verb} {amount} {asset} for {other}"
    wide = "".join(chr(ord(c) + 0xFEE0) if c.isalnum() else c for c in text)
    arabic = "".join(chr(0x660 + int(c)) if c.isdecimal() else c for c in text)
    assert steps_of(wide) == steps_of(arabic) == steps_of(text)


@given(plain_request, st.sampled_from((str.lower, str.upper, str.title)))
def test_casing_changes_nothing_where_a_name_has_one_meaning(made, recase):
    verb, amount, asset, other = made
    text = f"{verb} {amount} {asset} for {other} on Uniswap"
    assert steps_of(recase(text)) == steps_of(text)


@given(plain_request, st.sampled_from(("don't ", "never ", "please do not ", "I won't ")))
def test_a_negated_request_is_never_read_as_a_step(made, negation):
    verb, amount, asset, other = made
    assert steps_of(f"{negation}{verb} {amount} {asset} for {other}") == "negation"


@given(plain_request)
def test_a_minus_in_front_of_an_amount_is_a_bad_number(made):
    verb, amount, asset, other = made
    for minus in "-\u2212\u2013":
        assert steps_of(f"{verb} {minus}{amount} {asset} for {other}") == "bad_number"


@given(st.integers(1, 10**15 - 1))
def test_thousands_read_the_same_with_commas_and_without(number):
    plain, commas = extract(f"{number} ETH", DEFI), extract(f"{number:,} ETH", DEFI)
    assert plain[0].value == commas[0].value == str(number)


@given(st.integers(0, 999_999))
def test_numbers_in_words_are_those_in_digits(number):
    said = in_words(number)
    slots = extract(f"set brightness to {said} seconds", HOME)
    if 0 < number <= 86400:
        assert slots[0].value == str(number)
    else:
        assert slots == Bottom("bad_number")


def in_words(number):
    """Write a number below a million in English."""
    from assay.families.intent.grammar import numerals

    ones = {value: word for word, value in numerals._UNITS.items()}
    tens = {value: word for word, value in numerals._TENS.items()}
    if number < 20:
        return ones[number]
    if number < 100:
        ten, one = tens[number - number % 10], number % 10
        return f"{ten}-{ones[one]}" if one else ten
    if number < 1000:
        head, rest = f"{ones[number // 100]} hundred", number % 100
        return f"{head} and {in_words(rest)}" if rest else head
    head, rest = f"{in_words(number // 1000)} thousand", number % 1000
    joint = " and " if 0 < rest < 100 else " "
    return f"{head}{joint}{in_words(rest)}" if rest else head


# --- size -----------------------------------------------------------------------------------


def calls(work):
    """Count the calls of Python functions that work takes: a clock that never errs."""
    counted = 0

    def count(frame, event, _):
        nonlocal counted
        counted += event == "call"

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return counted


@pytest.mark.parametrize(
    "piece", ["swap 2 ETH for USDC ", "1,", "twenty ", "aave-", "-", "$", "all of ", "e9", "\u200b"]
)
def test_the_time_of_a_scan_grows_with_the_length_of_a_text(piece):
    once, twice = (
        calls(lambda n=n: scan_text(fold(piece * (n // len(piece))), DEFI)) for n in (1500, 3000)
    )
    assert twice <= 2.2 * once + 200


@pytest.mark.parametrize(
    "piece",
    [
        *("and ", ", ", "of ", "in ", "for the ", "it ", "that ", "on aave ", "x, ", "and x "),
        *("withdraw a ", "swap ", "please ", "take ", "half ", "for bob ", "put ... ", "- "),
    ],
)
@pytest.mark.parametrize("begins", ["", "stake 2 SOL "])
def test_the_time_of_a_reading_grows_with_the_length_of_a_request(begins, piece):
    once, twice = (
        calls(lambda n=n: read_steps(begins + piece * (n // len(piece)), DEFI))
        for n in (1000, 2000)
    )
    assert twice <= 2.2 * once + 4000


def test_a_megabyte_is_declined_before_anything_reads_it():
    for text in ("swap 2 ETH for USDC " * 50_000, "\u200b" * 1_000_000, "1" * 1_000_000):
        assert extract(text, DEFI) == read_steps(text, DEFI) == Bottom("too_long")
    assert read_steps("a" * MOST_CHARACTERS, DEFI) == Bottom("no_keyword")


# --- units and meanings ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "value", "unit", "written"),
    [
        ("2.5k usdc", "amount", "2500", "USDC", "2.5k"),
        ("$500", "amount", "500", "usd", "$500"),
        ("500 dollars of ETH", "amount", "500", "usd", "500 dollars"),
        ("2 of my staked ETH", "amount", "2", "ETH", "2"),
        ("two hundred and fifty DAI", "amount", "250", "DAI", "two hundred and fifty"),
        ("half of my ETH", "amount", "half", "", "half of"),
        ("0.5%", "percent", "0.5", "percent", "0.5%"),
        ("50 bps", "percent", "50", "bps", "50 bps"),
        ("1500 usd coin", "amount", "1500", "USDC", "1500"),
        ("3 million DAI", "amount", "3000000", "DAI", "3 million"),
        (".25 eth", "amount", "0.25", "ETH", ".25"),
        ("one ETH", "amount", "1", "ETH", "one"),
    ],
)
def test_a_number_has_its_kind_value_unit_and_span(text, kind, value, unit, written):
    first = extract(text, DEFI)[0]
    assert (first.kind, first.value, first.unit, first.text) == (kind, value, unit, written)


def test_a_name_of_two_meanings_is_the_one_that_is_written_or_counted():
    kinds = [[s.kind for s in extract(text, DEFI)] for text in ("AAVE", "Aave", "5 aave")]
    assert kinds == [["asset"], ["venue"], ["amount", "asset"]]
    assert steps_of("deposit 5 aave on aave") == [
        {"action": "deposit_asset", "slots": {"amount": "5", "asset": "AAVE", "venue": "Aave"}}
    ]


def test_a_name_inside_a_longer_word_or_address_is_not_that_name():
    for text in ("aaves", "aave.evil.com", "evil.aave", "aave-fork", "aave_fork", "myeth", "ethx"):
        assert extract(text, DEFI) == ()


# --- who decides ----------------------------------------------------------------------------


def test_a_mapper_decides_the_action_of_each_clause():
    asked = []

    def decide(text):
        asked.append(text)
        return Answer("stake_asset" if "validating" in text else "swap_asset")

    read = read_steps("give me USDC for 2 ETH; get 3 SOL validating", DEFI, decide)
    assert asked == ["give me USDC for 2 ETH", "get 3 SOL validating"]
    assert [step.action for step in read] == ["swap_asset", "stake_asset"]


def test_what_a_mapper_declines_or_fails_at_is_what_reading_says():
    bottom, failed = Bottom("below_threshold", Answer("swap_asset")), Failed("non_finite")
    for said in (bottom, failed):
        assert read_steps("swap 2 ETH for USDC", DEFI, lambda _, said=said: said) is said
    assert read_steps("stake 2 ETH", DEFI, lambda _: Answer("fly")).reason == "unknown_action"
    assert read_steps("stake 2 ETH", DEFI, lambda _: Answer(7)).reason == "unknown_action"


def test_a_refused_request_never_reaches_the_mapper():
    def decide(text):
        raise AssertionError(text)

    for text in ("don't swap 2 ETH", "swap 2 ETH?", "", "swap NaN ETH", "x" * 20_000):
        assert isinstance(read_steps(text, DEFI, decide), Bottom)


def test_units_that_say_something_stay_and_units_that_repeat_go():
    asset = Slot(kind="asset", value="ETH", text="ETH", start=2, end=5)
    for unit, said in (("ETH", "2"), ("usd", "2 usd"), ("", "2")):
        amount = Slot(kind="amount", value="2", text="2", start=0, end=1, unit=unit)
        step = Step(action="stake_asset", slots={"amount": amount, "asset": asset})
        assert as_json((step,), DEFI)[0]["slots"]["amount"] == said


@given(st.text(max_size=60))
@settings(max_examples=200)
def test_folding_keeps_a_place_for_every_character(text):
    folded = fold(text)
    assert len(folded.origin) == len(folded.text)
    assert all(0 <= place < len(text) for place in folded.origin)
    assert list(folded.origin) == sorted(folded.origin)
    assert not any(unicodedata.category(c) == "Cf" for c in folded.text)
