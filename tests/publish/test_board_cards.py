"""A card holds what its run says, and a reason where it says nothing."""

from __future__ import annotations

import json

import pytest

from assay.core.errors import DataError, SealError
from assay.publish.board.cards import Placing, card_bytes, card_of, read_card, write_card
from assay.publish.board.hardware import hardware_of
from assay.publish.facts import estimate_facts
from assay.publish.run import Run
from publish.board_runs import crash_at, right_at, run_of
from runs import execute_plan, write_plan

TASK = "toy.errands"


@pytest.fixture(scope="module")
def ran(smoke) -> Run:
    return Run.load(smoke.root)


@pytest.fixture(scope="module")
def card(ran):
    return card_of(ran)


def test_every_number_on_a_card_is_the_run_s_own(ran, card):
    (part,) = card.parts
    for system in ("votes", "last-word"):
        numbers = part.systems[system][TASK].numbers
        for metric in ("accuracy", "risk", "usd_per_1k", "latency_p50", "determinism"):
            facts = estimate_facts(ran.estimate(metric, system))
            facts.pop("metric")
            assert json.loads(numbers[metric].model_dump_json()) == facts


def test_the_headline_is_the_sum_of_its_samples(card):
    for tasks in card.parts[0].systems.values():
        measured = tasks[TASK]
        assert measured.values is not None
        above = sum(map(float, measured.values.numerators.split()))
        below = [float(each) for each in measured.values.denominators.split()]
        n = card.asked[measured.asked].n
        whole = below[0] * n if len(below) == 1 else sum(below)
        assert above / whole == pytest.approx(measured.numbers["accuracy"].value)


def test_equal_runs_have_equal_cards_and_a_card_is_read_as_it_was_written(card, ran, tmp_path):
    path = tmp_path / "card.json"
    write_card(card, path)
    assert read_card(path) == card
    assert card_bytes(card_of(Run.load(ran.path, keep=False))) == path.read_bytes()


def test_a_card_says_which_model_a_system_is_and_how_that_is_known(ran):
    made = card_of(ran, placed={"votes": Placing(model="m", quantisation="F16", mapped="plan")})
    votes, last = made.systems["votes"], made.systems["last-word"]
    assert (votes.model, votes.quantisation, votes.mapped) == ("m", "F16", "plan")
    assert (last.model, last.mapped) == (None, "")


def test_a_threshold_has_a_curve_whose_last_point_is_everything_it_is_sure_of(card):
    (curve,) = card.curves
    assert curve.system == "votes"
    coverages = [point[0] for point in curve.points]
    assert coverages == sorted(coverages)
    assert all(low <= risk <= high for _, risk, low, high in curve.points)


def test_controls_stand_aside_from_the_serial_pass(card):
    numbers = card.parts[0].systems["silent"][TASK].numbers
    assert numbers["accuracy"].value is not None
    assert "latency_p50" not in numbers


def test_what_crashed_has_a_reason_and_no_number(tmp_path):
    run = run_of(tmp_path / "run", {"a": right_at(0.8), "b": crash_at(right_at(0.8), 10)})
    made = card_of(Run.load(run.root))
    (part,) = made.parts
    fine, crashed = part.systems["a"][TASK], part.systems["b"][TASK]
    assert fine.crashes == 0
    assert fine.numbers["accuracy"].value == pytest.approx(0.79, abs=0.03)
    assert crashed.crashes == 1
    assert crashed.values is None
    number = crashed.numbers["accuracy"]
    assert (number.value, number.low, number.high) == (None, None, None)
    assert "1 of its replies were not observed" in number.method


@pytest.mark.slow
def test_systems_that_were_asked_other_samples_stand_apart_with_their_controls(tmp_path):
    plan = write_plan(
        tmp_path,
        """
        name: apart
        seeds: [0]
        tasks: [{use: toy.errands}]
        systems:
          - {name: few, use: toy.last_word, limit: 60}
          - {name: all, use: toy.last_word}
        timing: {processes: 0}
        """,
    )
    made = card_of(Run.load(execute_plan(plan, tmp_path / "run").root))
    by_system = {next(iter(part.systems)): part for part in made.parts}
    few, everything = by_system["few"], by_system["all"]
    assert made.asked[few.asked[TASK]].n < made.asked[everything.asked[TASK]].n
    for part in (few, everything):
        assert set(part.systems) >= {"constant", "random", "silent"}
        assert {tasks[TASK].asked for tasks in part.systems.values()} == {part.asked[TASK]}


@pytest.mark.parametrize("harm", [{"schema_version": 2}, {"schema_version": None}])
def test_a_card_of_another_schema_is_refused(harm, card, tmp_path):
    path = tmp_path / "card.json"
    path.write_text(json.dumps(json.loads(card_bytes(card)) | harm))
    with pytest.raises(SealError, match="A302"):
        read_card(path)


@pytest.mark.parametrize("harm", [b"{", b"[" * 100_000, b'{"schema_version": 1}'])
def test_a_damaged_card_says_what_is_wrong_with_it(harm, tmp_path):
    path = tmp_path / "card.json"
    path.write_bytes(harm)
    with pytest.raises((DataError, SealError), match=r"card|Field required"):
        read_card(path)


def test_machines_of_one_kind_are_one_machine():
    one = {"cpu": "Xeon  2.5", "cpus_usable": 2, "memory_mb": 24_011, "gpus": []}
    assert hardware_of(one) == hardware_of(one | {"memory_mb": 23_900, "os": "another"})
    card_line = "H200, 570.1, 143771 MiB"
    other = hardware_of(one | {"gpus": [card_line]})
    assert other.id != hardware_of(one).id
    assert other.says == "2 cores, Xeon 2.5, 24 GiB, H200 143771 MiB"
    assert hardware_of(one | {"gpus": ["H200, 580.2, 143771 MiB"]}) == other
    assert hardware_of({"cpus_usable": 1, "memory_mb": 0}).says == "1 core, no GPU"
