"""Rows that may be compared: runs of the same questions on the same kind of machine, as plain values."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...core.metric import Origin
from ...store.canon import digest_value
from .card import Card, Number, Part
from .fronts import front_of, priced_apart
from .home import SHORT
from .sheet import Column, Row, columns_of, headline_of
from .standing import Ranking, is_ranked, paired

Cell = dict[str, Any]


def cohorts_of(
    cards: Sequence[Card], *, names: Mapping[str, str], hidden: frozenset[str]
) -> list[dict[str, Any]]:
    """Return the cohorts of some cards, by id; models in ``hidden`` have no row.

    ``names`` says how a model's id is spelled for people.
    """
    together: dict[str, list[tuple[Card, Part]]] = defaultdict(list)
    for card in sorted(cards, key=lambda c: c.seal):
        for part in card.parts:
            if part.origin == Origin.SIMULATED.value:
                continue  # made up on purpose: no page of models shows it
            together[_key(card, part)].append((card, part))
    made = (_cohort(key, parts, names, hidden) for key, parts in together.items())
    return sorted((one for one in made if one is not None), key=lambda one: str(one["id"]))


def _key(card: Card, part: Part) -> str:
    """Return what is the same of everything that may be compared."""
    tasks = [
        [name, t.use, t.version, t.test, t.settings, t.headline, part.asked[name]]
        for name, t in sorted(card.tasks.items())
    ]
    return digest_value([tasks, card.hardware.id, part.origin])


def _cohort(
    key: str,
    parts: Sequence[tuple[Card, Part]],
    names: Mapping[str, str],
    hidden: frozenset[str],
) -> dict[str, Any] | None:
    rows = list(_rows(parts, names, hidden))
    if all(row.control for row in rows):
        return None
    columns = columns_of(rows)
    headline = headline_of(columns, rows)
    first = parts[0][0]
    rows.sort(key=lambda row: _place(row, headline))
    numbers = {c.id: _numbers(rows, c) for c in columns}
    rankings = {c.id: _ranking(rows, c, numbers[c.id], parts) for c in columns}
    ranks = {name: ranking.ranks() for name, ranking in rankings.items()}
    suite = _suite(parts)
    front = front_of(rows, {c.id: c for c in columns}, rankings, headline)
    return {
        "id": f"{_slug(suite['name'])}-{key.removeprefix('sha256:')[:8]}",
        "suite": suite,
        "hardware": {"id": first.hardware.id, "says": first.hardware.says},
        "samples": sum(first.asked[d].n for d in parts[0][1].asked.values()),
        "tasks": [
            {
                "name": name,
                "use": task.use,
                "version": task.version,
                "says": task.says,
                "samples": first.asked[parts[0][1].asked[name]].n,
                "groups": first.asked[parts[0][1].asked[name]].n_groups,
                "test": task.test,
                "caveats": list(task.caveats),
            }
            for name, task in sorted(first.tasks.items())
        ],
        "headline": headline.id,
        "columns": [c.said for c in columns],
        "rows": [
            _said(row, i, columns, ranks, front.standing.get(i))
            | {"flags": _flags(row, rows, columns)}
            for i, row in enumerate(rows)
        ],
        "front": front.said(rows),
        "pairs": {name: said for name, r in rankings.items() if (said := _pairs(r))},
    }


def _rows(
    parts: Sequence[tuple[Card, Part]], names: Mapping[str, str], hidden: frozenset[str]
) -> Iterator[Row]:
    seen: set[tuple[str, str, str]] = set()
    for card, part in parts:
        slugs = _slugs(card)
        for system, measured in part.systems.items():
            about = card.systems[system]
            if about.model in hidden:
                continue
            if about.control:
                # One control answers alike wherever it runs: it stands once.
                same = (
                    system,
                    about.digest,
                    digest_value([m.model_dump(mode="json") for m in measured.values()]),
                )
                if same in seen:
                    continue
                seen.add(same)
            what = "control" if about.control else about.model or "baseline"
            yield Row(
                id=f"{what}--{slugs[system]}--{card.seal[:SHORT]}",
                card=card,
                system=system,
                label=names.get(about.model, about.model) if about.model else system,
                measured=measured,
            )


def _slugs(card: Card) -> dict[str, str]:
    """Return what each system is called in an address: two that would be called alike have a digest behind it."""
    plain = {system: _slug(system) for system in card.systems}
    twice = {slug for slug, n in Counter(plain.values()).items() if n > 1}
    return {
        system: f"{slug}-{digest_value(system).removeprefix('sha256:')[:8]}"
        if slug in twice
        else slug
        for system, slug in plain.items()
    }


def _numbers(rows: Sequence[Row], column: Column) -> dict[int, Number]:
    """Return the numbers of the rows under test that say how sure they are.

    A run that may stop early gives intervals that hold at every look, and no standard errors: it has no rank.  Nor has
    anything where neither way is better, and dollars that were reckoned with other prices.
    """
    found: dict[int, Number] = {}
    if column.facts.better == "none" or (column.facts.unit == "usd" and priced_apart(rows)):
        return found
    for i, row in enumerate(rows):
        number = row.number(column)
        if (
            not row.control
            and not row.card.stopped
            and isinstance(number, Number)
            and is_ranked(number, ratio=column.facts.ratio)
        ):
            found[i] = number
    return found


def _ranking(
    rows: Sequence[Row],
    column: Column,
    numbers: Mapping[int, Number],
    parts: Sequence[tuple[Card, Part]],
) -> Ranking:
    card, part = parts[0]
    pairs = {}
    if column.task is not None and column.facts.metric == card.tasks[column.task].headline:
        values = {i: v for i, row in enumerate(rows) if (v := row.measured[column.task].values)}
        if not column.facts.ratio and {*numbers} <= {*values}:
            pairs = paired(values, card.asked[part.asked[column.task]])
    return Ranking(
        higher=column.facts.better != "lower",
        ratio=column.facts.ratio,
        numbers=numbers,
        pairs=pairs,
    )


def _place(row: Row, headline: Column) -> tuple[bool, bool, float, str]:
    number = row.number(headline)
    value = number.value if isinstance(number, Number) else None
    sign = 1.0 if headline.facts.better == "lower" else -1.0
    return row.control, value is None, 0.0 if value is None else sign * value, row.id


def _said(
    row: Row,
    at: int,
    columns: Sequence[Column],
    ranks: Mapping[str, Mapping[int, Any]],
    standing: str | None,
) -> dict[str, Any]:
    about = row.card.systems[row.system]
    cells = {c.id: _cell(n) for c in columns if (n := row.number(c)) is not None}
    return {
        "id": row.id,
        "model": about.model,
        "system": row.system,
        "label": row.label,
        "quantisation": about.quantisation,
        "control": row.control,
        "origin": about.origin,
        "run": row.card.seal,
        "cells": cells,
        "ranks": {
            name: {"best": r.best, "worst": r.worst, "band": r.band}
            for name, each in ranks.items()
            if (r := each.get(at)) is not None
        },
        "standing": standing,
    }


def _cell(number: Number | str) -> Cell:
    if isinstance(number, str):
        return {"why": number}
    return {
        "value": number.value,
        "low": number.low,
        "high": number.high,
        "n": number.n,
        "confidence": number.confidence,
        "sides": number.sides,
        "method": number.method,
    }


def _flags(row: Row, rows: Sequence[Row], columns: Sequence[Column]) -> dict[str, str]:
    """Return which control does as well as a row under test, by column."""
    found: dict[str, str] = {}
    for column in columns:
        mine = row.number(column)
        if row.control or column.task is None or column.facts.better == "none":
            continue
        if not isinstance(mine, Number) or mine.value is None:
            continue
        sign = -1.0 if column.facts.better == "lower" else 1.0
        for other in rows:
            theirs = other.number(column) if other.control else None
            if (
                isinstance(theirs, Number)
                and theirs.value is not None
                and sign * mine.value <= sign * theirs.value
            ):
                found.setdefault(column.id, other.system)
    return found


def _pairs(ranking: Ranking) -> list[list[float | int | None]]:
    return [[i, j, *ends] for (i, j), ends in sorted(ranking.differences().items())]


def _suite(parts: Sequence[tuple[Card, Part]]) -> dict[str, str]:
    """Return what was asked, under the name of the suite, or of the first plan by name."""
    card, part = min(parts, key=lambda p: (p[0].suite is None, p[0].plan, p[0].seal))
    tasks = [
        [n, t.use, t.version, t.test, t.settings, part.asked[n]]
        for n, t in sorted(card.tasks.items())
    ]
    name, says = card.plan, card.says
    if card.suite is not None:
        name, says = card.suite.get("name", name), card.suite.get("says", says)
    return {"name": name, "says": says, "digest": digest_value(tasks)}


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")[:60] or "x"
