"""What there is to list: installed plugins, price tables, metrics, and runs in a folder."""

from __future__ import annotations

from pathlib import Path

from ..analysis.metrics import OUTCOME_METRICS, QUANTILES, determinism, latency_mean, usd_per_1k
from ..analysis.sureness import SURENESS
from ..core.errors import SealError
from ..engine.ledger import seen
from ..engine.plugins import known, load_tasks
from ..engine.prices import load_prices, shipped
from ..store.manifest import Manifest, read_doc
from ..store.rundir import RunDir
from ..store.seal import glance


def installed(group: str) -> list[dict[str, str]]:
    """Return the plugins of a group: name, what it is in a line, where it comes from."""
    found = []
    for name, point in sorted(known(group).items()):
        try:
            says = _first_line(point.load())
        except (ImportError, AttributeError) as error:
            says = f"cannot be imported: {error}"
        package = point.dist.name if point.dist else "?"
        found.append({"name": name, "says": says, "from": package})
    return found


def price_tables() -> list[dict[str, str]]:
    """Return the price tables that come with assay."""
    return [{"name": name, "says": load_prices(name).says()} for name in shipped()]


def metrics() -> list[dict[str, str]]:
    """Return every metric that a plan can name, with the tasks that have it."""
    everywhere = {m.name: m.says for m in (usd_per_1k, latency_mean, determinism)}
    everywhere |= {
        n: f"{q:.0%} of replies come within this many seconds" for n, q in QUANTILES.items()
    }
    # Not by the tasks that have them: those that need options, as a file, cannot be made and asked.
    says = {m.name: m.says for m in (*OUTCOME_METRICS, *SURENESS.values())}
    of_right = frozenset(says)
    of_tasks: dict[str, list[str]] = {name: [] for name in says}
    for task_name, task in load_tasks().items():
        for metric in task.metrics:
            of_tasks.setdefault(metric.name, []).append(task_name)
            says.setdefault(metric.name, metric.says)
    own = [
        {
            "name": name,
            "says": says[name],
            "of": "tasks with right answers" if name in of_right else ", ".join(tasks),
        }
        for name, tasks in of_tasks.items()
    ]
    return own + [{"name": n, "says": s, "of": "every task"} for n, s in everywhere.items()]


def tests_below(folder: Path) -> list[dict[str, str]]:
    """Return the test splits that runs in a folder were scored on, most used first."""
    return [
        {
            "test": one.test,
            "says": f"{_n(one.plans, 'plan')}, {_n(one.systems, 'system')}",
            "of": ", ".join(one.runs[-3:]),
        }
        for one in seen(folder)
    ]


def _n(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def runs_below(folder: Path) -> list[dict[str, str]]:
    """Return the runs in a folder, newest first: path, state, when it began, plan."""
    found = []
    for path in sorted(folder.glob("*"), reverse=True):
        run = RunDir(path)
        if path.is_dir() and any(p.exists() for p in (run.manifest, run.plan, run.seal)):
            found.append(_run(run))
    return found


def _run(run: RunDir) -> dict[str, str]:
    row = {"run": str(run.root), "state": "broken", "began": "", "plan": ""}
    try:
        manifest = read_doc(Manifest, run.manifest)
        state = glance(run).value if run.seal.is_file() else "unfinished"
        began = run.begun()
    except SealError as error:
        return {**row, "plan": error.what}
    except OSError as error:
        return {**row, "plan": f"{error.strerror}: {error.filename}"}
    return {
        **row,
        "state": state,
        "began": f"{began:%Y-%m-%d %H:%M}",
        "plan": f"{manifest.name}: {manifest.says}" if manifest.says else manifest.name,
    }


def _first_line(thing: object) -> str:
    return (thing.__doc__ or "").strip().partition("\n")[0].replace("``", "")
