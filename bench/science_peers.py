"""Train zeroproofml's sixteen models of a dose, with its own loop and with ours: CPU seconds for each seed.

    python bench/science_peers.py [--train 20000] [--epochs 2] [--seeds 1 2 3] [--rounds 2] [--paper] [--out peers.json]
    python bench/science_peers.py --paper --rounds 5 --turns 1 --sides assay zeroproofml

The peer runs in a process and an environment of its own, made on the first run (pinned; two minutes),
on one thread, with its published settings (batches of 512, Adam at 0.002).  ``--paper`` asks for its
published sizes, 200,000 curves and 30 epochs.  It never seeds torch: we do, before it makes its models.

``assay`` has bfloat16 products in the two networks of 203,000 parameters, as ``precision: bfloat16`` of a plan has it;
``assay, float32`` has none.  Sides take turns: in each round assay trains all seeds together, and the peer some of
its own, which are compared with that round's.  ``--turns`` ends after so many rounds: the peer, which needs a quarter of
an hour for a seed of the published sizes, then trains some of the seeds that assay trains all of.

*Covered*: CPU seconds of training with its evaluation of every epoch, of each model and of the whole;
its own metrics on its own test curves.  *Not covered*: a GPU, several threads, its reports; Python's
and torch's start, which no side is charged for.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

from contest import Row, load, spread, tell
from contest import table as rows_table
from intent_peers_apart import BENCH, environment

PEER = "zeroproofml"
SIDE = BENCH / "science_peers_side.py"
METRICS = {
    "macro_f1": "macro-F1",
    "finite_mae": "MAE",
    "false_in_range_rate_on_censored": "FP",
    "false_censored_rate_on_in_range": "FN",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What every side of a run trains: curves of each split, epochs, and how."""

    train: int = 20_000
    validation: int = 2_000
    test: int = 3_000
    epochs: int = 2
    batch_size: int = 512
    rate: float = 2e-3
    models: tuple[str, ...] = ()
    """Names of the peer's models; none: the sixteen that its command trains."""

    restore_best: bool = False
    """Its command does not; the last epoch is what counts."""


PAPER = Asked(train=200_000, validation=20_000, test=30_000, epochs=30)
QUICK = Asked(train=256, validation=64, test=128, epochs=1, batch_size=128)

Side: TypeAlias = Callable[[Asked, Sequence[int], slice], list[dict[str, Any]]]
"""Trains all models from some seeds; returns for those of a slice ``cpu_s`` and ``wall_s`` of the whole, data and tests
too, and ``models``: by name ``parameters``, ``cpu_s``, ``steps`` and ``METRICS``."""


def theirs(asked: Asked, seed: int, *, python: Path) -> dict[str, Any]:
    """Train with the peer's own loop."""
    return asked_of(python, {"do": "train", "seed": seed, **asdict(asked)})


