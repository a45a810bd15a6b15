"""``assay intent audit`` and ``split``: what they find, what they must not miss, what they promise."""

import csv
import hashlib
import importlib.util
import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import DataError
from assay.cli.main import main
from assay.families.intent.audits import audit as auditing_core
from assay.families.intent.audits import trivial
from assay.families.intent.audits.audit import Looks, audit
from assay.families.intent.audits.facts import audit_facts
from assay.families.intent.audits.left_out import leave_out
from assay.families.intent.audits.report import markdown, tell, verdict
from assay.families.intent.commands.auditing import Asked, audit_file, divide_file
from assay.families.intent.likeness.exchanged import exchanged, skeletons
from assay.families.intent.likeness.normal import plain
from assay.families.intent.table import Columns, Row
from assay.families.intent.tasks import csv as csv_task

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
LETTERS = "bcdfghjklmnpqrstvwxz"


@pytest.fixture(scope="module")
def templated():
    """The generator of templated prompts that the experiment log names."""
    spec = importlib.util.spec_from_file_location("made", ROOT / "tools" / "templated_prompts.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.rows(600)


def made(count=60, seed=0, parts=("train", "train", "test")):
    """Return rows that share nothing with each other but what tells their label."""
    draw = random.Random(seed)
    word = lambda: "".join(draw.choices(LETTERS, k=9))  # noqa: E731
    verbs = {"pay": "settle", "book": "reserve", "": "hum"}
    return [
        Row(n + 2, f"{list(verbs.values())[n % 3]} {word()} {word()}", list(verbs)[n % 3], "", part)
        for n in range(count)
        for part in [parts[n // 3 % len(parts)]]
    ]


def write(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("prompt", "label", "group", "split"))
        writer.writerows((r.prompt, r.label or "none", r.group, r.split) for r in rows)
    return path


def say(capsys, *words):
    code = main([str(word) for word in words])
    return code, capsys.readouterr()


# Leaks


def test_rows_without_a_leak_may_be_called_held_out():
    found = audit(made())
    assert found.sound
    assert found.holds == {"test": (True, "0 of 18 prompts have a twin in train")}
    assert verdict(found) == "test: held out, as far as letters tell"


@settings(deadline=None, max_examples=30)
@given(
    st.integers(0, 59),
    st.sampled_from(["upper", "zero width", "full width", "spaces", "letter", "exact"]),
)
def test_one_planted_twin_is_found_and_forbids_held_out(place, how):
    rows = made()
    prompt = rows[place].prompt
    twin = {
        "upper": prompt.upper(),
        "zero width": "\u200b".join(prompt),
        "full width": "".join(chr(ord(c) + 0xFEE0) if c.isalpha() else c for c in prompt),
        "spaces": prompt.replace(" ", "   "),
        "letter": prompt + "s",
        "exact": prompt,
    }[how]
    other = "test" if rows[place].split == "train" else "train"
    found = audit([*rows, Row(99, twin, rows[place].label, "", other)])
    assert not found.sound
    here, there, pair = found.examples[0][1], found.examples[0][2], found.examples[0][0]
    assert {here.line, there.line} == {place + 2, 99}
    assert pair.kind == ("alike" if how == "letter" else "prompt")
    assert verdict(found) == "test: not held out"


def test_fillers_make_templates_visible():
    rows = [
        *made(),
        Row(90, "hurl 5 quibbles at Lido on Base", "pay", "", "train"),
        Row(91, "hurl 70 bazookas at Rocket Pool on Solana", "pay", "", "test"),
    ]
    assert audit(rows).sound
    names = ("quibbles", "bazookas", "Lido", "Rocket Pool", "Base", "Solana")
    found = audit(rows, Looks(fillers=names))
    assert [twin.kind for twin, *_ in found.examples] == ["template"]


def test_embeddings_find_what_letters_do_not_see():
    rows = made(30)
    vectors = np.eye(31, dtype=np.float32)
    vectors[30] = vectors[0]
    rows.append(Row(90, "completely other words", "pay", "", "test"))
    found = audit(rows, Looks(vectors=vectors))
    assert [(t.kind, t.here, t.there) for t, *_ in found.examples] == [("meaning", 30, 0)]
    assert found.tried[-1].name == "encoder, nearest five"


def test_given_groups_that_do_not_hold_together_forbid_held_out():
    rows = [Row(r.line, r.prompt, r.label, f"g{n % 20}", "") for n, r in enumerate(made())]
    assert audit(rows).sound
    rows.append(Row(99, rows[0].prompt + "s", rows[0].label, "g7", ""))
    found = audit(rows)
    assert not found.sound
    assert found.apart == 2
    assert "the given groups do not hold together: 2 of 61" in verdict(found)


def test_without_a_split_nothing_is_called_held_out_and_the_way_to_one_is_named():
    found = audit([Row(r.line, r.prompt, r.label, "") for r in made()])
    assert found.sound
    assert found.holds == {}
    assert "assay intent split" in verdict(found)


def test_a_set_made_of_templates_shows_its_templates_without_being_told(templated):
    rows = [
        Row(n, prompt, label, "", split) for n, (prompt, label, _, split) in enumerate(templated)
    ]
    found = audit(rows)
    assert {"usdc", "rocket pool", "arbitrum", "right away"} <= set(found.exchanged)
    twins = found.leaks.of("test", ["train"])
    assert len(twins) > 0.9 * found.leaks.sizes["test"]
    first = next(t for t in found.tried if t.name == "first word")
    assert first.by_row.value > first.by_group.value + 0.15
    assert "made of templates" in tell(found)[0].says[0]


def test_a_task_of_templates_says_that_it_is_not_held_out_unless_they_are_groups(
    templated, tmp_path
):
    rows = [Row(n, p, label, group, "") for n, (p, label, group, _) in enumerate(templated)]
    path = write(tmp_path / "t.csv", rows)
    task = csv_task.csv(path=path)
    task.samples("test")
    [said] = task.caveats()
    assert said.startswith("made of templates, not held out: ")
    grouped = csv_task.csv(path=path, group="group", leaks="allow")
    assert not any(said.startswith("made of templates") for said in grouped.caveats())


def test_no_two_templates_are_taken_for_one(templated):
    prompts, labels, groups, _ = zip(*templated, strict=True)
    homes = {}
    forms = skeletons(prompts, exchanged(prompts, labels))
    for form, label in zip(forms, labels, strict=True):
        homes.setdefault(form, set()).add(label)
    assert all(len(of) == 1 for of in homes.values())
    assert len(homes) < 3 * len(set(groups))


def test_words_that_the_label_hangs_on_are_never_taken_for_fillers():
    colours = ("red", "green", "blue", "grey")
    texts = [f"{verb} the {c} lamp" for verb in ("on", "off", "dim") for c in colours]
    found = exchanged(texts, [text.split()[0] for text in texts])
    assert set(found) == set(colours)


def test_prompts_that_are_no_templates_are_left_as_they_are():
    assert audit(made(120)).exchanged == ()


# Labels


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("xyz")), min_size=1, max_size=20)
)
def test_conflicts_ceiling_and_ambiguity_are_what_counting_by_hand_gives(found):
    rows = [Row(n, f"{prompt} it", label, "") for n, (prompt, label) in enumerate(found)]
    forms = {p: [label for q, label in found if p == q] for p, _ in found}
    audited = audit(rows)
    expected = {f"{p} it" for p, labels in forms.items() if len(set(labels)) > 1}
    assert {c.form for c in audited.prompt_conflicts} == expected
    best = sum(max(map(labels.count, labels)) for labels in forms.values())
    assert audited.ceiling.value == pytest.approx(best / len(rows))
    ambiguous = sum(len(labels) for labels in forms.values() if len(set(labels)) > 1)
    assert audited.ambiguous.value == pytest.approx(ambiguous / len(rows))
    for conflict in audited.prompt_conflicts:
        assert sorted(n for at in conflict.lines.values() for n in at) == [
            n for n, (p, _) in enumerate(found) if f"{p} it" == conflict.form
        ]


