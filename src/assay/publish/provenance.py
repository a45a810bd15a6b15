"""Where a run comes from: machine, packages, digests, data, systems, history."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..store.canon import digest_file
from ..store.manifest import CellFacts
from .decisions import prices_words
from .document import Block, Facts, Fold, Inline, Para, Row, Section, Span, Table
from .phrases import digests_only
from .words import seconds

if TYPE_CHECKING:
    from .run import Run


def provenance(run: Run) -> Section:
    """Return everything that another person needs in order to judge or repeat the run."""
    manifest, facts = run.manifest, run.provenance
    data = (
        Row((_name(task), split, f"{s.samples:,}", f"{s.groups:,}", Span(s.digest, "code")))
        for task, t in manifest.tasks.items()
        for split, s in t.splits.items()
    )
    uses = manifest.earlier_uses.items()
    reuse = (
        ", ".join(f"{task} by {n} other plan{'s' if n > 1 else ''}" for task, n in uses if n)
        or "none known"
    )
    pairs: tuple[tuple[str, Inline], ...] = (
        ("run", Span(manifest.run, "code")),
        ("plan", Span(manifest.plan, "code")),
        ("seal", Span(digest_file(run.dir.seal), "code", note="publish it, or sign it")),
        ("changed on the command line", ", ".join(manifest.overrides) or "nothing"),
        ("seeds", ", ".join(map(str, manifest.seeds))),
        ("resampling", f"PCG64, seed {manifest.rng}"),
        ("prices", prices_words(run.results.prices)),
        ("test questions used before", reuse),
        ("machine", _flat(facts.machine)),
        ("threads", _flat(facts.threads) or "not set"),
        ("commit", _flat(facts.git) or "none"),
        ("numbers computed with", _flat(manifest.packages)),
    )
    keys = ("started", "sealed", "assay")
    attempts = (
        Row((str(i), str(attempt.get("how", "")), *(str(attempt.get(k, "no")) for k in keys)))
        for i, attempt in enumerate(facts.attempts, 1)
    )
    tried = Table(
        says="Attempts: a run that was interrupted goes on where it stopped (resumed). One that was to have "
        "more seeds, or seeds again, was made ready for that, and the next attempt asked what was missing.",
        header=("attempt", "how", "started", "sealed", "assay"),
        rows=tuple(attempts),
    )
    asked = Table(
        says="Data: the digest names the samples, whatever their order.",
        header=("task", "split", "samples", "groups", "digest"),
        rows=tuple(data),
    )
    blocks = (
        Facts(pairs),
        Fold(f"{len(tried.rows)} attempt{'s' if len(tried.rows) > 1 else ''}", (tried,)),
        Fold(f"{len(asked.rows)} splits of the data", (asked,)),
        *((Para(note, "note"),) if (note := digests_only(manifest)) else ()),
        *_systems(run),
        Fold(f"{len(facts.packages)} installed packages", (Para(_flat(facts.packages), "note"),)),
    )
    return Section("provenance", "Provenance", blocks)


def _systems(run: Run) -> Iterator[Block]:
    systems, files = [], []
    for name, s in run.manifest.systems.items():
        options = json.dumps(s.options, sort_keys=True, ensure_ascii=False)
        asked = f"at most {s.limit:,}" if s.limit else "all"
        cells = (_name(name), s.use, Span(options, "code"), asked, Span(s.digest, "code"))
        systems.append(Row(cells))
        for f in s.files:
            about = (f.kind, f"{f.size:,}", f.source or "made here", f.license or "not stated")
            files.append(Row((_name(name), *about, Span(f.digest, "code"))))
    table = Table(
        says="Systems: the digest covers the recipe, its options and the bytes that it loads.",
        header=("system", "recipe", "options", "asked", "digest"),
        rows=tuple(systems),
    )
    yield Fold(f"{len(systems)} systems", (table,))
    if files:
        header = ("system", "kind", "bytes", "source", "license", "digest")
        table = Table(says="Files that systems loaded.", header=header, rows=tuple(files))
        yield Fold(f"{len(files)} files that systems loaded", (table,))
    table = Table(
        says="What was asked, how long the system took to build, and the digest of everything that "
        "was decided: equal digests are the determinism test.",
        header=("system", "asked", "replies", "crashes", "restarts", "build", "notes", "decisions"),
        rows=tuple(map(_part, run.provenance.cells)),
    )
    yield Fold(f"{len(run.provenance.cells)} parts of the run", (table,))


def _part(part: CellFacts) -> Row:
    took = "not measured" if part.build_s is None else seconds(part.build_s)
    where = f"{part.task}, seed {part.seed}, {part.split}"
    counts = (f"{part.n:,}", str(part.crashes), str(part.restarts))
    cells = (where, *counts, took, _flat(part.notes), Span(part.decisions, "code"))
    return Row((_name(part.system), *cells))


def _name(text: str) -> Span:
    return Span(text, "name")


def _flat(facts: Mapping[str, Any]) -> str:
    """Return facts as ``name value, name value``, empty ones left out."""
    kept = ((k, v) for k, v in sorted(facts.items()) if v not in (None, "", [], {}))
    return ", ".join(
        f"{k} {v if isinstance(v, str | int | float) else json.dumps(v)}" for k, v in kept
    )