def asked_of(python: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Put one request to the peer's side; return its reply."""
    done = subprocess.run(
        [python, SIDE], input=json.dumps(request), capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{PEER} ended with status {done.returncode}:\n{done.stderr.strip()}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def sides(python: Path) -> dict[str, Side]:
    """Return who trains.  The first is what ratios are taken against."""

    def apart(asked: Asked, seeds: Sequence[int], mine: slice) -> list[dict[str, Any]]:
        return [theirs(asked, seed, python=python) for seed in seeds[mine]]

    def together(
        asked: Asked, seeds: Sequence[int], mine: slice, precision: str
    ) -> list[dict[str, Any]]:
        # All of them, whichever are asked for: a stack of half the seeds is another one.
        return ours(asked, seeds, precision=precision)[mine]

    return {
        "assay": partial(together, precision="bfloat16"),
        "assay, float32": partial(together, precision="float32"),
        PEER: apart,
    }


def taking_turns(
    sides: dict[str, Side],
    asked: Asked,
    seeds: Sequence[int],
    rounds: int,
    turns: int | None = None,
) -> dict[str, list[dict[str, Any]]]:
    """Return what each side says of each seed, in the order of the rounds in which they were asked for; of the first ``turns``."""
    found: dict[str, list[dict[str, Any]]] = {who: [] for who in sides}
    for turn in range(min(rounds, turns or rounds, len(seeds))):
        mine = slice(turn, None, rounds)
        for who, side in sides.items():
            print(f"{who}: seeds {list(seeds[mine])}", file=sys.stderr, flush=True)
            found[who] += side(asked, seeds, mine)
    return found


def ours(asked: Asked, seeds: Sequence[int], *, precision: str) -> list[dict[str, Any]]:
    """Train with assay, all seeds of a model together, on one thread, in a process of its own."""
    request = {"asked": asdict(asked), "seeds": list(seeds), "precision": precision}
    code = (
        "import json, sys; from types import SimpleNamespace as S; from science_ours import train; "
        "r = json.load(sys.stdin); "
        "print(json.dumps(train(S(**r['asked']), r['seeds'], precision=r['precision'])))"
    )
    threads = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
        cwd=BENCH,
        env={**os.environ, **threads},
    )
    if done.returncode:
        sys.exit(f"assay ended with status {done.returncode}:\n{done.stderr.strip()}")
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--work", type=Path, default=Path(".cache/peers"))
    parser.add_argument("--python", type=Path, help="of an environment that has the peer already")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--paper", action="store_const", const=PAPER, dest="sizes")
    size.add_argument("--quick", action="store_const", const=QUICK, dest="sizes")
    for name in ("train", "validation", "test", "epochs", "batch_size"):
        parser.add_argument(f"--{name.replace('_', '-')}", type=int)
    parser.add_argument("--models", nargs="+")
    parser.add_argument("--restore-best", action="store_true")
    parser.add_argument("--rounds", type=int, default=2, help="turns that sides take (default: 2)")
    parser.add_argument("--turns", type=int, help="end after so many rounds (default: all)")
    parser.add_argument("--sides", nargs="+", help="who trains; ratios are against the first")
    parser.add_argument("--json", action="store_true", help="print rows for `assay perf run` alone")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(1, 11)))
    parser.add_argument("--out", type=Path, help="write the numbers as JSON, too")
    given = parser.parse_args()
    if given.json and (why := missing(given)):
        print(f"skipped: {why}", file=sys.stderr)
        print("[]")
        return
    python = given.python or environment(PEER, given.work.resolve(), family="science").python
    said = {k: getattr(given, k) for k in ("train", "validation", "test", "epochs", "batch_size")}
    asked = replace(
        given.sizes or Asked(),
        models=tuple(given.models or ()),
        restore_best=given.restore_best,
        **{key: value for key, value in said.items() if value is not None},
    )
    began = load()
    there = sides(python)
    if unknown := set(given.sides or ()) - set(there):
        parser.error(f"no side {min(unknown)!r}: there are {', '.join(there)}")
    who_trains = {who: there[who] for who in given.sides or there}
    found = taking_turns(who_trains, asked, given.seeds, given.rounds, given.turns)
    if given.json:
        what = f"dose, {asked.train:,} x {asked.epochs} epochs"
        tell(by_size(found, what=what), as_json=True)
        return
    print(
        f"{asked.train:,} curves, {asked.epochs} epochs, batches of {asked.batch_size}, seeds "
        f"{', '.join(map(str, given.seeds))}; load average {began} before, {load()} after\n"
    )
    for who, seeds in found.items():
        print(f"{who} {versions(seeds)}\n\n{table(seeds)}\n")
    if len(found) > 1:
        print(rows_table(by_size(found, what=f"{asked.train:,} curves, {asked.epochs} epochs")))
    if given.out:
        kept = {"asked": asdict(asked), "seeds": given.seeds, "found": found}
        given.out.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")


