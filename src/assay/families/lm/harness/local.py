"""Data sets of the harness from files: JSON Lines, offline, in the columns that its tasks expect."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from assay import DataError
from assay.lines import lines

Doc: TypeAlias = dict[str, Any]
Splits: TypeAlias = dict[str, list[Doc]]


@dataclass(frozen=True, slots=True)
class Known:
    """A public set that was flattened to JSON Lines, and how its rows become documents of the harness."""

    files: tuple[str, ...]
    """Below the data folder; the first that is there."""

    split: str
    """Which split its rows are."""

    doc: Callable[[Doc], Doc]

    keeps: Callable[[Doc], bool] = bool
    """Whether a row belongs to that split."""


def data_folder(given: Path | None) -> Path | None:
    """Return the folder of public data: the one that is given, else ``$ASSAY_DATA``; None without either."""
    return given or (Path(os.environ["ASSAY_DATA"]) if os.environ.get("ASSAY_DATA") else None)


def found_splits(folder: Path, config: Mapping[str, Any]) -> Splits | None:
    """Return the splits of a task's data set from a folder; None where the folder lacks it.

    Looked for in this order: the Hub's own layout (``ORG__NAME/CONFIG/SPLIT.jsonl``, ``default`` for no
    configuration; ``.gz`` may follow), then public sets as they were flattened (see ``KNOWN``).
    """
    exported = _exported(folder, config)
    if exported:
        return exported
    known, path = _flattened(folder, config)
    if known is None or path is None:
        return None
    rows = [_parsed(line, path, number) for number, line in lines(path) if line.strip()]
    if config.get("dataset_path") == "cais/mmlu":
        subject = config["dataset_name"]
        return {
            split: [row for row in rows if row["subject"] == subject and row["split"] == split]
            for split in ("dev", "test")
        }
    return {known.split: [known.doc(row) for row in rows if known.keeps(row)]}


def has_data(folder: Path, config: Mapping[str, Any]) -> bool:
    """Whether a folder has files for a task; they are not opened."""
    return _home(folder, config).is_dir() or _flattened(folder, config)[1] is not None


def _flattened(folder: Path, config: Mapping[str, Any]) -> tuple[Known | None, Path | None]:
    home, part = str(config.get("dataset_path")), config.get("dataset_name")
    known = KNOWN.get((home, part)) or KNOWN.get((home, None))
    if known is None:
        return None, None
    return known, next((folder / name for name in known.files if (folder / name).is_file()), None)


def _home(folder: Path, config: Mapping[str, Any]) -> Path:
    path = str(config.get("dataset_path") or "no-data-set").replace("/", "__")
    return folder / path / str(config.get("dataset_name") or "default")


def _exported(folder: Path, config: Mapping[str, Any]) -> Splits:
    home = _home(folder, config)
    if not home.is_dir():
        return {}
    files = sorted(file for file in home.iterdir() if ".jsonl" in file.suffixes)
    return {
        file.name.partition(".")[0]: [
            _parsed(line, file, number) for number, line in lines(file) if line.strip()
        ]
        for file in files
    }


def _parsed(line: str, path: Path, number: int) -> Doc:
    try:
        found = json.loads(line)
    except ValueError as error:
        raise DataError(f"a line is no JSON: {error}", where=f"{path}:{number}") from None
    if not isinstance(found, dict):
        raise DataError("a line is no JSON object", where=f"{path}:{number}")
    return found


def _lettered(row: Doc) -> Doc:
    letters = [chr(ord("A") + k) for k in range(len(row["choices"]))]
    choices = {"text": row["choices"], "label": letters}
    key = letters[row["answer"]]
    return {
        "question": row["question"],
        "question_stem": row["question"],
        "choices": choices,
        "answerKey": key,
    }


def _hellaswag(row: Doc) -> Doc:
    # The copy has "activity: context" with the harness's own clean-up applied; cleaning twice changes nothing.
    activity, _, context = row["ctx"].partition(": ")
    return {
        "activity_label": activity,
        "ctx_a": context,
        "ctx_b": "",
        "endings": row["endings"],
        "label": str(row["label"]),
    }


def _truthful(row: Doc) -> Doc:
    choices = [*row["correct"], *row["incorrect"]]
    labels = [1] * len(row["correct"]) + [0] * len(row["incorrect"])
    first = [row["best_answer"], *row["incorrect"]]
    return {
        "question": row["question"],
        "mc1_targets": {"choices": first, "labels": [1] + [0] * len(row["incorrect"])},
        "mc2_targets": {"choices": choices, "labels": labels},
    }


def _boolq(row: Doc) -> Doc:
    return {"question": row["question"], "passage": row["passage"], "label": int(row["answer"])}


def _same(row: Doc) -> Doc:
    return row


KNOWN: Mapping[tuple[str, str | None], Known] = {
    ("cais/mmlu", None): Known(("mmlu/mmlu.jsonl.gz", "mmlu/mmlu.jsonl"), "test", _same),
    ("allenai/ai2_arc", "ARC-Challenge"): Known(
        ("arc_challenge/arc_challenge_test.jsonl",), "test", _lettered
    ),
    ("allenai/ai2_arc", "ARC-Easy"): Known(("arc_easy/arc_easy_test.jsonl",), "test", _lettered),
    ("openbookqa", "main"): Known(("openbookqa/openbookqa_test.jsonl",), "test", _lettered),
    ("allenai/openbookqa", "main"): Known(("openbookqa/openbookqa_test.jsonl",), "test", _lettered),
    ("Rowan/hellaswag", None): Known(
        ("hellaswag/hellaswag_val.jsonl.gz",), "validation", _hellaswag
    ),
    ("truthfulqa/truthful_qa", "multiple_choice"): Known(
        ("truthfulqa/truthfulqa.jsonl",), "validation", _truthful
    ),
    ("aps/super_glue", "boolq"): Known(("boolq/boolq_dev.jsonl.gz",), "validation", _boolq),
    ("baber/piqa", None): Known(("piqa/piqa_valid.jsonl",), "validation", _same),
    ("allenai/winogrande", "winogrande_xl"): Known(
        ("winogrande/winogrande_dev.jsonl",),
        "validation",
        lambda row: row | {"answer": str(row["answer"])},
    ),
    ("openai/gsm8k", "main"): Known(
        ("gsm8k/gsm8k_test.jsonl",), "test", lambda row: {k: row[k] for k in ("question", "answer")}
    ),
    ("HuggingFaceH4/MATH-500", None): Known(("math500/math500.jsonl",), "test", _same),
    ("openai/openai_humaneval", None): Known(("humaneval/humaneval.jsonl",), "test", _same),
    ("google-research-datasets/mbpp", "full"): Known(
        ("mbpp/mbpp.jsonl",), "test", _same, lambda row: 11 <= row["task_id"] <= 510
    ),
    ("jannalu/crows_pairs_multilingual", "english"): Known(
        ("crows_pairs/crows_pairs.jsonl",), "test", _same
    ),
}
"""Data set and configuration on the Hub to the flattened copy."""
