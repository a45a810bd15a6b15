"""The packages of the extras ``intent``, ``finetune`` and ``serve``, imported when they are needed.

Built this way because `import assay` and plan checking must not pay for them, and because a
missing package must say which command brings it.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from assay import PluginError

_HINT = "pip install 'assay-eval[intent]'"
_HINT_FOR = {
    "torch": "pip install 'assay-eval[intent,finetune]'",
    "fastapi": "pip install 'assay-eval[intent,serve]'",
    "uvicorn": "pip install 'assay-eval[intent,serve]'",
}


def require(*packages: str) -> None:
    """Raise ``PluginError`` A401 unless all the packages are installed.  Imports none of them.

    >>> require("json")
    >>> require("no_such_package")
    Traceback (most recent call last):
        ...
    assay.core.errors.PluginError: A401 no_such_package is not installed
      try: pip install 'assay-eval[intent]'
    """
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        names = " and ".join(missing)
        verb = "is" if len(missing) == 1 else "are"
        raise PluginError(
            f"{names} {verb} not installed", hint=_HINT_FOR.get(missing[0], _HINT), code="A401"
        )


def extra(module: str) -> Any:
    """Import a module of the extra; ``PluginError`` A401 when its package is absent.

    The result is ``Any``: most of these packages ship no types.

    >>> extra("json").dumps([1])
    '[1]'
    """
    require(module.partition(".")[0])
    return import_module(module)