def test_a_template_with_two_labels_is_told_apart_from_a_prompt_with_two():
    rows = [
        *made(),
        Row(90, "move 5 crowns", "pay", "", "train"),
        Row(91, "move 70 crowns", "book", "", "train"),
        Row(92, "who is it", "pay", "", "train"),
        Row(93, "Who is it", "book", "", "train"),
    ]
    found = audit(rows)
    assert [c.form for c in found.prompt_conflicts] == ["who is it"]
    assert found.prompt_conflicts[0].lines == {"book": (93,), "pay": (92,)}
    assert [c.form for c in found.template_conflicts] == ["move _ crowns"]


def test_labels_that_say_the_opposite_of_their_neighbours_are_measured():
    rows = made(90)
    clean = audit(rows).disagreement
    draw = random.Random(0)
    noisy = [Row(r.line, r.prompt, draw.choice(["pay", "book", ""]), "", r.split) for r in rows]
    assert clean.value < 0.15
    assert audit(noisy).disagreement.value > 0.45


def test_balance_names_what_is_missing_and_what_is_alone():
    rows = [*made(), Row(90, "open sesame", "open", "", "train")]
    everything, train, test = audit(rows).balance
    assert (everything.part, train.part, test.part) == ("all", "train", "test")
    assert everything.alone == train.alone == ("open",)
    assert test.missing == ("open",)
    assert sum(everything.counts.values()) == len(rows)


