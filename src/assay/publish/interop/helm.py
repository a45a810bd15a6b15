"""Runs of HELM: ``per_instance_stats.json`` beside ``run_spec.json`` and ``scenario_state.json``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...core.claim import Published
from ...core.record import Cell
from ...core.reply import Answer, Crash, Failed, Reply, Said, Usage
from ...core.sample import Sample
from ...core.verdict import Check
from ...engine.foreign import Number, Row
from .deciding import Deciding, Means
from .reading import amount, below, beside, count, inner, number, read_json, want, wrong

DECIDES = (
    "exact_match",
    "quasi_exact_match",
    "final_number_exact_match",
    "math_equiv_chain_of_thought",
    "math_equiv",
    "classification_accuracy",
    "f1_score",
)
"""What says right or wrong, the first that a run has; another with ``--set metric=...``."""


@dataclass(slots=True, kw_only=True)
class HelmLog:
    """Every run below a path."""

    folders: Sequence[Path]
    specs: Sequence[Mapping[str, Any]]
    metric: str
    split: str = ""
    where: str = ""
    notes: list[str] = field(default_factory=list)
    versions: Mapping[str, str] = field(default_factory=dict)
    lower: frozenset[str] = frozenset()
    tool: str = "HELM"
    deciding: Deciding = field(default_factory=Deciding)
    means: Means = field(default_factory=Means)

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that is read."""
        names = ("run_spec.json", "per_instance_stats.json", "scenario_state.json", "stats.json")
        return tuple(p for f in self.folders for n in names if (p := beside(f, n)))

    def rows(self) -> Iterator[Row]:
        """Yield every instance of one split, without a perturbation; a train trial is a seed."""
        parts = [
            (folder, spec)
            for folder, spec in zip(self.folders, self.specs, strict=True)
            if beside(folder, "per_instance_stats.json")
        ]
        for folder, spec in parts:
            for _, stats in self._instances(folder)[0]:
                self.deciding.see(_task(spec), stats[self._decides(_task(spec), stats)])
        for folder, spec in parts:
            states = _states(folder)
            instances, split = self._instances(folder, tell=True)
            for one, stats in instances:
                yield self._row(spec, one, stats, states)
            self._check_mean(folder, spec, split)

    def _instances(
        self, folder: Path, *, tell: bool = False
    ) -> tuple[Iterator[tuple[dict[str, Any], dict[str, float]]], str]:
        """Return the instances that are taken, with their stats, and the split that they are of."""
        path = folder / "per_instance_stats.json"
        given = list(enumerate(want(read_json(path), list, "a list", str(path))))
        moved, splits = 0, Counter[str]()
        for i, one in given:
            if want(one, dict, "an object", f"{path}#[{i}]").get("perturbation"):
                moved += 1
            else:
                splits[_split(one, f"{path}#[{i}]")] += 1
        ours = _chosen(splits, self.split)
        if moved and tell:
            self.notes.append(f"{folder.name}: {moved:,} perturbed instances are left out")
        for split, n in sorted(splits.items()) if tell else ():
            if split != ours:
                self.notes.append(
                    f"{folder.name}: {n:,} instances of the split {split!r} are left out, "
                    f"{ours!r} is taken; another one with --set split=..."
                )

        def taken() -> Iterator[tuple[dict[str, Any], dict[str, float]]]:
            for i, one in given:
                self.where = f"{path}#[{i}]"
                if not one.get("perturbation") and _split(one, self.where) == ours:
                    yield one, _stats(one, self.where)

        return taken(), ours

    def _decides(self, task: str, stats: Mapping[str, float]) -> str:
        """Return what decides: the same for every run of a task, which else cannot be compared."""
        wanted = (self.metric,) if self.metric else DECIDES
        if (known := self.deciding.by.get(task)) is not None:
            wanted = (known,)
        for name in wanted:
            if name in stats:
                self.deciding.by[task] = name
                return name
        hint = f"name one that all have with --set metric=...: {', '.join(stats)}"
        what = f"this instance has no {known}" if known else "no metric says what is right"
        raise wrong(what, self.where, hint)

    def _row(
        self,
        spec: Mapping[str, Any],
        one: Mapping[str, Any],
        stats: Mapping[str, float],
        states: Mapping[tuple[str, int], Mapping[str, Any]],
    ) -> Row:
        name = str(one.get("instance_id") or "")
        trial = count(one.get("train_trial_index", 0), "train_trial_index", self.where) or 0
        state = states.get((name, trial), {})
        task, system = _task(spec), _model(spec)
        cell = Cell(task=task, system=system, seed=trial, split="test")
        sample = _sample(name, state, self.where)
        value = stats[self._decides(task, stats)]
        result = inner(state, "result", dict, self.where)
        said: Said = Answer(_text(result, state, self.where))
        check: Check | None = None
        if result and not result.get("success", True):
            said = Crash("request_failed", str(result.get("error", "")))
        elif result and not result.get("completions"):
            said = Failed("no_completion")
            if task not in self.deciding.scored:
                self.means.add(task, system, 0.0, str(trial))
        else:
            check = self.deciding.check(task, value, {})
            self.means.add(task, system, value, str(trial))
        runtime = stats.get("inference_runtime")
        usage = Usage(
            latency_s=amount(runtime, "inference_runtime", self.where),
            tokens_in=count(stats.get("num_prompt_tokens"), "num_prompt_tokens", self.where),
            tokens_out=count(stats.get("num_output_tokens"), "num_output_tokens", self.where),
        )
        return cell, sample, Reply(sample.id, said, usage), check

    def _check_mean(self, folder: Path, spec: Mapping[str, Any], split: str) -> None:
        """Say where HELM's own number is not what its instances come to."""
        decides = self.deciding.by.get(_task(spec))
        for name, mean in _known(folder, split) if beside(folder, "stats.json") else ():
            if name == decides:
                self.notes.extend(self.means.differs(_task(spec), _model(spec), name, mean))

    def numbers(self) -> Iterator[Number]:
        """Yield the known metrics of every run that has stats and no instances."""
        for folder, spec in zip(self.folders, self.specs, strict=True):
            path = folder / "stats.json"
            if beside(folder, "per_instance_stats.json") or not beside(folder, path.name):
                continue
            cell = Cell(task=_task(spec), system=_model(spec), seed=0, split="test")
            for name, mean in _known(folder, self.split):
                if name in (self.metric, *DECIDES):
                    value = number(mean, name, str(path))
                    said = Published(value=value, source=f"HELM, {folder.name}/stats.json")
                    yield cell, name, said


