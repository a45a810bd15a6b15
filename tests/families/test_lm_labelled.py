"""Labelled rows: read strictly, answered in free text, scored as the libraries of the field do."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import Answer, DataError, PlanError, Reply, Sample, Statistic
from assay.families.lm.labelled.labels import Labels
from assay.families.lm.labelled.metrics import bleu, macro_f1
from assay.families.lm.labelled.rows import Layout, read_rows
from assay.families.lm.labelled.task import labelled
from assay.families.lm.labelled.texts import is_exact, longest_in_common, overlap
from assay.families.lm.labelled.verifiers import LabelReader, TextReader
from assay.testing import check_task

WORDS = ["good", "bad", "fine", "plot", "film", "dull", "bright", "slow", "warm", "cold"]


def rows_of(n: int = 40) -> list[dict[str, object]]:
    """Return reviews that differ, half of them of either label."""
    return [
        {
            "input": f"a {WORDS[k % 10]} {WORDS[k // 10]} film, no. {k}",
            "label": ["positive", "negative"][k % 2],
        }
        for k in range(n)
    ]


def written(folder: Path, rows: list[dict[str, object]]) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


# --- rows -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"input": "so-so"}', "no 'label'"),
        (b'{"input": "so-so", "lable": "bad"}', "no 'label'"),
        (b'{"input": "so-so", "label": ""}', "is empty"),
        (b'{"input": "so-so", "label": null}', "is no text"),
        (b'{"input": "so-so", "label": {"a": 1}}', "is no text"),
        (b'{"input": "so-so", "label": ["bad", "good"]}', 'is ["bad", "good"]'),
        (b'{"label": "bad"}', "asks nothing"),
        (b'{"input": NaN, "label": "bad"}', "NaN is no JSON"),
        (b'["so-so", "bad"]', "list is no object"),
        (b'{"input": "so-so"', "not JSON"),
        (b'{"input": "\xff", "label": "bad"}', "not UTF-8"),
        (b'{"input": "' + b"x" * 1_000_001 + b'", "label": "bad"}', "longer than"),
        (b'{"input": "one", "label": "bad"}', "of line 1 has another label"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_with_its_line(tmp_path, line, said):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"input": "one", "label": "good"}\n\n' + line + b"\n")
    with pytest.raises(DataError) as caught:
        read_rows(path, Layout(label="label"))
    assert said in caught.value.what
    assert caught.value.where.endswith("rows.jsonl:3")


def test_a_misspelt_label_names_the_member_that_is_there(tmp_path):
    path = written(tmp_path, [{"input": "one", "lable": "good"}])
    with pytest.raises(DataError) as caught:
        read_rows(path, Layout(label="label"))
    assert "did you mean 'lable'?" in caught.value.hint


def test_a_file_without_rows_is_an_error(tmp_path):
    (tmp_path / "rows.jsonl").write_text("\n\n")
    with pytest.raises(DataError, match="there is no row"):
        read_rows(tmp_path / "rows.jsonl", Layout(label="label"))


def test_a_row_that_comes_twice_is_asked_once_and_told(tmp_path):
    rows = rows_of()
    task = labelled(path=written(tmp_path, [*rows, rows[3], rows[3]]))
    splits = ("train", "tune", "calibration", "test")
    assert sum(len(task.samples(split)) for split in splits) == 40
    assert task.caveats() == ("2 rows that came twice are asked once",)


def test_numbers_and_truth_values_are_the_labels_that_json_writes(tmp_path):
    path = written(tmp_path, [{"input": "a", "label": 1}, {"input": "b", "label": True}])
    assert [row.accepted for row in read_rows(path, Layout(label="label")).rows] == [
        ("1",),
        ("true",),
    ]


# --- the task -------------------------------------------------------------------------------


def test_the_task_keeps_its_contract_with_labels_and_with_texts(tmp_path):
    check_task(labelled(path=written(tmp_path, rows_of()), user="Review: {input}"))
    (tmp_path / "qa").mkdir()
    rows = [{"q": f"{k} plus 1?", "a": [str(k + 1), f"it is {k + 1}"]} for k in range(30)]
    path = written(tmp_path / "qa", rows)
    also = ("exact_match", "bleu", "rouge_l")
    pytest.importorskip("sacrebleu")
    pytest.importorskip("rouge_score")
    task = labelled(path=path, label="a", kind="text", metric="f1", also=also, user="{q}")
    check_task(task)
    assert [metric.name for metric in task.metrics][:4] == ["f1", *also]


def test_a_question_has_the_prompt_and_nothing_that_the_template_does_not_name(tmp_path):
    rows = [{**row, "answer_key": "secret", "label": row["label"]} for row in rows_of()]
    path = written(tmp_path, rows)
    task = labelled(path=path, system="Judge films.", user="Review: {input}\nLabel:")
    for sample in task.samples("test"):
        assert sample.input["prompt"] == f"Review: {sample.input['input']}\nLabel:"
        assert sample.input["system"] == "Judge films."
        assert "secret" not in json.dumps(sample.input)
        assert "label" not in sample.input


def test_a_template_that_names_no_member_says_which_there_is(tmp_path):
    task = labelled(path=written(tmp_path, rows_of()), user="{inptu}")
    with pytest.raises(PlanError, match="inptu") as caught:
        task.samples("test")
    assert "did you mean 'input'?" in caught.value.hint


def test_labels_are_dealt_to_every_split_in_proportion(tmp_path):
    task = labelled(path=written(tmp_path, rows_of(80)))
    sizes = {s: len(task.samples(s)) for s in ("train", "tune", "calibration", "test")}
    assert sizes == {"train": 8, "tune": 4, "calibration": 12, "test": 56}
    said = [sample.target.value for sample in task.samples("test")]
    assert said.count("positive") == said.count("negative") == 28


def test_the_order_of_the_rows_decides_nothing(tmp_path):
    one, other = rows_of(), rows_of()[::-1]
    (tmp_path / "other").mkdir()
    made = [labelled(path=written(f, r)) for f, r in ((tmp_path, one), (tmp_path / "other", other))]
    texts = [{sample.input["input"] for sample in task.samples("test")} for task in made]
    assert texts[0] == texts[1]


def test_rows_of_a_group_and_rows_that_differ_in_case_stay_together(tmp_path):
    rows = rows_of()
    shouted = [{**row, "input": str(row["input"]).upper()} for row in rows]
    task = labelled(path=written(tmp_path, [*rows, *shouted]))
    for split in ("train", "tune", "calibration", "test"):
        texts = {sample.input["input"] for sample in task.samples(split)}
        assert {text.upper() for text in texts} <= texts
    (tmp_path / "g").mkdir()
    rows = [{**row, "film": k % 10} for k, row in enumerate(rows)]
    task = labelled(path=written(tmp_path / "g", rows), group="film")
    assert {sample.group for sample in task.samples("tune")}.isdisjoint(
        sample.group for sample in task.samples("test")
    )
    assert "film" not in task.samples("test")[0].input


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (rows_of(3), "3 independent rows"),
        ([{**row, "label": "positive"} for row in rows_of()], "there is 1 label"),
        ([{**row, "label": "!" if k else "?"} for k, row in enumerate(rows_of())], None),
        ([{**row, "label": "A" if k else "a"} for k, row in enumerate(rows_of())], "apart"),
    ],
)
def test_rows_that_make_no_task_are_refused(tmp_path, rows, said):
    task = labelled(path=written(tmp_path, rows))
    if said is None:
        assert task.samples("test")
        return
    with pytest.raises(DataError, match=said):
        task.samples("test")


@pytest.mark.parametrize("metric", ["bleu", "rouge_l"])
def test_a_metric_of_texts_is_refused_for_labels(tmp_path, metric):
    with pytest.raises(PlanError, match="compares texts") as caught:
        labelled(path=tmp_path / "rows.jsonl", metric=metric)
    assert "kind: text" in caught.value.hint


# --- labels in free text --------------------------------------------------------------------

FILMS = Labels.of(["positive", "negative", "very positive", "n/a"])


@pytest.mark.parametrize(
    ("text", "label", "whole"),
    [
        ("positive", "positive", True),
        ("  POSITIVE.\n", "positive", True),
        ('"negative"', "negative", True),
        ("The sentiment is negative.", "negative", False),
        ("Very positive!", "very positive", True),
        ("It is very positive", "very positive", False),
        ("very positive, so positive", None, False),
        ("positive or negative?", None, False),
        ("positively", None, False),
        ("I cannot tell", None, False),
        ("n/a", "n/a", True),
        ("n a", None, False),
        ("", None, False),
        ("\uff30\uff2f\uff33itive", "positive", True),
    ],
)
def test_a_label_is_read_where_exactly_one_is_said(text, label, whole):
    found = FILMS.read(text)
    assert (found.label, found.whole) == (label, whole)
    assert found.why


def test_signs_tell_labels_apart():
    signs = Labels.of(["1", "-1", "0"])
    assert [signs.read(text).label for text in ("1", "-1", "1.", "-1.", "it is -1")] == [
        "1", "-1", "1", "-1", "-1",
    ]  # fmt: skip


@given(
    st.lists(st.from_regex(r"[a-z]{1,4}", fullmatch=True), min_size=2, max_size=5, unique=True),
    st.data(),
)
def test_a_label_alone_is_read_as_itself_and_inside_of_other_words_too(names, data):
    labels = Labels.of(names)
    name = data.draw(st.sampled_from(names))
    assert labels.read(name).label == name
    assert labels.read(f"0 1 {name} 2 3!").label == name
    other = data.draw(st.sampled_from(names))
    assert labels.read(f"{name} 0 {other}").label == (name if name == other else None)


def test_an_answer_that_is_no_text_is_wrong_and_said_to_be(tmp_path):
    task = labelled(path=written(tmp_path, rows_of()))
    sample = task.samples("test")[0]
    [check] = task.verifier.check([(sample, Reply(sample.id, Answer(3)))])
    assert check.passed is False
    assert check.evidence == {"why": "the answer is no text"}


# --- texts ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "accepted", "exact", "f1"),
    [
        ("The Eiffel Tower!", ["Eiffel tower"], True, 1.0),
        ("a cat sat", ["the cat"], False, 2 / 3),
        ("Paris, France", ["Paris"], False, 2 / 3),
        ("london", ["Paris", "London"], True, 1.0),
        ("", ["Paris"], False, 0.0),
        ("the", ["a"], True, 1.0),
        ("to to be", ["to be to be"], False, 6 / 7),
    ],
)
def test_texts_are_compared_as_squad_does(said, accepted, exact, f1):
    assert is_exact(said, accepted) is exact
    assert overlap(said, accepted) == pytest.approx(f1)


SENTENCE = st.lists(st.sampled_from(WORDS), min_size=0, max_size=9).map(" ".join)
PAIRS = st.lists(st.tuples(SENTENCE, st.lists(SENTENCE.filter(bool), min_size=1, max_size=3)))


def checked(pairs, metrics=("bleu", "rouge_l")):
    batch = [
        (Sample(id=str(k), input="", target=Answer(wanted)), Reply(str(k), Answer(said)))
        for k, (said, wanted) in enumerate(pairs)
    ]
    return list(TextReader(metrics=metrics).check(batch))


def columns_of(checks, names):
    """Return columns as a run has them: NaN where nothing was checked."""
    return {
        name: np.array(
            [np.nan if c is None else c.scores[name.removeprefix("check:")] for c in checks]
        )
        for name in names
        if name != "asked"
    } | {"asked": np.ones(len(checks))}


@given(PAIRS.filter(bool))
def test_bleu_of_all_answers_is_that_of_sacrebleu(pairs):
    sacrebleu = pytest.importorskip("sacrebleu")
    said = [text for text, _ in pairs]
    most = max(len(wanted) for _, wanted in pairs)
    streams = [[w[k] if k < len(w) else None for _, w in pairs] for k in range(most)]
    metric = bleu()
    columns = columns_of(checked(pairs), metric.columns)
    found = metric.form.of(columns, np.ones(len(pairs)))
    assert found == pytest.approx(sacrebleu.corpus_bleu(said, streams).score, abs=1e-9)


@given(PAIRS.filter(lambda pairs: len(pairs) > 1), st.data())
def test_bleu_of_drawn_groups_is_that_of_the_corpus_that_was_drawn(pairs, data):
    """Counts add up: drawing groups again is the same as scoring the drawn texts anew."""
    sacrebleu = pytest.importorskip("sacrebleu")
    pairs = [(said, wanted[:1]) for said, wanted in pairs]
    groups = np.array([data.draw(st.integers(0, 2)) for _ in pairs])
    counts = np.array([[data.draw(st.integers(0, 3)) for _ in range(3)]])
    metric = bleu()
    columns = columns_of(checked(pairs), metric.columns)
    [found] = metric.form.prepare(columns, groups)(counts)
    drawn = [pair for pair, g in zip(pairs, groups, strict=True) for _ in range(counts[0][g])]
    if not drawn:
        assert math.isnan(found)
        return
    said, wanted = [text for text, _ in drawn], [[w[0] for _, w in drawn]]
    assert found == pytest.approx(sacrebleu.corpus_bleu(said, wanted).score, abs=1e-9)


def test_an_answer_that_never_came_counts_against_bleu():
    pytest.importorskip("sacrebleu")
    pairs = [("a good film and a warm plot", ["a good film and a warm plot"])] * 3
    metric, checks = bleu(), checked([*pairs])
    assert metric.form.of(columns_of(checks, metric.columns), np.ones(3)) == pytest.approx(100)
    # Two of three: an empty text would make the whole as long as two thirds of what is wanted.
    missed = columns_of([*checks[:2], None], metric.columns)
    assert metric.form.of(missed, np.ones(3)) == pytest.approx(100 * math.exp(1 - 3 / 2))
    assert metric.form.of(columns_of([None, None], metric.columns), np.ones(2)) == 0.0


@given(PAIRS.filter(bool))
def test_rouge_l_is_the_best_that_rouge_score_gives_with_any_text(pairs):
    scorer = pytest.importorskip("rouge_score.rouge_scorer").RougeScorer(["rougeL"])
    for said, wanted in pairs:
        each = [scorer.score(text, said)["rougeL"].fmeasure for text in wanted]
        assert longest_in_common(said, wanted) == max(each)


def test_rouge_l_of_a_known_pair():
    # "a b c d" and "a c d e": the longest common run with gaps is "a c d".
    pytest.importorskip("rouge_score")
    assert longest_in_common("a c d e", ["a b c d"]) == pytest.approx(0.75)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(-1, 2)), min_size=1), st.data())
def test_macro_f1_is_that_of_scikit_learn_over_the_labels_that_occur(pairs, data):
    sklearn = pytest.importorskip("sklearn.metrics")
    truth, read = (np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    columns = {"check:truth": truth, "check:read": read, "asked": np.ones(len(pairs))}
    labels = sorted({*truth, *read} - {-1.0})
    wanted = sklearn.f1_score(truth, read, labels=labels, average="macro", zero_division=0)
    metric = macro_f1()
    assert isinstance(metric.form, Statistic)
    assert metric.form.of(columns, np.ones(len(pairs))) == pytest.approx(wanted)
    groups = np.array([data.draw(st.integers(0, 3)) for _ in pairs])
    counts = np.array([[data.draw(st.integers(0, 2)) for _ in range(4)]])
    [found] = metric.form.prepare(columns, groups)(counts)
    weights = counts[0][groups]
    alone = metric.form.of(columns, weights.astype(float))
    assert (math.isnan(found) and alone is None) or found == pytest.approx(alone)


def test_macro_f1_counts_what_was_not_answered_as_missed():
    labels = LabelReader(labels=lambda: Labels.of(["bad", "good"]))
    samples = [Sample(id=str(k), input="", target=Answer("bad")) for k in range(2)]
    checks = list(labels.check([(s, Reply(s.id, Answer("bad"))) for s in samples]))
    metric = macro_f1()
    columns = columns_of([*checks, None, None], metric.columns)
    # Two of four were found and nothing else was said: precision 1, recall one half.
    assert metric.form.of(columns, np.ones(4)) == pytest.approx(2 / 3)
