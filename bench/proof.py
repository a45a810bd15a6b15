"""Whether intervals hold the truth as often as they say, and tests err as rarely: by simulation.

    python bench/proof.py [--times 4000] [--out docs] [--only WORDS ...]

``--only`` simulates the cases whose names hold one of the words, and those that are new, and keeps the
rest of coverage.json.  Writes coverage.json, coverage.svg and the table between the marks of statistics.md.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from proof_case import ROOT, SEED, SIZES
from proof_cases import CASES

MARKS = "<!-- bench/proof.py writes from here -->", "<!-- to here -->"


def simulate(times: int, kept: dict[str, Any]) -> dict[str, Any]:
    """Run every case whose row is not kept; return what coverage.json holds."""
    rows = []
    for case in CASES:
        if case.name in kept:
            rows.append(kept[case.name])
            continue
        asked = [case.times(n, times) for n in case.sizes]
        found = [case.hits(n, times=t) for n, t in zip(case.sizes, asked, strict=True)]
        hits, defined = zip(*found, strict=True)
        row = {"name": case.name, "n": case.sizes, "times": asked}
        rows.append({**row, "hits": hits, "defined": defined})
        print(case.name, cells(rows[-1]), flush=True)
    return {"seed": SEED, "times": times, "rows": rows}


def kept_rows(path: Path, words: list[str], times: int) -> dict[str, Any]:
    """Return the rows of an earlier proof, by name, that are not to be simulated again."""
    if not words or not path.exists():
        return {}
    known = json.loads(path.read_text("utf-8"))
    if (known["seed"], known["times"]) != (SEED, times):
        return {}
    return {r["name"]: r for r in known["rows"] if not any(word in r["name"] for word in words)}


def cells(row: dict[str, Any]) -> list[str]:
    """Return each share in percent; what is undefined more often than not, as a dash."""
    found = []
    for hits, defined, times in zip(row["hits"], row["defined"], row["times"], strict=True):
        if defined < times / 2:
            found.append("-")
            continue
        lost = (
            f" ({100 * (1 - defined / times):.0f} % undefined)" if defined < 0.995 * times else ""
        )
        found.append(f"{100 * hits / defined:.1f}{lost}")
    return found


def tables(kept: dict[str, Any]) -> str:
    """Return the tables of the page."""
    rows = {row["name"]: row for row in kept["rows"]}
    lines = []
    for title in dict.fromkeys(case.table for case in CASES):
        mine = [case for case in CASES if case.table == title]
        heads = [f"n = {n}" for n in mine[0].sizes]
        lines += [
            "",
            f"**{title[0].upper()}{title[1:]}**",
            "",
            f"| method | drawn | {' | '.join(heads)} | wants | in reports | falls short with |",
            f"|{'---|' * (len(heads) + 5)}",
        ]
        for case in mine:
            shown = [*cells(rows[case.name]), *("" for _ in heads[len(case.sizes) :])]
            sign = "at most" if case.is_test else "at least"
            wants = f"{sign} {100 * case.target:g}"
            said = [case.method, case.data, *shown, wants, "yes" if case.printed else "no"]
            lines.append(f"| {' | '.join([*said, case.short])} |")
    return "\n".join(lines).strip()


def written(page: str, kept: dict[str, Any]) -> str:
    """Return the page with the tables between their marks."""
    before, _, rest = page.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    return f"{before}{MARKS[0]}\n\n{tables(kept)}\n\n{MARKS[1]}{after}"


PICTURED = {
    "a share: textbook p ± 1.96 se, not used, truth 0.98": "textbook, few events",
    "a share: Wilson, truth 0.98": "Wilson, few events",
    "a share: Wilson, groups ignored, not used, truth 0.8, n groups of 5, correlation 0.5": (
        "Wilson, groups ignored"
    ),
    "a share: Wilson at effective size, truth 0.8, n groups of 5, correlation 0.5": (
        "Wilson at effective size"
    ),
}
COLOURS = ("#d9603b", "#3b7ddd", "#b8860b", "#1a9e77")


def picture(kept: dict[str, Any]) -> str:
    """Return an SVG of how often four intervals hold the truth."""
    import vl_convert

    rows = {row["name"]: row for row in kept["rows"]}
    points = [
        {"n": n, "held": 100 * hits / defined, "who": said}
        for name, said in PICTURED.items()
        for n, hits, defined in zip(*(rows[name][k] for k in ("n", "hits", "defined")), strict=True)
    ]
    colour = {
        "field": "who",
        "type": "nominal",
        "title": None,
        "scale": {"domain": list(PICTURED.values()), "range": COLOURS},
    }
    x = {
        "field": "n",
        "type": "quantitative",
        "title": "samples, or groups of five (logarithmic)",
        "scale": {"type": "log"},
        "axis": {"values": SIZES, "grid": False},
    }
    y = {"field": "held", "type": "quantitative", "title": "intervals that hold the truth, %"}
    spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "background": "white",
        "width": 460,
        "height": 240,
        "config": {"font": "Liberation Sans, Arial, sans-serif"},
        "layer": [
            {
                "data": {"values": [{"at": 95}]},
                "mark": {"type": "rule", "strokeDash": [4, 4], "color": "#6f757e"},
                "encoding": {"y": {"field": "at", "type": "quantitative"}},
            },
            {
                "data": {"values": points},
                "mark": {"type": "line", "point": True},
                "encoding": {"x": x, "y": y, "color": colour},
            },
        ],
    }
    return vl_convert.vegalite_to_svg(json.dumps(spec), allowed_base_urls=[])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--times", type=int, default=4000, help="simulations of each cell")
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    parser.add_argument("--only", nargs="+", default=[], metavar="WORDS", help="cases to simulate")
    given = parser.parse_args()
    earlier = kept_rows(given.out / "coverage.json", given.only, given.times)
    kept = json.loads(json.dumps(simulate(given.times, earlier)))
    given.out.mkdir(parents=True, exist_ok=True)
    rows = ",\n".join(json.dumps(row) for row in kept["rows"])
    head = json.dumps({k: v for k, v in kept.items() if k != "rows"})[1:-1]
    (given.out / "coverage.json").write_text(f'{{{head}, "rows": [\n{rows}\n]}}\n', "utf-8")
    (given.out / "coverage.svg").write_text(picture(kept) + "\n", "utf-8")
    page = given.out / "statistics.md"
    if page.exists():
        page.write_text(written(page.read_text("utf-8"), kept), "utf-8")


if __name__ == "__main__":
    main()
