"""Which model of the board each system of a run is: by the files that it loaded, by the plan, or by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from ...core.errors import PlanError
from ...store.canon import digest_file
from ...store.manifest import Manifest, SystemFacts
from .card import Card
from .cards import Placing
from .naming import model_id, system_name
from .registry import sent_to
from .sent import Quantization, Submission

WEIGHTS = "weights"
_PRECISION = re.compile(r"B?F(16|32|64)|I?Q[1-8](_[0-9A-Z]{1,3}){1,2}|INT[48]")
"""How files that were converted are named; a board's keeper may name one that no submission has."""
_SUITE = re.compile(
    r"(?P<says>.+?) Here: .+, suite (?P<name>[a-z0-9-]+) (?P<version>\S+)", re.DOTALL
)


Sent: TypeAlias = tuple[Path, Submission]
"""A submission of the board and its file."""


def place_systems(
    manifest: Manifest, *, board: Path, cards: Sequence[Card], given: Sequence[str] = ()
) -> dict[str, Placing]:
    """Return which model each system under test is; a system that is none of them is left out.

    ``given`` are texts MODEL=SYSTEM, or MODEL:QUANTISATION=SYSTEM, and win.  Else a system is the quantisation whose
    local file has the bytes that it loaded, or whose files another run of the board loaded; else, in a plan that is
    called like a model (as ``assay board plan`` calls it), the quantisation of its name.

    Raises ``PlanError`` A106 for what is no such text, A103 for a model, quantisation or system that is not there;
    ``DataError`` A200 for a submission with errors.
    """
    sent = sent_to(board)
    tested = {name: facts for name, facts in manifest.systems.items() if not facts.control}
    found: dict[str, Placing] = {}
    known = _known(cards)
    for system, facts in tested.items():
        placing = (
            _by_file(facts, sent)
            or known.get(_weights(facts))
            or _by_plan(manifest.name, system, sent)
        )
        if placing is not None and placing.model in sent:
            found[system] = placing
    for text in given:
        system, placing = _by_hand(text, sent, tested)
        found[system] = placing
    return found


def _weights(facts: SystemFacts) -> frozenset[str]:
    return frozenset(f.digest for f in facts.files if f.kind == WEIGHTS)


def _known(cards: Sequence[Card]) -> Mapping[frozenset[str], Placing]:
    found = {}
    for card in cards:
        for system in card.systems.values():
            weights = frozenset(f.digest for f in system.files if f.kind == WEIGHTS)
            if system.model is not None and weights:
                found[weights] = Placing(
                    model=system.model, quantisation=system.quantisation, mapped="digest"
                )
    return found


def _by_file(facts: SystemFacts, sent: Mapping[str, Sent]) -> Placing | None:
    loaded = {f.digest: f.size for f in facts.files}
    for file, submission in sent.values():
        for quantization in submission.quantizations:
            path = _local(file, quantization)
            # The size first: files of models are large, and most are other ones.
            if (
                path is not None
                and path.stat().st_size in loaded.values()
                and digest_file(path) in loaded
            ):
                return Placing(model=submission.id, quantisation=quantization.name, mapped="digest")
    return None


def _local(submission: Path, quantization: Quantization) -> Path | None:
    source = quantization.source or ""
    if not source.startswith("file:"):
        return None
    path = submission.parent / source.removeprefix("file:")
    if quantization.file is not None and path.is_dir():
        path = path / quantization.file
    return path if path.is_file() else None


def suite_in(manifest: Manifest) -> dict[str, str] | None:
    """Return the suite that a plan of ``assay board plan`` asks, as its sentence ends with it; None for other plans."""
    found = _SUITE.fullmatch(manifest.says)
    if found is None:
        return None
    return {"name": found["name"], "version": found["version"], "says": found["says"]}


def _by_plan(plan: str, system: str, sent: Mapping[str, Sent]) -> Placing | None:
    """Return the quantisation of a system's name, in a plan that is called MODEL or MODEL-SUITE."""
    named = [model for model in sent if plan == model or plan.startswith(f"{model}-")]
    if not named:
        return None
    model = max(named, key=len)
    for quantization in sent[model][1].quantizations:
        if system_name(quantization.name) == system:
            return Placing(model=model, quantisation=quantization.name, mapped="plan")
    return None


def _by_hand(
    text: str, sent: Mapping[str, Sent], tested: Mapping[str, SystemFacts]
) -> tuple[str, Placing]:
    named, equals, system = text.partition("=")
    if not (named and equals and system):
        raise PlanError(
            f"{text!r} does not say which system is which model",
            where="--model",
            hint="write MODEL=SYSTEM, or MODEL:QUANTISATION=SYSTEM",
            code="A106",
        )
    name, _, quantisation = named.partition(":")
    model = name if name in sent else model_id(name)
    if model not in sent:
        there = ", ".join(sorted(sent)) or "none; put its file into models/submissions first"
        raise PlanError(
            f"no submission is called {name!r}",
            where="--model",
            hint=f"there are: {there}",
            code="A103",
        )
    if system not in tested:
        raise PlanError(
            f"no system under test is called {system!r}",
            where="--model",
            hint=f"there are: {', '.join(sorted(tested))}",
            code="A103",
        )
    forms = [q.name for q in sent[model][1].quantizations]
    said = quantisation or system
    # Two forms may differ in a mark alone: the very name goes first.
    alike = [q for q in forms if said in (q, system_name(q))]
    alike = alike or [q for q in forms if _plain(q) == _plain(said)]
    if quantisation and not alike and not _PRECISION.fullmatch(quantisation):
        raise PlanError(
            f"{model} has no quantisation {quantisation!r}",
            where="--model",
            hint=f"its submission names: {', '.join(forms)}; a file that was made of those is named by its "
            "precision, as Q8_0 or F16",
            code="A103",
        )
    # A name that says no quantisation may be of files that were made of the submitted ones: none is assumed.
    return system, Placing(model=model, quantisation=alike[0] if alike else quantisation or None)


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
