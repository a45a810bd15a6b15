"""Recipes that wrap other ones, named in a plan's options."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from assay.core.errors import PlanError
from assay.engine.plugins import check_options
from assay.recipes import Inner


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapping:
    """What a wrapping recipe's options look like."""

    ask: Inner
    others: tuple[Inner, ...] = ()
    turns: int = 1


def checked(base: Path, **options: Any) -> dict[str, Any]:
    return check_options(Wrapping, "test.wrapping", options, where="systems[0]", base=base)


def test_an_inner_recipe_is_made_with_its_options() -> None:
    ask = checked(Path(), ask={"use": "toy.votes", "options": {"bag": 0.5}})["ask"]
    assert ask.make().bag == 0.5


def test_paths_of_inner_options_start_at_the_plan(plugins: None, tmp_path: Path) -> None:
    given = {"use": "awkward.picky", "options": {"size": 1, "path": "words.txt"}}
    assert checked(tmp_path, ask=given)["ask"].make().path == tmp_path / "words.txt"


def test_several_inner_recipes_come_in_order() -> None:
    given = [{"use": "toy.votes"}, {"use": "toy.last_word"}]
    found = checked(Path(), ask=given[0], others=given)["others"]
    assert [one.use for one in found] == ["toy.votes", "toy.last_word"]


@pytest.mark.parametrize(
    ("given", "code", "says"),
    [
        ("toy.votes", "A102", "use: NAME"),
        ({}, "A102", "ask.use"),
        ({"use": "toy.votes", "option": {}}, "A102", "ask.option"),
        ({"use": "toy.vote"}, "A103", "toy.votes"),
        ({"use": "toy.votes", "options": {"bags": 1}}, "A101", "bag"),
        ({"use": "toy.votes", "options": {"bag": "much"}}, "A102", "toy.votes.bag"),
    ],
)
def test_what_is_no_recipe_is_found_before_anything_runs(given: Any, code: str, says: str) -> None:
    with pytest.raises(PlanError) as caught:
        checked(Path(), ask=given)
    assert caught.value.code == code
    assert says in str(caught.value)
    assert "systems[0]" in caught.value.where


def test_each_of_several_is_named_by_its_place() -> None:
    with pytest.raises(PlanError, match=r"others\[1\]"):
        checked(Path(), ask={"use": "toy.votes"}, others=[{"use": "toy.votes"}, {"us": "x"}])
