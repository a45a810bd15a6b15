"""The categories of academic suites, and the tasks of the harness that each is measured by."""

from __future__ import annotations

from collections.abc import Mapping

CATEGORIES: Mapping[str, tuple[str, ...]] = {
    "reasoning": ("mmlu", "arc_challenge", "hellaswag", "truthfulqa_mc2"),
    "coding": ("humaneval", "mbpp"),
    "math": ("gsm8k", "hendrycks_math500"),
    "language": ("boolq", "piqa", "winogrande"),
}
"""Category to names of lm-evaluation-harness 0.4.13, every one of which it has (a test asks it)."""
