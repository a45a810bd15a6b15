"""How a claim and its finding are said."""

from __future__ import annotations

from collections.abc import Mapping

from ..analysis.case import Case
from ..analysis.endings import cut_note
from ..analysis.vacuity import Vacuous
from ..core.claim import Claim, Finding, Relation, Status
from ..core.metric import Contrast
from ..store.manifest import Manifest
from .words import Scale, claim_scale, spell

CORRECTIONS = {"holm": "Holm", "bonferroni": "Bonferroni"}
"""What a plan calls them, and how they are written."""


def digests_only(manifest: Manifest) -> str:
    """Return that a run holds no copies of samples, and of which tasks; empty where it holds all."""
    names = [name for name, task in manifest.tasks.items() if not task.redistributable]
    if not names:
        return ""
    return f"The samples' licence forbids copies ({', '.join(names)}): digests only."


def caveats(manifest: Manifest, task: str = "") -> list[str]:
    """Return the caveats of one task, or of all; each names its task where there are several."""
    several = len(manifest.tasks) > 1
    of_all = [
        sentence
        for holds, sentence in (
            (manifest.sandbox == "none", "Programs that systems wrote ran without a sandbox."),
            (manifest.rescored, "The answers are those of an earlier run, verified again."),
        )
        if holds
    ]
    return of_all + [
        f"{name}: {said}" if several and not task else said
        for name, facts in manifest.tasks.items()
        if task in ("", name)
        for said in facts.caveats
    ]


def cut_notes(cases: Mapping[str, Case], task: str = "") -> list[str]:
    """Return which systems had many answers cut, on one task or on all; each names its task where there are several."""
    several = len(cases) > 1
    return [
        f"{name}: {said}" if several and not task else said
        for name, case in cases.items()
        if task in ("", name)
        for system in case.rivals
        if (said := cut_note(case.tables[system]))
    ]


def caveats_by_task(manifest: Manifest, cases: Mapping[str, Case]) -> dict[str, list[str]]:
    """Return what each task's numbers have to be read with; tasks without anything are left out."""
    said = {n: [*t.caveats, *cut_notes(cases, n)] for n, t in manifest.tasks.items()}
    return {name: sentences for name, sentences in said.items() if sentences}


def decides(finding: Finding) -> str:
    """Return what would decide an undecided claim; empty where a note says it."""
    if finding.status is not Status.UNDECIDED:
        return ""
    if finding.more_samples is not None:
        return (
            f"about {finding.more_samples:,} more samples would decide it, four times in five, if "
            "the estimate is the truth"
        )
    estimate = finding.estimate
    if finding.hold or estimate.value is None or not estimate.over:
        return ""
    return "no number of samples would decide it as it stands"


def wanted(claim: Claim, contrast: Contrast) -> str:
    """Return the bound of a claim in words: ``at least 0.9``, ``within 0.02 either way``."""
    scale = claim_scale(claim, contrast)
    plain = scale in (Scale.PLAIN, Scale.CHANGE)
    bound = f"{claim.bound:g}" if plain else spell(claim.bound, scale)
    match claim.relation:
        case Relation.AT_LEAST:
            return f"at least {bound}"
        case Relation.AT_MOST:
            return f"at most {bound}"
        case Relation.WITHIN if contrast is Contrast.RATIO:
            return f"within a factor of {claim.bound:g} either way"
        case Relation.WITHIN:
            return f"within {bound} either way"


def vacuous_words(system: str, found: Vacuous) -> str:
    """Return that the claims on a system mean little, and which of them were put to the control."""
    said = f"the control {found.control} satisfies every claim on {system}"
    if not found.left_out:
        return said
    return (
        f"{said} that can be put to it (left out, because controls are not timed: "
        f"{', '.join(found.left_out)})"
    )
