"""An audit as plain values: what ``audit.json`` holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from assay.estimates import facts

from .audit import Audit
from .conflicts import Conflict
from .left_out import LeaveOut
from .report import verdict


def audit_facts(audit: Audit) -> dict[str, Any]:
    """Return an audit as plain values."""
    return {
        "sound": audit.sound,
        "says": verdict(audit),
        "rows": audit.rows,
        "compared": audit.compared,
        "labels": audit.labels,
        "exchanged": list(audit.exchanged),
        "groups": audit.groups,
        "given_groups": audit.given_groups,
        "duplicates": audit.duplicates,
        "groups_apart": audit.apart,
        "held_out": {s: {"held": held, "why": why} for s, (held, why) in audit.holds.items()},
        "leaks": list(_leak_facts(audit)),
        "pairs": [
            {
                "kind": twin.kind,
                "share": round(twin.share, 4),
                **{
                    name: {"split": r.split, "line": r.line, "prompt": r.prompt, "label": r.label}
                    for name, r in (("one", one), ("other", other))
                },
            }
            for twin, one, other in audit.examples
        ],
        "conflicts": {
            "prompts": [_conflict_facts(c) for c in audit.prompt_conflicts],
            "templates": [_conflict_facts(c) for c in audit.template_conflicts],
        },
        "ceiling": facts(audit.ceiling),
        "ambiguous": facts(audit.ambiguous),
        "neighbour_disagrees": facts(audit.disagreement) if audit.disagreement else None,
        "balance": [
            {
                "part": b.part,
                "rows": b.rows,
                "counts": dict(b.counts),
                "missing": list(b.missing),
                "with_one_row": list(b.alone),
            }
            for b in audit.balance
        ],
        "methods": [
            {
                "name": t.name,
                **{
                    key: facts(estimate) if (estimate := getattr(t, key)) else None
                    for key in ("by_group", "by_row", "own", "own_twins", "own_others")
                },
            }
            for t in audit.tried
        ],
        "left_out": [_left_out_facts(found) for found in audit.left_out],
    }


def _leak_facts(audit: Audit) -> Iterator[dict[str, Any]]:
    for split in audit.splits:
        for other in audit.splits:
            if split != other:
                twins = audit.leaks.of(split, (other,)).values()
                yield {
                    "of": split,
                    "in": other,
                    "twins": len(twins),
                    "rows": audit.leaks.sizes[split],
                    "kinds": dict(Counter(twin.kind for twin in twins)),
                }


def _conflict_facts(conflict: Conflict) -> dict[str, Any]:
    return {"reads": conflict.form, "lines": {k: list(v) for k, v in conflict.lines.items()}}


def _left_out_facts(found: LeaveOut) -> dict[str, Any]:
    return {
        "head": found.head,
        "fits": found.fits,
        "sure": found.sure,
        "accuracy": facts(found.accuracy),
        "confidently_wrong": facts(found.sure_and_wrong),
        "by_row": facts(found.by_row),
        "groups": [
            {
                "group": g.group,
                "label": g.label,
                "n": g.n,
                "right": g.right,
                "confidently_wrong": g.sure_and_wrong,
                "only": g.only,
                "example": g.example,
            }
            for g in found.groups
        ],
    }
