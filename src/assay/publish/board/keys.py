"""Every key that a submission may have, what it holds, and what to write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Need: TypeAlias = Literal["always", "publish", "never"]

FORMATS = ("safetensors", "gguf", "onnx", "transformers")
PRIORITIES = ("standard", "fast", "comprehensive")
CATEGORIES = (
    "reasoning",
    "coding",
    "math",
    "language",
    "multilingual",
    "edge-optimized",
    "instruction-following",
    "chat",
    "function-calling",
    "long-context",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key."""

    need: Need
    """``publish``: a run on your own machine needs it not, the board does."""

    holds: str
    """What stands there, as a sentence goes on behind "it is"."""

    example: str
    """YAML of the value."""


MODEL: Mapping[str, Key] = {
    "name": Key(need="always", holds="the model's name, a text", example="SmolLM2-135M-Instruct"),
    "family": Key(need="publish", holds="the family of models, a text", example="SmolLM2"),
    "version": Key(need="never", holds="a version, a text", example='"2"'),
    "hf_repo": Key(
        need="always",
        holds="the repository of the Hub, as org/name",
        example="HuggingFaceTB/SmolLM2-135M-Instruct",
    ),
    "hf_revision": Key(
        need="publish", holds="a commit of that repository, 40 hex digits", example="COMMIT"
    ),
    "revision": Key(need="never", holds="the same as hf_revision, in one word", example="COMMIT"),
    "parameters": Key(need="always", holds="digits and K, M or B", example="135M"),
    "architecture": Key(
        need="publish", holds="the architecture, as its configuration names it", example="llama"
    ),
    "context_length": Key(need="never", holds="tokens, a whole number", example="8192"),
    "license": Key(
        need="publish", holds="an SPDX identifier or the name of a licence", example="Apache-2.0"
    ),
    "quantizations": Key(
        need="always",
        holds="a list of what is to be measured",
        example="[{name: Q8_0, format: gguf, file: model-q8_0.gguf}]",
    ),
    "categories": Key(need="never", holds="a list of categories", example="[chat]"),
    "submitted_by": Key(need="publish", holds="your name on GitHub", example="YOUR-NAME"),
    "submitted_date": Key(need="never", holds="a day, as 2026-11-29", example='"2026-11-29"'),
    "contact": Key(need="never", holds="an address of electronic mail", example="you@example.org"),
    "testing": Key(need="never", holds="wishes for the test", example="{priority: standard}"),
}
"""Below ``model:``, in the order in which a submission has them."""

QUANTIZATION: Mapping[str, Key] = {
    "name": Key(need="always", holds="what it is called, a text", example="Q8_0"),
    "format": Key(need="always", holds=f"one of {', '.join(FORMATS)}", example="gguf"),
    "file": Key(
        need="never", holds="a file of the source, by its path there", example="m-q8_0.gguf"
    ),
    "source": Key(
        need="never",
        holds="where the files are, if not in hf_repo: hf:org/name@commit, "
        "pypi:package==version#path, or file:path beside the submission",
        example="hf:org/name-GGUF@COMMIT",
    ),
}
"""Below ``quantizations:``, for each."""

TESTING: Mapping[str, Key] = {
    "priority": Key(need="never", holds=f"one of {', '.join(PRIORITIES)}", example="standard"),
    "skip_safety": Key(need="never", holds="true or false", example="false"),
    "edge_devices": Key(need="never", holds="a list of texts", example="[raspberry-pi-5]"),
}
"""Below ``testing:``."""
