"""What somebody says of a model that is to be measured."""

from __future__ import annotations

from dataclasses import dataclass, field

from .naming import model_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantization:
    """One form of the model, which becomes one system of the plan."""

    name: str
    format: str
    """One of ``keys.FORMATS``."""

    file: str | None = None
    """A path inside the source; None where the source names it, or for all files of the model."""

    source: str | None = None
    """Where the files are; None for the submission's ``hf_repo``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the sender wishes; nothing of it changes a number."""

    priority: str = "standard"
    skip_safety: bool = False
    edge_devices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What the file says; every text is somebody else's."""

    name: str
    hf_repo: str
    revision: str | None
    """As it is written: a commit where it is pinned, or a branch."""

    parameters: int
    family: str = ""
    architecture: str = ""
    """Empty, as the family, where the short form leaves it out: a board needs both."""

    version: str | None = None
    context_length: int | None = None
    license: str | None = None
    quantizations: tuple[Quantization, ...]
    categories: tuple[str, ...] = ()
    submitted_by: str | None = None
    submitted_date: str | None = None
    contact: str | None = None
    testing: Wishes = field(default_factory=Wishes)

    @property
    def id(self) -> str:
        """What the board calls it."""
        return model_id(self.name)
