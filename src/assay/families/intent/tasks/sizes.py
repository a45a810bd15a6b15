"""How many samples a generated test may have."""

from __future__ import annotations

from assay import PlanError


def check_size(task: str, size: int, *, most: int, of: str = "prompts") -> None:
    """Refuse a test without samples, or with more than can be told apart.

    Raises ``PlanError`` A102 for a size below 1 or over ``most``.

    >>> check_size("intent.slots", 0, most=20_000)
    Traceback (most recent call last):
        ...
    assay.core.errors.PlanError: A102 intent.slots cannot have 0 test prompts
      try: give a size between 1 and 20000
    """
    if not 1 <= size <= most:
        raise PlanError(
            f"{task} cannot have {size} test {of}",
            hint=f"give a size between 1 and {most}",
            code="A102",
        )
