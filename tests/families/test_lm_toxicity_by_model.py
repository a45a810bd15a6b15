"""Toxicity by a classifier from a folder: known by its digest, measured, and its errors taken off."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay import Answer, PlanError, PluginError, Reply
from assay.families.lm.safety.classifier import errs_on
from assay.families.lm.safety.sequence_classifier import find_classifier
from assay.families.lm.safety.texts import read_texts
from assay.families.lm.safety.toxicity_by_model import toxicity_by_model
from assay.testing import check_task

pytest.importorskip("torch", exc_type=ImportError)
pytest.importorskip("transformers", exc_type=ImportError)
pytestmark = pytest.mark.heavy

VILE = ("vermin", "scum", "filth", "trash")
KIND = ("friend", "dear", "neighbour", "guest")
OTHERS = ("you", "are", "a", "in", "town", "there", *map(str, range(10)))


def labelled(n: int = 160) -> list[dict[str, object]]:
    return [
        {"text": f"you are a {word} in town {k % 7}", "toxic": word in VILE}
        for k in range(n)
        for word in ((VILE + KIND)[k % 8],)
    ]


def written(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def bert(folder: Path, *, steps: int, labels: tuple[str, ...] = ("fine", "toxic")) -> Path:
    """Write a tiny BERT of random weights, maybe taught for some steps."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    folder.mkdir()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *VILE, *KIND, *OTHERS]
    (folder / "words.txt").write_text("\n".join(words))
    tokenizer = BertTokenizerFast(vocab={word: at for at, word in enumerate(words)})
    (folder / "words.txt").unlink()
    torch.manual_seed(0)
    model = BertForSequenceClassification(
        BertConfig(
            vocab_size=len(words),
            hidden_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=32,
            id2label=dict(enumerate(labels)),
            label2id={name: at for at, name in enumerate(labels)},
            num_labels=len(labels),
        )
    )
    rows = labelled(32)
    given = tokenizer([str(row["text"]) for row in rows], padding=True, return_tensors="pt")
    right = torch.tensor([int(bool(row["toxic"])) for row in rows])
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(steps):
        optimizer.zero_grad()
        model(**given, labels=right).loss.backward()
        optimizer.step()
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("classifiers")
    return {
        "random": bert(home / "random", steps=0),
        "taught": bert(home / "taught", steps=30),
        "three": bert(home / "three", steps=0, labels=("fine", "rude", "vile")),
    }


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))
    written(tmp_path / "texts.jsonl", labelled())
    written(tmp_path / "prompts.jsonl", [{"prompt": f"You there, no. {k}:"} for k in range(6)])
    return tmp_path


def task_of(files: Path, folder: Path, **options: Any) -> Any:
    given: dict[str, Any] = {"toxic": ("toxic",), "texts": files / "texts.jsonl"} | options
    return toxicity_by_model(path=files / "prompts.jsonl", classifier=folder, **given)


def value(task: Any, flagged: int, of: int) -> float | None:
    form = next(one for one in task.metrics if one.name == "toxicity").form
    columns = {
        "check:flagged": (np.arange(of) < flagged).astype(float),
        "check:read": np.ones(of),
    }
    found: float | None = form.of(columns, np.ones(of))
    return found


def test_a_taught_classifier_keeps_the_contract_and_says_what_it_is_worth(folders, files):
    task = task_of(files, folders["taught"])
    check_task(task)
    (said,) = task.caveats()
    assert "recall 80 of 80: at least 9" in said
    assert "specificity 80 of 80: at least 9" in said
    sample = task.samples("test")[0]
    replies = [
        (sample, Reply(sample.id, Answer(text)))
        for text in ("you are filth in town", "you are a dear guest", "scum scum scum", "?! ?! ?!")
    ]
    checks = list(task.verifier.check(replies))
    assert [check.scores for check in checks] == [
        {"read": 1.0, "flagged": 1.0},
        {"read": 1.0, "flagged": 0.0},
        {"read": 0.0},
        {"read": 0.0},
    ]
    # All 80 of either kind right: a share comes back nearly as it was counted.
    assert value(task, 12, 40) == pytest.approx(0.3, abs=0.02)


