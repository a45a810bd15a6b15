"""The addresses of ``assay view``, as an ASGI application."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from ...core.errors import AssayError
from ...core.verdict import Outcome
from ...store.manifest import Manifest, read_doc
from ...store.rundir import RunDir
from ..changes import changes
from ..document import Section
from ..html import as_shown, script_digest, style, template_text
from ..paging.pages import Pages
from ..paging.wanted import Order, Wanted
from ..watched import Watching
from . import pages as drawn
from .checked import SMALL, Checked, Checks, size_of
from .guard import Application, Guard
from .samples import sample_page, samples_page
from .sealed import run_link, samples_link, stored_sections
from .shelf import Listed, Shelf, State, plain_file, row_of, stored

MOST_TEXT = 200
MOST_PAGE = 10**9
REPORT_POLICY = (
    "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; script-src '{script}'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Of a report that a run brings: it stands on an origin of its own, and runs no script but that of our reports."""

WATCHED = 8


class NotThereError(Exception):
    """There is no such page; the words say what is not there."""


@dataclass(frozen=True)
class Views:
    """What each address answers.  Names of runs, tasks and systems are looked up, never joined to a path."""

    shelf: Shelf
    checks: Checks = field(default_factory=Checks)
    watched: OrderedDict[str, Watching] = field(default_factory=OrderedDict)
    lock: Lock = field(default_factory=Lock)

    def runs(self) -> str:
        """Return the list."""
        listed = self.shelf.listed()
        known: dict[str, Checked] = {}
        for row in listed:
            run = self.shelf.root / row.name
            found = self.checks.known(RunDir(run)) if row.state is not State.BROKEN else None
            if found is not None:
                known[row.name] = found
        return drawn.list_page(self.shelf.root.resolve().name, listed, known)

    def run(self, name: str, *, check: bool) -> str:
        """Return the page of a run; a small one is checked at once, a large one when asked."""
        run, row = self._run(name)
        if row.state is State.BROKEN:
            return drawn.run_page(row, None, (_broken(row),))
        manifest = read_doc(Manifest, run.manifest)
        facts = _facts(run, manifest)
        if row.state is State.UNSEALED:
            again = (("look again", run_link(name)), ("all runs", "/"))
            return drawn.run_page(row, None, self._progress(run), links=again, facts=facts)
        small = size_of(run) <= SMALL
        checked = self.checks.check(run) if check or small else self.checks.known(run)
        links = [("all runs", "/")]
        if checked is None:
            links.append(
                (f"check all {size_of(run) / 1e6:,.0f} MB now", f"{run_link(name)}?check=1")
            )
            sections = stored_sections(stored(run, "summary.json"), stored(run, "claims.json"))
        elif checked.run is None:
            sections = stored_sections(stored(run, "summary.json"), stored(run, "claims.json"))
        else:
            sections = checked.sections
            links += [(f"samples of {task}", samples_link(name, task)) for task in manifest.tasks]
        if (run.derived / "report.html").is_file():
            links.append(("the report as it was written", run_link(name, "report")))
        return drawn.run_page(row, checked, sections, links=links, facts=facts)

    def report(self, name: str) -> bytes:
        """Return a run's own report, as it stands there."""
        run, _ = self._run(name)
        try:
            return plain_file(run, run.derived / "report.html").read_bytes()
        except OSError:
            raise NotThereError(f"{name} has no report") from None

    def samples(self, name: str, query: dict[str, str]) -> str:
        """Return a page of samples."""
        pages = self._pages(name, query)
        known = tuple(o.value for o in Outcome)
        outcomes = [_one_of(o, known, "outcome") for o in query.get("outcome", "").split(",") if o]
        order = _one_of(query.get("order", ""), tuple(o.value for o in Order), "order")
        wanted = Wanted(
            system=_one_of(query.get("system", ""), pages.systems, "system"),
            against=_one_of(query.get("against", ""), pages.systems, "system"),
            tag=_one_of(query.get("tag", ""), pages.tags, "tag"),
            outcomes=frozenset(map(Outcome, outcomes)),
            text=query.get("text", "")[:MOST_TEXT],
            order=Order(order) if order else Order.APART,
        )
        found = pages.find(wanted)
        return samples_page(name, pages, wanted, found, _number(query.get("page", "")))

    def sample(self, name: str, query: dict[str, str]) -> str:
        """Return one sample with every reply."""
        pages = self._pages(name, query)
        return sample_page(name, pages, pages.one(query.get("id", "")))

    def compare(self, names: list[str]) -> str:
        """Return what changed between two runs, the earlier one being the baseline."""
        if len(names) != 2 or names[0] == names[1]:
            raise NotThereError("tick two runs to compare them")
        first, second = sorted(names)
        runs = []
        for name in (first, second):
            checked = self.checks.check(self._run(name)[0])
            if checked.run is None:
                raise NotThereError(f"{name} cannot be compared: it is not as it was sealed")
            runs.append(checked.run)
        return drawn.compare_page(second, first, changes(runs[1], runs[0]))

    def _run(self, name: str) -> tuple[RunDir, Listed]:
        run = self.shelf.run(name)
        if run is None:
            raise NotThereError("there is no such run in this folder")
        return run, row_of(run)

    def _pages(self, name: str, query: dict[str, str]) -> Pages:
        run, row = self._run(name)
        checked = self.checks.check(run) if row.state is not State.UNSEALED else None
        if checked is None or checked.run is None:
            raise NotThereError(
                "samples are shown of a run whose files are all as they were sealed"
            )
        task = query.get("task") or next(iter(checked.run.manifest.tasks))
        if task not in checked.run.manifest.tasks:
            raise NotThereError("this run has no such task")
        return self.checks.pages(checked, task)

    def _progress(self, run: RunDir) -> tuple[Section, ...]:
        with self.lock:
            watching = self.watched.setdefault(run.root.name, Watching(run.root))
            self.watched.move_to_end(run.root.name)
            while len(self.watched) > WATCHED:
                self.watched.popitem(last=False)
            moment = watching.look()
            while moment.catching_up:
                moment = watching.look()
            return drawn.moment_sections(moment)


