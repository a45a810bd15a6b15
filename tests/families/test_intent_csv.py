"""``intent.csv``: any labelled prompts become a task, and every row that cannot is an error."""

import csv
import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import Answer, Bottom, DataError, PlanError
from assay.families.intent import table
from assay.families.intent.likeness import leakage
from assay.families.intent.likeness.normal import plain
from assay.families.intent.table import Columns, read_table
from assay.families.intent.tasks import csv as csv_task

SPLITS = ("train", "tune", "calibration", "test")
THINGS = ("rent", "phone bill", "garden fence", "violin lesson", "holiday", "passport", "dentist")
DOINGS = {
    "pay": ("settle what I owe for the {}", "transfer money because of my {}", "pay {} fees"),
    "book": ("reserve me a slot: {}", "I'd love an appointment, {}", "book {} for me"),
    "none": ("who invented the {}?", "my cousin likes her {}", "{} {} lalala"),
}
ROWS = [
    (doing.replace("{}", thing), label)
    for label, doings in DOINGS.items()
    for doing in doings
    for thing in THINGS
]


def write(path, rows, header=("prompt", "label")):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def load(path, **options):
    task = csv_task.csv(path=path, **options)
    return {split: task.samples(split) for split in SPLITS}


def error(tmp_path, text, *, name="data.csv", **options):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DataError) as caught:
        load(path, **options)
    assert caught.value.hint
    return str(caught.value)


# What it makes of a good file


def test_every_row_is_in_one_split_under_its_line(tmp_path):
    splits = load(write(tmp_path / "data.csv", ROWS))
    found = {s.id: (s.input, s.target) for samples in splits.values() for s in samples}
    assert sum(map(len, splits.values())) == len(ROWS)
    for line, (prompt, label) in enumerate(ROWS, 2):
        target = Bottom("out_of_scope") if label == "none" else Answer(label)
        assert found[f"line/{line}"] == (prompt, target)


def test_groups_are_never_shared_and_every_label_is_in_every_split(tmp_path):
    splits = load(write(tmp_path / "data.csv", ROWS))
    split_of = {}
    for split, samples in splits.items():
        assert len({str(s.target) for s in samples}) == 3
        for sample in samples:
            assert split_of.setdefault(sample.group, split) == split


def test_near_duplicates_share_a_group(tmp_path):
    extra = [("settle what I owe for the rents", "pay"), ("Settle  what I owe for the rent", "pay")]
    path = write(tmp_path / "data.csv", [*ROWS, *extra])
    groups = {s.input: s.group for samples in load(path).values() for s in samples}
    assert len({groups[ROWS[0][0]], groups[extra[0][0]], groups[extra[1][0]]}) == 1
    assert groups[ROWS[0][0]] != groups[ROWS[-1][0]]


def test_a_template_with_other_numbers_shares_a_group(tmp_path):
    extra = [(f"wire {n} crowns to the club by {n} pm", "pay") for n in (5, 7000, 123456)]
    path = write(tmp_path / "data.csv", [*ROWS, *extra])
    groups = {s.group for samples in load(path).values() for s in samples if "crowns" in s.input}
    assert len(groups) == 1


def test_given_groups_are_kept(tmp_path):
    rows = [(prompt, label, f"{label}-{n % 7}") for n, (prompt, label) in enumerate(ROWS)]
    path = write(tmp_path / "data.csv", rows, ("prompt", "label", "thread"))
    splits = load(path, group="thread")
    assert {s.group for samples in splits.values() for s in samples} == {
        f"group/{label}-{n}" for label in DOINGS for n in range(7)
    }


def test_given_groups_that_leak_are_an_error(tmp_path):
    rows = [(prompt, label, str(n)) for n, (prompt, label) in enumerate(ROWS)]
    rows += [(f"{prompt}!", label, f"copy {n}") for prompt, label, n in rows]
    path = write(tmp_path / "data.csv", rows, ("prompt", "label", "thread"))
    with pytest.raises(DataError, match="near-duplicates") as caught:
        load(path, group="thread")
    assert caught.value.code == "A201"


