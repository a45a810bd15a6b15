"""What a network came to while it learnt, as a metric log beside it."""

from __future__ import annotations

from math import isfinite
from pathlib import Path

from assay.logs import line_of, metric_log_record

from .kept import Network, replace_file

LOG = "training.jsonl"


def write_training_log(folder: Path, network: Network, *, head: str, seed: int) -> None:
    """Write loss and tune score of each epoch of the network that was kept; both are better low.

    A loss that was no number is logged as not measured.  The log is a function of the network.
    """
    context = {
        "head": head,
        "seed": seed,
        "rate": network.facts["rate"],
        "decay": network.facts["decay"],
    }
    lines = [
        line_of(
            metric_log_record(
                {"loss": _finite(line["loss"]), "tune_score": _finite(line["score"])},
                phase="train",
                step=line["epoch"],
                context=context,
                record_type="epoch",
            ),
            {"loss": "lower", "tune_score": "lower"},
        )
        for line in network.facts["log"]
    ]
    replace_file(folder / LOG, b"".join(lines))


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
