"""``lm.harness``: a task of lm-evaluation-harness, asked by its prompts and scored by its metrics."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

from assay import OUTCOME_METRICS, Better, Metric, PlanError, Ratio, Sample, Task

from ..extras import harness
from ..means import CUT_RATE, UNJUDGED, mean_of
from .asking import chance, has_several, samples
from .catalogue import Leaf, leaves, version
from .definitions import Asking, Definition, define
from .local import data_folder
from .verifying import HEADLINES, HarnessScores, shown

SEED = 1234
"""Of the examples, as in ``lm_eval --seed``."""


def harness_task(
    *,
    task: str,
    fewshot: int | None = None,
    set_aside: int = 0,
    data: Path | None = None,
    revision: str = "",
    seed: int = SEED,
) -> Task:
    """Ask what lm-evaluation-harness asks, and score it as it does.

    Prompts, examples, their order and the scores are the harness's own; code is run in our sandbox (its
    own executor is fetched from the network and runs it unconfined).  Data comes from JSON Lines in ``data``, or in
    ``$ASSAY_DATA``; else from the Hub at ``revision``, a commit.  Every sample is a test sample: nothing
    is there to learn from.

    >>> harness_task(task="arc_easy", fewshot=0).name  # doctest: +SKIP
    'lm.harness'

    Raises ``PlanError`` A103 for a task that the harness does not have, A102 and A104 for options that
    make no sense and for a task that asks each question several times, ``PluginError`` A401 where it is not installed; ``DataError`` A200 when samples are
    asked for and the data is not at hand.  *Not to be trusted when* a model has seen the data: all of it is public.
    """
    for name, value in (("fewshot", fewshot), ("set_aside", set_aside)):
        if value is not None and value < 0:
            raise PlanError(
                f"{name} is {value}", where=f"options.{name}", hint="give 0 or more", code="A102"
            )
    if revision and (len(revision) != 40 or set(revision) - set("0123456789abcdef")):
        raise PlanError(
            f"{revision!r} is no commit",
            where="options.revision",
            hint="give 40 hex digits: a branch or tag may move",
            code="A102",
        )
    found = leaves(task)
    _require_asked_once(found)
    asking = Asking(
        fewshot=fewshot,
        set_aside=set_aside,
        data=data_folder(data),
        revision=revision,
        seed=seed,
    )

    @cache
    def definitions() -> Mapping[str, Definition]:
        return {leaf.name: define(leaf, asking) for leaf in found}

    @cache
    def asked() -> tuple[Sample, ...]:
        return tuple(one for name, made in definitions().items() for one in samples(name, made))

    def caveats() -> tuple[str, ...]:
        # What is asked is known when the rows are read; a task may be looked at where they are not at hand.
        read = asked.cache_info().currsize > 0
        return (*_left_out(found), *((_splits(definitions(), asking),) if read else ()))

    metrics = _metrics(found)
    is_share, requests = metrics[0].name in HEADLINES, _requests(found)
    several = any(has_several(leaf.config.get("process_results")) for leaf in found)
    return Task(
        name="lm.harness",
        version=f"1 (lm-eval {version()}, {', '.join(_versions(found))})",
        says=f"{task}, as lm-evaluation-harness asks and scores it, {_shots(found, fewshot)}",
        samples=lambda split: asked() if split == "test" else (),
        verifier=HarnessScores(definitions),
        metrics=metrics,
        chance=lambda sample: (
            chance(sample, requests=requests, several=several) if is_share else None
        ),
        caveats=caveats,
    )


def _require_asked_once(found: tuple[Leaf, ...]) -> None:
    """Raise ``PlanError`` A104 for a task that draws several answers to each question, and scores them together."""
    for leaf in found:
        if (times := leaf.config.get("repeats") or 1) != 1:
            raise PlanError(
                f"{leaf.name} scores {times} answers to each question together, and one is asked for here",
                where="options.task",
                hint="take a task whose questions are asked once",
                code="A104",
            )


def _left_out(found: tuple[Leaf, ...]) -> tuple[str, ...]:
    """Return a caveat that names the scores of the harness that are no means over questions."""
    named = {
        each["metric"]
        for leaf in found
        for each in leaf.config.get("metric_list") or ()
        if isinstance(each["metric"], str) and not _is_mean(each)
    }
    if not named:
        return ()
    return (
        f"Not computed, being no means over questions: {', '.join(sorted(named))} of lm-evaluation-harness",
    )


def _is_mean(each: Mapping[str, Any]) -> bool:
    """Whether an entry of ``metric_list`` is a mean over questions; where it does not say, the harness does."""
    said = each.get("aggregation")
    if said is None:
        default = harness("lm_eval.api.registry").get_metric_aggregation(each["metric"])
        return default is None or default.__name__ == "mean"
    return bool(said == "mean")


def _shots(found: tuple[Leaf, ...], fewshot: int | None) -> str:
    """Return how many examples stand before a question; a task's own file says so where the plan does not."""
    counts = sorted({int(leaf.config.get("num_fewshot") or 0) for leaf in found})
    least, most = (counts[0], counts[-1]) if fewshot is None else (fewshot, fewshot)
    if not most:
        return "without examples"
    return f"after {most if least == most else f'{least} to {most}'} examples each"


