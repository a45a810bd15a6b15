"""Packages of an extra, imported when they are needed.

Built this way because ``import assay`` and plan checking must not pay for them, and because a missing
package must say which command brings it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from .core.errors import PluginError


@dataclass(frozen=True, slots=True)
class Extra:
    """The packages that ``pip install 'assay-eval[NAME]'`` brings."""

    name: str
    """One extra or several: ``intent`` or ``intent,serve``."""

    elsewhere: Mapping[str, str] = field(default_factory=dict)
    """Package to the extras that bring it, where ``name`` does not."""

    def require(self, *packages: str) -> None:
        """Raise ``PluginError`` A401 unless all the packages are installed.  Imports none of them.

        >>> Extra("science").require("json")
        >>> Extra("science").require("no_such_package")
        Traceback (most recent call last):
            ...
        assay.core.errors.PluginError: A401 no_such_package is not installed
          try: pip install 'assay-eval[science]'
        """
        missing = [package for package in packages if find_spec(package) is None]
        if missing:
            names = " and ".join(missing)
            verb = "is" if len(missing) == 1 else "are"
            extras = self.elsewhere.get(missing[0], self.name)
            raise PluginError(
                f"{names} {verb} not installed",
                hint=f"pip install 'assay-eval[{extras}]'",
                code="A401",
            )

    def load(self, module: str) -> Any:
        """Import a module of the extra; ``PluginError`` A401 when its package is absent.

        The result is ``Any``: most of these packages ship no types.

        >>> Extra("science").load("json").dumps([1])
        '[1]'
        """
        self.require(module.partition(".")[0])
        return import_module(module)
