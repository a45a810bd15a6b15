"""What tests of networks share: small tasks, targets of others, and gradients by differences."""

from __future__ import annotations

import numpy as np

from assay import Answer, Sample
from assay.families.science.domains.dose import dose
from assay.families.science.domains.ik import ik
from assay.families.science.domains.rf import rf
from assay.families.science.domains.table import table
from assay.families.science.learning.head import Batch
from assay.families.science.learning.shape import begin

DOSE = dose(train=3000, tune=300, calibration=1, test=1500)
QUICK = {"epochs": 2, "batch": 32, "hidden": (8, 8)}


def small_tasks(place):
    """Return a small task of each domain; ``place`` is where a table is written."""
    rng = np.random.Generator(np.random.PCG64(2))
    rows = ["a,b,y"]
    for a, b in rng.normal(size=(150, 2)).tolist():
        y = a - b
        rows.append(f"{a},{b},{'<-1' if y < -1 else y}")
    path = place / "table.csv"
    path.write_text("\n".join(rows))
    return {
        "dose": dose(train=80, tune=20, calibration=5, test=30),
        "rf": rf(train=6, tune=3, calibration=2, test=2),
        "ik": ik(train=40, tune=10, calibration=5, test=20),
        "table": table(path=path, target="y", censored="below"),
    }


def shuffled(samples):
    """Return samples with the targets of others: nothing is left to learn."""
    places = np.random.Generator(np.random.PCG64(0)).permutation(len(samples))
    return [
        Sample(id=s.id, input=s.input, target=samples[i].target)
        for s, i in zip(samples, places, strict=True)
    ]


def values_only(samples):
    """Return the samples that have a value."""
    return [s for s in samples if isinstance(s.target, Answer)]


def batch_of(head, rng, rows=12, networks=2):
    """Return what a stack says, its hidden layers, its own parameters and a batch, as float64 tensors."""
    import torch

    kind = rng.integers(0, head.reasons + 1, (networks, rows))
    there = (kind == 0).astype(float)
    y = rng.normal(size=(networks, rows, head.width)) * there[..., None]
    out = torch.tensor(rng.normal(size=(networks, rows, head.outputs)))
    hidden = torch.tensor(rng.normal(size=(networks, rows, 4)))
    begun = [begin(head.parts(4), seed) for seed in range(networks)]
    own = {
        name: torch.tensor(np.stack([one[name] for one in begun]) + 0.3 * rng.normal(size=shape))
        for name, shape in ((part.name, part.shape) for part in head.parts(4))
    }
    batch = Batch(y=torch.tensor(y), there=torch.tensor(there), kind=torch.tensor(kind))
    return out, hidden, own, batch


def check_gradients(head, seed=0):
    """Hold the gradient of a head's loss to differences, in everything that it depends on."""
    import torch

    rng = np.random.Generator(np.random.PCG64(seed))
    out, hidden, own, batch = batch_of(head, rng)
    names = list(own)

    def loss(out, hidden, *parts):
        return head.loss(out, hidden, dict(zip(names, parts, strict=True)), batch)

    given = [t.clone().requires_grad_() for t in (out, hidden, *own.values())]
    assert torch.autograd.gradcheck(loss, given, eps=1e-6, atol=1e-6, rtol=1e-4)
