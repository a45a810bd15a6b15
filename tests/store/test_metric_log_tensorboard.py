"""Scalars for TensorBoard, read back by TensorBoard's own reader."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.logs import TensorBoardLogger, metric_log_record

pytestmark = pytest.mark.heavy
accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
tensors = pytest.importorskip("tensorboard.util.tensor_util")


def read(folder: Path) -> dict[str, list[tuple[int, float]]]:
    found = accumulators.EventAccumulator(str(folder))
    found.Reload()
    return {
        tag: [(e.step, float(tensors.make_ndarray(e.tensor_proto))) for e in found.Tensors(tag)]
        for tag in found.Tags()["tensors"]
    }


def test_the_reader_finds_every_scalar_by_context(tmp_path: Path) -> None:
    with TensorBoardLogger(tmp_path) as log:
        for seed in (0, 1):
            for step in range(3):
                metrics = {"loss": 0.5**step + seed, "f1": None if step < 2 else 0.25}
                log(metric_log_record(metrics, phase="train", step=step, context={"seed": seed}))
        log(metric_log_record({"f1": 0.75}, phase="benchmark_summary"))
    assert read(tmp_path / "train" / "seed=1") == {
        "loss": [(0, 2.0), (1, 1.5), (2, 1.25)],
        "f1": [(2, 0.25)],
    }
    assert read(tmp_path / "train" / "seed=0")["loss"] == [(0, 1.0), (1, 0.5), (2, 0.25)]
    assert read(tmp_path / "benchmark_summary") == {"f1": [(0, 0.75)]}


def test_scalars_are_there_before_the_logger_is_closed(tmp_path: Path) -> None:
    log = TensorBoardLogger(tmp_path)
    log(metric_log_record({"loss": 0.5}, phase="train", step=4))
    assert read(tmp_path / "train") == {"loss": [(4, 0.5)]}
    log.close()


def test_no_context_leaves_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "events"
    with TensorBoardLogger(folder) as log:
        log(metric_log_record({"a": 1.0}, phase="train", context={"../..": "/etc/../x"}))
    assert [p.name for p in tmp_path.iterdir()] == ["events"]
    assert len(list(folder.rglob("events.out.tfevents.*"))) == 1