def make_app(folder: Path, port: int) -> Application:
    """Return the application; its packages come with the extra ``view``."""
    from starlette import responses as answers
    from starlette import routing
    from starlette.applications import Starlette

    views = Views(Shelf(folder))
    css = style() + template_text("view.css")
    policy = REPORT_POLICY.format(script=script_digest())

    # Plain functions: each runs in a thread, so that a long check holds up no other page.
    def runs(_request: Any) -> Any:
        return answers.HTMLResponse(views.runs())

    def run(request: Any) -> Any:
        check = request.query_params.get("check") == "1"
        return answers.HTMLResponse(views.run(request.path_params["name"], check=check))

    def report(request: Any) -> Any:
        return answers.Response(
            views.report(request.path_params["name"]),
            media_type="text/html; charset=utf-8",
            headers={"Content-Security-Policy": policy},
        )

    def samples(request: Any) -> Any:
        query = dict(request.query_params)
        return answers.HTMLResponse(views.samples(request.path_params["name"], query))

    def sample(request: Any) -> Any:
        query = dict(request.query_params)
        return answers.HTMLResponse(views.sample(request.path_params["name"], query))

    def compare(request: Any) -> Any:
        return answers.HTMLResponse(views.compare(request.query_params.getlist("run")))

    def sheet(_request: Any) -> Any:
        return answers.Response(css, media_type="text/css")

    def not_there(_request: Any, error: Exception) -> Any:
        page = drawn.plain_page("Not there", str(error))
        return answers.HTMLResponse(page, status_code=404)

    def elsewhere(_request: Any, error: Any) -> Any:
        page = drawn.plain_page("Not there", "there is no such page")
        return answers.HTMLResponse(page, status_code=error.status_code)

    def cannot(_request: Any, error: Exception) -> Any:
        assert isinstance(error, AssayError)
        page = drawn.error_page(error)
        return answers.HTMLResponse(page, status_code=409)

    app = Starlette(
        routes=[
            routing.Route("/", runs),
            routing.Route("/compare", compare),
            routing.Route("/-/view.css", sheet),
            routing.Route("/run/{name}", run),
            routing.Route("/run/{name}/report", report),
            routing.Route("/run/{name}/samples", samples),
            routing.Route("/run/{name}/sample", sample),
        ],
        exception_handlers={NotThereError: not_there, AssayError: cannot, 404: elsewhere},
    )
    return Guard(app, port)


def _broken(row: Listed) -> Section:
    return drawn.text_section("broken", "It cannot be read", row.why)


def _facts(run: RunDir, manifest: Manifest) -> list[tuple[str, str]]:
    samples = [
        f"{task}: {facts.splits['test'].samples:,} in {facts.splits['test'].groups:,} groups"
        for task, facts in manifest.tasks.items()
        if "test" in facts.splits
    ]
    systems = [
        f"{name} ({facts.use})" for name, facts in manifest.systems.items() if not facts.control
    ]
    return [
        ("run", manifest.run),
        ("test questions", "; ".join(samples)),
        ("systems", ", ".join(systems)),
        ("seeds", ", ".join(map(str, manifest.seeds))),
        ("plan", manifest.plan),
        (
            "signature",
            "SEAL.sig is there; assay board verify checks it"
            if run.signature.is_file()
            else "none",
        ),
    ]


def _one_of(given: str, known: tuple[str, ...], what: str) -> str:
    """Return which of some names was given, as a page spells it; empty where none was."""
    if not given:
        return ""
    for name in known:
        if given in (name, as_shown(name)):
            return name
    raise NotThereError(f"there is no such {what} here")


def _number(text: str) -> int:
    return min(int(text), MOST_PAGE) if text.isascii() and text.isdigit() and len(text) < 12 else 1