def _chosen(splits: Collection[str], asked: str) -> str:
    """Return the split that is taken: HELM asks two, and has numbers for each by itself."""
    return asked or ("test" if "test" in splits or not splits else min(splits))


def _known(folder: Path, split: str) -> list[tuple[str, Any]]:
    """Return the means of a run over its unperturbed instances of one split."""
    path = folder / "stats.json"
    found: dict[str, list[tuple[str, Any]]] = {}
    for one in want(read_json(path), list, "a list", str(path)):
        name = inner(one, "name", dict, str(path))
        if "mean" in one and not name.get("perturbation") and not name.get("sub_split"):
            means = found.setdefault(str(name.get("split") or ""), [])
            means.append((str(name.get("name")), one["mean"]))
    return found.get(_chosen(found, split), [])


def _states(folder: Path) -> dict[tuple[str, int], Mapping[str, Any]]:
    """Return what was asked and said, by instance and trial; empty without that file."""
    path = beside(folder, "scenario_state.json")
    if path is None:
        return {}
    value = want(read_json(path), dict, "an object", str(path))
    found: dict[tuple[str, int], Mapping[str, Any]] = {}
    for i, one in enumerate(want(value.get("request_states", []), list, "a list", str(path))):
        where = f"{path}#request_states[{i}]"
        instance = want(
            want(one, dict, "an object", where).get("instance"), dict, "`instance`", where
        )
        if not instance.get("perturbation"):
            key = (
                str(instance.get("id")),
                count(one.get("train_trial_index", 0), "trial", where) or 0,
            )
            found.setdefault(key, one)
    return found


def _sample(name: str, state: Mapping[str, Any], where: str) -> Sample:
    instance = inner(state, "instance", dict, where)
    right = [
        inner(r, "output", dict, where).get("text")
        for r in inner(instance, "references", list, where)
        if "correct" in inner(r, "tags", list, where)
    ]
    target = Answer(right[0]) if len(right) == 1 else Answer(right or None)
    return Sample(id=name, input=inner(instance, "input", dict, where).get("text"), target=target)


def _text(result: Mapping[str, Any], state: Mapping[str, Any], where: str) -> str | None:
    completions = inner(result, "completions", list, where)
    said = want(completions[0], dict, "an object", where).get("text") if completions else None
    mapping = state.get("output_mapping")
    if isinstance(said, str) and isinstance(mapping, dict):
        return str(mapping.get(said.strip(), said))
    return said if isinstance(said, str) else None


def _stats(one: Mapping[str, Any], where: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for stat in want(one.get("stats"), list, "`stats`, a list,", where):
        name = inner(stat, "name", dict, where).get("name")
        if isinstance(name, str) and stat.get("count") and "mean" in stat:
            found.setdefault(name, number(stat["mean"], name, where))
    return found


def _split(one: Mapping[str, Any], where: str) -> str:
    """Return the split of an instance, which its stats name."""
    for stat in want(one.get("stats"), list, "`stats`, a list,", where):
        if (split := inner(stat, "name", dict, where).get("split")) is not None:
            return str(split)
    return ""


def _task(spec: Mapping[str, Any]) -> str:
    """Return a run's name without its model: ``mmlu:subject=anatomy``."""
    name, _, arguments = spec["name"].partition(":")
    kept = [a for a in arguments.split(",") if a and not re.match(r"model(_deployment)?=", a)]
    return f"{name}:{','.join(kept)}" if kept else name


def _model(spec: Mapping[str, Any]) -> str:
    return str(spec["adapter_spec"]["model"])


def read(path: Path, *, metric: str = "", split: str = "") -> HelmLog:
    """Open HELM's runs: a folder with ``run_spec.json`` in or below it.

    ``metric`` decides right or wrong; ``split`` is taken, else ``test`` where a run has it.
    """
    if not path.is_dir():
        raise wrong("this is no folder", str(path), "name a folder of `helm-run`, runs/SUITE")
    folders = [spec.parent for spec in below(path, "run_spec.json")]
    if not folders:
        hint = "name a folder of `helm-run`, for example benchmark_output/runs/SUITE"
        raise wrong("there is no run_spec.json in or below this folder", str(path), hint)
    specs = []
    for folder in folders:
        spec = read_json(folder / "run_spec.json")
        adapter = spec.get("adapter_spec") if isinstance(spec, dict) else None
        if (
            not isinstance(adapter, dict)
            or "model" not in adapter
            or not isinstance(spec.get("name"), str)
        ):
            hint = "it has no `name` and `adapter_spec.model`"
            raise wrong("this is no run of HELM", str(folder / "run_spec.json"), hint)
        specs.append(spec)
    return HelmLog(folders=folders, specs=specs, metric=metric, split=split)
