"""Task files: the YAML of single-shot-eval in both of its forms, and what it never let one say.

*Covered*: unknown keys, wrong types, contradictions, each with its line.  *Not covered*: templates that rows do not fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, cast, get_args

from pydantic import BaseModel, ConfigDict, Field

from assay import PlanError
from assay.documents import Read, nearest, read_yaml
from assay.templates import check, fields

RUNS = 5  # of what is drawn, where neither file nor command says another number

Metric: TypeAlias = Literal["accuracy", "f1", "exact_match", "bleu", "rouge_l"]
Beside: TypeAlias = Literal["cost", "latency"]
"""What the README of single-shot-eval counts as metrics, and every run measures."""

PROGRAM = ("python_code", "signature", "public_tests")
"""What a question of a compiler task holds."""
MOST_MS = 1_000_000_000


class Strict(BaseModel):
    """A part of a task file.  Unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class About(Strict):
    """What the task is."""

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,59}$")
    description: str = ""
    domain: str = ""
    version: str | int | float = ""


class Evaluation(Strict):
    """How it is measured."""

    metric: Metric | None = None
    metrics: list[Metric | Beside] = []
    samples: int = Field(default=1000, ge=1)
    timeout_ms: int | None = Field(default=None, ge=1, le=MOST_MS)
    runs: int | None = Field(default=None, ge=1, le=1000)


class Prompts(Strict):
    """What a model is told."""

    system: str
    user_template: str


class GroundTruth(Strict):
    """What is right."""

    type: Literal["compiler", "label", "text"] | None = None
    run_tests: bool = True
    source: str | None = None
    label_key: str | None = None
    group_key: str | None = None


class Inference(Strict):
    """How a model is asked."""

    temperature: float = Field(default=0.0, ge=0, le=10)
    max_tokens: int = Field(default=4096, ge=1)
    timeout_ms: int | None = Field(default=None, ge=1, le=MOST_MS)
    runs: int | None = Field(default=None, ge=1, le=1000)


class Baseline(Strict):
    """A rival that the task names; it is asked where ``--baselines`` names its id."""

    id: str
    provider: str = ""
    model: str = ""
    cost_per_1m_tokens: float | None = Field(default=None, ge=0)


class Target(Strict):
    """What a small model is to reach."""

    model_size_mb: float | None = Field(default=None, gt=0)
    target_accuracy: float | None = Field(default=None, gt=0, le=1)
    target_cost_reduction: float | str | None = None
    quantization: str | None = None


class Optimization(Strict):
    """What a small model is said to need."""

    attention_heads_required: int | None = None
    context_length: Annotated[int, Field(ge=64)] | None = None
    quantization_viable: bool | None = None


class File(Strict):
    """A task file."""

    task: About
    evaluation: Evaluation
    prompts: Prompts
    ground_truth: GroundTruth
    inference: Inference = Inference()
    baselines: list[Baseline] = []
    slm_target: Target = Target()
    slm_optimization: Optimization = Optimization()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFile:
    """A task file that was read, with its defaults in place."""

    path: Path
    read: Read[File]
    metric: Metric
    """The headline."""

    also: tuple[Metric, ...]
    timeout_s: float
    runs: int

    @property
    def file(self) -> File:
        """The keys as given."""
        return self.read.value

    @property
    def name(self) -> str:
        """What the task is called in plans."""
        return self.file.task.id

    @property
    def compiles(self) -> bool:
        """Whether a compiler judges: the file says so, or shows programs and counts right answers."""
        if self.file.ground_truth.type is not None:
            return self.file.ground_truth.type == "compiler"
        shown = fields(self.file.prompts.user_template)
        return "python_code" in shown and (self.metric, *self.also) == ("accuracy",)

    @property
    def source(self) -> Path | None:
        """The file of rows; a relative path starts at the task file's folder."""
        given = self.file.ground_truth.source
        return None if given is None else self.path.parent / given

    def unused(self) -> list[str]:
        """Return what the file says and nothing here acts on, each with the reason."""
        found = []
        target, needs = self.file.slm_target, self.file.slm_optimization
        if target.target_cost_reduction is not None:
            found.append(
                "slm_target.target_cost_reduction: nothing says what a program that is asked on "
                "the command line bills"
            )
        if target.quantization is not None:
            found.append("slm_target.quantization: the file that is loaded says what it is")
        if needs.attention_heads_required is not None:
            found.append("slm_optimization.attention_heads_required: the model has what it has")
        if needs.quantization_viable is not None:
            found.append("slm_optimization.quantization_viable: it is measured, not declared")
        if self.compiles and self.file.ground_truth.label_key is not None:
            found.append("ground_truth.label_key: a compiler judges, and no label")
        if any(baseline.cost_per_1m_tokens is not None for baseline in self.file.baselines):
            found.append(
                "baselines[].cost_per_1m_tokens: programs do not say what tokens they used"
            )
        return [f"not used: {each}" for each in found]