def missing(given: argparse.Namespace) -> str:
    """Return why nothing can be measured here; nothing where it can."""
    if find_spec("torch") is None:
        return "torch is not installed (`make bench` installs it)"
    made = given.python or (given.work / PEER / "made-of.txt").exists()
    # A quick look makes no environment of a gigabyte.
    return "" if made or given.sizes is not QUICK else f"{PEER} has no environment here yet"


def by_size(found: dict[str, list[dict[str, Any]]], *, what: str) -> list[Row]:
    """Return rows of all models, of those below 10,000 parameters, and of the wide ones."""
    made = rows(found, what=f"{what}, all")
    for name, wide in (("small", False), ("wide", True)):
        part = {who: [_only(seed, wide=wide) for seed in seeds] for who, seeds in found.items()}
        if all(seed["models"] for seeds in part.values() for seed in seeds):
            made += rows(part, what=f"{what}, {name}")
    return made


def _only(seed: dict[str, Any], *, wide: bool) -> dict[str, Any]:
    """Return what the models of one size cost; nobody's data and tests."""
    kept = {n: m for n, m in seed["models"].items() if (m["parameters"] > 10_000) == wide}
    spent = sum(model["cpu_s"] for model in kept.values())
    return {"models": kept, "cpu_s": spent, "wall_s": spent}


def rows(found: dict[str, list[dict[str, Any]]], *, what: str) -> list[Row]:
    """Return a row for each side: seconds over the seeds, and what they are times the first side's."""
    first, *_ = found.values()
    made = []
    for who, seeds in found.items():
        ours = seeds is first
        cpu, wall = (spread([seed[key] for seed in seeds]) for key in ("cpu_s", "wall_s"))
        times = [
            None if ours else spread([a[key] / b[key] for a, b in zip(seeds, first, strict=True)])
            for key in ("cpu_s", "wall_s")
        ]
        made.append(Row(what, who, len(seeds[0]["models"]), len(seeds), cpu, wall, *times))
    return made


def versions(seeds: Sequence[dict[str, Any]]) -> str:
    """Return the versions that a side reported."""
    return ", ".join(f"{k} {v}" for k, v in seeds[0].get("versions", {}).items())


def table(seeds: Sequence[dict[str, Any]]) -> str:
    """Write what each model cost and scored: medians with the smallest and largest over the seeds."""
    head = ("model", "parameters", "CPU s a seed", "ms a step", *METRICS.values())
    lines = [f"| {' | '.join(head)} |", f"|---|{'---:|' * (len(head) - 1)}"]
    for name in seeds[0]["models"]:
        rows = [seed["models"][name] for seed in seeds]
        cells = [
            name,
            f"{rows[0]['parameters']:,}",
            ranged([row["cpu_s"] for row in rows], "{:.2f}"),
            ranged([1000 * row["cpu_s"] / max(row["steps"], 1) for row in rows], "{:.2f}"),
            *(ranged([row[metric] for row in rows], "{:.3f}") for metric in METRICS),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    wholes = ranged([seed["cpu_s"] for seed in seeds], "{:.2f}")
    steps = statistics.mean(sum(m["steps"] for m in seed["models"].values()) for seed in seeds)
    each = ranged(
        [1000 * sum(m["cpu_s"] for m in s["models"].values()) / max(steps, 1) for s in seeds],
        "{:.2f}",
    )
    lines.append(f"| **all, data and tests too** | | {wholes} | {each} |{' |' * len(METRICS)}")
    return "\n".join(lines)


def ranged(values: Sequence[float | None], form: str) -> str:
    """Write a median and the range; ``-`` where a seed has none.

    >>> ranged([2.0, 1.0, 4.0], "{:.1f}"), ranged([1.0], "{:.1f}"), ranged([1.0, None], "{:.1f}")
    ('2.0 [1.0, 4.0]', '1.0', '-')
    """
    there = [value for value in values if value is not None]
    if len(there) < len(values):
        return "-"
    if len(there) == 1:
        return form.format(there[0])
    return spread(there).show(form.format)


if __name__ == "__main__":
    main()
