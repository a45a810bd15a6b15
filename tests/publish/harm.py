"""Sealed runs that no engine made: their samples, labels, plans and replies mean harm."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import yaml

from assay.core.metric import Origin
from assay.core.record import Cell, Record
from assay.core.reply import Answer, Bottom, Crash, Failed, Said, Usage
from assay.core.sample import Sample
from assay.core.verdict import Check, judge, needs_check
from assay.engine.prices import from_prices, load_prices
from assay.store.canon import digest_file
from assay.store.journal import Writer, decision_digest, read_lines, said_digest
from assay.store.manifest import (
    CellFacts,
    Manifest,
    Provenance,
    SplitFacts,
    SystemFacts,
    TaskFacts,
    write_doc,
)
from assay.store.rundir import RunDir
from assay.store.samples import fingerprint, write_samples
from assay.store.seal import seal
from assay.store.timed import TimedLine

TASK = "toy.errands"
HARM = (
    "<script>window.harmed=1</script>",
    "</script><script>window.harmed=2</script>",
    '"><img src=x onerror="window.harmed=3">',
    "' onmouseover='window.harmed=4",
    "a | b\n| --- |\n| `c` |",
    "[click](javascript:alert(1)) ![x](https://evil.example/x.png)",
    "@everyone see https://evil.example and www.evil.example, #1, <https://evil.example>",
    "\x1b[31mred\x1b[0m \x00\x07 \u202egnp.exe \u2028 \u200b \U000e0041",
    "{{ 7*7 }} {% include 'x' %} ${7*7} \\u003c/script\\u003e",
    "# heading\n\n* item\n1. one\n> quote\n```\ncode\n~~~",
    "&lt;b&gt; &amp; &#x3c;script&#x3e;",
    "`` tick ` tick ``` tick",
)
CONTROLS = ("constant", "random", "silent")
LABELS = ("<b>|swap`", "</script>stake", "plain")


@dataclass
class Writing:
    """What a run shall hold."""

    samples: list[Sample]
    replies: Mapping[str, Callable[[int, int], Said]]
    """System to what it says to sample number, under a seed."""

    seeds: tuple[int, ...] = (0, 1)
    max_risk: Mapping[str, float] = field(default_factory=dict)
    claims: list[dict[str, object]] = field(default_factory=list)
    says: str = "Does the report survive?"
    timed: bool = True
    task: str = TASK
    earlier: Callable[[str, int], tuple[Said, ...]] = lambda _system, _i: ()
    """What a system said before to sample number."""


def write_run(root: Path, what: Writing) -> RunDir:
    """Write and seal a run; one group per four samples, the tail of the samples calibrates."""
    run = RunDir(root)
    n = len(what.samples)
    splits = {
        "train": what.samples[:0],
        "tune": what.samples[: n // 4],
        "calibration": what.samples[n // 4 : n // 2],
        "test": what.samples[n // 2 :],
    }
    for name, samples in splits.items():
        write_samples(run.samples(what.task, name), samples)
    plan = {
        "name": "harm",
        "says": what.says,
        "seeds": list(what.seeds),
        "tasks": [{"use": what.task}],
        "systems": [
            {"name": name, "use": "toy.votes"}
            | ({"abstain": {"max_risk": what.max_risk[name]}} if name in what.max_risk else {})
            for name in what.replies
            if name not in CONTROLS
        ],
        "fronts": [["accuracy", "usd_per_1k"]],
        "claims": what.claims,
    }
    run.plan.write_text(yaml.safe_dump(plan, allow_unicode=False), "utf-8")
    write_doc(run.manifest, _manifest(run, what, splits))
    cells = [facts for name in what.replies for facts in _cells(run, what, name, splits)]
    if what.timed:
        _write_timing(run, what, splits["test"])
    write_doc(
        run.provenance,
        Provenance(
            machine={"cpu": HARM[0], "gpus": []},
            packages={"numpy": "2", HARM[4]: HARM[5]},
            git={"commit": HARM[2], "dirty": True},
            threads={},
            attempts=({"started": HARM[1], "sealed": "2026-11-21T00:00:00+00:00"},),
            cells=tuple(cells),
        ),
    )
    seal(
        run,
        decisions={
            f"records/{what.task}/{c.system}/{c.seed}-{c.split}.jsonl": c.decisions for c in cells
        },
        incomplete=tuple(f"{what.task}/{c.system}/{c.seed}-{c.split}" for c in cells if c.crashes),
    )
    return run


def _manifest(run: RunDir, what: Writing, splits: Mapping[str, list[Sample]]) -> Manifest:
    facts = {
        name: SplitFacts(
            samples=len(samples),
            groups=len({s.cluster for s in samples}),
            digest=fingerprint(samples),
        )
        for name, samples in splits.items()
    }
    return Manifest(
        run=f"20261121T000000Z-{HARM[0]}",
        name=HARM[1],
        says=what.says,
        plan=digest_file(run.plan),
        seeds=what.seeds,
        rng=7,
        tasks={
            what.task: TaskFacts(
                use=what.task, version="1", says=HARM[2], headline="x", splits=facts
            )
        },
        systems={
            name: SystemFacts(
                use=HARM[0],
                options={"prompt": HARM[1]},
                control=name in CONTROLS,
                origin=Origin.MEASURED,
                seeded=True,
                seeds=what.seeds,
                max_risk=what.max_risk.get(name),
                digest="sha256:" + "0" * 64,
            )
            for name in what.replies
        },
        prices=from_prices(load_prices("laptop")),
    )


def _cells(
    run: RunDir, what: Writing, system: str, splits: Mapping[str, list[Sample]]
) -> list[CellFacts]:
    made = []
    names = ("tune", "calibration", "test") if system in what.max_risk else ("test",)
    for seed in what.seeds:
        for split in names:
            cell = Cell(task=what.task, system=system, seed=seed, split=split)
            records, details = [], {}
            for i, sample in enumerate(splits[split]):
                said = what.replies[system](i, seed)
                check = None
                if needs_check(sample.target, said):
                    assert isinstance(said, Answer)
                    assert isinstance(sample.target, Answer)
                    check = Check(passed=said.value == sample.target.value)
                if isinstance(said, Failed | Crash):
                    details[sample.id, 0] = said.detail.encode()
                records.append(
                    Record(
                        cell=cell,
                        sample=sample.id,
                        group=sample.cluster,
                        said=said,
                        verdict=judge(sample.target, said, check),
                        usage=Usage(),
                        earlier=what.earlier(system, i),
                    )
                )
            with Writer(run.journal(cell), run.evidence(cell)) as writer:
                writer.write(records, details)
            made.append(
                CellFacts(
                    task=what.task,
                    system=system,
                    seed=seed,
                    split=split,
                    n=len(records),
                    crashes=sum(isinstance(r.said, Crash) for r in records),
                    decisions=decision_digest(read_lines(run.journal(cell))),
                    notes={HARM[3]: HARM[4]},
                )
            )
            write_doc(run.finished(cell), made[-1])
    return made


def _write_timing(run: RunDir, what: Writing, test: list[Sample]) -> None:
    slow = {name: 1e-3 * 4**i for i, name in enumerate(what.replies)}
    for process in range(3):
        lines = [
            TimedLine(
                system=name,
                block=block,
                sample=test[block].id,
                said=said_digest("answer", "x", ""),
                latency_s=slow[name] * (1 + block / 10),
                busy_s=slow[name] * (1 + block / 10),
                cpu_s=slow[name],
            )
            for block in range(7)
            for name in what.replies
            if name not in CONTROLS
        ]
        path = run.timing(what.task, process)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))


def harmful() -> Writing:
    """Return a run in which every text that somebody else wrote means harm."""
    samples = []
    for i in range(240):
        label = LABELS[(i // 4) % len(LABELS)]
        samples.append(
            Sample(
                id=f"{i:03} {HARM[i % len(HARM)]}",
                input=HARM[(i + 3) % len(HARM)] + f" {i}",
                target=Bottom(HARM[i % len(HARM)]) if i % 5 == 0 else Answer(label),
                group=f"g{i // 4} {HARM[i % len(HARM)]}" if i % 4 == 0 else f"g{i // 4}",
                tags=frozenset({HARM[i % len(HARM)]}),
            )
        )

    def good(i: int, seed: int) -> Said:
        sure = 0.5 + 0.49 * ((i * 7 + seed) % 40) / 40
        if i % 5 == 0:
            return Bottom(HARM[i % len(HARM)], Answer(LABELS[0], 0.2))
        right = LABELS[((i + 120) // 4) % len(LABELS)]
        return Answer(right if sure > 0.52 else LABELS[(i + 1) % 3], sure)

    def bad(i: int, seed: int) -> Said:
        if i % 9 == 0:
            return Failed("unparseable", f"{HARM[i % len(HARM)]} evidence")
        if i % 31 == 0 and seed == 0:
            return Crash("machine", f"{HARM[i % len(HARM)]} crash")
        return Answer(HARM[i % len(HARM)], 0.5)

    return Writing(
        samples=samples,
        replies={
            "good": good,
            "bad": bad,
            "constant": lambda _i, _seed: Answer(LABELS[0], 1.0),
            "random": lambda i, seed: Answer(LABELS[(i * 5 + seed) % 3], 0.3),
            "silent": lambda _i, _seed: Bottom("silent"),
        },
        max_risk={"good": 0.3},
        says=HARM[0],
        claims=[
            {"id": "beats", "says": HARM[2], "system": "good", "against": "bad",
             "metric": "accuracy", "at_least": 0.1},
            {"id": "cheap", "says": HARM[5], "system": "good", "against": "bad",
             "metric": "usd_per_1k", "at_most": 0.5},
            {"id": "invents", "says": HARM[6], "system": "good", "metric": "invention_rate",
             "at_most": 0.01},
        ],
    )  # fmt: skip
