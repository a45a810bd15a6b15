"""The tier file: which models, from where, in which precisions, and what each must reach.

*Covered*: keys and values that cannot be, with the nearest that can; a size outside its tier; a precision
whose bits or blocks are not those of its method; a level or a criterion that is not there.  *Not covered*:
what a file really holds: ``listed`` compares that with the head of the file once it is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from assay import PlanError
from assay.documents import Read, nearest, read_yaml

from ..agreeing.limits import NAMES

TierName: TypeAlias = Literal["nano", "micro", "small", "medium", "large"]
Method: TypeAlias = Literal["f32", "f16", "bf16", "q8", "q4", "q4_k", "q6_k"]

TIERS: Mapping[str, tuple[float, float]] = {
    "nano": (0.0, 50e6),
    "micro": (50e6, 150e6),
    "small": (150e6, 500e6),
    "medium": (0.5e9, 3e9),
    "large": (3e9, 7e9),
}
"""Parameters, from and up to."""

METHODS: Mapping[str, tuple[int, int | None]] = {
    "f32": (32, None),
    "f16": (16, None),
    "bf16": (16, None),
    "q8": (8, None),
    "q4": (4, 32),
    "q4_k": (4, 256),
    "q6_k": (6, 256),
}
"""Bits of a number, and numbers of a block; None: no blocks, or one scale for the whole tensor."""

NEAR = 0.1
"""By how much, of the larger, the parameters of a file may differ from those that are listed."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,39}")
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([KMB])")


def _named(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("a name has letters, digits, '.', '_', '+' and '-', at most 40 of them")
    return text


def count_of(text: str) -> int:
    """Return how many parameters a text says.

    >>> count_of("135M"), count_of("1.5B")
    (135000000, 1500000000)
    """
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError("write it as 135M or 1.5B")
    return round(float(found[1]) * {"K": 1e3, "M": 1e6, "B": 1e9}[found[2]])


def _size(text: str) -> str:
    count_of(text)
    return text


def _confidence(value: float) -> float:
    if value != 0.95:
        raise ValueError("every interval of assay is one of 95 %: write 0.95, or leave it out")
    return value


Name = Annotated[str, AfterValidator(_named)]
Size = Annotated[str, AfterValidator(_size)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Level(_Strict):
    """A precision that models are converted to."""

    id: Name
    method: Method
    bits: int
    block_size: int | None = None
    description: str = ""
    limits: dict[str, float | None] = {}
    """Of the gate, where they are not the usual ones; null: no limit."""


class Model(_Strict):
    """A model."""

    id: Name
    source: str
    files: list[str] = []
    """Of the source; none: all that can be read."""

    format: Literal["gguf", "safetensors", "apr"]
    params: Size
    architecture: str
    tier: TierName
    licence: str = ""
    description: str = ""
    quantisations: Annotated[list[Name], Field(min_length=1)]
    chat: Literal["template", "plain"] = "template"

    @property
    def count(self) -> int:
        """Parameters, as listed."""
        return count_of(self.params)


class Validation(_Strict):
    """What every converted model is asked, and must reach."""

    task: str = "supply.sanity"
    options: dict[str, Any] = {}
    min_prompts: Annotated[int, Field(ge=1)] = 5
    """For each criterion: with fewer it says nothing."""

    confidence: Annotated[float, AfterValidator(_confidence)] = 0.95
    """Of every interval: assay has one."""

    timeout_seconds: Annotated[float, Field(gt=0, le=3600)] = 30.0
    max_tokens: Annotated[int, Field(ge=1, le=100_000)] = 64
    blocks: Annotated[int, Field(ge=1, le=200)] = 7
    """Of the timing pass, in each of three processes; with fewer than 7 speeds have no interval."""

    criteria: dict[str, Share] = {}
    """A metric of the task to what it must at least be."""


class TierFile(_Strict):
    """The file."""

    name: Name
    says: str = ""
    lock: Path = Field(Path("models.lock"), strict=False)
    """Relative to the folder of the file."""

    evict: bool = False
    """Whether a model leaves the cache when it has passed."""

    quantisations: Annotated[list[Level], Field(min_length=1)]
    models: Annotated[list[Model], Field(min_length=1)]
    validation: Validation = Validation()

    def level(self, name: str) -> Level:
        """Return a precision."""
        return next(level for level in self.quantisations if level.id == name)


def read_tiers(path: Path) -> Read[TierFile]:
    """Read a tier file and check all that can be checked before anything is fetched.

    Raises ``PlanError`` like ``load_plan``: A100 to A105 for the file; A102 for a size outside its tier and
    a precision that contradicts its method; A103 for a level, a limit or a criterion that is not there;
    A104 for what stands twice, and for too few prompts.
    """
    read = read_yaml(
        path,
        TierFile,
        what="tier file",
        begins="begin with `name:` and `models:`",
        page="docs/families/supply.md",
    )
    file = read.value
    _once(read, "quantisations", [level.id for level in file.quantisations])
    _once(read, "models", [model.id for model in file.models])
    for at, level in enumerate(file.quantisations):
        _check_level(read, at, level)
    for at, model in enumerate(file.models):
        _check_model(read, at, model)
    return read


def _check_level(read: Read[TierFile], at: int, level: Level) -> None:
    bits, block = METHODS[level.method]
    for key, said, wanted in (("bits", level.bits, bits), ("block_size", level.block_size, block)):
        if said != wanted and not (key == "block_size" and said is None):
            raise PlanError(
                f"{level.id}: {level.method} has {key} {wanted or 'none'}, not {said}",
                where=read.where("quantisations", at, key),
                hint=f"write {key}: {wanted}" if wanted else f"leave {key} out",
                code="A102",
            )
    for name in level.limits:
        if name not in NAMES:
            raise _unknown(read.where("quantisations", at, "limits"), "limit", name, NAMES)


def _check_model(read: Read[TierFile], at: int, model: Model) -> None:
    low, high = TIERS[model.tier]
    if not low <= model.count <= high:
        right = tier_of(model.count)
        raise PlanError(
            f"{model.id} has {model.params} parameters, and {model.tier} is "
            f"{spell(low)} to {spell(high)}",
            where=read.where("models", at, "tier"),
            hint=f"write tier: {right}" if right else "no tier is that large or small",
            code="A102",
        )
    levels = [level.id for level in read.value.quantisations]
    for place, name in enumerate(model.quantisations):
        if name not in levels:
            where = read.where("models", at, "quantisations", place)
            raise _unknown(where, "quantisation", name, levels)
    _once(read, f"models[{at}].quantisations", model.quantisations)


def tier_of(count: float) -> str | None:
    """Return the tier of a number of parameters; None for none.

    >>> tier_of(135e6), tier_of(1.3e9), tier_of(70e9)
    ('micro', 'medium', None)
    """
    return next((name for name, (low, high) in TIERS.items() if low <= count <= high), None)


def spell(count: float) -> str:
    """Return a number of parameters as tier files write it.

    >>> spell(134_515_008), spell(1.5e9)
    ('135M', '1.5B')
    """
    if count >= 1e9:
        return f"{count / 1e9:.3g}B"
    return f"{count / 1e6:.3g}M" if count >= 1e6 else f"{count / 1e3:.3g}K"


def _once(read: Read[TierFile], what: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise PlanError(
                f"{name} stands twice under {what}",
                where=read.where(what.partition("[")[0]),
                hint="give each a name of its own",
                code="A104",
            )


def _unknown(where: str, what: str, name: str, known: Any) -> PlanError:
    hint = nearest(name, list(known))
    return PlanError(f"there is no {what} {name!r}", where=where, hint=hint, code="A103")
