"""A sealed run of any size, written by templates, for timing what reads it.

The replies are drawn and stand for nobody's; they are marked as measured so that a front is drawn.
The checksums of lines are zeros: a sealed journal is trusted by its digest.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

GROUP, SEEDS = 10, 5
"""Samples of one group; seeds of each system, which is asked the same samples under all of them."""

TASK = "toy.errands"


def write_run(root: Path, records: int, *, systems: int) -> None:
    """Write and seal a run of that many records of so many systems."""
    from ....core.metric import Origin
    from ....core.reply import Answer
    from ....core.sample import Sample
    from ....engine.prices import from_prices, load_prices
    from ....store.canon import digest_file
    from ....store.journal import decisions_of, read_lines
    from ....store.manifest import (
        Manifest,
        Provenance,
        SplitFacts,
        SystemFacts,
        TaskFacts,
        write_doc,
    )
    from ....store.rundir import RunDir
    from ....store.samples import fingerprint, write_samples
    from ....store.seal import journals, seal

    names = [f"s{k:02}" for k in range(systems)]
    n = records // (systems * SEEDS)
    run = RunDir(root)
    test = [
        Sample(id=f"test/{k:07}", input="pay", target=Answer("pay"), group=f"g/{k // GROUP:06}")
        for k in range(n)
    ]
    splits = {
        name: test if name == "test" else [] for name in ("train", "tune", "calibration", "test")
    }
    for name, samples in splits.items():
        write_samples(run.samples(TASK, name), samples)
    run.plan.write_text(json.dumps(_plan(names)), "utf-8")
    facts = {
        name: SplitFacts(samples=len(s), groups=len(s) // GROUP, digest=fingerprint(s))
        for name, s in splits.items()
    }
    seeds = tuple(range(SEEDS))
    manifest = Manifest(
        run="big",
        name="big",
        says="How long does it take?",
        plan=digest_file(run.plan),
        seeds=seeds,
        rng=7,
        tasks={TASK: TaskFacts(use=TASK, version="1", says="", headline="accuracy", splits=facts)},
        systems={
            name: SystemFacts(
                use="toy.votes",
                options={},
                control=False,
                origin=Origin.MEASURED,
                seeded=True,
                seeds=seeds,
                max_risk=None,
                digest="sha256:" + "0" * 64,
            )
            for name in names
        },
        prices=from_prices(load_prices("laptop")),
    )
    write_doc(run.manifest, manifest)
    write_doc(run.provenance, Provenance(machine={}, packages={}, git={}, threads={}))
    rng = np.random.default_rng(0)
    hard = np.repeat(rng.beta(8, 2, -(-n // GROUP)), GROUP)[:n]
    for place, system in enumerate(names):
        for seed in seeds:
            write_journal(
                root / "records" / TASK / system / f"{seed}-test.jsonl",
                rng.random(n) < hard - place / 200,
            )
    _time(root / "timing" / TASK, names, [s.id for s in test[:75]])
    decided = {str(p.relative_to(root)): decisions_of(read_lines(p)).digest for p in journals(run)}
    seal(run, decisions=decided, incomplete=())


def write_journal(path: Path, right: np.ndarray) -> None:
    """Write a journal whose groups are right, or wrong, more or less together."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = (
        '{"decided":{"sample":"test/%07d","group":"g/%06d","kind":"answer","outcome":"%s",'
        '"value":"action_%d","confidence":0.%03d5},"usage":{"busy_s":0.000%03d1,'
        '"latency_s":0.000%03d3,"crc":"00000000"}}\n'
    )
    words = ("wrong", "correct")
    with path.open("w", encoding="utf-8") as file:
        for start in range(0, len(right), 10_000):
            file.write(
                "".join(
                    line % (k, k // GROUP, words[good], k % 40, k * 37 % 1000, k % 1000, k % 999)
                    for k, good in enumerate(right[start : start + 10_000].tolist(), start)
                )
            )


def _plan(systems: list[str]) -> dict[str, object]:
    one, other = systems[:2]
    return {
        "name": "big",
        "says": "How long does it take?",
        "seeds": list(range(SEEDS)),
        "tasks": [{"use": TASK}],
        "systems": [{"name": name, "use": "toy.votes"} for name in systems],
        "fronts": [["accuracy", "usd_per_1k"]],
        "claims": [
            {"id": "better", "says": "The first is better", "system": one, "against": other,
             "metric": "accuracy", "at_least": 0.0, "over": ["samples", "seeds"]}
        ],
    }  # fmt: skip


def _time(folder: Path, systems: list[str], samples: list[str]) -> None:
    import msgspec

    from ....store.journal import said_digest
    from ....store.timed import TimedLine

    folder.mkdir(parents=True, exist_ok=True)
    for process in range(3):
        lines = [
            TimedLine(
                system=system,
                block=block,
                sample=sample,
                said=said_digest("answer", f"action_{k % 40}", ""),
                latency_s=1e-3 / (place + 1) * (1 + (k * 7 + place) % 11 / 50),
                busy_s=1e-3 / (place + 1) * (1 + (k * 7 + place) % 11 / 50),
                cpu_s=1e-3 / (place + 1) * (1 + (k * 7 + place) % 11 / 50),
            )
            for k, sample in enumerate(samples)
            for block in [k // 3]
            for place, system in enumerate(systems)
        ]
        (folder / f"{process}.jsonl").write_bytes(
            b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
        )
