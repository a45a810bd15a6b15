"""Tables: what is asked of a row, which rows belong together, and when a value is right."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import Answer, Bottom, Crash, DataError, PlanError, Reply, Sample
from assay.families.science.domains.drawn import SPLITS
from assay.families.science.domains.parts import apportion, divide, find_leaks, groups_of
from assay.families.science.domains.sheet import Sheet
from assay.families.science.domains.table import table
from assay.families.science.domains.table_metrics import root_mean_square, table_metrics
from assay.families.science.domains.targets import Told, limited
from assay.families.science.domains.within import Within
from assay.testing import check_task

DATA = Path(os.environ.get("ASSAY_DATA") or Path(__file__).parents[3] / "shared" / "data")
UCI = DATA / "uci_regression"
needs_uci = pytest.mark.skipif(not UCI.is_dir(), reason=f"there is no {UCI}; set ASSAY_DATA")

numbers = st.floats(-1e6, 1e6)


def written(path: Path, *rows: str) -> Path:
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def counted(path: Path, n: int = 40, header: str = "a,b,y") -> Path:
    """Rows whose target is their number."""
    return written(path, header, *(f"{i},{i % 7},{i}" for i in range(n)))


def targets(task, split: str = "") -> dict[str, Answer | Bottom]:
    parts = [split] if split else SPLITS
    return {s.id: s.target for part in parts for s in task.samples(part)}


# --- what is asked --------------------------------------------------------------------------


def test_a_table_keeps_the_contract_of_a_task(tmp_path):
    check_task(table(path=counted(tmp_path / "t.csv"), target="y"))
    check_task(table(path=counted(tmp_path / "t.csv"), target="y", limits=(9, None)))


def test_every_row_is_asked_once_with_the_other_columns_as_its_input(tmp_path):
    task = table(path=counted(tmp_path / "t.csv"), target="y")
    found = {s.id: s for part in SPLITS for s in task.samples(part)}
    assert sorted(found) == sorted(f"line/{i + 2}" for i in range(40))
    assert found["line/13"].input == [11.0, 4.0]
    assert found["line/13"].target == Answer(11.0)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (4.999, Bottom("below", Answer(5.0))),
        (5.0, Bottom("below", Answer(5.0))),
        (5.001, Answer(5.001)),
        (7.999, Answer(7.999)),
        (8.0, Bottom("above", Answer(8.0))),
    ],
)
def test_a_value_at_or_beyond_a_limit_cannot_be_told(value, told):
    assert limited(Told(value), (5.0, 8.0)).target() == told


@given(value=numbers, low=numbers, high=numbers)
def test_a_value_is_hidden_just_where_it_is_at_or_beyond_a_limit(value, low, high):
    low, high = min(low, high), max(low, high) + 1
    found = limited(Told(value), (low, high)).target()
    assert isinstance(found, Answer) == (low < value < high)
    assert limited(Told(value), (None, None)).target() == Answer(value)


def test_marks_in_the_file_are_limits_of_their_row(tmp_path):
    rows = [f"{i},{i}" for i in range(20)] + ["20,<5", "21,> 1e3", "22,<=6.5"]
    path = written(tmp_path / "t.csv", "a,y", *rows)
    found = targets(table(path=path, target="y", censored="both"))
    assert found["line/22"] == Bottom("below", Answer(5.0))
    assert found["line/23"] == Bottom("above", Answer(1000.0))
    assert found["line/24"] == Bottom("below", Answer(6.5))


def test_a_mark_that_the_plan_does_not_declare_is_an_error_with_its_line(tmp_path):
    path = written(tmp_path / "t.csv", "a,y", "1,2", "2,<5")
    for declared in ("none", "above"):
        with pytest.raises(DataError, match=r"t\.csv:3[^0-9](.|\n)*censored: below"):
            table(path=path, target="y", censored=declared).samples("test")


def test_an_interval_is_right_anywhere_inside_and_open_ends_are_censored(tmp_path):
    rows = [f"{i},{i},{i + 2}" for i in range(20)] + ["20,,3", "21,4,", "22,7,7"]
    path = written(tmp_path / "t.csv", "a,lo,hi", *rows)
    task = table(path=path, interval=("lo", "hi"), censored="both", tolerance=0.1, unit="target")
    found = targets(task)
    assert found["line/2"] == Answer(1.0, scores={"lower": 0.0, "upper": 2.0})
    assert found["line/22"] == Bottom("below", Answer(3.0))
    assert found["line/23"] == Bottom("above", Answer(4.0))
    assert found["line/24"] == Answer(7.0)
    check_task(task)
    [sample] = [s for part in SPLITS for s in task.samples(part) if s.id == "line/2"]
    said = (-0.2, -0.1, 0.0, 1.9, 2.1, 2.2)
    checks = task.verifier.check([(sample, Reply(sample.id, Answer(v))) for v in said])
    assert [c.passed for c in checks] == [False, True, True, True, True, False]


def test_an_interval_that_ends_before_it_begins_is_an_error_with_its_line(tmp_path):
    path = written(tmp_path / "t.csv", "a,lo,hi", "1,0,1", "2,3,2")
    with pytest.raises(DataError, match=r"t\.csv:3"):
        table(path=path, interval=("lo", "hi")).samples("test")


def test_censoring_on_purpose_hides_at_most_what_the_quantiles_say_and_is_told(tmp_path):
    task = table(path=counted(tmp_path / "t.csv", 400), target="y", quantiles=(0.2, 0.9))
    train = [s.target for s in task.samples("train")]
    below = sum(t.reason == "below" for t in train if isinstance(t, Bottom))
    above = sum(t.reason == "above" for t in train if isinstance(t, Bottom))
    assert (below, above) == (40, 20)
    [caveat] = task.caveats()
    assert caveat.startswith("censored on purpose: values at or below ")


def test_censoring_on_purpose_of_few_values_hides_no_more_than_is_asked(tmp_path):
    rows = [f"{i},{mark}" for i, mark in enumerate([3] * 2 + [4] * 10 + [5] * 60 + [6] * 60)]
    path = written(tmp_path / "t.csv", "a,y", *rows)
    train = table(path=path, target="y", quantiles=(0.2, None)).samples("train")
    hidden = [s.target for s in train if isinstance(s.target, Bottom)]
    assert 0 < len(hidden) <= 0.2 * len(train)
    assert {t.proposal.value for t in hidden} == {4.0}
    with pytest.raises(DataError, match="no value hides so few"):
        table(path=path, target="y", quantiles=(None, 0.9)).samples("train")


# --- groups and parts -----------------------------------------------------------------------


def test_rows_with_equal_features_or_one_group_are_never_divided(tmp_path):
    rows = [f"{i // 2},{i % 2},{i}" for i in range(60)]  # pairs have equal features
    path = written(tmp_path / "t.csv", "a,batch,y", *rows)
    task = table(path=path, target="y", features=("a",))
    part = {s.id: part for part in SPLITS for s in task.samples(part)}
    assert all(part[f"line/{i + 2}"] == part[f"line/{i + 3}"] for i in range(0, 60, 2))
    with pytest.raises(DataError, match="1 independent groups"):  # two batches, bound by the pairs
        table(path=path, target="y", features=("a",), group="batch").samples("test")


def test_a_group_is_what_any_chain_of_equal_rows_connects():
    sheet = Sheet(
        path=Path("t"), names=("g",), lines=[2, 3, 4, 5], rows=[["p"], ["q"], ["p"], [None]]
    )
    x = np.array([[1.0], [2.0], [2.0], [-0.0]])
    assert groups_of(sheet, x, "g") == ["line/2", "line/2", "line/2", "line/5"]
    assert groups_of(sheet, np.array([[0.0], [1.0], [3.0], [-0.0]]), None)[3] == "line/2"


@given(
    n=st.integers(4, 300),
    raw=st.tuples(*[st.floats(0.01, 1)] * 4),
    seed=st.integers(0, 99),
)
def test_each_part_has_its_share_of_the_groups(n, raw, seed):
    shares = tuple(one / sum(raw) for one in raw)
    where = divide([f"g{i}" for i in range(n)], [""] * n, shares=shares, seed=seed)
    counts = apportion(n, dict(zip(SPLITS, shares, strict=True)))
    assert {part: where.count(part) for part in SPLITS} == counts
    assert min(counts.values()) >= 1
    if min(shares) * n >= 1:
        assert all(abs(counts[p] - n * s) <= 1 for p, s in zip(SPLITS, shares, strict=True))


@given(
    groups=st.lists(st.integers(0, 30), min_size=60, max_size=90),
    seed=st.integers(0, 9),
)
def test_what_is_drawn_never_leaks(groups, seed):
    names = [str(g) for g in [*range(4), *groups]]
    where = divide(names, [""] * len(names), shares=(0.5, 0.1, 0.2, 0.2), seed=seed)
    assert not find_leaks(names, where).groups


def test_a_split_of_its_own_is_kept_and_what_it_lacks_is_drawn_from_train(tmp_path):
    rows = [f"{i},{'Training' if i < 80 else 'test'},{i}" for i in range(100)]
    path = written(tmp_path / "t.csv", "a,part,y", *rows)
    task = table(path=path, target="y", split="part")
    assert sorted(targets(task, "test")) == sorted(f"line/{i + 2}" for i in range(80, 100))
    sizes = {part: len(task.samples(part)) for part in SPLITS}
    assert sizes == {"train": 50, "tune": 10, "calibration": 20, "test": 20}


def leaking(tmp_path, rows):
    """Return the task of rows whose groups stand in several parts, which is refused unless it is allowed."""
    path = written(tmp_path / "t.csv", "a,part,y", *rows)
    with pytest.raises(DataError, match="belong together") as raised:
        table(path=path, target="y", split="part").samples("test")
    assert raised.value.code == "A201"
    return table(path=path, target="y", split="part", leaks="allow")


def test_a_split_that_leaks_is_an_error_or_a_caveat_by_declaration(tmp_path):
    rows = [f"{i % 50},{'train' if i < 80 else 'test'},{i}" for i in range(100)]
    task = leaking(tmp_path, rows)
    check_task(task)
    assert task.caveats()[0].startswith("not held out: 20 of 20 test rows")


def test_quantiles_that_were_meant_as_shares_are_told_how_they_are_written():
    with pytest.raises(PlanError, match="quantile") as raised:
        table(path=Path("no-such-file.csv"), target="y", quantiles=(0.15, 0.15))
    assert "[0.2, 0.8]" in raised.value.hint


def test_a_split_that_gives_every_part_is_kept_even_where_every_group_leaks(tmp_path):
    rows = [f"{i // 4},{SPLITS[i % 4]},{i}" for i in range(40)]
    task = leaking(tmp_path, rows)
    assert {part: len(task.samples(part)) for part in SPLITS} == dict.fromkeys(SPLITS, 10)
    assert task.caveats()[0].startswith("not held out: 10 of 10 test rows")


def test_a_table_without_a_value_says_so(tmp_path):
    path = written(tmp_path / "t.csv", "a,y", *(f"{i},<5" for i in range(40)))
    with pytest.raises(DataError, match="no training row has a value"):
        table(path=path, target="y", censored="below").samples("train")


def test_a_file_of_folds_says_which_rows_are_the_test(tmp_path):
    path = counted(tmp_path / "t.csv")
    folds = written(tmp_path / "folds.json", json.dumps([[0, 1], [5, 39]]))
    task = table(path=path, target="y", test_rows=folds, fold=1)
    assert sorted(targets(task, "test")) == ["line/41", "line/7"]


@pytest.mark.parametrize(
    ("folds", "fold", "why"),
    [
        ("[[0]]", 1, "no fold 1"),
        ("[[40]]", 0, "no row"),
        ("[[true]]", 0, "no row"),
        ("[[1, 1]]", 0, "twice"),
        ("[1]", 0, "list of lists"),
        ("[", 0, "not JSON"),
    ],
)
def test_a_file_of_folds_of_another_table_is_an_error(folds, fold, why, tmp_path):
    at = written(tmp_path / "folds.json", folds)
    task = table(path=counted(tmp_path / "t.csv"), target="y", test_rows=at, fold=fold)
    with pytest.raises(DataError, match=why):
        task.samples("test")


# --- options --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"target": "y", "interval": ("lo", "hi")},
        {"target": "y", "group": "y"},
        {"target": "y", "features": ("a", "y")},
        {"target": "y", "split": "s", "test_rows": Path("folds.json")},
        {"interval": ("lo", "hi"), "limits": (1.0, None)},
        {"target": "y", "quantiles": (0.1, None), "censored": "below"},
        {"target": "y", "limits": (2.0, 1.0)},
        {"target": "y", "quantiles": (0.0, None)},
        {"target": "y", "quantiles": (0.15, 0.15)},
        {"target": "y", "shares": (0.5, 0.5, 0.0, 0.0)},
        {"target": "y", "tolerance": 0.0},
        {"target": "y", "tolerance": math.nan},
        {"target": "y", "fold": -1},
    ],
)
def test_options_that_contradict_each_other_are_refused_before_anything_is_read(options):
    with pytest.raises(PlanError) as raised:
        table(path=Path("no-such-file.csv"), **options)
    assert raised.value.code == "A104"


def test_a_plan_gives_the_options_as_yaml_has_them(tmp_path):
    from assay.engine.plugins import make_task

    counted(tmp_path / "t.csv")
    options = {"path": "t.csv", "target": "y", "limits": [None, 30], "shares": [0.4, 0.2, 0.2, 0.2]}
    task = make_task("science.table", options, where="t", base=tmp_path)
    assert any(isinstance(t, Bottom) for t in targets(task).values())


# --- when a value is right ------------------------------------------------------------------


@given(wanted=numbers, off=st.floats(-3, 3), sd=st.floats(0.01, 100))
def test_a_value_is_right_just_within_the_tolerance(wanted, off, sd):
    check = Within(tolerance=0.5, unit="sd", deviation=lambda: sd)
    sample = Sample(id="s", input=[], target=Answer(wanted))
    [found] = check.check([(sample, Reply("s", Answer(wanted + off * sd)))])
    error = abs(wanted + off * sd - wanted)
    assert found.scores["error"] == pytest.approx(error)
    if abs(error - 0.5 * sd) > 1e-9 * sd:
        assert found.passed == (error < 0.5 * sd)


@pytest.mark.parametrize("value", [True, None, "3", [3.0], {"lower": 1, "upper": 9}])
def test_what_is_no_number_is_wrong_and_has_no_error(value):
    check = Within(tolerance=1.0, unit="target", deviation=lambda: 1.0)
    sample = Sample(id="s", input=[], target=Answer(1.0))
    [found] = check.check([(sample, Reply("s", Answer(value)))])
    assert found.passed is False
    assert not found.scores


def test_a_row_without_a_value_cannot_be_checked():
    check = Within(tolerance=1.0, unit="target", deviation=lambda: 1.0)
    sample = Sample(id="s", input=[], target=Bottom("below"))
    [found] = check.check([(sample, Reply("s", Answer(1.0)))])
    assert isinstance(found, Crash)


def scored(target: Answer, value: float, sd: float) -> dict[str, float]:
    check = Within(tolerance=1.0, unit="target", deviation=lambda: 1.0)
    sample = Sample(id="s", input=[], target=target)
    [found] = check.check([(sample, Reply("s", Answer(value, 0.5, {"sd": sd})))])
    return dict(found.scores)


@given(y=st.floats(-5, 5), value=st.floats(-5, 5), sd=st.floats(0.3, 3))
def test_the_scores_of_a_gaussian_are_its_density_and_its_distance(y, value, sd):
    """CRPS by its definition: the integral of the squared difference of distribution functions."""
    from scipy import stats

    found = scored(Answer(y), value, sd)
    assert found["nll"] == pytest.approx(-stats.norm.logpdf(y, value, sd))
    grid = np.linspace(-25, 25, 10_001)
    square = (stats.norm.cdf(grid, value, sd) - (grid >= y)) ** 2
    assert found["crps"] == pytest.approx(np.trapezoid(square, grid), abs=5e-3)


def test_an_interval_is_scored_by_its_share_of_the_gaussian():
    from scipy import stats

    target = Answer(1.0, scores={"lower": 0.0, "upper": 2.0})
    found = scored(target, 0.5, 2.0)
    share = stats.norm.cdf(2, 0.5, 2.0) - stats.norm.cdf(0, 0.5, 2.0)
    assert found["nll"] == pytest.approx(-math.log(share))
    assert "crps" not in found


@pytest.mark.parametrize("sd", [0.0, -1.0, math.inf, math.nan])
def test_a_spread_that_is_none_has_no_scores(sd):
    assert set(scored(Answer(1.0), 1.0, sd)) == {"error", "error_sd"}


# --- metrics --------------------------------------------------------------------------------


def test_classes_are_measured_where_the_plan_says_that_there_are_some(tmp_path):
    path = counted(tmp_path / "t.csv")
    plain = [m.name for m in table(path=path, target="y").metrics]
    both = [m.name for m in table(path=path, target="y", limits=(3, 30)).metrics]
    assert plain[0] == "accuracy"
    assert "macro_f1" not in plain
    assert both[0] == "macro_f1"
    assert "direction_accuracy" in both
    assert "direction_accuracy" not in [m.name for m in table_metrics(("below",))]


@given(
    errors=st.lists(st.floats(0, 100) | st.just(math.nan), min_size=1, max_size=20),
    data=st.data(),
)
def test_the_root_mean_square_resamples_as_it_is_defined(errors, data):
    n = len(errors)
    groups = np.array(data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)))
    counts = np.array(data.draw(st.lists(st.integers(0, 3), min_size=4, max_size=4)), dtype=float)
    columns = {
        "check:error": np.array(errors),
        "correct": np.ones(n),
        "wrong": np.zeros(n),
    }
    form = root_mean_square("error", name="rmse", says="").form
    one = form.of(columns, counts[groups])
    [many] = form.prepare(columns, groups)(counts[None, : groups.max() + 1])
    known = [
        e
        for e, w in zip(errors, counts[groups], strict=True)
        for _ in range(int(w))
        if not math.isnan(e)
    ]
    wanted = math.sqrt(np.mean(np.square(known))) if known else None
    assert form.among(columns).tolist() == [not math.isnan(e) for e in errors]
    assert one == (None if wanted is None else pytest.approx(wanted))
    assert math.isnan(many) if wanted is None else many == pytest.approx(wanted)


# --- the UCI sets ---------------------------------------------------------------------------


@needs_uci
@pytest.mark.parametrize("name", ["yacht", "energy", "concrete", "wine-quality-red", "airfoil"])
def test_the_uci_sets_can_be_asked_censored_on_purpose(name):
    task = table(path=UCI / f"{name}.jsonl", target="y", quantiles=(0.15, 0.85))
    check_task(task)
    train = [s.target for s in task.samples("train")]
    for reason in ("below", "above"):
        hidden = sum(isinstance(t, Bottom) and t.reason == reason for t in train) / len(train)
        assert 0 < hidden <= 0.15
    assert task.caveats()[0].startswith("censored on purpose")


@needs_uci
def test_the_standard_test_rows_of_wine_leak_and_can_be_used_with_a_caveat():
    options = {
        "path": UCI / "wine-quality-red.jsonl",
        "target": "y",
        "test_rows": UCI / "wine-quality-red_test_splits.json",
        "fold": 19,
    }
    with pytest.raises(DataError, match="belong together"):
        table(**options).samples("test")
    task = table(**options, leaks="allow")
    check_task(task)
    assert len(task.samples("test")) == 160
    assert task.caveats()[0].startswith("not held out: 45 of 160 test rows")
