"""Say where the milliseconds of ``intent.mapper`` go at batch 1, and what could change them.

    python bench/mapper_parts.py [--rounds 9] [--prompts 40]

One thread, CPU time.  Three tables: the parts of one answer; the operators inside the session (by
onnxruntime's own profile, which slows it a little); sessions with other settings, interleaved, as
a ratio to the one that the mapper uses ("no spinning" changes nothing at one thread: its distance
from 1 is noise).  *Not covered*: other encoders, other machines.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--prompts", type=int, default=40)
    given = parser.parse_args()
    from assay import Question
    from assay.families.intent.encoders.opening import open_encoder
    from assay.families.intent.recipes.mapper import Mapper
    from assay.families.intent.tasks.defi import defi

    task = defi(size=100)
    texts = [str(sample.input) for sample in task.samples("calibration")][: given.prompts]
    with tempfile.TemporaryDirectory() as folder:
        splits = task.samples("train"), task.samples("tune")
        system: Any = Mapper(bag=1.0).build(*splits, seed=0, workdir=Path(folder)).system
    encoder = open_encoder("minilm")
    feeds = [feed(encoder.tokenizer.encode(text).ids) for text in texts]
    vectors = [encoder.session.run(None, one)[0][0] for one in feeds]
    tokens = statistics.mean(one["input_ids"].size for one in feeds)
    print(f"{len(texts)} prompts of {tokens:.1f} tokens, {given.rounds} rounds\n")

    whole: dict[str, Callable[[int], object]] = {
        "the whole answer": lambda k: list(system.answer([Question(id="q", input=texts[k])])),
        "the session": lambda k: encoder.session.run(None, feeds[k]),
        "the tokenizer": lambda k: encoder.tokenizer.encode(texts[k]).ids,
        "the arrays it is fed": lambda k: feed(feeds[k]["input_ids"][0].tolist()),
        "the head": lambda k: system.head.say(vectors[k]),
    }
    show("part", time_each(whole, len(texts), given.rounds))
    show_operators(encoder, feeds)
    sessions = {name: start(encoder, **changes) for name, changes in SETTINGS.items()}
    runs = {
        name: (lambda k, session=session: session.run(None, feeds[k]))
        for name, session in sessions.items()
    }
    show("session", time_each(runs, len(texts), given.rounds))
    print(f"numpy multiplies 1,024 x 384 by 384 x 1,536 at {speed():.0f} GFLOP/s")


def speed() -> float:
    """Return what a thread reaches on a large product: 10^9 operations for each CPU second."""
    import numpy as np

    rows, kernel = np.ones((1024, 384), np.float32), np.ones((384, 1536), np.float32)
    began = time.process_time()
    for _ in range(60):
        rows @ kernel
    return 60 * 2 * 1024 * 384 * 1536 / (time.process_time() - began) / 1e9


SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "as the mapper has it": {},
    "any order of sums": {"use_deterministic_compute": False},
    "basic optimisations": {"level": "ORT_ENABLE_BASIC"},
    "extended optimisations": {"level": "ORT_ENABLE_EXTENDED"},
    "no arena": {"enable_cpu_mem_arena": False},
    "no memory pattern": {"enable_mem_pattern": False},
    "no spinning": {"entry": ("session.intra_op.allow_spinning", "0")},
    "denormals are zero": {"entry": ("session.set_denormal_as_zero", "1")},
    "weights not packed": {"entry": ("session.disable_prepacking", "1")},
}


def feed(tokens: Sequence[int]) -> dict[str, Any]:
    import numpy as np

    ids = np.array([tokens], dtype=np.int64)
    return {"input_ids": ids, "attention_mask": np.ones_like(ids)}


def start(encoder: Any, *, level: str = "ORT_ENABLE_ALL", **changes: Any) -> Any:
    """Load the encoder's graph as ``start_session`` does, but for some settings."""
    import onnxruntime

    from assay.families.intent.encoders.encoder import graph_of

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.use_deterministic_compute = True
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    entry = changes.pop("entry", None)
    if entry:
        options.add_session_config_entry(*entry)
    for name, value in changes.items():
        setattr(options, name, value)
    model, _ = graph_of(encoder.files)
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def time_each(
    parts: Mapping[str, Callable[[int], object]], count: int, rounds: int
) -> dict[str, list[float]]:
    """Return the CPU milliseconds a prompt of every part in every round, in turning order."""
    spent: dict[str, list[float]] = {name: [] for name in parts}
    names = list(parts)
    for number in range(-1, rounds):  # the first is not counted: it warms all
        turned = number % len(names)
        for name in names[turned:] + names[:turned]:
            began = time.process_time()
            for k in range(count):
                parts[name](k)
            if number >= 0:
                spent[name].append((time.process_time() - began) / count * 1e3)
    return spent


def show(what: str, spent: Mapping[str, Sequence[float]]) -> None:
    """Print a table; ratios are taken within rounds, and the first row is 1."""
    print(f"| {what} | CPU ms | ratio [min, max] |\n|---|---|---|")
    first = next(iter(spent.values()))
    for name, found in spent.items():
        ratios = [one / base for one, base in zip(found, first, strict=True)]
        print(
            f"| {name} | {statistics.median(found):.3f} | {statistics.median(ratios):.3f} "
            f"[{min(ratios):.3f}, {max(ratios):.3f}] |"
        )
    print()


def show_operators(encoder: Any, feeds: Sequence[Mapping[str, Any]]) -> None:
    """Print which operators the time inside the session goes to."""
    with tempfile.TemporaryDirectory() as folder:
        where = f"{folder}/profile"
        session = start(encoder, enable_profiling=True, profile_file_prefix=where)
        for one in feeds:
            session.run(None, one)
        events = json.loads(Path(session.end_profiling()).read_bytes())
    spent: Counter[str] = Counter()
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("kernel_time"):
            spent[event["args"]["op_name"]] += event["dur"]
    whole = sum(spent.values())
    print("| operator | share of the session |\n|---|---|")
    for name, micros in spent.most_common(8):
        print(f"| {name} | {micros / whole:.1%} |")
    print()


if __name__ == "__main__":
    main()
