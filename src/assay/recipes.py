"""Recipes in recipes, for plugins whose system wraps another one that the plan names.

A wrapping recipe has an option of type ``Inner``, or a tuple of them, and asks the systems that they
make.  Families need not know each other for that:

>>> from assay.recipes import Inner
>>> Inner(use="control.silent").make().seeded
False
"""

from __future__ import annotations

from .core.artifact import Artifact
from .core.system import Draws, Loads, Recipe
from .engine.plugins import Inner

__all__ = ["Inner", "draws", "loads"]


def draws(recipe: Recipe) -> bool:
    """Whether the systems of a recipe draw when they answer.

    >>> draws(Inner(use="control.random").make()), draws(Inner(use="control.silent").make())
    (True, False)
    """
    return isinstance(recipe, Draws) and recipe.draws


def loads(recipe: Recipe) -> tuple[Artifact, ...]:
    """Return the files that a recipe names before anything runs; none where it names none.

    Raises what the recipe raises: ``PluginError`` A401, A403.

    >>> loads(Inner(use="control.silent").make())
    ()
    """
    return recipe.loads() if isinstance(recipe, Loads) else ()