# Methods


def test_methods_that_understand_nothing_are_ordered_as_they_should_be():
    tried = {t.name: t for t in audit(made(120)).tried}
    assert list(tried) == ["majority", "first word", "words, linear", "words, nearest five"]
    assert tried["first word"].by_group.value == 1.0
    assert tried["majority"].by_group.value < 0.5
    assert tried["words, linear"].by_group.value > 0.9
    assert all(t.by_row is None for t in tried.values())
    assert all(t.own is not None and t.own.n == 39 for t in tried.values())


def test_accuracy_on_twins_stands_beside_accuracy_on_the_others():
    rows = made(90)
    twins = [Row(200 + n, r.prompt + "s", "book", "", "test") for n, r in enumerate(rows[:6])]
    [one] = [t for t in audit([*rows, *twins]).tried if t.name == "words, nearest five"]
    assert one.own_twins.n == 6
    assert one.own_others.n + one.own_twins.n == one.own.n
    right = one.own_twins.value * 6 + one.own_others.value * one.own_others.n
    assert right == pytest.approx(one.own.value * one.own.n)


def test_no_method_sees_the_group_that_it_is_asked_about(templated):
    prompts, labels, groups, _ = zip(*templated, strict=True)
    bench = trivial.lay_out(prompts, labels)
    folds = trivial.folds_of(groups, count=5, seed=3)
    seen_groups = []

    def spy(seen, asked):
        seen_groups.append(({groups[n] for n in seen}, {groups[n] for n in asked}))
        return np.zeros(len(asked), dtype=np.int64)

    trivial.cross_validate(spy, bench.classes, folds, count=5)
    assert len(seen_groups) == 5
    assert all(not seen & asked for seen, asked in seen_groups)


def test_keywords_stand_beside_the_others_where_they_exist(templated):
    prompts, labels, *_ = zip(*templated, strict=True)
    assert "keywords" in trivial.methods(trivial.lay_out(prompts, labels))
    rows = made()
    other = trivial.lay_out([r.prompt for r in rows], [r.label for r in rows])
    assert "keywords" not in trivial.methods(other)


# Leaving templates out


@pytest.mark.slow
def test_a_split_by_rows_remembers_templates_and_leaving_them_out_shows_it(templated):
    prompts, labels, groups, _ = zip(*templated, strict=True)
    found = leave_out(prompts, labels, groups)
    assert found.fits == len(found.groups) == 46
    assert found.by_row.value > 0.97
    assert found.accuracy.value < 0.75
    assert found.accuracy.high < found.by_row.low
    assert found.sure_and_wrong.value > 0.1
    assert found.accuracy.n_groups == 46
    worst = [one.right / one.n for one in found.groups]
    assert worst == sorted(worst)
    assert sum(one.n for one in found.groups) == len(prompts)
    total = sum(one.right for one in found.groups)
    assert found.accuracy.value == pytest.approx(total / len(prompts))


@pytest.mark.slow
def test_the_audit_of_templated_prompts_says_so(templated, tmp_path, capsys):
    rows = [
        Row(n + 2, prompt, label, group, split)
        for n, (prompt, label, group, split) in enumerate(templated)
    ]
    path = write(tmp_path / "t.csv", rows)
    words = ("--group", "group", "--split", "split", "--json")
    code, said = say(capsys, "intent", "audit", path, *words)
    assert code == 1
    facts = json.loads(said.out)
    assert "test: not held out" in facts["says"]
    assert facts["left_out"][0]["fits"] == 46
    first = next(m for m in facts["methods"] if m["name"] == "first word")
    assert first["by_row"]["value"] > 0.9
    assert first["by_group"]["value"] < 0.5


