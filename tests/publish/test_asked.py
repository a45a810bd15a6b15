"""Numbers that somebody asks of a run, in a notebook or a console."""

from __future__ import annotations

import pytest

from assay import AssayError, Run


@pytest.fixture(scope="module")
def loaded(smoke) -> Run:
    return Run.load(smoke.root)


def test_two_systems_are_compared_as_the_report_compares_them(loaded):
    [case] = loaded.cases.values()
    asked = loaded.estimate("accuracy", "votes", against="last-word")
    assert asked == case.compare("votes", "last-word", "accuracy")
    assert asked.low > 0
    wider = loaded.estimate("accuracy", "votes", against="last-word", confidence=0.99)
    assert wider.confidence == 0.99
    assert wider.low < asked.low
    ratio = loaded.estimate("usd_per_1k", "votes", against="last-word")
    assert ratio.value > 1


def test_one_number_has_the_level_that_is_asked_for(loaded):
    usual, wider = (loaded.estimate("accuracy", "votes", confidence=c) for c in (0.95, 0.99))
    assert wider.value == usual.value
    assert wider.low < usual.low
    assert wider.high > usual.high


def test_over_may_be_one_word(loaded):
    words = (loaded.estimate("accuracy", "votes", over=over) for over in ("samples", ["samples"]))
    one, many = words
    assert one == many


@pytest.mark.parametrize(
    ("asked", "code", "says", "hint"),
    [
        ({"system": "vote"}, "A103", "no system is called 'vote'", "did you mean 'votes'?"),
        ({"against": "last"}, "A103", "no system is called 'last'", "'last-word'"),
        ({"against": "votes"}, "A104", "'votes' cannot stand against itself", "another"),
        ({"over": "sample"}, "A103", "not of 'sample'", '["samples", "seeds"]'),
        ({"over": ["seeds", "days"]}, "A103", "not of 'days'", '["samples", "seeds"]'),
        ({"metric": "acuracy"}, "A103", "no metric of toy.errands is called 'acuracy'", "accuracy"),
        ({"confidence": 95}, "A202", "", ""),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_hint(loaded, asked, code, says, hint):
    with pytest.raises(AssayError) as caught:
        loaded.estimate(**{"metric": "accuracy", "system": "votes", **asked})
    assert caught.value.code == code
    assert says in caught.value.what
    assert hint in caught.value.hint


def test_numbers_and_fronts_are_printed_in_lines_that_can_be_read(loaded):
    assert str(loaded.estimate("accuracy", "votes")).startswith("accuracy 0.8")
    shown = str(loaded.front(["accuracy", "usd_per_1k"])).splitlines()
    assert shown[0] == "toy.errands: higher accuracy, lower usd_per_1k"
    assert [line.split()[:2] for line in shown[1:]] == [["on", "votes"], ["on", "last-word"]]
    assert max(map(len, shown)) < 200


def test_a_front_of_nothing_is_refused_and_a_metric_named_twice_counts_once(loaded):
    with pytest.raises(AssayError, match="names no metric"):
        loaded.front([])
    assert (
        loaded.front(["accuracy", "accuracy"]).objectives == loaded.front(["accuracy"]).objectives
    )
