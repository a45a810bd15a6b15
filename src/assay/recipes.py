"""Recipes in recipes, for plugins whose system wraps another one that the plan names.

A wrapping recipe has an option of type ``Inner``, or a tuple of them, and asks the systems that they
make.  Families need not know each other for that:

>>> from assay.recipes import Inner
>>> Inner(use="control.silent").make().seeded
False
"""

from __future__ import annotations

from .engine.plugins import Inner

__all__ = ["Inner"]
