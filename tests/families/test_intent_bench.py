"""A bench is one sealed run; its files are views, its gate needs evidence, its pick never saw the test."""

import csv
import json
from dataclasses import dataclass, replace

import pytest

from assay import PlanError, Run
from assay.core.errors import AssayError
from assay.core.metric import Estimate
from assay.families.intent.bench.folder import claim
from assay.families.intent.bench.measure import SURENESS, Gate, Wanted, bench, read_bench, said_at
from assay.families.intent.bench.page import SURE, report
from assay.families.intent.bench.plan import Prompts, Subject, plan_text
from assay.families.intent.bench.views import COLUMNS, rows_csv, summary, write_views
from assay.families.intent.commands.bench import bench as command
from assay.families.intent.commands.bench import page
from assay.families.intent.commands.train import Source, Way
from assay.families.intent.commands.train import train as train_command
from assay.families.intent.grammar.domain import load_domain
from assay.families.intent.recipes.trained import load
from assay.families.intent.serving.chosen import mapper_for

VERBS = {
    "lights": ("switch on", "turn on", "light up", "put on", "brighten"),
    "heating": ("warm up", "heat", "make warmer", "turn up the heat in", "raise the degrees in"),
    "music": ("play a song in", "start music in", "sing in", "put a record on in", "hum in"),
}
ROOMS = ("kitchen", "hall", "attic", "bath", "study", "cellar", "porch", "shed", "den", "loft")
NONE = ("what is the colour of the", "who built the", "how old is the", "sell the", "paint the")


