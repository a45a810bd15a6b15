"""``assay intent train`` from the outside: pages, JSON, mistakes, and what a plugin may return."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest

from assay.cli.main import main
from assay.cli.page import to_page

pytest.importorskip("safetensors")
pytest.importorskip("sklearn")

WORDS = [
    "apple",
    "brick",
    "candle",
    "dagger",
    "eagle",
    "forest",
    "garden",
    "hammer",
    "island",
    "jungle",
    "kettle",
    "ladder",
    "magnet",
    "needle",
    "orange",
    "pencil",
    "quartz",
    "ribbon",
    "saddle",
    "timber",
    "umbrella",
    "violin",
    "window",
    "yellow",
    "zipper",
    "anchor",
    "basket",
    "carpet",
    "donkey",
    "engine",
    "feather",
]
VERBS = {"buy": ("buy", "purchase"), "sell": ("sell", "get rid of"), "none": ("paint", "describe")}


def write(folder, *, extra=""):
    lines = ["prompt,label,group"]
    lines += [
        f"{verb} one {word} at {word[::-1]},{label},{label}/{word}"
        for word in WORDS
        for label, verbs in VERBS.items()
        for verb in verbs
    ]
    path = folder / "prompts.csv"
    path.write_text("\n".join(lines) + "\n" + extra)
    return path


def train(folder, *words, extra=""):
    data = write(folder, extra=extra)
    options = {
        "--data": str(data),
        "--out": str(folder / "mine"),
        "--encoder": "tfidf",
        "--group": "group",
        "--C": "10",
    } | dict(zip(words[::2], words[1::2], strict=True))
    flags = [flag for flag in ("--json", "--force", "--finetune") if options.pop(flag, None)]
    if not options["--group"]:
        del options["--group"]
    return main(["intent", "train", *flags, *(w for pair in options.items() for w in pair)])


@pytest.mark.slow
def test_a_mapper_is_trained_said_and_loaded_in_three_lines(tmp_path, capsys):
    assert train(tmp_path) == 0
    printed = capsys.readouterr()
    for said in ("linear head, temperature", "right", "groups", "declines", "Mapper.load("):
        assert said in printed.out, said
    assert "fitting heads" in printed.err
    from assay.families.intent.recipes.mapper import Mapper

    mapper = Mapper.load(tmp_path / "mine")
    assert mapper.answer("please buy one ladder").value == "buy"


@pytest.mark.slow
def test_json_holds_the_card_and_the_files_and_nothing_else_is_printed(tmp_path, capsys):
    assert train(tmp_path, "--json", "yes", "--calibration", "sigmoid", "--max-risk", "0.1") == 0
    facts = json.loads(capsys.readouterr().out)
    card = json.loads((tmp_path / "mine" / "card.json").read_text())
    assert facts["card"] == card
    assert card["calibration"]["kind"] == "sigmoid"
    assert card["max_risk"] == 0.1
    assert [f["kind"] for f in facts["files"]] == ["vocabulary", "head", "card"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "extra", "said"),
    [
        (["--calibration", "beta"], "", "A106"),
        (["--out", __file__], "", "A106"),
        (["--encoder", "minilmm"], "", "A403"),
        (["--C", "-1"], "", "at: the options\n  try: 10 is usual"),
        (["--max-risk", "2"], "", "try: write a share"),
        (["--seed", "-3"], "", "at: --seed"),
        (["--reject", "relative"], "", "reads n-grams"),
        (["--reject", "entropy"], "", "A106"),
        (["--epochs", "3"], "", "at: --epochs"),
        (["--rate", "0.1"], "", "add --finetune"),
        (["--label", "lable"], "", "A200"),
        (["--prompt", "label"], "", "A104"),
        (["--head", "mlp"], "", "A104"),
        ([], "burn it all,burn,lone\n", "'burn' has 1 independent group"),
        ([], "a,b\n", "fields"),
    ],
    ids=str,
)
def test_a_mistake_ends_with_status_2_and_says_what(tmp_path, capsys, words, extra, said):
    assert train(tmp_path, *words, extra=extra) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.out == ""
    assert not (tmp_path / "mine").exists()


@pytest.mark.slow
def test_a_mapper_that_is_there_is_kept_unless_force_is_given(tmp_path, capsys):
    assert train(tmp_path) == 0
    card = tmp_path / "mine" / "card.json"
    first = card.read_bytes()
    capsys.readouterr()
    assert train(tmp_path, "--C", "3") == 2
    assert "--force to replace it" in capsys.readouterr().err
    assert card.read_bytes() == first
    assert train(tmp_path, "--C", "3", "--force", "yes") == 0
    assert json.loads(card.read_bytes())["head"]["strength"] == 3.0


@pytest.mark.slow
def test_leaks_that_were_allowed_stand_on_the_page_in_json_and_on_the_card(tmp_path, capsys):
    data = tmp_path / "own.csv"
    lines = (write(tmp_path)).read_text().splitlines()
    parts = ["train", "train", "calibration", "test"]
    rows = [f"{line},{parts[n % 4]}" for n, line in enumerate(lines[1:])]
    rows.append(rows[0].replace(",train", ",test").upper().replace("BUY,BUY", "buy,buy"))
    data.write_text("\n".join([f"{lines[0]},split", *rows]) + "\n")
    words = ["--data", str(data), "--split", "split", "--leaks", "allow", "--group", ""]
    assert train(tmp_path, *words) == 0
    printed = capsys.readouterr()
    [caveat] = [
        c
        for c in json.loads((tmp_path / "mine" / "card.json").read_text())["caveats"]
        if "leak" in c
    ]
    assert caveat in printed.out
    assert train(tmp_path, *words, "--json", "yes", "--force", "yes") == 0
    assert caveat in json.loads(capsys.readouterr().out)["card"]["caveats"]


def test_teaching_without_torch_says_what_to_install(tmp_path, capsys, monkeypatch):
    from assay import extras

    found = extras.find_spec
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "torch" else found(name))
    assert train(tmp_path, "--encoder", "minilm", "--finetune", "yes") == 2
    said = capsys.readouterr().err
    assert "A401 torch is not installed" in said
    assert "assay-eval[intent,finetune]" in said
    assert "reading" not in said


@pytest.mark.parametrize("encoder", ["tfidf", "static"])
def test_an_encoder_without_weights_of_its_own_is_not_taught(tmp_path, capsys, encoder):
    assert train(tmp_path, "--encoder", encoder, "--finetune", "yes") == 2
    assert "has no weights that can be taught" in capsys.readouterr().err


def test_the_family_alone_prints_its_commands(capsys):
    assert main(["intent"]) == 0
    assert "train" in capsys.readouterr().out


@dataclass(frozen=True)
class Plugged:
    """A page of a plugin, which knows nothing of ours."""

    lines: tuple = ("Trained", ("right", "0.9"), ("answered", "1"), "Done")
    facts: dict = field(default_factory=lambda: {"right": 0.9})
    code: int = 1


def test_the_rows_of_a_plugins_page_stand_in_columns():
    page = to_page(Plugged())
    texts = ["".join(line) for line in page.lines]
    assert texts == ["Trained", "  right     0.9", "  answered  1", "Done"]
    assert (page.facts, page.code) == ({"right": 0.9}, 1)
    assert to_page(0) is to_page(None) is None
