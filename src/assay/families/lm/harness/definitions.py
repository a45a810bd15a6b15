"""Tasks of the harness made from their definitions, with data from files or a pinned revision of the Hub."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from assay import DataError, PlanError

from ..extras import harness
from .catalogue import Leaf
from .local import Splits, found_splits

_UNREADABLE = (KeyError, IndexError, TypeError, ValueError, AttributeError, OSError)

Definition: TypeAlias = Any
"""A ``ConfigurableTask`` of lm-evaluation-harness; it ships no types."""


TEMPLATES = 512
"""Templates that stay compiled: a task has about three."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How a task is asked."""

    fewshot: int | None
    """Examples before each question; None leaves what the task's file says, 0 where it says nothing."""

    set_aside: int
    """Rows at the end of the data from which examples are taken, where the data has no other split for them."""

    data: Path | None
    revision: str
    seed: int


def define(leaf: Leaf, asking: Asking) -> Definition:
    """Return the harness's own task, its data loaded and its examples seeded.

    Examples from rows that are set aside are the first of them for every question.  Raises ``DataError``
    A200 where the data is not at hand, or lacks the columns that the task reads.
    """
    _compile_once()
    config = dict(leaf.config) | {"task": leaf.name}
    if asking.fewshot is not None:
        config["num_fewshot"] = asking.fewshot
    splits = found_splits(asking.data, config) if asking.data is not None else None
    if splits is not None:
        config |= _offline(config, splits, asking, leaf.name)
    elif asking.revision:
        config["dataset_kwargs"] = dict(config.get("dataset_kwargs") or {}) | {
            "revision": asking.revision
        }
    else:
        raise DataError(
            f"the data of {leaf.name} is not at hand: {config.get('dataset_path')} ({config.get('dataset_name') or 'default'})",
            where=str(asking.data or "ASSAY_DATA is not set"),
            hint="put its rows there as JSON Lines (docs/families/lm.md says how), or pin a revision of the Hub",
        )
    try:
        with _quiet():
            made = harness("lm_eval.api.task").ConfigurableTask(config=config)
    except (*_UNREADABLE, harness("jinja2").TemplateError) as error:
        raise DataError(
            f"lm-evaluation-harness cannot read the data of {leaf.name}: {type(error).__name__}: {str(error)[:300]}",
            where=str(asking.data or config.get("dataset_path")),
            hint="compare the columns with those that the task's file names",
        ) from error
    made.set_fewshot_seed(asking.seed)
    return made


def _offline(
    config: Mapping[str, Any], splits: Splits, asking: Asking, name: str
) -> dict[str, Any]:
    """Return what has to change in a definition whose data comes from files."""
    asked = next(
        (s for s in (config.get("test_split"), config.get("validation_split")) if s in splits), None
    )
    if asked is None:
        raise DataError(
            f"the files have no split that {name} is asked on: {', '.join(splits) or 'none'}",
            where=str(asking.data),
            hint=f"add {config.get('test_split') or config.get('validation_split')}.jsonl",
        )
    wanted = config.get("num_fewshot") or 0
    own = (config.get("fewshot_config") or {}).get("samples")
    source = (
        config.get("fewshot_split")
        or config.get("training_split")
        or config.get("validation_split")
    )
    has = {split: rows for split, rows in splits.items() if rows}
    changed: dict[str, Any] = {"test_split": None, "validation_split": None, "training_split": None}
    changed["test_split" if asked == config.get("test_split") else "validation_split"] = asked
    if not wanted and own is None:
        changed["fewshot_split"] = None
    elif own is None:
        if source in has and source != asked:
            changed["fewshot_split"] = source
        else:
            rows = has[asked]
            if not wanted <= asking.set_aside < len(rows):
                raise PlanError(
                    f"{name} wants {wanted} examples, and the data has no split for them",
                    where="options.set_aside",
                    hint=f"set aside at least {wanted} rows, or set fewshot: 0",
                    code="A104",
                )
            has["set_aside"], has[asked] = rows[-asking.set_aside :], rows[: -asking.set_aside]
            changed |= {"fewshot_split": "set_aside", "fewshot_config": {"sampler": "first_n"}}
    datasets = harness("datasets")
    made = {split: datasets.Dataset.from_list(rows) for split, rows in has.items()}
    return changed | {"custom_dataset": lambda **_: made, "dataset_kwargs": None}


def _compile_once() -> None:
    """Keep what the harness's templates compile to: it compiles each anew for every question and example."""
    environment = harness("lm_eval.utils").env
    if not hasattr(environment.from_string, "cache_info"):
        environment.from_string = lru_cache(maxsize=TEMPLATES)(environment.from_string)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the harness's remarks on its own files to itself, and bars off the terminal."""
    logger = logging.getLogger("lm_eval")
    before = logger.level
    logger.setLevel(logging.ERROR)
    harness(
        "datasets"
    ).disable_progress_bars()  # its maps are lazy: they run whenever they are looked at
    try:
        yield
    finally:
        logger.setLevel(before)
