"""The hand-written template families of ``intent.defi``, and their assignment to splits.

A family is one way to say one thing, in one to three paraphrases.  It is the unit of independence:
all its prompts share a group, and a group is in one split only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from zlib import crc32

import yaml

from assay import Answer, Bottom, DataError

from ..draws import Draws
from .fillings import SLOT

ACTIONS = (
    *("deposit_asset", "withdraw_asset", "swap_asset", "borrow_asset"),
    *("repay_asset", "stake_asset", "unstake_asset", "claim_rewards"),
)
NONE_KINDS = ("negation", "question", "multi_step", "out_of_scope")
SHARES = {"train": 0.5, "tune": 0.08, "calibration": 0.21, "test": 0.21}
MOST_PARAPHRASES = 3
PLAIN = "plain/"

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One way to say one thing."""

    id: str
    """``deposit_asset/017``: the file and the place in it."""

    kind: str
    """An action, or the reason why there is none."""

    templates: tuple[str, ...]

    @property
    def is_plain(self) -> bool:
        """Whether it says the action's own verb in an ordinary sentence."""
        return self.id.startswith(PLAIN)

    @property
    def target(self) -> Answer | Bottom:
        """The right answer to every prompt of the family."""
        return Answer(self.kind) if self.kind in ACTIONS else Bottom(self.kind)

    @property
    def tag(self) -> str:
        """``in_scope``, or the kind of request that has no answer."""
        return "in_scope" if self.kind in ACTIONS else self.kind


@cache
def families() -> tuple[Family, ...]:
    """Return every family, kind by kind.

    Raises ``DataError`` A200 for a file that is not a list of families, an unknown slot or a
    stray brace.
    """
    folder = resources.files("assay.families.intent") / "data" / "defi"
    found: list[Family] = []
    for kind in (*ACTIONS, *NONE_KINDS):
        for prefix in ("", PLAIN):
            name = f"{prefix}{kind}.yaml"
            text = folder.joinpath(*name.split("/")).read_text(encoding="utf-8")
            found += parse_families(text, kind, where=name, prefix=prefix)
    return tuple(found)


def parse_families(text: str, kind: str, *, where: str, prefix: str = "") -> list[Family]:
    """Read the families of one kind from YAML: a list of strings and of lists of paraphrases."""
    listed = yaml.load(text, Loader=_Loader)  # noqa: S506  (a safe loader, the C one if there is one)
    if not isinstance(listed, list) or not listed:
        raise DataError(
            "the file is not a list of template families",
            where=where,
            hint="write a list of texts, or of lists of paraphrases",
        )
    return [
        Family(
            id=f"{prefix}{kind}/{place:03}", kind=kind, templates=tuple(_paraphrases(family, where))
        )
        for place, family in enumerate(listed)
    ]


def _paraphrases(family: object, where: str) -> Iterator[str]:
    several = family if isinstance(family, list) else [family]
    if not 1 <= len(several) <= MOST_PARAPHRASES:
        raise DataError(
            f"a family has {len(several)} paraphrases: {family!r}",
            where=where,
            hint=f"write 1 to {MOST_PARAPHRASES}, and move the others to families of their own",
        )
    for template in several:
        if not isinstance(template, str) or not template.strip():
            raise DataError(
                f"a template is not text: {template!r}", where=where, hint="put quotes around it"
            )
        if "{" in (bare := SLOT.sub("", template)) or "}" in bare:
            raise DataError(
                f"an unknown slot or a stray brace: {template!r}",
                where=where,
                hint="use {amount} {asset} {asset2} {venue} {chain} {percent}",
            )
        yield template


def mix(found: Sequence[Family], *, unusual: float) -> tuple[Family, ...]:
    """Return the plain families, and as many hand-written ones as make ``unusual`` of each kind.

    Hand-written families are taken from the top of their file, so that a smaller share is part of
    a larger one; where a file has too few, all of them are taken.
    """
    kept: list[Family] = []
    for kind in dict.fromkeys(family.kind for family in found):
        plain = [f for f in found if f.kind == kind and f.is_plain]
        others = [f for f in found if f.kind == kind and not f.is_plain]
        wanted = len(others) if unusual >= 1 else round(len(plain) * unusual / (1 - unusual))
        kept += [] if unusual >= 1 else plain
        kept += others[:wanted]
    return tuple(kept)


def assign(found: Sequence[Family], *, seed: int) -> Mapping[str, tuple[Family, ...]]:
    """Assign whole families to splits at random, in the same shares within every kind.

    Each kind has a random stream of its own: a family added to one kind moves no other kind.
    """
    kinds: dict[str, list[Family]] = {}
    for family in found:
        kinds.setdefault(family.kind, []).append(family)
    splits: dict[str, list[Family]] = {split: [] for split in SHARES}
    for kind, members in kinds.items():
        shuffled = Draws(seed, crc32(kind.encode())).shuffled(members)
        upto, start = 0.0, 0
        for split, share in SHARES.items():
            upto += share
            end = round(upto * len(members))
            splits[split] += shuffled[start:end]
            start = end
    return {split: tuple(members) for split, members in splits.items()}
