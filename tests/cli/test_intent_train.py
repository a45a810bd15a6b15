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
    flags = ["--json"] if "--json" in options else []
    options.pop("--json", None)
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
        (["--C", "-1"], "", "A102"),
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
