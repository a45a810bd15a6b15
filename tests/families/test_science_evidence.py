"""What reports say of a value that may not be there: counted from records, and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import yaml

from assay import Answer, Bottom, Crash, Failed, Report, Run
from assay.core.sample import Sample
from assay.families.science.domains.classic.dose import classic_dose
from assay.families.science.domains.classic.ik import classic_ik
from assay.families.science.domains.classic.rf import classic_rf
from assay.families.science.domains.dose import dose
from assay.families.science.domains.ik import ik
from assay.families.science.domains.rf import rf
from assay.families.science.sections import charts, reading
from assay.families.science.sections.dose import true_ic50
from assay.families.science.sections.evidence import evidence
from assay.families.science.sections.ik import charged
from assay.families.science.sections.reading import Evidence, read_task
from assay.families.science.sections.rf_sweeps import phase, sweeps_of
from assay.families.science.sections.rivals import fronts
from assay.families.science.sections.thresholds import _held, _shares
from assay.figures import draw
from assay.publish.derive import derive
from assay.sections import Figure, colours
from publish.harm import CONTROLS, Writing, write_run
from runs import execute_plan

N = 80
"""Test samples of the written run: a quarter each below, above, and half in range."""


def curve(i: int) -> Sample:
    kind = i % 4
    target = Bottom("below") if kind == 0 else Bottom("above") if kind == 1 else Answer(-7.0)
    tags = frozenset({"below"} if kind == 0 else {"above"} if kind == 1 else {"in_range"})
    return Sample(id=f"test/{i:06}", input=[float(i), 1.0], target=target, tags=tags)


def sure(i: int) -> float:
    return round((i * 37 % 101) / 100, 2)


def gated(i: int, _seed: int) -> Answer | Bottom:
    """Decline below 0.5, always with `below` ready: wrong of half of those without a value."""
    answer = Answer(-7.0 if i % 3 else -1.0, sure(i), instead="below")
    return answer if sure(i) >= 0.5 else Bottom("below", answer)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Run:
    what = Writing(
        samples=[curve(i) for i in range(2 * N)],
        replies={
            "gated": gated,
            "shy": lambda i, _seed: Bottom("another") if i % 2 else Answer(-7.0, 0.9),
            **{name: lambda _i, _seed: Bottom("no") for name in CONTROLS},
        },
        task="science.dose",
        timed=False,
    )
    return Run.load(write_run(tmp_path_factory.mktemp("runs") / "written", what).root)


def read(run: Run) -> Evidence:
    [task] = run.manifest.tasks
    return read_task(run, task, colours(run))


def test_every_reply_is_counted_under_what_is_there_and_what_was_said(written: Run) -> None:
    section = evidence(written)
    assert section is not None
    counted = section.facts["science.dose"]["gated"]
    rows = [(curve(N + i), gated(i, 0)) for i in range(N)]
    for true in ("value", "below", "above"):
        for word in ("value", "below"):
            n = sum(
                (s.target.reason if isinstance(s.target, Bottom) else "value") == true
                and (word == "value") == isinstance(r, Answer)
                for s, r in rows
            )
            assert counted[f"{true} said {word}"] == 2 * n  # two seeds
    assert sum(counted.values()) == 2 * N
    assert section.facts["science.dose"]["shy"]["above said no reason"] == 2 * N // 4


def test_a_threshold_is_the_middle_between_what_it_keeps_and_what_it_declines(written: Run) -> None:
    gated_, shy = read(written).first("gated"), read(written).first("shy")
    kept = min(sure(i) for i in range(N) if sure(i) >= 0.5)
    gone = max(sure(i) for i in range(N) if sure(i) < 0.5)
    assert gated_.gate == pytest.approx((kept + gone) / 2)
    assert shy.gate is None  # nothing was ready


def test_a_threshold_of_the_plan_is_said_as_it_was_chosen(written: Run) -> None:
    gated_ = read(written).first("gated")
    assert replace(gated_, chosen=0.4975).gate == 0.4975
    # One that does not fit what was said did not decide it.
    assert replace(gated_, chosen=0.9).gate == gated_.gate
    shy = read(written).first("shy")
    never = replace(shy, word=np.where(shy.declined, "value", shy.word))
    assert never.gate is None
    assert replace(never, chosen=0.2).gate == 0.2  # all are above it


def test_no_two_ticks_of_an_axis_of_shares_say_the_same() -> None:
    x = charts.share("x", None, scale={"domain": [0.985, 1.0]})
    spec = {"width": 300, "height": 40, "mark": "point", "encoding": {"x": x}}
    drawn = draw(spec, {"rows": [{"x": 0.99}]}, file="figures/x.svg", says="")
    ticks = re.findall(r">([0-9.]+%)<", drawn.svg)
    assert len(ticks) == len(set(ticks)) > 2


def test_a_line_that_is_not_drawn_is_not_explained(written: Run) -> None:
    one = read(written)
    figure = fronts(one)[0]
    assert isinstance(figure, Figure)
    assert "Dashed" not in figure.drawing.says
    known = fronts(replace(one, ceilings=frozenset({"gated"})))[0]
    assert isinstance(known, Figure)
    assert "Dashed: the accuracy" in known.drawing.says


def test_responses_that_are_next_to_each_other_have_phases_that_are() -> None:
    far = np.array([[-1.0, 1e-3], [-1.0, 0.0], [-1.0, -0.0], [-1.0, -1e-3]])
    assert np.ptp(phase(far)) < 0.2
    assert phase(np.array([[1.0, 0.1], [0.0, -1.0]])).round().tolist() == [6.0, -90.0]


def test_what_would_have_been_said_is_checked(written: Run) -> None:
    said = read(written).first("gated")
    for i in range(N):
        is_there = isinstance(curve(N + i).target, Answer)
        assert said.right[i] == (is_there and i % 3 != 0), i


def test_few_records_are_read_where_there_are_many_and_the_report_says_so(
    written: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read(written).unread == ""
    monkeypatch.setattr(reading, "BUDGET", 3 * N)
    few = read(written)
    assert [len(seeds) for seeds in few.said.values()] == [2, 1]
    assert "the first 1 of up to 2 seeds" in few.unread


def test_a_run_without_a_science_task_has_no_such_section(tmp_path: Path) -> None:
    what = Writing(
        samples=[Sample(id=f"{i:03}", input="?", target=Answer("a")) for i in range(40)],
        replies={"echo": lambda _i, _seed: Answer("a", 0.9)},
        timed=False,
    )
    assert evidence(Run.load(write_run(tmp_path / "other", what).root)) is None


# --- real runs: no torch, no network ---------------------------------------------------------

PLANS = {
    "dose": (
        {"train": 300, "tune": 100, "calibration": 200, "test": 200},
        {"oracle": "science.dose_oracle", "hill": "science.hill_fit", "tobit": "science.tobit",
         "median": "science.constant"},
    ),
    "rf": (
        {"train": 20, "tune": 6, "calibration": 10, "test": 24},
        {"oracle": "science.rf_oracle", "formula": "science.resonator", "median": "science.constant"},
    ),
    "ik": (
        {"train": 100, "tune": 40, "calibration": 60, "test": 150},
        {"oracle": "science.ik_oracle", "inverse": "science.jacobian_inverse",
         "dls": "science.damped_least_squares"},
    ),
}  # fmt: skip
"""Sizes, and systems that need NumPy alone."""


def made(folder: Path, domain: str, task: str | None = None) -> Run:
    sizes, systems = PLANS[domain]
    plan = folder / "plan.yaml"
    listed: list[dict[str, object]] = [{"name": n, "use": use} for n, use in systems.items()]
    first = next(iter(systems))
    listed.append({"name": f"{first}-safe", "of": first, "abstain": {"coverage": 0.2}})
    if task is not None:
        listed = [
            {"name": "tobit", "use": "science.tobit"},
            {"name": "zero", "use": "science.constant", "options": {"say": "zero"}},
        ]
    plan.write_text(
        yaml.safe_dump(
            {
                "name": domain,
                "seeds": [0],
                "tasks": [{"use": task or f"science.{domain}", "options": sizes}],
                "systems": listed,
                "timing": {"processes": 1, "blocks": 1, "questions": 1},
            }
        )
    )
    return Run.load(execute_plan(plan, folder / "run").root)


@pytest.fixture(scope="module", params=list(PLANS))
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return made(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def files(run: Run) -> dict[str, bytes]:
    return Report(run).files()


OWN = {
    "dose": {"along_ic50"},
    "rf": {"bode", "peaks"},
    "ik": {"workspace", "determinant", "fallbacks"},
}


@pytest.mark.slow
def test_figures_are_there_small_and_made_again_alike(run: Run, files: dict[str, bytes]) -> None:
    domain = run.manifest.name
    below = f"figures/science.{domain}/"
    there = {n.removeprefix(below).removesuffix(".svg") for n in files if n.startswith(below)}
    common = {"confusion", "threshold_sweep", "error_coverage", "confidence", "fronts"}
    assert there == common | OWN[domain]
    # With several tasks both stand in one folder.
    assert not there & {
        Path(n).stem for n in files if n.startswith("figures/") and n.count("/") == 1
    }
    assert {n: len(d) for n, d in files.items() if n.endswith(".svg") and len(d) > 100_000} == {}
    assert len(files["report.html"]) < 1_500_000
    assert Report(run).files() == files
    assert all(f"]({n})".encode() in files["report.md"] for n in files if n.startswith(below))


@pytest.mark.slow
def test_a_run_verifies_with_its_figures(run: Run) -> None:
    derive(run, run.dir.derived)
    assert run.verify() == []


@pytest.mark.slow
def test_a_threshold_at_which_a_system_declines_gives_its_own_numbers(run: Run) -> None:
    one = read(run)
    checked = 0
    for system in one.said:
        said = one.first(system)
        if said.gate is None or not said.proposes.all():
            continue
        [(invented, withheld, right, answered, _)] = _shares(
            np.array([said.gate]), _held(one, system)
        )
        for metric, found in {
            "invention_rate": invented,
            "withheld_rate": withheld,
            "accuracy": right,
            "coverage": answered,
        }.items():
            assert found == pytest.approx(run.estimate(metric, system).value), (system, metric)
        checked += 1
    assert checked >= 2


@pytest.mark.slow
def test_an_operating_point_is_shown_as_it_is_shipped(run: Run) -> None:
    one = read(run)
    [safe] = one.copies
    shy, whole = one.first(safe), one.first(one.copies[safe])
    assert 0 < shy.answered.sum() < whole.answered.sum()
    assert float(shy.answered.mean()) == pytest.approx(run.estimate("coverage", safe).value)
    assert safe not in one.pick()
    [task] = run.manifest.tasks
    assert shy.gate == run.results.cases[task].thresholds[safe][0].value
    # A system that said why keeps its reason when a threshold withholds it.
    fell = whole.answered & ~shy.answered
    assert set(shy.word[fell].tolist()) <= {*one.asked.reasons, "no reason"}


@pytest.mark.slow
def test_pairs_and_fronts_stand_in_the_report(run: Run, files: dict[str, bytes]) -> None:
    text = files["report.md"].decode()
    for name in (
        "Every pair of systems on",
        "after Holm over all",
        "Borderline rows",
        "What pulls apart",
    ):
        assert name in text
    front = files[f"figures/science.{run.manifest.name}/fronts.svg"].decode()
    told = re.findall(r"<title>([^<]+)</title>", front)
    assert any(t.startswith("oracle: accuracy ") for t in told)
    assert "controls" in front


@pytest.mark.slow
def test_sections_need_no_torch(run: Run) -> None:
    program = (
        "import sys; from assay import Run\n"
        "from assay.families.science.sections.evidence import evidence\n"
        "assert evidence(Run.load(sys.argv[1])) is not None\n"
        "print([m for m in ('torch', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(run.path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


@pytest.mark.slow
def test_what_a_domain_shows_is_what_its_records_say(run: Run, files: dict[str, bytes]) -> None:
    one = read(run)
    match run.manifest.name:
        case "dose":
            true = true_ic50(one)
            there = one.asked.there
            assert np.allclose(true[there], one.asked.y[there, 0], atol=1e-6)
            outside = ~there & ~one.asked.tagged("null")
            below, above = (one.asked.truth == reason for reason in ("below", "above"))
            assert (true[outside & below] < -9).all()
            assert (true[outside & above] > -5).all()
            assert np.isnan(true[one.asked.tagged("null")]).all()
            # Curves of another draw are not taken for those that were asked.
            other = true_ic50(replace(one, options={**one.options, "seed": 8}))
            assert np.isnan(other[~there]).all()
            assert np.array_equal(other[there], one.asked.y[there, 0])
        case "rf":
            sweeps = sweeps_of(one)
            assert len(sweeps) == 24
            for sweep in sweeps:
                assert (np.diff(sweep.away) > 0).all()
                if sweep.true is not None:  # a data sheet is off by a thousandth of a decade
                    assert abs(sweep.true - sweep.seen) < 0.006
            bode = files["figures/science.rf/bode.svg"].decode()
            told = re.findall(r"<title>formula, [^:]+: (-?[\d.]+) dB, -?\d+ degrees", bode)
            said = one.first("formula")
            size = 20 * np.log10(np.hypot(*said.value[said.answered].T))
            assert told
            assert "the highest value there is" in bode
            assert {float(t) for t in told} <= {round(float(s), 1) for s in size}
        case "ik":
            for system in one.said:
                miss = charged(one, one.first(system))
                value = run.estimate("charged_tip_error", system).value
                assert float(np.nanmean(miss)) == pytest.approx(value)


@pytest.mark.slow
@pytest.mark.parametrize("domain", list(PLANS))
def test_published_variants_have_figures_too(domain: str, tmp_path: Path) -> None:
    run = made(tmp_path, domain, f"science.{domain}-classic")
    files = Report(run).files()
    there = {Path(n).stem for n in files if n.startswith("figures/science.")}
    assert there >= OWN[domain]
    assert all(len(d) <= 100_000 for n, d in files.items() if n.endswith(".svg"))


DRAWN = {
    "dose": partial(dose, train=4, tune=4, calibration=4, test=40),
    "rf": partial(rf, train=4, tune=4, calibration=4, test=4),
    "ik": partial(ik, train=4, tune=4, calibration=4, test=20),
    "dose-classic": partial(classic_dose, train=4, tune=4, calibration=4, test=40),
    "rf-classic": partial(classic_rf, train=4, tune=2, calibration=2, test=3),
    "ik-classic": partial(classic_ik, train=40, tune=4, calibration=4, test=40),
}
ODD = (
    lambda _i, _seed: Failed("unparseable"),
    lambda _i, _seed: Crash("lost"),
    lambda _i, _seed: Answer("abc", 0.5),
    lambda _i, _seed: Answer([1.0, 2.0, 3.0]),
    lambda _i, _seed: Bottom("pole"),
    lambda _i, _seed: Answer([0.0, 0.0], 1.0),
    lambda _i, _seed: Bottom("another", Answer([1e300, -1e300], 0.0)),
    lambda i, _seed: Answer(True, 0.2) if i % 2 else Bottom("below"),
)


@pytest.mark.slow
@pytest.mark.parametrize("domain", ["dose", "rf", "ik", "dose-classic", "rf-classic", "ik-classic"])
def test_whatever_was_said_a_report_can_be_made(domain: str, tmp_path: Path) -> None:
    samples = list(DRAWN[domain]().samples("test"))
    before = [replace(s, id=f"before/{i:06}") for i, s in enumerate(samples)]
    controls = {name: lambda _i, _seed: Bottom("no") for name in CONTROLS}
    for some in (ODD, ODD[:1], ODD[1:2]):
        what = Writing(
            samples=before + samples,
            replies={f"s{k}": say for k, say in enumerate(some)} | controls,
            seeds=(0,),
            task=f"science.{domain}",
            timed=False,
        )
        run = Run.load(write_run(tmp_path / f"{len(some)}-{ODD.index(some[0])}", what).root)
        section = evidence(run)
        assert section is not None
        counts = section.facts[f"science.{domain}"]
        crashed = "s1" if some is ODD else "s0" if some[0] is ODD[1] else ""
        for system, counted in counts.items():
            assert sum(counted.values()) == (0 if system == crashed else len(samples))