def test_json_lines_and_csv_make_the_same_samples(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text("".join(json.dumps({"label": b, "prompt": a}) + "\n" for a, b in ROWS))
    ours, theirs = load(path), load(write(tmp_path / "data.csv", ROWS))
    for split in SPLITS:
        assert [(s.input, s.target) for s in ours[split]] == [
            (s.input, s.target) for s in theirs[split]
        ]


def test_numbers_and_nulls_are_labels_of_json_lines(tmp_path):
    path = tmp_path / "data.jsonl"
    codes = {"pay": 1, "book": 2, "none": None}
    path.write_text("".join(json.dumps({"prompt": a, "label": codes[b]}) + "\n" for a, b in ROWS))
    targets = [s.target for samples in load(path).values() for s in samples]
    assert all(target in targets for target in (Answer("1"), Answer("2"), Bottom("out_of_scope")))


def test_a_byte_order_mark_quotes_and_line_ends_in_fields_are_understood(tmp_path):
    path = tmp_path / "data.csv"
    body = write(path, [('say "hello, you"\nand wave', "pay"), *ROWS]).read_bytes()
    path.write_bytes(b"\xef\xbb\xbf" + body)
    samples = {s.id: s.input for part in load(path).values() for s in part}
    assert samples["line/2"] == 'say "hello, you"\nand wave'
    assert samples["line/4"] == ROWS[0][0]


def test_an_empty_label_and_any_casing_of_none_mean_no_answer(tmp_path):
    rows = [(a, {"none": ("", "None", "NONE")[n % 3]}.get(b, b)) for n, (a, b) in enumerate(ROWS)]
    splits = load(write(tmp_path / "data.csv", rows))
    declined = [s for part in splits.values() for s in part if s.target == Bottom("out_of_scope")]
    assert len(declined) == sum(label == "none" for _, label in ROWS)


def test_the_seed_and_only_the_seed_changes_the_splits(tmp_path):
    path = write(tmp_path / "data.csv", ROWS)
    ids = [[s.id for s in load(path, seed=seed)["test"]] for seed in (0, 0, 1)]
    assert ids[0] == ids[1] != ids[2]


def test_exact_duplicates_are_dropped_and_counted(tmp_path):
    path = write(tmp_path / "data.csv", [*ROWS, ROWS[0], ROWS[0], ROWS[5]])
    facts = csv_task.facts(path)
    assert facts.duplicates == 3
    assert facts.rows == len(ROWS)
    assert facts.no_answer == Counter(label for _, label in ROWS)["none"]
    assert dict(facts.labels) == {"pay": 21, "book": 21}
    assert 10 < facts.groups <= facts.rows


@given(st.integers(4, 5000))
def test_shares_of_groups_are_near_forty_ten_twenty_five_twenty_five(groups):
    counts = csv_task.apportion(groups)
    assert sum(counts) == groups
    assert min(counts) >= 1
    for count, share in zip(counts, csv_task.SHARES.values(), strict=True):
        assert abs(count - groups * share) <= 1


CELL = st.text(min_size=1, max_size=30).filter(lambda t: plain(t) and "\0" not in t and _sound(t))


def _sound(text):
    return not any("\ud800" <= c <= "\udfff" for c in text)


@settings(deadline=None)
@given(st.lists(CELL, min_size=1, max_size=8, unique=True))
def test_whatever_the_csv_module_writes_is_read_back(tmp_path_factory, prompts):
    path = tmp_path_factory.mktemp("csv") / "data.csv"
    write(path, [(prompt, "a") for prompt in prompts])
    assert [row.prompt for row in read_table(path, Columns()).rows] == prompts


# What it says about a bad one


def test_a_missing_file_is_an_error_that_names_it(tmp_path):
    with pytest.raises(DataError, match=r"nowhere\.csv"):
        load(tmp_path / "nowhere.csv")
    with pytest.raises(DataError, match="cannot be read"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("prompt,label\n", "fewer than 2 labels"),
        ("prompt,label\na,x\nb,x\n", "fewer than 2 labels"),
        ("promt,label\na,x\n", "did you mean 'promt'?"),
        ("text,label\na,x\n", "no column is called 'prompt' (there are 'text', 'label')"),
        ("prompt;label\na;x\n", "separate the columns with commas"),
        ("prompt,label,label\na,x,y\n", "two columns"),
        ("prompt,label\na,x\n ,x\n", "csv:3"),
        ("prompt,label\na,x\nb\n", "csv:3"),
        ("prompt,label\na,x,y\n", "3 fields"),
        ('prompt,label\na,x\n"b,x\n', "csv:3"),
        ('prompt,label\n"a"b,x\n', "csv:2"),
        (b"prompt,label\na,x\n\xff\xfeb,x\n", "csv:3"),
        (b"prompt,label\na,x\nb\0c,x\n", "NUL"),
        ("prompt,label\na,x\nb,y\na,y\n", "line 2 has the same prompt"),
        ("prompt,label\na,x\nb,y\na,y\nb,x\n", "1 more such pair"),
        ("prompt,label\n" + "a" * 100_001 + ",x\n", "100,001 characters"),
        ("prompt,label\n" + "a" * 140_000 + ",x\n", "field larger than"),
        ("prompt,label\n" + "a" * 1_000_001 + ",x\n", "longer than"),
        ("prompt,label\none thing,x\nsome other,y\n", "four splits need 4"),
    ],
)
def test_a_row_that_cannot_be_used_is_an_error_with_its_line(tmp_path, text, says):
    assert says in error(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("not json\n", "jsonl:1"),
        ('{"prompt": "a", "label": "x", "label": "y"}\n', "a key stands twice"),
        ("[1]\n", "not a JSON object"),
        ('{"prompt": "a", "label": "x"}\n{"prompt": "b"}\n', "jsonl:2"),
        ('{"promt": "a", "label": "x"}\n', "did you mean 'promt'?"),
        ('{"prompt": 7, "label": "x"}\n', "not text"),
        ('{"prompt": "a", "label": true}\n', "not text"),
        ('{"prompt": "a", "label": {"b": 1}}\n', "not text"),
        ('{"prompt": "\\ud800", "label": "x"}\n', "surrogate"),
        ('{"prompt": "a\\u0000b", "label": "x"}\n', "NUL"),
        ("[" * 90_000 + "\n", "not JSON"),
        ('{"prompt": ' + "9" * 5000 + "}\n", "not JSON"),
    ],
)
def test_a_json_line_that_cannot_be_used_is_an_error_with_its_line(tmp_path, text, says):
    assert says in error(tmp_path, text, name="data.jsonl")


