"""Train zeroproofml's models of a dose with its own loop, or draw its data, inside its own environment.

    .cache/peers/zeroproofml/bin/python bench/science_peers_side.py < asked.json > measured.json

``bench/science_peers.py`` and ``bench/science_draws.py`` start it.  The request is one JSON object.

* ``"do": "train"``, ``seed``, ``train``, ``validation``, ``test`` (curves), ``epochs``, ``batch_size``, ``rate``,
  ``models`` (names; none: the sixteen that its command trains), ``restore_best``.  Its command never seeds
  torch; ``torch.manual_seed`` is called here before it makes the models, so that a seed is one.  The
  reply has seconds of CPU of the whole, and of each model's training with the evaluation of every
  epoch, which its loop does, and its own test metrics.
* ``"do": "draw"``, ``seed``, ``curves``, ``filters``, ``poses``, ``path``: write what its generators draw to an
  ``.npz`` file.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import Any

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

RESULTS = "phase17_dose_results.json"
TOLD = (
    "macro_f1",
    "finite_mae",
    "false_censored_rate_on_in_range",
    "false_in_range_rate_on_censored",
    "bottom_rate",
)


def start(torch: Any) -> None:
    """Take one step: the first loads a second's worth of torch, which no model is to be charged with."""
    layer = torch.nn.Linear(1, 1)
    rule = torch.optim.Adam(layer.parameters())
    layer(torch.ones(1, 1)).sum().backward()
    rule.step()


def train(asked: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Run its suite once; return what it cost and what its test says."""
    import torch
    from zeroproofml.benchmarks.domains import dose_suite

    torch.set_num_threads(1)
    spent: list[float] = []
    own = dose_suite.train_with_selection

    def timed(*arguments: Any, **options: Any) -> Any:
        began = time.process_time()
        log = own(*arguments, **options)
        spent.append(time.process_time() - began)
        return log

    dose_suite.train_with_selection = timed
    words = ["--out_dir", str(folder), "--seed", str(asked["seed"])]
    for option, key in OPTIONS.items():
        words += [option, str(asked[key])]
    words += ["--restore_best"] * asked["restore_best"]
    if asked["models"]:
        words += ["--with-iso", "--models", *asked["models"]]
    start(torch)
    torch.manual_seed(asked["seed"])
    began = time.process_time(), time.perf_counter()
    dose_suite.main(words)
    whole = time.process_time() - began[0], time.perf_counter() - began[1]
    told = json.loads((folder / RESULTS).read_text("utf-8"))
    return {
        "versions": {name: metadata.version(name) for name in ("zeroproofml", "torch")},
        "cpu_s": whole[0],
        "wall_s": whole[1],
        "models": {
            name: {
                "parameters": one["model_meta"]["param_count"],
                "cpu_s": cpu,
                "steps": one["train_log"]["optimizer_steps"],
                **{key: one["test_metrics"].get(key) for key in TOLD},
            }
            for (name, one), cpu in zip(told["runs"].items(), spent, strict=True)
        },
    }


OPTIONS = {
    "--n_train": "train",
    "--n_val": "validation",
    "--n_test": "test",
    "--epochs": "epochs",
    "--batch_size": "batch_size",
    "--lr": "rate",
}


def draw(asked: dict[str, Any]) -> dict[str, Any]:
    """Write what its generators draw: inputs, labels, and for poses the determinant."""
    import numpy as np
    from zeroproofml.benchmarks.domains import dose_dataset, rr_ik_dataset
    from zeroproofml.benchmarks.domains.rf_support import dataset

    seed, filters = asked["seed"], asked["filters"]
    x, y = dose_dataset.make_split(dose_dataset.DoseDataConfig(seed=seed), n=asked["curves"])
    found = {"dose_x": x.numpy(), "dose_y": y.numpy()}
    config = dataset.RFResonatorDataConfig(
        seed=seed, n_filters_train=filters, n_filters_test=filters, q_max_test=500.0
    )
    train, _, test = dataset.make_rf_resonator_datasets(config)
    for name, split in (("train", train), ("test", test)):
        found[f"rf_{name}_x"], found[f"rf_{name}_y"] = (t.numpy() for t in split.tensors[:2])
    rr_ik_dataset.set_global_seed(seed)
    arms = rr_ik_dataset.RRDatasetGenerator(rr_ik_dataset.RobotConfig())
    rows = arms.generate_dataset(n_samples=asked["poses"], force_exact_singularities=True)
    names = ("theta1", "theta2", "dx", "dy", "dtheta1", "dtheta2", "det_J")
    for name, part in arms.stratify_split(rows).items():
        found[f"ik_{name}"] = np.array([[getattr(row, key) for key in names] for row in part])
    np.savez(asked["path"], **found)
    return {"drawn": {name: len(values) for name, values in found.items()}}


def main() -> None:
    # It prints where it writes.  That goes to stderr; stdout holds the reply alone.
    reply = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    asked = json.load(sys.stdin)
    match asked["do"]:
        case "draw":
            said = draw(asked)
        case "train":
            with tempfile.TemporaryDirectory() as folder:
                said = train(asked, Path(folder))
        case other:
            sys.exit(f"unknown request {other!r}")
    reply.write(json.dumps(said) + "\n")
    reply.close()


if __name__ == "__main__":
    main()