def test_a_label_with_one_group_cannot_be_right_when_that_is_left_out():
    texts = [f"{verb} {n}" for verb in ("pay it", "pay up", "sing") for n in range(3)]
    groups = [text[:-2] for text in texts]
    labels = ["sing" if "sing" in text else "pay" for text in texts]
    found = leave_out(texts, labels, groups)
    [sing] = [one for one in found.groups if one.group == "sing"]
    assert sing.only
    assert sing.right == 0


def test_nothing_can_be_left_out_of_one_group():
    with pytest.raises(DataError, match="1 groups and 2 labels"):
        leave_out(["a", "b"], ["x", "y"], ["g", "g"])


def test_many_groups_share_folds():
    rows = made(90)
    found = leave_out(
        [r.prompt for r in rows], [r.label for r in rows], [f"g{n}" for n in range(90)]
    )
    assert found.fits == 10
    assert len(found.groups) == 90


# The report


def test_the_page_and_the_facts_hold_what_was_found_and_no_markup_of_a_prompt():
    rows = [*made(), Row(90, "<script>|alert(1)</script> `x` [a](b)", "pay", "", "test")]
    rows.append(Row(91, rows[-1].prompt, "book", "", "train"))
    found = audit(rows)
    page = markdown(found, "a|b<c>.csv")
    assert "<script>" not in page
    assert "](b)" not in page
    assert "1 prompt has more than one label" in page
    facts = json.loads(json.dumps(audit_facts(found)))
    assert facts["sound"] is False
    assert facts["conflicts"]["prompts"][0]["lines"] == {"book": [91], "pay": [90]}
    assert {m["name"] for m in facts["methods"]} == {t.name for t in found.tried}
    titles = [part.title for part in tell(found)]
    assert titles[:3] == ["What it holds", "Held out?", "Leaks"]
    for part in tell(found):
        assert len({len(row) for row in part.table}) <= 1


def test_files_are_written_and_json_is_one_document(tmp_path, capsys):
    path, out = write(tmp_path / "data.csv", made()), tmp_path / "out"
    code, said = say(capsys, "intent", "audit", path, "--split", "split", "--out", out, "--json")
    assert code == 0
    facts = json.loads(said.out)
    assert facts["held_out"]["test"]["held"] is True
    written = json.loads((out / "audit.json").read_text())
    assert {**written, "data": str(path)} == facts
    assert (out / "report.md").read_text().startswith("# Audit of data.csv")


def test_more_rows_than_are_compared_are_sampled_and_that_is_said(monkeypatch):
    monkeypatch.setattr(auditing_core, "MOST_COMPARED", 40)
    rows = made(90)
    rows.append(Row(200, rows[0].prompt.upper(), rows[0].label, "", "test"))
    found = audit(rows)
    assert (found.rows, found.compared) == (91, 40)
    assert not found.sound  # the same prompt is found in every row, sampled or not
    assert "drawn at random" in tell(found)[0].says[0]
    assert audit(rows, Looks(seed=0)).examples == found.examples
    clean = audit(made(90))
    assert clean.sound
    assert "near-duplicates were looked for in 40 rows only" in clean.holds["test"][1]
    assert verdict(clean) == "test: held out, as far as a sample tells"
    assert "may be called held out" not in markdown(clean, "data.csv")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("prompt,label\n", "no rows"),
        ("prompt,label\n,x\n", "prompt is empty"),
        ("prompt,label\n\u200b,x\n", "shows nothing"),
        ("prompt,label\n" + "a" * 1_000_001 + ",x\n", "longer than"),
        (b"prompt,label\n\xff\xfe,x\n", "not UTF-8"),
        (b"prompt,label\na\0b,x\n", "NUL"),
    ],
)
def test_a_file_that_cannot_be_audited_is_an_error_with_its_line(tmp_path, text, says):
    path = tmp_path / "data.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DataError, match=says) as caught:
        audit_file(Asked(path=path, columns=Columns(), looks=Looks()))
    assert caught.value.hint