def test_a_label_with_three_groups_is_an_error_that_names_it(tmp_path):
    rows = [*ROWS, ("open sesame", "open"), ("unlock it", "open"), ("let me in there", "open")]
    path = write(tmp_path / "data.csv", rows)
    with pytest.raises(DataError, match="'open' has 3 independent groups"):
        load(path)


def test_one_template_in_many_copies_is_one_group_and_not_enough(tmp_path):
    rows = [*ROWS, *((f"move {n} coins to cold storage", "move") for n in range(100))]
    path = write(tmp_path / "data.csv", rows)
    with pytest.raises(DataError, match="'move' has 1 independent group;"):
        load(path)


def test_two_options_for_one_column_are_a_plan_error(tmp_path):
    with pytest.raises(PlanError, match="A104"):
        csv_task.csv(path=tmp_path / "x.csv", prompt="text", label="text")


def test_the_leakage_check_works_on_its_splits(tmp_path):
    splits = load(write(tmp_path / "data.csv", ROWS))
    leakage.check(splits, alike=csv_task.ALIKE)
    with pytest.raises(DataError, match="share the group"):
        leakage.check({**splits, "test": (*splits["test"], splits["train"][0])})


@pytest.mark.slow
def test_more_rows_than_a_file_may_have_are_an_error_and_as_many_are_none(tmp_path, monkeypatch):
    assert table.MOST_ROWS == 1_000_000
    monkeypatch.setattr(table, "MOST_ROWS", 1_000)
    path = tmp_path / "data.csv"
    for rows in (1_000, 1_001):
        path.write_text("prompt,label\n" + "".join(f"p{n},x\n" for n in range(rows)))
        if rows == 1_000:
            assert len(table.read_table(path, table.Columns()).rows) == rows
    with pytest.raises(DataError, match="more than 1,000 rows"):
        csv_task.facts(path)
