"""A data set's own split: used as it is, called what it is, completed where a part is lacking."""

import csv
import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import Answer, Bottom, DataError
from assay.engine.splits import check_splits
from assay.families.intent.likeness import leakage, normal
from assay.families.intent.table import Columns, read_rows, read_table
from assay.families.intent.tasks import csv as csv_task
from assay.families.intent.tasks import own_split

SPLITS = ("train", "tune", "calibration", "test")
DOINGS = {
    "pay": "settle what I owe for the {}",
    "book": "I'd love an appointment, {}",
    "none": "who invented the {} anyway?",
}
THINGS = [
    *("rent", "phone bill", "garden fence", "violin lesson", "holiday", "passport", "dentist"),
    *("umbrella", "xylophone", "kitchen sink", "zebra crossing", "quilt", "jam jar", "waffle iron"),
]


def rows(**parts):
    """Return one row per label and thing; ``parts`` gives each part so many things."""
    names = [part for part, count in parts.items() for _ in range(count)]
    return [
        (text.format(thing), label, part)
        for part, thing in zip(names, THINGS, strict=False)
        for label, text in DOINGS.items()
    ]


def write(folder, found, name="data.csv"):
    path = folder / name
    header = ("prompt", "label", "split")
    if name.endswith(".csv"):
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *found])
        return path
    text = "".join(json.dumps(dict(zip(header, row, strict=True))) + "\n" for row in found)
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def load(path, **options):
    task = csv_task.csv(path=path, split="split", **options)
    return {split: task.samples(split) for split in SPLITS}, task.caveats()


def error(path, **options):
    with pytest.raises(DataError) as caught:
        load(path, **options)
    assert caught.value.hint
    return caught.value


# What is given is used


def test_a_given_split_is_used_row_by_row(tmp_path):
    found = rows(train=6, dev=2, calib=2, test=4)
    splits, caveats = load(write(tmp_path, found))
    assert {s: len(x) for s, x in splits.items()} == {
        "train": 18,
        "tune": 6,
        "calibration": 6,
        "test": 12,
    }
    part_of = {s.id: split for split, samples in splits.items() for s in samples}
    for line, (_, _, part) in enumerate(found, 2):
        assert part_of[f"line/{line}"] == {"dev": "tune", "calib": "calibration"}.get(part, part)
    assert caveats == ()


@pytest.mark.parametrize("word", ["Validation", "VAL", "valid", "dev", "tune"])
def test_every_usual_word_for_a_part_is_understood_in_any_casing(tmp_path, word):
    splits, _ = load(write(tmp_path, rows(TRAIN=6, test=3, **{word: 2})))
    assert len(splits["tune"]) == 6


def test_an_unknown_word_for_a_part_is_an_error_with_its_line(tmp_path):
    found = error(write(tmp_path, rows(train=3, tset=1)))
    assert (found.code, found.where.rsplit(":")[-1]) == ("A200", "11")
    assert "did you mean 'test'?" in found.hint


def test_packed_lines_make_the_same_samples(tmp_path):
    found = rows(train=6, dev=2, calib=2, test=4)
    packed = load(write(tmp_path, found, "data.jsonl.gz"))
    loose = load(write(tmp_path, found, "data.jsonl"))
    assert packed == loose


def test_parts_that_are_lacking_are_drawn_from_train_in_whole_groups_and_said_so(tmp_path):
    found = [*rows(train=10, test=4), ("settle what I owe for the rents", "pay", "train")]
    splits, caveats = load(write(tmp_path, found))
    check_splits("intent.csv", {split: list(samples) for split, samples in splits.items()})
    assert len(splits["test"]) == 12
    assert len(splits["tune"]) >= 3
    assert len(splits["calibration"]) >= 3
    assert sum(map(len, splits.values())) == len(found)
    assert any(c.startswith("drawn from its train, in whole groups: tune (") for c in caveats)
    again, _ = load(write(tmp_path, found))
    assert again == splits
    other, _ = load(write(tmp_path, found), seed=1)
    assert other["test"] == splits["test"]
    assert other["tune"] != splits["tune"]


def test_train_keeps_a_group_of_every_label_and_few_groups_are_no_error(tmp_path):
    found = [*rows(train=10, test=4), ("open sesame", "open", "train")]
    splits, caveats = load(write(tmp_path, found))
    assert Answer("open") in [s.target for s in splits["train"]]
    assert "not in calibration: 1 of 4 labels (open)" in caveats
    assert "not in test: 1 of 4 labels (open)" in caveats


def test_a_class_that_calibration_lacks_is_a_caveat(tmp_path):
    found = [r for r in rows(train=6, dev=2, cal=2, test=4) if r[1:] != ("book", "cal")]
    _, caveats = load(write(tmp_path, found))
    assert caveats == ("not in calibration: 1 of 3 labels (book)",)


