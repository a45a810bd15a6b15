"""Set assay beside semantic-router and SetFit: the same prompts, one run, accuracy and milliseconds.

    python bench/intent_peers.py --data "$ASSAY_DATA" [--quick] [--sets clinc150] [--rows ..] [--out peers.json]

Each side runs in a process and an environment of its own, on one thread, from the same MiniLM
folder, and sees the same training prompts: eight of each label, or all.  The peers' environments are
made on the first run (pinned; two minutes).  What was learnt and answered is kept in ``--work`` by
what decides it, so that a second run only takes the times again.

*Covered*: accuracy in scope with Wilson's intervals, each side paired with assay's frozen MiniLM that
learnt the same; on CLINC150 what tells out-of-scope prompts; time of prompts asked one by one,
sides taking turns.  *Not covered*: a GPU, several threads, semantic-router's hosted and FastEmbed
encoders, SetFit's other losses, more steps of SetFit than ``RECIPES`` says.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contest import load
from intent_peers_apart import Child, digest, environment, once
from intent_peers_told import Told, accuracy_table, outside_table, spread
from intent_sets import SETS, Prompts, read

from assay import Answer, Sample
from assay.families import intent
from assay.families.intent.encoders.files import find_encoder

FEW = 8
SETFIT = {"batch_size": 16, "num_epochs": 1}
TIMED, ROUNDS = 150, 3
QUICK_TIMED = 20
QUICK_LABELS = 10
LEARNS = ("encoders", "heads", "likeness", "recipes", "training", "intent")
QUICK = (
    "assay: minilm, 8 a label",
    "assay: minilm",
    "semantic-router, 8 a label",
    "semantic-router",
    "SetFit, 8 a label",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a side learns.  ``few``: from eight prompts of each label, else from all of train."""

    side: str
    options: dict[str, Any] = field(default_factory=dict)
    few: bool = False
    timed: bool = False
    only: tuple[str, ...] = SETS


BASE, FEW_BASE = "assay: minilm", "assay: minilm, 8 a label"
ASSAY_ALL = {"strength": 8.0}
RECIPES = {
    "assay: minilm, 8 a label": Recipe(side="assay", options={"encoder": "minilm"}, few=True),
    "assay: static, 8 a label": Recipe(side="assay", options={"encoder": "static"}, few=True),
    "assay: tfidf, 8 a label": Recipe(side="assay", options={"encoder": "tfidf"}, few=True),
    "semantic-router, 8 a label": Recipe(side="semantic-router", few=True, timed=True),
    "SetFit, 8 a label": Recipe(
        side="setfit",
        options={**SETFIT, "sampling_strategy": "undersampling"},
        few=True,
        timed=True,
    ),
    BASE: Recipe(side="assay", options={"encoder": "minilm", **ASSAY_ALL}, timed=True),
    "assay: static": Recipe(side="assay", options={"encoder": "static", **ASSAY_ALL}, timed=True),
    "assay: tfidf": Recipe(side="assay", options={"encoder": "tfidf", **ASSAY_ALL}, timed=True),
    "assay: minilm, reject: relative": Recipe(
        side="assay",
        options={"encoder": "minilm", "reject": "relative", **ASSAY_ALL},
        only=("clinc150",),
    ),
    "semantic-router": Recipe(side="semantic-router", timed=True),
    "semantic-router, sum of 20": Recipe(
        side="semantic-router",
        options={"aggregation": "sum", "top_k": 20},
        only=("banking77", "hwu64"),
    ),
    "SetFit, 300 steps": Recipe(
        side="setfit", options={**SETFIT, "max_steps": 300}, only=("clinc150",)
    ),
}
"""SetFit with ``undersampling``: one epoch of every pair of prompts of one label, and as many pairs of
two.  With ``max_steps``: 4,800 pairs drawn from all of train, and a head fitted to all of train."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What every side of a run shares."""

    work: Path
    encoder: Path
    weights: str
    quick: bool

    def lessons(self, recipe: Recipe, prompts: Prompts) -> list[Sample]:
        """Return what is learnt: all of train, or eight prompts of each label, drawn once."""
        if not recipe.few:
            return prompts.train
        by_label: dict[str, list[Sample]] = {}
        for sample in prompts.train:
            by_label.setdefault(label_of(sample), []).append(sample)
        draw = random.Random(0)
        return [s for k in sorted(by_label) for s in draw.sample(by_label[k], FEW)]

    def learns(self, recipe: Recipe, prompts: Prompts, versions: str) -> dict[str, Any]:
        """Return the request to learn; its ``keep`` is a folder named by all that decides it."""
        lessons, options = self.lessons(recipe, prompts), dict(recipe.options)
        if self.quick and recipe.side == "setfit":
            options = {**SETFIT, "max_steps": 4}
        asked: dict[str, Any] = {"recipe": options, **told(lessons)}
        name = digest(recipe.side, versions or own_code(), self.weights, asked)
        keep = self.work / "learnt" / f"{recipe.side}-{name}"
        return {"do": "learn", "encoder": str(self.encoder), "keep": str(keep), **asked}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("ASSAY_DATA"))
    parser.add_argument("--work", type=Path, default=Path(".cache/peers"))
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument(
        "--quick", action="store_true", help="ten labels of CLINC150, four steps of SetFit"
    )
    parser.add_argument("--rows", nargs="+", default=list(RECIPES), choices=RECIPES)
    parser.add_argument("--learn", action="store_true", help="learn and answer; no times, no table")
    parser.add_argument("--out", type=Path, help="write the numbers as JSON, too")
    asked = parser.parse_args()
    if asked.data is None:
        parser.error("give --data, or set ASSAY_DATA")
    files = find_encoder("minilm")
    work = asked.work.resolve()
    run = Run(work=work, encoder=files.folder, weights=files.weights.digest, quick=asked.quick)
    found = {}
    for name in ("clinc150",) if asked.quick else asked.sets:
        prompts = read(name, Path(asked.data))
        prompts = of_few_labels(prompts) if asked.quick else prompts
        rows = QUICK if asked.quick else asked.rows
        recipes = {k: r for k, r in RECIPES.items() if name in r.only and k in rows}
        if asked.learn:
            learn(recipes, prompts, run)
            continue
        found[name] = beside(recipes, prompts, run)
        if asked.out:
            asked.out.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


