"""The packages of the extra ``science``, imported when they are needed."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from assay import PluginError

HINT = "pip install 'assay-eval[science]'"


def require(*packages: str) -> None:
    """Raise ``PluginError`` A401 unless all the packages are installed.  Imports none of them.

    >>> require("json")
    >>> require("no_such_package")
    Traceback (most recent call last):
        ...
    assay.core.errors.PluginError: A401 no_such_package is not installed
      try: pip install 'assay-eval[science]'
    """
    for package in packages:
        if find_spec(package) is None:
            raise PluginError(f"{package} is not installed", hint=HINT, code="A401")


def extra(module: str) -> Any:
    """Import a module of the extra; ``PluginError`` A401 when its package is absent.

    >>> extra("json").dumps([1])
    '[1]'
    """
    require(module.partition(".")[0])
    return import_module(module)
