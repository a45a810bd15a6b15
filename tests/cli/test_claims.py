"""Claims that come after the run are weighed apart, and change nothing."""

from __future__ import annotations

import pytest

from .conftest import Say

LATER = """\
claims:
  - {id: same, says: They differ by little, system: votes, against: last-word, metric: accuracy, within: 0.05}
  - {id: half, says: It is right half of the time, system: votes, metric: accuracy, at_least: 0.5}
"""


def test_later_claims_are_exploratory_and_leave_the_plan_and_the_run_as_they_were(
    say: Say, first, tmp_path
):
    file = tmp_path / "later.yaml"
    file.write_text(LATER)
    before = say("claims", first, "--json").json
    after = say("claims", first, file, "--json").json
    assert after["findings"] == before["findings"]
    assert before["exploratory"] == []
    assert [f["exploratory"] for f in after["exploratory"]] == [True, True]
    assert [f["status"] for f in after["exploratory"]] == ["undecided", "supported"]
    assert "reference not competent" in after["exploratory"][0]["hold"]
    assert after["exploratory"][0]["relation"] == "within"
    assert "Exploratory claims" in say("claims", first, file).out
    assert say("verify", first).code == 0


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("id: half", "id: better", "two claims are called 'better'"),
        ("system: votes, metric", "system: vote, metric", "no system is called 'vote'"),
        ("metric: accuracy, at_least", "metric: acuracy, at_least", "no metric"),
        ("id: half", "id: half, headline: true, against: last-word", "promised before the run"),
        ("at_least: 0.5", "at_leest: 0.5", "unknown key 'at_leest'"),
        ("claims:", "claim:", "unknown key 'claim'"),
        ("against: last-word, metric: accuracy, within: 0.05",
         "against: last-word, metric: usd_per_1k, within: 0.5", "none is within a factor"),
    ],
)  # fmt: skip
def test_a_mistake_in_later_claims_is_refused_with_its_line(
    say: Say, first, tmp_path, old, new, words
):
    assert old in LATER
    file = tmp_path / "later.yaml"
    file.write_text(LATER.replace(old, new, 1))
    said = say("claims", first, file)
    assert said.code == 2
    assert words in said.err
    assert "later.yaml:" in said.err