def test_a_label_that_train_lacks_is_a_caveat_in_test_and_an_error_in_tune(tmp_path):
    found = rows(train=6, dev=2, cal=2, test=4)
    _, caveats = load(write(tmp_path, [*found, ("open sesame", "open", "test")]))
    assert "never seen in train: 1 of 4 labels (open)" in caveats
    said = error(write(tmp_path, [*found, ("open sesame", "open", "dev")]))
    assert said.code == "A200"
    assert "'open' is in tune and not in train" in str(said)
    assert said.where.endswith(f":{len(found) + 2}")


def test_a_file_without_train_is_an_error(tmp_path):
    assert "no row of the file is in train" in str(error(write(tmp_path, rows(test=8))))


# A split that leaks is not held out

TWINS = {
    "the same prompt": "SETTLE  what I owe for the rent",
    "zero width": "settle what I owe\u200b for the re\u2060nt",
    "full width": "\uff53\uff45\uff54\uff54\uff4c\uff45 what I owe for the rent",
    "look-alikes": "s\u0435ttl\u0435 wh\u0430t I \u043ew\u0435 for the rent",
    "right to left marks": "\u202esettle what I owe for the rent\u202c",
    "soft hyphen": "settle what I owe for the r\u00adent",
    "near-duplicates": "settle what I owe for the rents",
}


@pytest.mark.parametrize("kind", TWINS)
def test_a_split_that_leaks_is_an_error_and_with_leave_a_caveat(tmp_path, kind):
    found = [*rows(train=6, dev=2, cal=2, test=4), (TWINS[kind], "pay", "test")]
    path = write(tmp_path, found)
    said = error(path)
    assert said.code == "A201"
    assert "this split is not held out" in str(said)
    splits, caveats = load(path, leaks="allow")
    says = "near-duplicates" if kind == "near-duplicates" else "the same prompt"
    assert caveats == (
        f"leaking split, not held out: 1 of 13 test prompts have a twin in training (1 {says})",
    )
    check_splits("intent.csv", {split: list(samples) for split, samples in splits.items()})
    assert len(splits["test"]) == 13


def test_a_template_with_other_numbers_is_a_leak(tmp_path):
    found = [
        *rows(train=6, dev=2, cal=2, test=4),
        ("wire 12 crowns to the club by 5 pm", "pay", "train"),
        ("wire 7,000 crowns to the club by 11 pm", "pay", "test"),
    ]
    _, caveats = load(write(tmp_path, found), leaks="allow")
    assert len(caveats) == 1
    assert "1 of 13 test prompts have a twin in training (1 the same template)" in caveats[0]


def test_a_prompt_with_another_label_in_another_part_is_a_leak_and_in_one_part_an_error(tmp_path):
    found = rows(train=6, dev=2, cal=2, test=4)
    path = write(tmp_path, [*found, (found[0][0], "book", "test")])
    assert error(path).code == "A201"
    _, caveats = load(path, leaks="allow")
    assert len(caveats) == 1
    said = error(write(tmp_path, [*found, (found[0][0], "book", "train")]), leaks="allow")
    assert said.code == "A200"
    assert "line 2 has the same prompt" in str(said)


def test_a_leak_into_calibration_is_told_apart(tmp_path):
    found = [
        *rows(train=6, dev=2, cal=2, test=4),
        ("settle what I owe for the rents", "pay", "calib"),
        ("who invented the quilts anyway?", "none", "calib"),
    ]
    _, caveats = load(write(tmp_path, found), leaks="allow")
    assert len(caveats) == 2
    assert "1 of 12 test prompts have a twin in calibration" in caveats[0]
    assert "1 of 8 calibration prompts have a twin in train or tune" in caveats[1]


def test_given_groups_in_two_parts_leak_even_if_nothing_is_alike(tmp_path):
    path = tmp_path / "data.csv"
    found = rows(train=6, dev=2, cal=2, test=4)
    lines = [(*row, f"g{n}") for n, row in enumerate(found)]
    lines[-1] = (*found[-1], "g0")
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("prompt", "label", "split", "thread"), *lines])
    assert "share the group 'group/g0'" in str(error(path, group="thread"))
    splits, caveats = load(path, group="thread", leaks="allow")
    assert "(1 of the same group)" in caveats[0]
    check_splits("intent.csv", {split: list(samples) for split, samples in splits.items()})


# The counts behind it

WORDS = st.sampled_from(["pay", "the", "rent", "now", "sing", "5", "12", "PAY", "é"])
TEXTS = st.lists(
    st.tuples(st.lists(WORDS, min_size=1, max_size=5).map(" ".join), st.sampled_from("abc")),
    min_size=1,
    max_size=14,
)


def trigrams(text):
    padded = f" {text} "
    return {padded[i : i + 3] for i in range(len(padded) - 2)}


def kind_of(one, other, threshold):
    if normal.plain(one) == normal.plain(other):
        return "prompt"
    a, b = normal.masks([one, other])
    if a == b:
        return "template"
    share = len(trigrams(a) & trigrams(b)) / len(trigrams(a) | trigrams(b))
    return "alike" if share >= threshold else None


