"""Networks leave the log of their epochs beside them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assay.families.science.domains.dose import dose
from assay.families.science.learning.kept import NETWORK, Network
from assay.families.science.learning.training_log import LOG, write_training_log
from assay.families.science.recipes.projective import Rational
from assay.logs import read_metric_log

FACTS = {
    "rate": 2e-3,
    "decay": 0.0,
    "log": [
        {"epoch": 1, "loss": 0.9, "score": 0.6},
        {"epoch": 2, "loss": float("nan"), "score": 0.5},
    ],
}


def test_every_epoch_is_a_line_and_what_was_no_number_is_not_measured(tmp_path: Path):
    network = Network(weights=np.zeros(1, np.float32), facts=FACTS)
    write_training_log(tmp_path, network, head="TwoHeads", seed=3)
    one, other = read_metric_log(tmp_path / LOG)
    assert (one.phase, one.record_type, one.step, other.step) == ("train", "epoch", 1, 2)
    assert dict(one.context) == {"head": "TwoHeads", "seed": 3, "rate": 2e-3, "decay": 0.0}
    assert one.metrics == {"loss": 0.9, "tune_score": 0.6}
    assert other.metrics == {"loss": None, "tune_score": 0.5}
    assert set(one.better.values()) == {"lower"}


@pytest.mark.heavy
def test_a_recipe_leaves_a_log_beside_every_network_and_makes_it_again(tmp_path: Path):
    pytest.importorskip("torch")
    task = dose(train=60, tune=20, calibration=1, test=1)
    recipe = Rational(epochs=3, hidden=(8,), batch=32, direction="frozen")

    def build(seeds):
        return recipe.build_all(
            task.samples("train"), task.samples("tune"), seeds=seeds, workdir=tmp_path
        )

    built = build([0, 1])
    logs = {p.relative_to(tmp_path): p.read_bytes() for p in tmp_path.rglob(LOG)}
    kept = {p.relative_to(tmp_path).parent for p in tmp_path.rglob(NETWORK)}
    assert {path.parent for path in logs} == kept
    assert len(kept) == 4  # two seeds, each with the trunk that it was taught on
    for path in logs:
        assert [r.step for r in read_metric_log(tmp_path / path)] == [1, 2, 3]
    scores = [r.metrics["tune_score"] for r in read_metric_log(tmp_path / "0" / LOG)]
    assert min(scores) == pytest.approx(built[0].notes["tune_score"], abs=1e-6)
    (tmp_path / "1" / LOG).unlink()
    again = build([0, 1])
    assert replace(again[0], system=None) == replace(built[0], system=None)
    assert {p.relative_to(tmp_path): p.read_bytes() for p in tmp_path.rglob(LOG)} == logs