def test_few_and_odd_rows_are_audited_all_the_same(tmp_path, capsys):
    rows = [Row(2, "שלם את שכר הדירה", "pay", "", "train"), Row(3, "?!", "sing", "", "test")]
    found = audit(rows)
    assert found.tried == ()
    assert found.disagreement is None
    code, said = say(capsys, "intent", "audit", write(tmp_path / "d.csv", rows))
    assert code == 0
    assert "Too few rows" in said.out


@pytest.mark.parametrize("option", ["--alike", "--close"])
def test_a_share_that_is_none_is_an_error(option, tmp_path, capsys):
    code, said = say(capsys, "intent", "audit", tmp_path / "d.csv", option, "1.5")
    assert code == 2
    assert "A106" in said.err


def test_fillers_that_cannot_be_read_are_an_error(tmp_path, capsys):
    path = write(tmp_path / "data.csv", made())
    code, said = say(capsys, "intent", "audit", path, "--fillers", tmp_path / "nowhere.txt")
    assert code == 2
    assert "fillers cannot be read: No such file or directory\n" in said.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--seed", "-1"), "at: --seed"),
        (("--out", __file__), "at: --out"),
        (("--alike", "0"), "at: --alike"),
        (("--encoder", "minilmm"), "there is no encoder"),
        (("--fillers", "nowhere"), "fillers cannot be read"),
    ],
    ids=str,
)
def test_a_wrong_option_is_told_before_the_file_is_read(words, says, tmp_path, capsys):
    """The file is not there: whoever looks at it first complains of that."""
    code, said = say(capsys, "intent", "audit", tmp_path / "nowhere.csv", *words)
    assert code == 2
    assert says in said.err
    assert "\n  try: " in said.err


# A split that holds


def test_a_split_is_written_that_the_audit_and_the_task_accept(tmp_path, capsys):
    rows = made(120)
    rows += [Row(300 + n, r.prompt + "s", r.label, "", "") for n, r in enumerate(rows[:20])]
    path, out = write(tmp_path / "data.csv", rows), tmp_path / "out"
    code, said = say(capsys, "intent", "split", path, "--out", out, "--seed", "3", "--json")
    assert code == 0
    facts = json.loads(said.out)
    assert sum(facts["samples"].values()) == len(rows)
    written = out / "split.csv"
    code, _ = say(capsys, "intent", "audit", written, "--split", "split", "--group", "group")
    assert code == 0
    task = csv_task.csv(path=written, split="split", group="group")
    assert {s: len(task.samples(s)) for s in facts["samples"]} == facts["samples"]
    assert task.caveats() == ()
    assert json.loads((out / "split.json").read_text())["seed"] == 3


def test_the_same_file_and_seed_give_the_same_bytes_and_another_seed_others(tmp_path):
    path = write(tmp_path / "data.csv", made(120))
    digests = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        divide_file(path, Columns(), seed=seed, out=tmp_path / name)
        digests.append(hashlib.sha256((tmp_path / name / "split.csv").read_bytes()).hexdigest())
    assert digests[0] == digests[1] != digests[2]


def test_a_split_overwrites_nothing(tmp_path, capsys):
    path = write(tmp_path / "data.csv", made(120))
    assert say(capsys, "intent", "split", path, "--out", tmp_path / "o")[0] == 0
    before = (tmp_path / "o" / "split.csv").read_bytes()
    code, said = say(capsys, "intent", "split", path, "--out", tmp_path / "o", "--seed", "1")
    assert code == 2
    assert "exists already" in said.err
    assert (tmp_path / "o" / "split.csv").read_bytes() == before


# Published data, where it lies on this machine


@pytest.mark.heavy
@pytest.mark.parametrize(("name", "twins"), [("hwu64", 79), ("banking77", 235), ("clinc150", 293)])
def test_published_splits_leak_as_the_log_says(name, twins, capsys):
    path = DATA / name / f"{name}.jsonl.gz"
    if not path.is_file():
        pytest.skip(f"{name} is not on this machine")
    words = ("--prompt", "text", "--label", "intent", "--split", "split", "--none", "oos", "--json")
    code, said = say(capsys, "intent", "audit", path, *words)
    assert code == 1
    facts = json.loads(said.out)
    assert facts["held_out"]["test"]["why"].startswith(f"{twins} of ")
    assert all(plain(pair["one"]["prompt"]) for pair in facts["pairs"])
