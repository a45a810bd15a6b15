"""What becomes of the peak of a filter, and where a system's denominator is smallest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from assay.figures import Datum, Drawing, draw
from assay.sections import Block, Para, Row, Span, Table

from ..domains.drawn import Floats
from . import charts
from .reading import Evidence
from .rf_sweeps import DECADE, Sweep, given, height
from .said import Said
from .thresholds import PROJECTIVE

DOTS = 60
"""Peaks of a system in the figure."""
KEPT = 0.9
"""The share of a peak from which on it is kept."""
WORST = 3
NEAR = 2.0
"""A row is near the smallest denominator up to this many times it."""


def peaks(evidence: Evidence, sweeps: Sequence[Sweep], shown: Sequence[str]) -> Drawing:
    """Draw how much of each peak is said, against how high it is."""
    whole = [s for s in sweeps if s.peak is not None]
    at = np.array([s.peak for s in whole], dtype=np.int64)
    step = max(1, -(-len(at) // DOTS))
    rows: list[Datum] = []
    for system in shown:
        said = evidence.first(system)
        true, told = height(evidence.asked.y[at]), height(given(said, at))
        for k in range(0, len(at), step):
            gone = np.isnan(told[k])
            off = 0.0 if gone else float(np.clip(told[k] - true[k], -30.0, 30.0))
            what = "declined" if said.declined[at[k]] else "failed" if gone else f"{told[k]:.1f} dB"
            rows.append(
                {"system": system, "true": round(float(true[k]), 2), "off": round(off, 2), "gone": int(gone),
                 "tip": f"{system}, {whole[k].name}: peak {true[k]:.1f} dB, said {what}"}
            )  # fmt: skip
    inner: charts.Spec = {
        "width": 225,
        "height": 130,
        "encoding": {
            "x": charts.number("true", "true peak, dB", scale={"zero": False}),
            "y": charts.number("off", "said less true, dB", scale={"domain": [-30, 30]}),
            "color": charts.PLAIN,
        },
        "layer": [
            {"transform": [{"filter": "datum.gone == 0"}], "mark": {"type": "point", "filled": True, "size": 26, "opacity": 0.8},
             "encoding": {"description": charts.TIP}},
            {"transform": [{"filter": "datum.gone == 1"}], "mark": {"type": "point", "shape": "cross", "filled": True, "size": 26, "opacity": 0.8},
             "encoding": {"y": {"datum": -28}, "description": charts.TIP}},
            charts.rule(dashed=False),
        ],
    }  # fmt: skip
    rows = [{**row, "colour": evidence.colours[row["system"]]} for row in rows]
    rows += charts.levels("system", shown, 0.0)
    spec = charts.facet("system", inner, columns=3, sort=shown)
    says = (
        f"The highest response of each sweep on {evidence.task} that has no pole: by how much it is said too high or too low, at "
        f"most 30 dB; crosses: not given. First seed, {'all' if step == 1 else f'one in {step}'} of {len(at)} filters."
        f"{evidence.some(shown)}"
    )
    return draw(spec, {"rows": rows}, file=evidence.file("peaks"), says=says)


def denominators(evidence: Evidence, sweeps: Sequence[Sweep]) -> Table:
    """Return where the denominator that a system implies is smallest along each sweep.

    Every answer implies |D| = 1 / |H|, proposals too; a rational head also says its |Q|, as the
    confidence.
    """
    rows = []
    for system in evidence.own:
        said = evidence.first(system)
        with np.errstate(divide="ignore"):
            implied = 1.0 / np.hypot(said.value[:, 0], said.value[:, 1])
        rows.append(_axis(sweeps, system, "1 / |H|", implied))
        if evidence.run.manifest.systems[system].use == PROJECTIVE:
            rows.append(_axis(sweeps, system, "|Q|", said.sure))
    return Table(
        says="Along each sweep, the row with the smallest denominator: the one that the answer implies, and |Q| of a rational "
        "head. Distance from the true resonance, in thousandths of a decade; rows with at most twice that denominator; sweeps "
        "in which it is the first or the last row, where no resonance is. First seed, declines with what they had ready.",
        header=("system", "denominator", "sweeps", "median distance", "90 % within", "share of rows near it", "at an edge"),
        rows=tuple(rows),
    )  # fmt: skip


def _axis(sweeps: Sequence[Sweep], system: str, what: str, size: Floats) -> Row:
    away, near, edge = [], [], []
    for sweep in sweeps:
        here = size[sweep.rows]
        if np.isnan(here).any():
            continue
        least = int(here.argmin())
        if sweep.true is not None:
            away.append(abs(sweep.away[least] - (sweep.true - sweep.seen) / DECADE))
        near.append(float((here <= NEAR * here[least]).mean()))
        edge.append(float(least in (0, len(here) - 1)))
    if not near:
        return Row((Span(system, "name"), what, Span("0", "number"), *[Span("-", "muted")] * 4))
    return Row(
        (
            Span(system, "name"),
            what,
            Span(f"{len(near):,}", "number"),
            Span(_length(np.median(away)) if away else "-", "number"),
            Span(_length(np.quantile(away, 0.9)) if away else "-", "number"),
            Span(f"{100 * np.mean(near):.1f} %", "number"),
            Span(f"{100 * np.mean(edge):.1f} %", "number"),
        )
    )


def _length(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def packs(evidence: Evidence, sweeps: Sequence[Sweep]) -> Iterator[Block]:
    """Yield the filters whose peaks each system loses most of, and the highest peaks that it invents."""
    lost, made = [], []
    for system in evidence.own:
        said = evidence.first(system)
        lost += _washed(evidence, sweeps, system, said)
        made += _invented(evidence, system, said)
    if lost:
        yield Table(
            says=f"Washed out: the {WORST} filters of each system of whose peak least is said, where less than {KEPT:g} is. First seed.",
            header=("filter", "true peak", "said", "kept"),
            rows=tuple(lost),
        )
    else:
        yield Para(f"No system says less than {KEPT:g} of a peak.", "note")
    if made:
        yield Table(
            says=f"Invented: the {WORST} highest responses that each system says where there is none, or that are above "
            "anything its filter has. First seed.",
            header=("filter", "thousandths of a decade from the resonance seen", "true", "said"),
            rows=tuple(made),
        )
    else:
        yield Para("No system invents a peak.", "note")


def _washed(evidence: Evidence, sweeps: Sequence[Sweep], system: str, said: Said) -> list[Row]:
    whole = [s for s in sweeps if s.peak is not None and said.answered[s.peak]]
    at = np.array([s.peak for s in whole], dtype=np.int64)
    true, told = height(evidence.asked.y[at]), height(said.value[at])
    kept = 10.0 ** ((told - true) / 20.0)
    order = [k for k in np.argsort(kept, kind="stable")[:WORST] if kept[k] < KEPT]
    if not order:
        return []
    count = (
        f"{system}: {int((kept < KEPT).sum())} of {len(whole)} peaks that it gives are washed out"
    )
    return [
        Row((count,), "group"),
        *(
            Row(
                (
                    Span(whole[k].name, "code"),
                    Span(f"{true[k]:.1f} dB", "number"),
                    Span(f"{told[k]:.1f} dB", "number"),
                    Span(f"{100 * kept[k]:.0f} %", "number"),
                )
            )
            for k in order
        ),
    ]


def _invented(evidence: Evidence, system: str, said: Said) -> list[Row]:
    asked = evidence.asked
    none = said.answered & ~asked.there
    above = said.answered & (said.score("false_peak") > 0)
    size = np.where(none | above, np.hypot(said.value[:, 0], said.value[:, 1]), -1.0)
    order = [i for i in np.argsort(-size, kind="stable")[:WORST] if size[i] >= 0]
    if not order:
        return []
    count = f"{system}: {int(none.sum())} values where there is none, {int(above.sum())} above anything its filter has"
    true, told = height(asked.y), height(said.value)
    away = (asked.column(0) - asked.column(1)) / DECADE
    return [
        Row((count,), "group"),
        *(
            Row(
                (
                    Span(str(asked.groups[i]), "code"),
                    Span(f"{away[i]:+.3g}", "number"),
                    Span(f"{true[i]:.1f} dB" if asked.there[i] else str(asked.truth[i]), "number"),
                    Span(f"{told[i]:.1f} dB", "number"),
                )
            )
            for i in order
        ),
    ]