@pytest.fixture(scope="module")
def prompts(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "home.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("prompt", "label", "group"))
        for label, verbs in [*VERBS.items(), ("none", NONE)]:
            for verb in verbs:
                for place, room in enumerate(ROOMS):
                    writer.writerow((f"{verb} the {room}", label, f"{label}/{verb}/{place % 4}"))
    return path


@pytest.fixture(scope="module")
def made(prompts, tmp_path_factory):
    out = tmp_path_factory.mktemp("bench")
    data = Prompts(data=prompts, columns={"group": "group"})
    return bench(Subject(backend="tfidf"), data, Wanted(thresholds=(0.3, 0.5, 0.7)), out=out), out


def read_csv(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_the_views_say_what_the_sealed_run_says(made):
    found, out = made
    files = {file.name for file in write_views(found, out)}
    assert files == {
        "summary.json",
        "metrics.csv",
        "report.md",
        *(f"rows_thr_{at}.csv" for at in ("0.3", "0.5", "0.7")),
    }
    summary = json.loads((out / "summary.json").read_text())
    rows = read_csv(out / "rows_thr_0.5.csv")
    right = sum(
        row["abstain"] == "0" and row["predicted"] == row["gold_label"] for row in rows
    ) + sum(row["abstain"] == "1" and row["gold_label"] == "" for row in rows)
    table = read_csv(out / "metrics.csv")
    assert tuple(table[0])[: len(COLUMNS)] == COLUMNS
    [test] = [r for r in table if r["split"] == "test" and r["threshold"] == "0.5"]
    assert int(test["overall_correct"]) == right
    assert int(test["total"]) == len(rows)
    assert sum(cell["prompts"] for cell in summary["confusion"]) == len(rows)
    assert Run.load(out / "run").verify() == []


@pytest.mark.slow
def test_no_prompt_is_a_formula_to_a_spreadsheet(made):
    found, _ = made
    asked = list(found.records())
    hostile = [
        (replace(sample, id=f"@{sample.id}", input="=HYPERLINK(A1)"), record)
        for sample, record in asked
    ]
    rows = list(csv.DictReader(rows_csv(Told(hostile), 0.5).splitlines()))
    assert len(rows) == len(asked)
    assert {row["prompt"] for row in rows} == {"'=HYPERLINK(A1)"}
    assert all(row["sample"].startswith("'@") for row in rows)
    assert {row["predicted"] for row in rows} <= {"", *VERBS}


@dataclass
class Told:
    """Records that a bench would read, of other prompts."""

    told: list

    def records(self):
        """Return them."""
        return self.told


@pytest.mark.slow
def test_the_report_names_the_file_and_says_its_metrics_in_words(made):
    found, _ = made
    page = report(found)
    assert page.startswith("# Bench of tfidf on home.csv\n")
    for metric in (*SURENESS, "oos_auroc", "oos_fpr_at_95tpr"):
        assert f"{SURE[metric]} (`{metric}`)" in page
        assert f"| {metric} |" not in page


@pytest.mark.slow
def test_reading_a_bench_again_gives_the_same_bytes(made, tmp_path):
    found, out = made
    write_views(found, out)
    again = read_bench(Run.load(out / "run"), found.subject, found.wanted)
    for file in write_views(again, tmp_path):
        assert file.read_bytes() == (out / file.name).read_bytes()


@pytest.mark.slow
def test_the_minimum_needs_the_whole_interval(made):
    found, out = made
    for minimum, code in ((0.01, 0), (0.999, 1)):
        judged = read_bench(
            found.run, found.subject, Wanted(thresholds=(0.3, 0.5), min_accuracy=minimum)
        )
        assert page(judged, [out / "report.md"]).code == code


@pytest.mark.slow
def test_a_folder_of_another_bench_is_left_as_it_is(made, prompts):
    _, out = made
    with pytest.raises(AssayError, match="A106"):
        bench(Subject(backend="tfidf"), Prompts(data=prompts), Wanted(), out=out)


@pytest.mark.slow
def test_a_mapper_that_learnt_the_test_is_not_shown_to_be_good(prompts, tmp_path):
    train_command(
        data=prompts,
        out=tmp_path / "mapper",
        source=Source(group="group"),
        way=Way(encoder="tfidf", c=10.0, seed=7),
    )
    subject = Subject(mapper=tmp_path / "mapper")
    wanted = Wanted(thresholds=(0.3,), min_accuracy=0.01)

    def asked(seed):
        data = Prompts(data=prompts, columns={"group": "group", "seed": seed})
        return bench(subject, data, wanted, out=tmp_path / f"bench{seed}")

    other, own = asked(8), asked(7)
    rows = [sample.input for sample, _ in other.records()]
    assert other.learnt["test"] == sum(load(tmp_path / "mapper").saw(rows)) > 0
    assert other.gate.status == "undecided"
    assert not other.passed
    assert "Caveat: not held out" in report(other)
    assert own.learnt == {"calibration": 0, "test": 0}
    assert own.gate.status == "supported"
    assert summary(own)["mapper"] == load(tmp_path / "mapper").card.head.digest


@pytest.mark.slow
def test_an_interrupted_bench_says_that_it_goes_on_and_does(prompts, tmp_path, made):
    data, wanted = Prompts(data=prompts, columns={"group": "group"}), Wanted(thresholds=(0.3, 0.7))

    def stop(line):
        if line.startswith("timing"):
            raise KeyboardInterrupt

    with pytest.raises(AssayError, match="A502 interrupted; every reply so far is kept"):
        bench(Subject(backend="tfidf"), data, wanted, out=tmp_path / "b", say=stop)
    heard = []
    again = bench(Subject(backend="tfidf"), data, wanted, out=tmp_path / "b", say=heard.append)
    assert any("is unfinished and is resumed" in line for line in heard)
    assert again.estimate("accuracy") == made[0].estimate("accuracy")


@pytest.mark.slow
def test_a_mapper_of_another_domain_is_refused_before_it_is_asked(prompts, tmp_path):
    folder = tmp_path / "mapper"
    train_command(
        data=prompts,
        out=folder,
        source=Source(group="group"),
        way=Way(encoder="tfidf", c=10.0),
    )
    with pytest.raises(PlanError, match=r"A104 the mapper knows heating, lights, music"):
        mapper_for(load_domain("defi"), folder, say=lambda _: None)


def test_a_plan_that_asked_nothing_yet_is_replaced_and_any_other_is_kept(tmp_path):
    out = tmp_path / "bench"
    mistyped = plan_text(Subject(mapper=tmp_path / "mispelt"), Prompts())
    right = plan_text(Subject(backend="tfidf"), Prompts())
    claim(out, mistyped)
    assert claim(out, right).read_text() == right
    (out / "run").mkdir()
    with pytest.raises(PlanError, match="A106"):
        claim(out, mistyped)
    assert (out / "plan.yaml").read_text() == right


@pytest.mark.parametrize("theirs", ["name: mine\n", "{not json", "[]"])
def test_a_plan_that_somebody_wrote_is_kept(tmp_path, theirs):
    (tmp_path / "plan.yaml").write_text(theirs)
    with pytest.raises(PlanError, match="A106"):
        claim(tmp_path, plan_text(Subject(), Prompts()))
    assert (tmp_path / "plan.yaml").read_text() == theirs


def test_a_file_and_a_folder_called_plan_are_no_place_for_a_bench(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "odd" / "plan.yaml").mkdir(parents=True)
    for out in (tmp_path / "file", tmp_path / "odd"):
        with pytest.raises(PlanError, match="A106"):
            claim(out, "{}")


def test_an_interval_that_straddles_the_minimum_decides_nothing():
    def gate(low, high):
        return Gate(needed=0.8, estimate=Estimate(metric="accuracy", value=0.8, low=low, high=high))

    assert gate(0.81, 0.9).status == "supported"
    assert gate(0.7, 0.79).status == "refuted"
    assert gate(0.7, 0.9).status == "undecided"
    assert Gate(needed=0.8, estimate=None).status == "undecided"
    sure = Estimate(metric="accuracy", value=0.9, low=0.85, high=0.95)
    assert Gate(needed=0.8, estimate=sure, learnt=1).status == "undecided"


@pytest.mark.parametrize("thresholds", ["", "a,b", "0.5,1.5", "-1", "nan"])
def test_thresholds_that_are_none_are_refused(tmp_path, thresholds):
    from assay.families.intent.commands.bench import Judged

    with pytest.raises(PlanError, match="A106"):
        command(out=tmp_path / "b", judged=Judged(thresholds=thresholds))
    assert not (tmp_path / "b").exists()


def test_an_unknown_backend_and_two_subjects_are_refused(tmp_path):
    with pytest.raises(PlanError, match="A103"):
        Subject(backend="bert")
    with pytest.raises(PlanError, match="A104"):
        Subject(backend="tfidf", mapper=tmp_path)


def test_trivial_rivals_always_run_beside_the_subject():
    plan = json.loads(plan_text(Subject(), Prompts()))
    names = [system["name"] for system in plan["systems"]]
    assert names[0] == "mapper"
    assert {"majority", "first-word", "keywords", "tfidf", "knn"} <= set(names)


def test_a_withheld_answer_is_still_known():
    from assay import Answer, Bottom, Cell, Outcome, Record, Usage, Verdict

    cell = Cell(task="t", system="s", seed=0, split="test")

    def record(said):
        return Record(
            cell=cell,
            sample="1",
            group="1",
            said=said,
            verdict=Verdict(outcome=Outcome.WRONG),
            usage=Usage(),
        )

    assert said_at(record(Answer("a", 0.6)), 0.5) == ("a", 0.6, False)
    assert said_at(record(Answer("a", None)), 0.5) == ("a", None, False)
    assert said_at(record(Bottom("no", Answer("a", 0.6))), 0.5) == ("a", 0.6, True)
    assert said_at(record(Bottom("no")), 0.5) == (None, None, True)
