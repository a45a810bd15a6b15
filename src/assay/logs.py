"""Metric logs, for whoever trains or measures: write them, read them, mirror them to TensorBoard.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     path = Path(folder) / "training.jsonl"
...     with JsonlLogger(path, better={"loss": "lower"}) as log:
...         for step, loss in enumerate([0.9, 0.4], start=1):
...             log(metric_log_record({"loss": loss}, phase="train", step=step, context={"seed": 0}))
...     [record.metrics["loss"] for record in read_metric_log(path)]
[0.9, 0.4]

A log is JSON Lines; ``assay report training.jsonl`` shows one.  The format is in ``docs/logs.md``.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .core.errors import PluginError
from .store.canon import disk_errors
from .store.metric_log import (
    SCHEMA_NAME,
    SCHEMA_VERSION,
    JsonlLogger,
    line_of,
    read_metric_log,
)
from .store.metric_record import PHASES, MetricRecord, metric_log_record

__all__ = [
    "PHASES",
    "SCHEMA_NAME",
    "SCHEMA_VERSION",
    "JsonlLogger",
    "MetricRecord",
    "TensorBoardLogger",
    "line_of",
    "metric_log_record",
    "read_metric_log",
]


class TensorBoardLogger:
    """Writes records as scalars that TensorBoard shows, one folder of events per context.

    A folder below ``folder`` is called after phase and context (``train/seed=0``); a metric keeps its
    name; a record without a step stands at step 0; what was not measured is left out.  The JSONL log
    is the record: events are 32-bit floats.

    Raises ``PluginError`` A401 where the extra ``tensorboard`` is not installed, ``RunError`` A500
    when the disk says no.
    """

    def __init__(self, folder: Path | str) -> None:
        if find_spec("tensorboard") is None:
            raise PluginError(
                "tensorboard is not installed",
                hint="pip install 'assay-eval[tensorboard]'",
                code="A401",
            )
        self._folder = Path(folder)
        self._writers: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __call__(self, record: MetricRecord) -> None:
        """Write the metrics of a record."""
        with disk_errors(self._folder):
            writer = self._writer(record)
            for name, value in record.metrics.items():
                if value is not None:
                    writer.add_scalar(name, value, record.step or 0)
            writer.flush()

    def close(self) -> None:
        """Write what is left, and close the files."""
        with disk_errors(self._folder):
            while self._writers:
                _, writer = self._writers.popitem()
                writer.close()

    def _writer(self, record: MetricRecord) -> Any:
        from tensorboard.summary import Writer

        said = "-".join(f"{name}={value}" for name, value in sorted(record.context.items()))
        # A context is any text: what could leave the folder, or hide in it, becomes a dash.
        safe = "".join(c if c.isalnum() or c in "=._-" else "-" for c in said).strip(".-")[:120]
        name = f"{record.phase}/{safe}" if safe else record.phase
        if name not in self._writers:
            self._writers[name] = Writer(str(self._folder / name))
        return self._writers[name]