def _splits(definitions: Mapping[str, Definition], asking: Asking) -> str:
    """Return a sentence that says which rows are asked, and which are examples."""
    asked = {one.config.test_split or one.config.validation_split for one in definitions.values()}
    shown = {one.config.fewshot_split for one in definitions.values() if one.config.num_fewshot}
    source = "local files" if asking.data else f"the Hub at {asking.revision}"
    said = f"Asked: {' and '.join(sorted(asked))} of {source}"
    if not shown:
        return said
    names = {f"{asking.set_aside} rows set aside" if s == "set_aside" else str(s) for s in shown}
    return f"{said}; examples: {' and '.join(sorted(names))}"


def _requests(found: tuple[Leaf, ...]) -> int:
    """Return how often each choice is asked for: twice where its likelihood without a context counts."""
    named = {each["metric"] for leaf in found for each in leaf.config.get("metric_list") or ()}
    return 2 if "acc_mutual_info" in {name for name in named if isinstance(name, str)} else 1


def _versions(found: tuple[Leaf, ...]) -> list[str]:
    versions = {str((leaf.config.get("metadata") or {}).get("version", "?")) for leaf in found}
    return [f"task version {each}" for each in sorted(versions)]


def _metrics(found: tuple[Leaf, ...]) -> tuple[Metric, ...]:
    """Return the mean of each score that every task of the name has, the headline first."""
    each = [_scores(leaf) for leaf in found]
    common = {name: better for name, better in each[0].items() if all(name in one for one in each)}
    order = sorted(common, key=lambda name: (_rank(name), name))
    scored = tuple(_mean(name, better=common[name]) for name in order)
    # Shares of likelihood, preferences and whole texts are neither right nor wrong.
    shares = all(has_several(leaf.config.get("process_results")) for leaf in found)
    is_judged = bool(order) and order[0] in HEADLINES and not shares
    written = all(leaf.config.get("output_type") == "generate_until" for leaf in found)
    cut = (CUT_RATE,) if written else ()
    return (*scored, *(OUTCOME_METRICS if is_judged else UNJUDGED), *cut)


def _rank(name: str) -> int:
    return HEADLINES.index(name) if name in HEADLINES else len(HEADLINES)


def _scores(leaf: Leaf) -> dict[str, bool]:
    """Return the scores of a task that are means over its questions, and whether more of each is better."""
    config = leaf.config
    if config.get("unsafe_code"):
        return {"pass@1": True}
    filters = [each["name"] for each in config.get("filter_list") or ()] or ["none"]
    return {
        shown(each["metric"], filtered, first=filters[0]): bool(each.get("higher_is_better", True))
        for each in config.get("metric_list") or ({"metric": "acc"},)
        if isinstance(each["metric"], str) and _is_mean(each)
        for filtered in filters
    }


def _mean(name: str, *, better: bool) -> Metric:
    is_share = name.startswith(("acc", "exact_match", "pass", "pct"))
    bounds = (0.0, 1.0) if is_share else (-inf, inf)
    if better:
        return mean_of(
            f"check:{name}",
            name=name,
            says=f"{name} of lm-evaluation-harness, its mean over everything asked",
            bounds=bounds,
        )
    column = f"check:{name}"
    return Metric(
        name=name,
        says=f"{name} of lm-evaluation-harness, its mean over what was answered",
        # Of pairs, half is no preference, though the harness calls less better.
        better=Better.NONE if name.startswith("pct_stereotype") else Better.LOWER,
        # Nothing would be the best there is: who does not answer has no value.
        form=Ratio(
            numerator=lambda columns: np.nan_to_num(columns[column]),
            denominator=lambda columns: (~np.isnan(columns[column])).astype(np.float64),
        ),
        columns=(column,),
        bounds=bounds,
    )