@given(TEXTS, st.sampled_from([0.4, 0.75]))
def test_the_twins_are_those_that_comparing_all_with_all_finds(found, threshold):
    texts, where = [t for t, _ in found], [s for _, s in found]
    leaks = leakage.find(texts, where, alike=threshold)
    for split in set(where):
        for other in set(where) - {split}:
            expected = {}
            for here, text in enumerate(texts):
                kinds = {
                    kind_of(text, texts[there], threshold)
                    for there in range(len(texts))
                    if where[there] == other and where[here] == split
                }
                best = [k for k in leakage.KINDS if k in kinds]
                if best:
                    expected[here] = best[0]
            twins = leaks.of(split, [other])
            assert {place: twin.kind for place, twin in twins.items()} == expected
            for place, twin in twins.items():
                assert twin.here == place
                assert where[twin.there] == other
                assert kind_of(texts[place], texts[twin.there], threshold) is not None


@given(st.text(max_size=30))
def test_the_form_of_a_form_is_itself_and_says_nothing_unseen(text):
    once = normal.plain(text)
    assert normal.plain(once) == once
    assert "\u200b" not in once
    assert once == once.strip()


def test_texts_of_one_script_stay_different():
    russian = "пётр сел на сосну у реки и ждал хорошую погоду весь день"  # noqa: RUF001
    forms = [normal.plain(word) for word in russian.split()]
    assert len(set(forms)) == len(set(russian.split()))
    assert normal.plain(russian.upper()) == normal.plain(russian)


# Files that cannot be used


def test_a_prompt_that_shows_nothing_is_an_error_with_its_line(tmp_path):
    path = write(tmp_path, [("pay", "pay", "train"), ("\u200b\u2060\ufeff", "pay", "train")])
    said = error(path)
    assert (said.code, said.where.rsplit(":")[-1]) == ("A200", "3")
    assert "shows nothing" in str(said)


def test_right_to_left_and_invisible_prompts_are_asked_as_they_are(tmp_path):
    prompts = ["שלם את שכר הדירה", "ادفع الإيجار من فضلك", "pay\u200b the piper"]
    found = [*rows(train=6, dev=2, cal=2, test=4), *((p, "pay", "test") for p in prompts)]
    splits, _ = load(write(tmp_path, found))
    assert set(prompts) <= {s.input for s in splits["test"]}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\x1f\x8b\x08\x00garbage", "cannot be unpacked"),
        (b"plain text\n", "cannot be unpacked"),
        (gzip.compress(b'{"prompt": "a", "label": "x", "split": "test"}\n' * 9)[:-9], "unpacked"),
        (gzip.compress(b"x" * 1_000_001), "longer than"),
        (gzip.compress(b"\x00\x01\x02" * 99), "NUL"),
        (gzip.compress(b"\xff\xfe" * 99), "not UTF-8"),
    ],
)
def test_a_packed_file_that_is_broken_or_too_large_is_an_error(tmp_path, data, says):
    path = tmp_path / "data.jsonl.gz"
    path.write_bytes(data)
    assert says in str(error(path))


def test_what_unpacks_without_end_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr("assay.lines.MOST_BYTES", 1_000_000)
    path = tmp_path / "data.jsonl.gz"
    path.write_bytes(gzip.compress(b"\n" * 1_100_000))
    assert "more than 1,000,000 bytes" in str(error(path))


def test_a_label_with_one_row_is_an_error_where_the_split_is_ours(tmp_path):
    found = [*rows(train=14), ("open sesame", "open", "train")]
    path = write(tmp_path, found)
    with pytest.raises(DataError, match="'open' has 1 independent group") as caught:
        csv_task.csv(path=path).samples("test")
    assert caught.value.where.endswith(f":{len(found) + 1}")


def test_rows_are_read_with_duplicates_and_tables_without(tmp_path):
    found = rows(train=3, test=1)
    path = write(tmp_path, [*found, found[0], (*found[0][:2], "test")])
    columns = Columns(split="split")
    assert len(list(read_rows(path, columns))) == len(found) + 2
    table = read_table(path, columns)
    assert (len(table.rows), table.duplicates) == (len(found) + 1, 1)


def test_labels_and_targets_are_those_of_the_file(tmp_path):
    splits, _ = load(write(tmp_path, rows(train=6, dev=2, cal=2, test=4)))
    said = [s.target for s in splits["test"]]
    assert said == [Answer("pay"), Answer("book"), Bottom("out_of_scope")] * 4


def test_a_caveat_names_five_labels_at_most():
    labels = [f"l{n}" for n in range(9)] * 2
    where = ["train"] * 9 + ["test"] * 2 + ["calibration"] * 7
    parts = own_split.Parts(where=tuple(where), drawn=())
    leaks = leakage.Leaks(sizes={}, twins={})
    said = own_split.caveats(labels, parts, leaks)
    assert said == (
        "not in calibration: 2 of 9 labels (l0, l1)",
        "not in test: 7 of 9 labels (l2, l3, l4, l5, l6, ...)",
    )
