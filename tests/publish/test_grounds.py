"""The grounds of a decision are short, hold their numbers, and name commands that exist."""

from __future__ import annotations

import shlex

from assay.cli.commands import COMMANDS
from assay.publish import grounds
from assay.publish.derive import decision_facts


def test_every_ground_is_a_sentence_and_every_command_is_one_of_ours(harmed):
    results = harmed.results
    for task, decision in results.decisions.items():
        said = grounds.sure(results, task)
        assert said
        assert decision.system is not None or said[0].startswith("The best of them beside")
        assert all(line.endswith(".") for line in said)
        for says, command in grounds.commands(results, task):
            assert says
            if command:
                assay, name, *_ = shlex.split(command)
                assert assay == "assay"
                assert name in COMMANDS


def test_the_summary_holds_every_ground(harmed):
    for task, facts in decision_facts(harmed.results).items():
        assert facts["sure"] == list(grounds.sure(harmed.results, task))
        assert len(facts["commands"]) == len(grounds.commands(harmed.results, task))


def test_every_report_begins_with_the_grounds(harmed, report):
    text = report.markdown()
    for decision in harmed.results.decisions.values():
        if decision.system is not None:
            assert text.index("How sure:") < text.index("## Findings")
            assert text.index("What would change our mind") < text.index("## Findings")