def test_a_classifier_of_random_weights_gives_no_number_and_says_so(folders, files):
    task = task_of(files, folders["random"])
    assert any("numbers say nothing" in said for said in task.caveats())
    errs = errs_on(
        find_classifier(folders["random"], ["toxic"], sha256=""),
        read_texts(files / "texts.jsonl"),
    )
    wide = errs.found / errs.positives - errs.flagged_wrongly / errs.negatives
    if wide <= 0:
        assert value(task, 10, 40) is None
    else:
        form = next(one for one in task.metrics if one.name == "toxicity").form
        columns = {"check:flagged": np.arange(40) % 4 == 0, "check:read": np.ones(40)}
        many = form.prepare(columns, np.arange(40))(np.ones((200, 40), dtype=np.int16))
        kept = many[~np.isnan(many)]
        assert len(kept) < 200 or np.ptp(kept) > 0.9


def test_a_classifier_with_swapped_labels_gives_no_number(folders, files):
    task = task_of(files, folders["taught"], toxic=("fine",))
    assert value(task, 10, 40) is None
    assert any("numbers say nothing" in said for said in task.caveats())


def test_labels_that_mean_toxic_are_added_and_the_order_of_texts_changes_nothing(folders, files):
    texts = [str(row["text"]) for row in labelled(9)]
    three = find_classifier(folders["three"], ["rude", "vile"], sha256="")
    fine = find_classifier(folders["three"], ["fine"], sha256="")
    for text in texts:
        toxic, other = three.probability(text), fine.probability(text)
        assert toxic is not None
        assert other is not None
        assert toxic + other == pytest.approx(1.0, abs=1e-5)
    again = find_classifier(folders["three"], ["rude", "vile"], sha256="")
    again.remember(read_texts(files / "texts.jsonl"))
    for text in texts:
        assert again.probability(text) == pytest.approx(three.probability(text), abs=1e-5)


def test_what_was_read_of_labelled_texts_is_kept(folders, files, monkeypatch):
    first = task_of(files, folders["taught"])
    monkeypatch.setattr(
        "assay.families.lm.safety.sequence_classifier.load_classifier",
        lambda _: pytest.fail("the classifier was loaded again"),
    )
    assert task_of(files, folders["taught"]).caveats() == first.caveats()
    [kept] = (files / "cache" / "toxicity").glob("*.json")
    kept.write_text("[1, 2]")
    with pytest.raises(pytest.fail.Exception, match="again"):  # what was damaged is made anew
        task_of(files, folders["taught"])


def test_the_classifier_is_known_by_the_digest_of_all_that_is_read(folders, files):
    import shutil

    one = task_of(files, folders["taught"])
    other = task_of(files, folders["random"])
    assert one.version != other.version
    named = find_classifier(folders["taught"], ["toxic"], sha256="").sha256
    assert task_of(files, folders["taught"], sha256=named[:12]).version == one.version
    copied = files / "copied"
    shutil.copytree(folders["taught"], copied)
    assert task_of(files, copied, sha256=named).version == one.version
    config = json.loads((copied / "config.json").read_bytes()) | {"hidden_act": "relu"}
    (copied / "config.json").write_text(json.dumps(config))
    for expected in (named, named[:8]):
        with pytest.raises(PluginError, match="not the one that was named") as caught:
            task_of(files, copied, sha256=expected)
        assert caught.value.code == "A403"


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def own_code(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_bytes())
    config["auto_map"] = {"AutoModelForSequenceClassification": "x.Y"}
    (folder / "config.json").write_text(json.dumps(config))


def headless(folder: Path) -> None:
    from safetensors.numpy import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    del weights["classifier.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def no_numbers(folder: Path) -> None:
    from safetensors.numpy import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    weights["classifier.weight"][:] = np.nan
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (pickled, "pickle"),
        (own_code, "auto_map"),
        (headless, "lack 1 of the model's tensors"),
        (no_numbers, "not a number"),
    ],
)
def test_a_classifier_that_would_run_code_or_is_not_whole_is_refused(folders, files, change, match):
    import shutil

    folder = files / "changed"
    shutil.copytree(folders["taught"], folder)
    change(folder)
    with pytest.raises(PluginError, match=match) as caught:
        task_of(files, folder)
    assert caught.value.code == "A403"


@pytest.mark.parametrize(
    ("toxic", "code"), [(("hateful",), "A103"), ((), "A104"), (("fine", "toxic"), "A104")]
)
def test_labels_that_make_no_sense_are_refused_and_the_known_ones_are_named(
    folders, files, toxic, code
):
    with pytest.raises(PlanError) as caught:
        task_of(files, folders["taught"], toxic=toxic)
    assert caught.value.code == code
    assert "fine, toxic" in caught.value.hint
