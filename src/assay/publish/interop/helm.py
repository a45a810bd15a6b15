"""Runs of HELM: ``per_instance_stats.json`` beside ``run_spec.json`` and ``scenario_state.json``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...core.claim import Published
from ...core.record import Cell
from ...core.reply import Answer, Crash, Failed, Reply, Said, Usage
from ...core.sample import Sample
from ...core.verdict import Check
from ...engine.foreign import Number, Row
from .reading import amount, below, count, inner, number, read_json, want, wrong

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
    where: str = ""
    notes: list[str] = field(default_factory=list)
    versions: Mapping[str, str] = field(default_factory=dict)
    lower: frozenset[str] = frozenset()
    tool: str = "HELM"

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that is read."""
        names = ("run_spec.json", "per_instance_stats.json", "scenario_state.json", "stats.json")
        return tuple(p for f in self.folders for n in names if (p := f / n).is_file())

    def rows(self) -> Iterator[Row]:
        """Yield every instance without a perturbation; a train trial is a seed."""
        for folder, spec in zip(self.folders, self.specs, strict=True):
            path = folder / "per_instance_stats.json"
            if not path.is_file():
                continue
            states = _states(folder)
            moved, decides = 0, ""
            listed = want(read_json(path), list, "a list", str(path))
            for i, one in enumerate(listed):
                self.where = f"{path}#[{i}]"
                want(one, dict, "an object", self.where)
                if one.get("perturbation"):
                    moved += 1
                    continue
                stats = _stats(one, self.where)
                decides = decides or self._decides(stats)
                yield self._row(spec, one, stats, decides, states)
            if moved:
                self.notes.append(f"{folder.name}: {moved:,} perturbed instances are left out")

    def _decides(self, stats: Mapping[str, float]) -> str:
        for name in (self.metric,) if self.metric else DECIDES:
            if name in stats:
                return name
        hint = f"name one with --set metric=...: {', '.join(stats)}"
        raise wrong("no metric says what is right", self.where, hint)

    def _row(
        self,
        spec: Mapping[str, Any],
        one: Mapping[str, Any],
        stats: Mapping[str, float],
        decides: str,
        states: Mapping[tuple[str, int], Mapping[str, Any]],
    ) -> Row:
        name = str(one.get("instance_id") or "")
        trial = count(one.get("train_trial_index", 0), "train_trial_index", self.where) or 0
        state = states.get((name, trial), {})
        cell = Cell(task=_task(spec), system=_model(spec), seed=trial, split="test")
        sample = _sample(name, state, self.where)
        if decides not in stats:
            raise wrong(f"this instance has no {decides}", self.where, "mend the log")
        value = stats[decides]
        result = inner(state, "result", dict, self.where)
        said: Said = Answer(_text(result, state, self.where))
        check: Check | None = None
        if result and not result.get("success", True):
            said = Crash("request_failed", str(result.get("error", "")))
        elif result and not result.get("completions"):
            said = Failed("no_completion")
        elif value in (0.0, 1.0):
            check = Check(passed=value == 1.0)
        else:
            check = Check(passed=None, scores={decides: value})
        runtime = stats.get("inference_runtime")
        usage = Usage(
            latency_s=amount(runtime, "inference_runtime", self.where),
            tokens_in=count(stats.get("num_prompt_tokens"), "num_prompt_tokens", self.where),
            tokens_out=count(stats.get("num_output_tokens"), "num_output_tokens", self.where),
        )
        return cell, sample, Reply(sample.id, said, usage), check

    def numbers(self) -> Iterator[Number]:
        """Yield the known metrics of every run that has stats and no instances."""
        for folder, spec in zip(self.folders, self.specs, strict=True):
            path = folder / "stats.json"
            if (folder / "per_instance_stats.json").is_file() or not path.is_file():
                continue
            cell = Cell(task=_task(spec), system=_model(spec), seed=0, split="test")
            for one in want(read_json(path), list, "a list", str(path)):
                name = inner(one, "name", dict, str(path))
                wanted = name.get("name") in (self.metric, *DECIDES) and "mean" in one
                if wanted and name.get("split") == "test" and not name.get("perturbation"):
                    value = number(one["mean"], str(name["name"]), str(path))
                    said = Published(value=value, source=f"HELM, {folder.name}/stats.json")
                    yield cell, str(name["name"]), said


def _states(folder: Path) -> dict[tuple[str, int], Mapping[str, Any]]:
    """Return what was asked and said, by instance and trial; empty without that file."""
    path = folder / "scenario_state.json"
    if not path.is_file():
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


def _task(spec: Mapping[str, Any]) -> str:
    """Return a run's name without its model: ``mmlu:subject=anatomy``."""
    name, _, arguments = spec["name"].partition(":")
    kept = [a for a in arguments.split(",") if a and not re.match(r"model(_deployment)?=", a)]
    return f"{name}:{','.join(kept)}" if kept else name


def _model(spec: Mapping[str, Any]) -> str:
    return str(spec["adapter_spec"]["model"])


def read(path: Path, *, metric: str = "") -> HelmLog:
    """Open HELM's runs: a folder with ``run_spec.json`` in or below it.

    ``metric`` decides right or wrong.
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
    return HelmLog(folders=folders, specs=specs, metric=metric)
