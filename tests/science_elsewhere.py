"""Teaches every head here and on another device, and prints what came of both as JSON.

python tests/science_elsewhere.py FOLDER
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

import elsewhere
from assay.families.science.learning.teaching import Search, teach
from assay.families.science.learning.together import Stack
from families.test_science_learning import EVERY, lesson_of, members_of, same, taught

SEARCH = Search(rate=2e-3, decay=1e-4, tries=2)


def equal(one, other):
    """Say whether two folders' networks are the same: weights, and how they were chosen."""
    return all(
        np.array_equal(one[seed].weights, other[seed].weights)
        and one[seed].facts == other[seed].facts
        for seed in one
    )


def both(name, precision, folder):
    """Return what is equal of a head that learns here and there."""
    here = replace(lesson_of(name), precision=precision)
    there = replace(here, device=f"{elsewhere.NAME}:0")
    folders = {where: {s: folder / where / str(s) for s in (0, 1)} for where in ("here", "there")}
    elsewhere.Elsewhere.called.clear()
    elsewhere.Elsewhere.unordered.clear()
    networks = {
        where: teach(lesson, SEARCH, folders[where], workdir=folder / where / "work")
        for where, lesson in (("here", here), ("there", there))
    }
    called, unordered = dict(elsewhere.Elsewhere.called), dict(elsewhere.Elsewhere.unordered)
    files = {
        where: [(f / "network.safetensors").read_bytes() for f in folders[where].values()]
        for where in folders
    }
    # What one device learnt half, the other could finish; a contract keeps them apart all the same.
    half = taught(there, members_of(2), epochs=1)
    starts = {seed: one.weights for seed, one in networks["here"].items()}
    part = frozenset({here.parts[-1].name})
    after = [
        teach(
            replace(lesson, only=part),
            SEARCH,
            {seed: folder / f"{where} after" / str(seed) for seed in starts},
            workdir=folder / f"{where} after" / "work",
            starts=starts,
        )
        for where, lesson in (("here", here), ("there", there))
    ]
    return {
        "equal": equal(networks["here"], networks["there"]),
        "apart": files["here"] != files["there"],
        "resumed": same(taught(there, members_of(2), state=half), taught(here, members_of(2))),
        "frozen": equal(*after),
        "called": called,
        "unordered": unordered,
    }


def refused(act):
    """Return what a device says of this; nothing where it lets it pass."""
    try:
        act()
    except (RuntimeError, TypeError) as error:
        return str(error)
    return ""


def careless():
    """Teach with a loss that adds numbers which were left on the processor."""

    class Careless(type(lesson_of("two heads").head)):
        def loss(self, out, hidden, own, batch):
            return super().loss(out, hidden, own, batch) + torch.zeros(len(out))

    lesson = replace(lesson_of("two heads"), device=elsewhere.NAME)
    head = Careless(**{f: getattr(lesson.head, f) for f in lesson.head.__dataclass_fields__})
    Stack(replace(lesson, head=head), members_of(2)).epoch()


def main(folder):
    """Print every head's comparison, and what the device refuses."""
    kept = elsewhere.register()
    told = {
        f"{name}, {precision}": both(name, precision, folder / f"{i} {precision}")
        for i, name in enumerate(EVERY)
        for precision in ("float32", "bfloat16")
    }
    there = torch.ones(2, device=elsewhere.NAME)
    refusals = {
        "two devices": refused(lambda: there + torch.ones(2)),
        "a look of NumPy": refused(there.numpy),
        "a careless loss": refused(careless),
    }
    sys.stdout.write(json.dumps({"heads": told, "refused": refusals}))
    del kept


if __name__ == "__main__":
    main(Path(sys.argv[1]))