def read_task_file(path: Path) -> TaskFile:
    """Read a task file, in either form.

    Raises ``PlanError`` with the line: A100 unreadable or a key is missing, A101 unknown key with the
    nearest there is, A102 wrong value, A103 a field that no question has, A104 keys that contradict
    each other.

    >>> read_task_file(Path("tasks/none.yaml"))
    Traceback (most recent call last):
    assay.core.errors.PlanError: A100 the task file cannot be read: No such file or directory
      at: tasks/none.yaml
      try: check the path
    """
    read = read_yaml(
        path,
        File,
        what="task file",
        begins="begin with `task:`, `evaluation:`, `prompts:` and `ground_truth:`",
        page="docs/families/transpile.md",
    )
    metric, also = _metrics(read)
    _check_truth(read, metric, also)
    _check_prompts(read)
    evaluation, inference = read.value.evaluation, read.value.inference
    timeout = _one(read, "timeout_ms", evaluation.timeout_ms, inference.timeout_ms, 30_000)
    return TaskFile(
        path=path,
        read=read,
        metric=metric,
        also=also,
        timeout_s=timeout / 1000,
        runs=_one(read, "runs", evaluation.runs, inference.runs, RUNS),
    )


def _wrong(read: Read[File], place: Sequence[str], what: str, hint: str) -> PlanError:
    return PlanError(what, where=read.where(*place), hint=hint, code="A104")


def _metrics(read: Read[File]) -> tuple[Metric, tuple[Metric, ...]]:
    """Return the headline, and what stands beside it; cost and latency always do."""
    given = read.value.evaluation
    if given.metric is not None and given.metrics:
        hint = "keep one of them; the first of `metrics` is the headline"
        raise _wrong(read, ("evaluation", "metrics"), "metric and metrics are both given", hint)
    beside = get_args(Beside)
    named = [cast("Metric", each) for each in given.metrics if each not in beside]
    if given.metric is not None:
        named = [given.metric]
    if not named:
        hint = "write `metric: accuracy`, or `metrics: [accuracy, cost, latency]`"
        raise _wrong(read, ("evaluation",), "no metric says what is right", hint)
    return named[0], tuple(dict.fromkeys(named[1:]))


def _check_truth(read: Read[File], metric: Metric, also: Sequence[Metric]) -> None:
    truth = read.value.ground_truth
    place = ("ground_truth",)
    if truth.type is None and truth.source is None:
        hint = "write `source: rows.jsonl`, or `type: compiler`"
        raise _wrong(read, place, "nothing says what is right", hint)
    if truth.type == "compiler":
        for key in ("source", "label_key", "group_key"):
            if getattr(truth, key) is not None:
                hint = "leave it out, and name the programs with --corpus"
                raise _wrong(read, (*place, key), f"a compiler needs no {key}", hint)
        _only_accuracy(read, metric, also)
    elif "run_tests" in truth.model_fields_set:
        hint = "write `type: compiler`, or leave run_tests out"
        raise _wrong(read, (*place, "run_tests"), "only a compiler runs tests", hint)
    elif truth.source is None:
        raise _wrong(read, place, f"{truth.type} needs a source", "write `source: rows.jsonl`")


def _only_accuracy(read: Read[File], metric: Metric, also: Sequence[Metric]) -> None:
    if other := next((m for m in (metric, *also) if m != "accuracy"), None):
        key = "metric" if read.value.evaluation.metric else "metrics"
        hint = "write accuracy: the share of programs whose tests pass"
        what = f"{other} compares texts, and a compiler judges programs"
        raise _wrong(read, ("evaluation", key), what, hint)


def _check_prompts(read: Read[File]) -> None:
    prompts = read.value.prompts
    for key, text in (("system", prompts.system), ("user_template", prompts.user_template)):
        where = read.where("prompts", key)
        if read.value.ground_truth.type == "compiler":
            check(text, list(PROGRAM), where=where)
    if not fields(prompts.user_template):
        raise _wrong(
            read,
            ("prompts", "user_template"),
            "the template has no field: every question would be the same",
            "write {python_code}, or the name of a member of the rows, in braces",
        )


def check_fields(task: TaskFile, known: list[str]) -> None:
    """Raise ``PlanError`` A103, with its line, for a field of a template that rows do not have."""
    prompts = task.file.prompts
    label = task.file.ground_truth.label_key or "label"
    shown = [name for name in known if name != label]  # a prompt with the label in it asks nothing
    for key, text in (("system", prompts.system), ("user_template", prompts.user_template)):
        check(text, shown, where=task.read.where("prompts", key))
    if label not in known:
        raise PlanError(
            f"the rows of {task.file.ground_truth.source} have no {label!r}",
            where=task.read.where("ground_truth", "label_key"),
            hint=nearest(label, known),
            code="A103",
        )


def _one(read: Read[File], key: str, measured: int | None, asked: int | None, default: int) -> int:
    """Return a number that may stand in two places, and must be one number."""
    given = [value for value in (measured, asked) if value is not None]
    if len(set(given)) > 1:
        hint = "keep the one under `evaluation`"
        raise _wrong(read, ("inference", key), f"{key} is given twice, differently", hint)
    return given[0] if given else default
