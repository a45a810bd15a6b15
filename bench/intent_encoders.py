"""Compare the encoders, heads and calibrations of ``assay intent train``: right, sure, fast, small.

    python bench/intent_encoders.py [--data banking77.jsonl.gz] [--out table.json] [--encoders minilm,static]

``--data`` is a JSON Lines file with ``text``, ``intent`` and ``split`` (train or test), as the data
folder has BANKING77; without it, ``intent.defi``: trained on train and tune, asked calibration.

*Covered*: accuracy with intervals over groups, ECE (15 bins) and log loss on prompts that were not
learnt; encoders paired with fp32 MiniLM on the same prompts; size of the files; CPU time of training;
batch-1 latency, CPU and wall, of the whole answer; start-up of a fresh process with a warm cache.
*Not covered*: several threads, a GPU.  CPU time is the honest figure on a machine that is shared.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import numpy as np

from assay import Answer, Bottom, Sample, load_tasks
from assay.estimates import share, spell
from assay.families.intent.encoders.encoder import matrix
from assay.families.intent.encoders.opening import open_encoder
from assay.families.intent.heads.calibrating import fit_calibration
from assay.families.intent.heads.calibration import KINDS
from assay.families.intent.heads.card import Card
from assay.families.intent.heads.fitting import Form, fit_layers
from assay.families.intent.heads.weights import Saved, head_bytes
from assay.families.intent.labels import Labels, labels_of
from assay.families.intent.lessons import read_lessons
from assay.families.intent.recipes import tfidf
from assay.families.intent.recipes.trained import Trained, probed
from assay.families.intent.training.folds import STRENGTHS, cross_fit
from assay.families.intent.training.learning import MADE_BY

ENCODERS = ("minilm", "minilm-int8", "static", "tfidf")
FIXED = {"mlp": (30.0,), "tfidf": (30.0,)}
"""C where a search would take a quarter of an hour."""

STARTS = """
import sys; sys.path.insert(0, {source!r})
from assay.families.intent.recipes.mapper import Mapper
Mapper.load({folder!r}).answer("swap 1 ETH for DAI")
"""


class Data(NamedTuple):
    """What is learnt, and what is asked."""

    name: str
    train: Sequence[Sample]
    test: Sequence[Sample]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--encoders", default=",".join(ENCODERS))
    parser.add_argument("--heads", default="linear,mlp")
    parser.add_argument("--C", type=float, help="instead of searching for it")
    parser.add_argument("--asked", type=int, default=200, help="prompts timed one at a time")
    given = parser.parse_args()
    data = read(given.data) if given.data else defi()
    print(f"{data.name}: {len(data.train):,} learnt, {len(data.test):,} asked\n")
    grid = (given.C,) if given.C else None
    rows: list[dict[str, Any]] = []
    right: dict[str, np.ndarray] = {}
    for encoder in given.encoders.split(","):
        for found in measure(
            encoder, given.heads.split(","), data, right, asked=given.asked, grid=grid
        ):
            rows.append({"data": data.name, **found})
            print("  ".join(f"{key} {value}" for key, value in found.items()), flush=True)
    for encoder, mine in right.items():
        if encoder != "minilm" and "minilm" in right:
            lost, won = (right["minilm"] & ~mine).sum(), (mine & ~right["minilm"]).sum()
            print(f"{encoder} beside minilm, linear head: {won} won, {lost} lost of {len(mine):,}")
    if given.out:
        given.out.write_text(json.dumps(rows, indent=1) + "\n")


def defi() -> Data:
    """Return the DeFi requests; their test is left for plans."""
    task = load_tasks("intent.defi")["intent.defi"]
    return Data(
        "intent.defi",
        [*task.samples("train"), *task.samples("tune")],
        task.samples("calibration"),
    )


def read(path: Path) -> Data:
    """Read a public set with a split of its own; prompts are groups of their own."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    parts: dict[str, list[Sample]] = {"train": [], "test": []}
    seen: set[str] = set()
    for number, line in enumerate(lines):
        if line["split"] not in parts or line["text"] in seen:
            continue
        seen.add(line["text"])
        target = Bottom("out_of_scope") if line["intent"] == "oos" else Answer(line["intent"])
        parts[line["split"]].append(Sample(id=str(number), input=line["text"], target=target))
    return Data(path.name.partition(".")[0], parts["train"], parts["test"])


