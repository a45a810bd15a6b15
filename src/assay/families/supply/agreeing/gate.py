"""The gate: a converted file is accepted on its weights and on what it answers.

*Covered*: dropped, transposed, sign-flipped, scaled, permuted, swapped, zeroed and truncated weights; a
tokenizer that splits texts otherwise; a file that cannot be run.  *Not covered*: texts unlike those of the
prompt set, unless a plan with a task of your own is given (``How.task``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, TypeAlias, TypeVar

from assay import AssayError, DataError, PlanError

from ..passport import Number
from .flips import Ask, Turned, ready
from .limits import Limits
from .models import Model, find_model
from .numbers import farthest, of_outputs, of_states, of_weights
from .outputs import Places, compare_outputs, compare_states, read_source
from .prompts import PromptSet, read_prompts
from .speakers import Speaker
from .torch_speaker import TorchModel, is_decoder
from .weights import WeightsFound, compare_weights

Loaded = TypeVar("Loaded")
Runner: TypeAlias = Literal["transformers", "llama.cpp"]


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How the outputs are compared."""

    prompts: PromptSet | None = None
    """None: the shipped ones."""

    positions: int | None = None
    """Of each prompt; None: all, or four where llama.cpp runs the candidate."""

    runner: Runner | None = None
    """None: llama.cpp for a GGUF file, else transformers."""

    task: Ask | None = None
    """A plan whose task both are asked; None: no task."""

    tell: Callable[[str], None] = lambda _: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Everything that was found."""

    candidate: Model
    source: Model
    weights: WeightsFound
    numbers: tuple[Number, ...]
    """Of weights, then of outputs, each with its limit."""

    prompts: PromptSet
    ran: tuple[str, str]
    """What ran the candidate, and the source; empty where nothing ran."""

    stopped: str = ""
    """Why the candidate could not be run."""

    farthest: tuple[tuple[str, float], ...] = ()
    """Prompts with the largest mean KL."""

    turned: Turned | None = None
    """What became of the answers on a task; None where none was asked."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is refused, a sentence each; empty when it is accepted."""
        wrong = self.weights.wrong
        tensors = [str(one) for one in wrong[:5]]
        if len(wrong) > len(tensors):
            tensors.append(f"{len(wrong) - len(tensors)} more tensors")
        rest = [str(one) for one in self.numbers if not one.passed and one.of != "tensors"]
        return (*tensors, *([self.stopped] if self.stopped else ()), *rest)

    @property
    def accepted(self) -> bool:
        """Whether every tensor and every number keeps its limit, and the outputs were compared."""
        return not self.reasons and all(one.passed for one in self.numbers) and all(self.ran)


def validate(
    candidate: Path, source: Path, *, limits: Limits | None = None, how: How | None = None
) -> Agreement:
    """Compare a converted model with its source: tensor by tensor, then on what both answer.

    ``source`` and ``candidate`` are model files or folders.  Raises ``DataError`` A205 for a damaged file,
    ``PluginError`` A401 and A403 for what is missing.  A candidate that is whole and cannot be run is
    refused, with the reason.  With ``how.task`` both are asked the task of a plan; it is not asked of a
    candidate that cannot be run.  Raises ``PlanError`` A106 for a limit of a task without a task, and what
    ``ready`` and a run raise.

    *Not to be trusted when* the prompts are not of the kind that the model will be asked.
    """
    limits, how = limits or Limits(), how or How()
    if limits.of_a_task and how.task is None:
        raise PlanError(
            f"{limits.of_a_task[0]} is counted on a task, and no task is asked",
            where="--limit",
            hint="give a plan with --task",
            code="A106",
        )
    prompts = how.prompts or read_prompts()
    new, old = find_model(candidate), find_model(source)
    task = ready(how.task, candidate=new, source=old) if how.task is not None else None
    how.tell("comparing weights")
    weights = compare_weights(new.tensors(), old.tensors())
    numbers = of_weights(weights)
    try:
        outputs, ran, prompts_far = _outputs(new, old, prompts, limits=limits, how=how)
        stopped = ""
    except _NotRun as error:
        outputs, ran, prompts_far, stopped = (), ("", ""), (), error.why
    turned = task.turned(new, old) if task is not None and not stopped else None
    answers = turned.numbers if turned is not None else ()
    return Agreement(
        candidate=new,
        source=old,
        weights=weights,
        numbers=(*numbers, *limits.beside((*outputs, *answers))),
        prompts=prompts,
        ran=ran,
        stopped=stopped,
        farthest=prompts_far,
        turned=turned,
    )


def refused(agreement: Agreement, report: Path) -> DataError:
    """Return the error A208 of a conversion that is not accepted."""
    return DataError(
        f"REFUSED: {agreement.reasons[0]}",
        where=str(agreement.candidate.path),
        hint=f"take a finer quantisation, or state a wider limit; every number is in {report.name}",
        code="A208",
    )


class _NotRun(Exception):  # noqa: N818  (a fact about the candidate)
    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def _outputs(
    new: Model, old: Model, prompts: PromptSet, *, limits: Limits, how: How
) -> tuple[tuple[Number, ...], tuple[str, str], tuple[tuple[str, float], ...]]:
    folder = old.folder()
    how.tell("loading the source")
    theirs = TorchModel(folder)
    if not is_decoder(folder):
        how.tell("loading the candidate")
        ours = _in_torch(new)
        states = compare_states(ours, theirs, prompts.prompts)
        return of_states(states), (ours.ran, theirs.ran), ()
    runner = _runner(new, how)
    positions = how.positions or (4 if runner == "llama.cpp" else None)
    with TemporaryDirectory(prefix="assay-gate-") as spool:
        sourced = read_source(
            theirs,
            prompts.prompts,
            places=Places(positions=positions),
            folder=Path(spool),
            tell=how.tell,
        )
        del theirs  # one model in memory at a time
        how.tell("loading the candidate")
        speaker = _speaker(new, runner, vocabulary=sourced.vocabulary)
        compared = compare_outputs(speaker, sourced, k=limits.k, tell=how.tell)
    return of_outputs(compared), (speaker.ran, sourced.ran), farthest(compared)


def _runner(new: Model, how: How) -> Runner:
    if how.runner == "llama.cpp" and new.format != "gguf":
        raise PlanError(
            f"llama.cpp runs GGUF files, and this is {new.format}",
            where="--run",
            hint="write --run transformers",
            code="A106",
        )
    return how.runner or ("llama.cpp" if new.format == "gguf" else "transformers")


def _speaker(new: Model, runner: Runner, *, vocabulary: int) -> Speaker:
    if runner == "transformers":
        return _in_torch(new)
    from .llama_speaker import LlamaModel

    return _runnable(lambda: LlamaModel(new.path, vocabulary=vocabulary))


def _in_torch(new: Model) -> TorchModel:
    return _runnable(lambda: TorchModel(new.folder()))


def _runnable(load: Callable[[], Loaded]) -> Loaded:
    """Load the candidate; one that cannot be loaded is refused, what is missing here is an error."""
    try:
        return load()
    except AssayError as error:
        if error.code == "A401":
            raise
        raise _NotRun(f"it cannot be run: {error.what}") from error
