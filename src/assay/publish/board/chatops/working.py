"""The stages that hold no token: a benchmark, and its answers verified once more.

Covered: they read a submission as data, and no variable with a token.
Not covered: the model's files are opened by programs that may have faults; what these jobs leave is
believed by nobody.
"""

from __future__ import annotations

from ...rescore import rescore
from ...running import run as run_plan
from ..archive import archive
from .admitting import admit, plan_in
from .artifacts import MEMBER
from .bench import Bench, Done, empty, told
from .ordered import ordered


def evaluate(bench: Bench) -> Done:
    """Run the plan of a submission, seal it, and pack it.  No token is here, and none is looked for."""
    order, made = ordered(bench)
    loaded = plan_in(bench.out / "plan", made.plan)
    made.bring(loaded.path)
    run = run_plan(loaded, out=bench.out / "run")
    kept = archive(run.dir, bench.out / MEMBER)
    if kept is None:
        return told(
            bench,
            Done(
                stage="evaluate",
                go=False,
                reason="too-large",
                says="The sealed run is larger than a board keeps.",
            ),
        )
    return told(
        bench,
        Done(
            stage="evaluate",
            go=True,
            reason="",
            says=f"{order.model} is benchmarked and sealed: {MEMBER}, {kept.bytes:,} bytes.",
            facts={"archive": kept.digest, "bytes": kept.bytes},
        ),
    )


def recheck(bench: Bench) -> Done:
    """Verify every answer of a sealed run again, on a machine that never saw the model and has no token.

    Programs that a model wrote are run again here, in the sandbox, and nowhere else after the benchmark.
    """
    order, made = ordered(bench)
    assert bench.artifact is not None
    admitted = admit(bench.artifact / MEMBER, made.plan, None, empty(bench.out / "unpacked"))
    found = rescore(admitted.run)
    changed = len(found.changed)
    return told(
        bench,
        Done(
            stage="recheck",
            go=not changed,
            reason="changed" if changed else "",
            says=f"{changed:,} of {found.verified:,} answers of {order.model} come to something else."
            if changed
            else f"All {found.verified:,} answers of {order.model} come to the same again.",
            facts={"verified": found.verified, "changed": changed},
        ),
    )