def measure(
    encoder: str,
    heads: Sequence[str],
    data: Data,
    right: dict[str, Any],
    *,
    asked: int,
    grid: Sequence[float] | None,
) -> Any:
    """Yield a row for each head and calibration."""
    labels = labels_of(data.train)
    lessons, test = read_lessons(data.train, labels), read_lessons(data.test, labels)
    start = time.process_time()
    if encoder == "tfidf":
        reads: Any = tfidf.fit_ngrams(lessons.texts)
        features, others = (reads.matrix(each.texts) for each in (lessons, test))
    else:
        reads = open_encoder(encoder)
        features, others = (
            matrix(reads, each.texts).astype(np.float32) for each in (lessons, test)
        )
    encoding = time.process_time() - start
    for head in heads:
        if (encoder, head) == ("tfidf", "mlp"):
            continue
        start = time.process_time()
        form = Form(head=head)
        strengths = grid or FIXED.get(head) or FIXED.get(encoder) or STRENGTHS
        crossed = cross_fit(labels, features, lessons, form=form, strengths=strengths)
        plain = fit_layers(labels, features, lessons.classes, strength=crossed.strength, form=form)
        training = time.process_time() - start
        logits = plain.logits(others)
        timed = speed(encoder, reads, plain, crossed.strength, test.texts[:asked])
        for kind in KINDS:
            fitted = fit_calibration(kind, crossed.logits, lessons.classes)
            said = fitted.probabilities(logits)
            hit, sure = decided(labels, said, test.classes)
            if (head, kind) == ("linear", "temperature"):
                right[encoder] = hit
            groups = [sample.cluster for sample in data.test]
            chosen = said[np.arange(len(said)), test.classes]
            calibrated = replace(plain, calibration=fitted)
            yield {
                "encoder": encoder,
                "head": head,
                "calibration": kind,
                "C": crossed.strength,
                "accuracy": spell(share("accuracy", hit, groups=groups)),
                "ece": round(ece(sure, hit), 4),
                "nll": round(float(-np.log(chosen).mean()), 4),
                "ones": int((sure == 1).sum()),
                "head_kb": round(len(head_bytes(calibrated)) / 1000),
                "encode_cpu_s": round(encoding, 1),
                "train_cpu_s": round(training, 1),
                **timed,
            }


def decided(labels: Labels, said: Any, classes: Any) -> tuple[Any, Any]:
    """Return whether each decision is right, and the probability of what was decided."""
    names = len(labels.names)
    hits, sure = [], []
    for row, truth in zip(said, classes.tolist(), strict=True):
        reply = labels.say(row.tolist())
        declines = isinstance(reply, Bottom)
        hits.append(
            truth >= names
            if declines
            else labels.names[min(truth, names - 1)] == reply.value and truth < names
        )
        sure.append(row[names:].sum() if declines else row[:names].max())
    return np.array(hits), np.array(sure)


def ece(sure: Any, hit: Any, *, bins: int = 15) -> float:
    """Return the expected calibration error over bins of one width."""
    place = np.minimum((sure * bins).astype(int), bins - 1)
    gaps = np.bincount(place, weights=sure - hit, minlength=bins)
    return float(np.abs(gaps).sum() / len(sure))


def speed(encoder: str, reads: Any, head: Any, strength: float, texts: Sequence[str]) -> Any:
    """Time whole answers one at a time, and a fresh process."""
    facts = tfidf.ngram_facts("") if encoder == "tfidf" else probed(reads)
    card = Card.of(head, made_by=MADE_BY, encoder=facts, strength=strength)
    made = Trained(saved=Saved(head=head, card=card), reads=reads)
    cpu, wall = [], []
    for text in (*texts[:20], *texts):
        at, began = time.process_time(), time.perf_counter()
        made.answer(text)
        cpu.append(1000 * (time.process_time() - at))
        wall.append(1000 * (time.perf_counter() - began))
    return {
        "cpu_ms_p50": round(statistics.median(cpu[20:]), 3),
        "wall_ms_p50": round(statistics.median(wall[20:]), 3),
        "start_cpu_s": start_up(encoder, made),
    }


def start_up(encoder: str, made: Trained, *, times: int = 3) -> float:
    """Return the CPU seconds of a fresh process that loads the mapper and answers once."""
    with tempfile.TemporaryDirectory() as folder:
        if encoder == "tfidf":
            digest = tfidf.digest_of(tfidf.ngram_bytes(made.reads))
            card = Card.of(
                made.saved.head,
                made_by=MADE_BY,
                encoder=tfidf.ngram_facts(digest),
                strength=made.card.head.strength,
            )
            made = replace(made, saved=replace(made.saved, card=card))
        made.save(Path(folder))
        source = str(Path(__file__).resolve().parents[1] / "src")
        spent = []
        for _ in range(times):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            code = STARTS.format(source=source, folder=folder)
            subprocess.run([sys.executable, "-c", code], check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return round(statistics.median(spent), 2)


if __name__ == "__main__":
    main()
