"""The packages of the extras ``intent``, ``finetune`` and ``serve``, imported when they are needed."""

from __future__ import annotations

from assay.extras import Extra

_INTENT = Extra(
    "intent",
    {
        "torch": "intent,finetune",
        "fastapi": "intent,serve",
        "starlette": "intent,serve",
        "uvicorn": "intent,serve",
    },
)
require, extra = _INTENT.require, _INTENT.load
