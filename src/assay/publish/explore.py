"""Claims that nobody made before the run: weighed apart, and said to be exploratory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..analysis.claims import weigh
from ..analysis.metrics import QUANTILES
from ..core.claim import Claim, Finding
from ..core.errors import PlanError
from ..core.metric import Over
from ..engine.claims import read_claims, to_claim, too_narrow
from ..engine.document import Document
from ..engine.keys import ClaimRef
from ..engine.overrides import nearest

if TYPE_CHECKING:
    from .run import Run

NOTE = "exploratory: added after the run was sealed"


def explore(run: Run, path: Path) -> list[Finding]:
    """Weigh the claims of a file by the records of a run, apart from those of its plan.

    Together they are decided by Benjamini-Hochberg at 5 %; nothing of the run changes.

    Raises ``PlanError`` as for a plan: A101 to A104 with the line.

    *Not to be trusted when* the claims were chosen because of what the records show: the test is
    then of the choice, too.  Ask other questions, in a new plan.
    """
    refs, document = read_claims(path, run.loaded)
    cases = run.results.cases
    claims = [_claim(run, ref, document, i) for i, ref in enumerate(refs)]
    findings = weigh([cases[claim.task].evidence(claim) for claim in claims])
    return [replace(f, notes=(*f.notes, NOTE)) for f in findings]


def _claim(run: Run, ref: ClaimRef, document: Document, index: int) -> Claim:
    def wrong(key: str, what: str, hint: str, code: str = "A103") -> PlanError:
        return PlanError(what, where=document.where(("claims", index, key)), hint=hint, code=code)

    cases = run.results.cases
    if not ref.task and len(cases) > 1:
        raise wrong("id", f"claim {ref.id!r} names no task", "add `task: ...`", "A104")
    task = ref.task or next(iter(cases))
    if task not in cases:
        raise wrong("task", f"no task is called {task!r}", nearest(task, list(cases)))
    case = cases[task]
    for key, name in (("system", ref.system), ("against", ref.against)):
        if name is not None and name not in case.tables:
            what = f"no system is called {name!r}"
            raise wrong(key, what, nearest(name, list(case.tables)))
    if ref.against == ref.system:
        raise wrong("against", "a system cannot stand against itself", "name another", "A104")
    if not case.knows(ref.metric):
        what = f"no metric of {task} is called {ref.metric!r}"
        raise wrong("metric", what, nearest(ref.metric, list(case.metrics)))
    metric = None if ref.metric in QUANTILES else case.metric(ref.metric)
    if what := too_narrow(ref, metric):
        raise wrong("within", what, "write `within: 1.25` for at most a quarter apart", "A104")
    named = [ref.system, *([ref.against] if ref.against else [])]
    if Over.SEEDS in ref.generalises and all(len(case.tables[s].seeds) < 2 for s in named):
        what = (
            f"claim {ref.id!r} speaks of seeds, but there is one seed only of {' and '.join(named)}"
        )
        raise wrong("over", what, "leave seeds out of `over`", "A104")
    return replace(to_claim(ref, task), exploratory=True)
