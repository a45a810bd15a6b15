"""``dates.phrases``: which day does a short text name, if it names one?"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from assay import (
    OUTCOME_METRICS,
    Answer,
    Better,
    Bottom,
    Check,
    Columns,
    Crash,
    Metric,
    Ratio,
    Reply,
    Sample,
    Task,
)