def beside(recipes: dict[str, Recipe], prompts: Prompts, run: Run) -> dict[str, Any]:
    """Ask every side, time those that are timed, print the tables; return what they show."""
    sides = learn(recipes, prompts, run)
    timed = {k: r for k, r in recipes.items() if r.timed}
    before = load()
    times = clock(timed, prompts, run)
    wanted = [label_of(s) for s in prompts.test]
    known = [label_of(s) for s in prompts.calibration()]
    rows = [
        Told(
            name=name,
            base=FEW_BASE if recipe.few else BASE,
            wanted=wanted,
            known=known,
            said=sides[name],
            times=times.get(name),
        )
        for name, recipe in recipes.items()
    ]
    print(
        f"\n## {prompts.name}: {len(prompts.train):,} prompts in train, {len(wanted):,} asked; "
        f"load {before} before the times, {load()} after\n"
    )
    print(accuracy_table(rows))
    if None in wanted:
        print(f"\n{outside_table(rows)}")
    sys.stdout.flush()
    return {row.name: row.numbers() for row in rows}


def learn(recipes: dict[str, Recipe], prompts: Prompts, run: Run) -> dict[str, Any]:
    """Let every side learn and answer, one after the other; return what each said."""
    found = {}
    for side in dict.fromkeys(recipe.side for recipe in recipes.values()):
        where = environment(side, run.work)
        with Child(side=side, python=where.python, log=run.work / f"{side}.log") as child:
            for name, recipe in recipes.items():
                if recipe.side == side:
                    request = run.learns(recipe, prompts, where.versions)
                    parts = prompts.calibration(), prompts.test
                    asks = digest([told(part) for part in parts])
                    kept = Path(request["keep"]) / f"said-{asks}.json"
                    print(f"{prompts.name}: {name}", file=sys.stderr, flush=True)
                    found[name] = once(kept, answers, child, request, parts)
    return {name: found[name] for name in recipes}


def answers(child: Child, request: dict[str, Any], parts: Sequence[Sequence[Sample]]) -> Any:
    """Let one side learn, calibrate and answer."""
    known, test = (told(part) for part in parts)
    # What learning cost is known to the run that learnt; a later one reads the model back.
    cost = once(Path(request["keep"]) / "learnt.json", lambda: child.ask(**request))
    child.ask(**request)
    return {
        "learnt": cost,
        "fit": child.ask(do="fit", **known),
        "known": child.ask(do="answer", texts=known["texts"]),
        "test": child.ask(do="answer", texts=test["texts"]),
    }


def clock(timed: dict[str, Recipe], prompts: Prompts, run: Run) -> dict[str, Any]:
    """Ask the timed sides the same prompts one by one, in turning order, in a few rounds."""
    texts = [s.input for s in prompts.test][: QUICK_TIMED if run.quick else TIMED]
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in timed}
    children = {}
    try:
        for name, recipe in timed.items():
            where = environment(recipe.side, run.work)
            log = run.work / f"{recipe.side}.log"
            child = Child(side=recipe.side, python=where.python, log=log)
            children[name] = child.__enter__()
            child.ask(**run.learns(recipe, prompts, where.versions))
        names = list(timed)
        for number in range(-1, 1 if run.quick else ROUNDS):  # the first is not counted
            turn = max(number, 0) % len(names)
            for name in (*names[turn:], *names[:turn]):
                took = children[name].ask(do="time", texts=texts)
                if number >= 0:
                    spent[name].append((middle(took["cpu"]), middle(took["wall"])))
    finally:
        for child in children.values():
            child.__exit__()
    return {k: [spread(each) for each in zip(*rounds, strict=True)] for k, rounds in spent.items()}


def middle(seconds: Sequence[float]) -> float:
    """Return the median in milliseconds."""
    return 1000 * sorted(seconds)[len(seconds) // 2]


def told(samples: Sequence[Sample]) -> dict[str, Any]:
    """Return samples as a request has them."""
    return {"texts": [s.input for s in samples], "labels": [label_of(s) for s in samples]}


def own_code() -> str:
    """Name the modules of the family: what assay learnt and answered is kept for one version of them."""
    modules = sorted(Path(intent.__file__).parent.rglob("*.py"))
    return digest([path.read_text("utf-8") for path in modules if path.parent.name in LEARNS])


def label_of(sample: Sample) -> Any:
    """Return the right label; None where no answer is right."""
    return sample.target.value if isinstance(sample.target, Answer) else None


def of_few_labels(prompts: Prompts) -> Prompts:
    """Return the same set with ten labels, and few prompts without one."""
    some = sorted({label_of(s) for s in prompts.train})[:QUICK_LABELS]
    parts: dict[str, list[Sample]] = {}
    for part in ("train", "validation", "test"):
        whole = getattr(prompts, part)
        outside = [s for s in whole if label_of(s) is None][:50]
        parts[part] = [s for s in whole if label_of(s) in some] + outside
    return Prompts(name=f"{prompts.name} (ten labels)", spare=[], **parts)


if __name__ == "__main__":
    main()
