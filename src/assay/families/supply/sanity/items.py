"""The prompts of ``supply.sanity``, read from ``items.yaml``."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

from assay.documents import read_yaml

Category: TypeAlias = Literal["sanity", "knowledge", "code", "transpile", "format"]
CheckName: TypeAlias = Literal["exact", "number", "names", "pattern", "json", "program"]

PATH = Path(__file__).with_name("items.yaml")


class Item(BaseModel):
    """A prompt, and what tells a right answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    split: Literal["train", "test"] = "test"
    category: Category
    check: CheckName
    asks: str
    right: str
    """An answer that passes."""

    wrong: list[str]
    """Answers that fail; a test holds the check to it."""

    accepted: list[str] = []
    rivals: list[str] = []
    pattern: str = ""
    json_value: Any = None
    tests: str = ""


class Items(BaseModel):
    """The file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    items: list[Item]


@cache
def read_items() -> Items:
    """Return every prompt.

    >>> {item.category for item in read_items().items} >= {"code", "format"}
    True
    """
    return read_yaml(PATH, Items, what="prompt file", begins="begin with `version:`").value
