"""Where the cache of this user is, and how much it may hold."""

from __future__ import annotations

import os
from pathlib import Path

from assay.pages import wrong_option

from .cache import GB, ModelCache
from .sizes import parse_size

LIMIT = 10 * GB
VARIABLE = "ASSAY_MODELS_LIMIT"


def models_folder() -> Path:
    """Return ``$ASSAY_CACHE/models``, or ``~/.cache/assay/models``.

    >>> models_folder().name
    'models'
    """
    named = os.environ.get("ASSAY_CACHE")
    return (Path(named).resolve() if named else Path.home() / ".cache" / "assay") / "models"


def models_cache(limit: str | None = None, *, folder: Path | None = None) -> ModelCache:
    """Return the cache of model files; ``limit`` as ``--limit`` has it, ``20 GB``.

    Without it ``$ASSAY_MODELS_LIMIT``, or 10 GB.  Raises ``PlanError`` A106 for what is no size.

    >>> models_cache("1.5 GB").limit
    1500000000
    """
    text, option = limit, "--limit"
    if text is None:
        text, option = os.environ.get(VARIABLE) or str(LIMIT), VARIABLE
    try:
        size = parse_size(text)
    except ValueError as error:
        raise wrong_option(option, str(error), "write it as 20 GB or 500 MB") from None
    return ModelCache(folder or models_folder(), limit=size)
