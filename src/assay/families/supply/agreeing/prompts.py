"""The texts on which two models are compared."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from pydantic import BaseModel, Field

from assay import DataError
from assay.documents import read_yaml

SHIPPED = Path(__file__).parent / "data" / "prompts.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A text that both models read."""

    id: str
    category: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptSet:
    """Some texts, and the digest of what they say."""

    name: str
    prompts: tuple[Prompt, ...]

    @property
    def sha256(self) -> str:
        """64 hex digits over ids, categories and texts, in order."""
        said = [[prompt.id, prompt.category, prompt.text] for prompt in self.prompts]
        return sha256(json.dumps(said, separators=(",", ":")).encode()).hexdigest()


class _Prompt(BaseModel, extra="forbid"):
    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,79}$")
    category: str = "own"
    text: str = Field(min_length=1, max_length=20_000)


class _Prompts(BaseModel, extra="forbid"):
    name: str = "own"
    prompts: list[_Prompt] = Field(min_length=1, max_length=1000)


def read_prompts(path: Path | None = None) -> PromptSet:
    """Read a set of prompts, the shipped one when no file is named.

    Raises ``PlanError`` A100 to A105 as for a plan, ``DataError`` A200 for two prompts of one id.

    >>> shipped = read_prompts()
    >>> shipped.name, len(shipped.prompts)
    ('assay-20', 20)

    *Not to be trusted when* the prompts are not of the kind that the model will be asked: agreement on
    prose says little about agreement on a schema.
    """
    path = path or SHIPPED
    page = "docs/families/supply.md"
    read = read_yaml(path, _Prompts, what="set of prompts", begins="begin with `name:`", page=page)
    prompts = tuple(
        Prompt(id=one.id, category=one.category, text=one.text) for one in read.value.prompts
    )
    ids = [prompt.id for prompt in prompts]
    for number, name in enumerate(ids):
        if name in ids[:number]:
            raise DataError(
                f"two prompts are called {name!r}",
                where=read.where("prompts", number, "id"),
                hint="give each an id of its own",
            )
    return PromptSet(name=read.value.name, prompts=prompts)
