"""The pages of ``assay view``, filled: text of strangers is text, and an address is made of checked parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ...core.claim import Status
from ...core.errors import AssayError
from ..document import Block, Facts, Items, Para, Row, Section, Span, Table
from ..html import fill
from ..watched import Moment
from ..watched.words import ABOVE, HEAD, HOLDS, duration, money, shown, trouble
from .checked import Checked
from .sealed import run_link
from .shelf import Listed, State

LOOKS = {
    State.ALIKE: "open",
    State.NEWER: "open",
    State.CHANGED: "bad",
    State.UNSEALED: "open",
    State.BROKEN: "bad",
}


@dataclass(frozen=True, slots=True)
class Badge:
    """What is known of a run's seal, in words, with how it looks."""

    look: str
    """``good``, ``open`` or ``bad``."""

    text: str
    note: str = ""


def badge(state: State, checked: Checked | None) -> Badge:
    """Return what this server knows of a run's seal, and what it does not."""
    if checked is not None and checked.faults:
        names = "; ".join(f"{f.path} {f.what}" for f in checked.faults[:5])
        more = f"; and {len(checked.faults) - 5:,} more" if len(checked.faults) > 5 else ""
        return Badge("bad", "changed since it was sealed", f"{names}{more}")
    if checked is not None and checked.run is not None:
        note = f"every file hashed here at {_clock(checked.when)}; a forger who seals again is not found"
        return Badge("good", "sealed, every file as it was", note)
    if checked is not None:
        return Badge("bad", "cannot be read", checked.why)
    notes = {
        State.ALIKE: "a quick look found nothing; no file was hashed",
        State.NEWER: "a file is newer than the seal, as after an edit or a careless copy",
        State.CHANGED: "a file is missing, was added, or was edited",
        State.UNSEALED: "it did not finish, or is still running: nothing is decided",
    }
    return Badge(LOOKS[state], state.value, notes.get(state, ""))


def _clock(when: datetime) -> str:
    return f"{when:%H:%M:%S} UTC"


def list_page(folder: str, rows: Sequence[Listed], checked: Mapping[str, Checked]) -> str:
    """Return the list of runs."""
    listed = [_in_list(row, badge(row.state, checked.get(row.name))) for row in rows]
    sealed = sum(one["can_compare"] is True for one in listed)
    return fill(
        "view-list.html",
        title="Runs",
        says=f"{len(rows):,} run{'s' if len(rows) != 1 else ''} in {folder}",
        listed=listed,
        can_compare=sealed > 1,
    )


def _in_list(row: Listed, seal: Badge) -> dict[str, object]:
    """Return a run's place in the list; what a changed run decides is not repeated."""
    bad = seal.look == "bad"
    return {
        "row": row,
        "href": run_link(row.name),
        "badge": seal,
        "decision": "" if bad else row.decision,
        "claims": []
        if bad
        else [(s.value, row.claims[s.value]) for s in Status if row.claims.get(s.value)],
        "can_compare": not bad and row.state in (State.ALIKE, State.NEWER),
    }


def run_page(
    listed: Listed,
    checked: Checked | None,
    sections: Sequence[Section],
    *,
    links: Sequence[tuple[str, str]] = (),
    facts: Sequence[tuple[str, str]] = (),
) -> str:
    """Return the page of one run."""
    about = Section("about", "About", (Facts(tuple((name, text) for name, text in facts)),))
    return fill(
        "view-run.html",
        title=listed.plan or listed.name,
        says=listed.says,
        name=listed.name,
        badge=badge(listed.state, checked),
        links=links,
        sections=(*sections, *((about,) if facts else ())),
    )


def moment_sections(moment: Moment) -> tuple[Section, ...]:
    """Return how a run in progress stands."""
    said = [f"{moment.there:,} of {moment.asked:,} replies"]
    if moment.left_s:
        said.append(f"about {duration(max(moment.left_s, 1))} until everything is asked")
    if moment.usd is not None:
        said.append(f"{money(moment.usd, moment.currency)} spent")
    blocks: list[Block] = [
        Para((Span(moment.phase.value, "name"), f": {', '.join(said)}, at {_clock(moment.when)}."))
    ]
    for task in dict.fromkeys(one.task for one in moment.systems):
        rows = [
            Row(
                (
                    Span(f"{one.system}*" if one.withholds else one.system, "name"),
                    f"{one.there:,} of {max(one.asked, one.there):,}",
                    shown(one.right),
                    shown(one.answered),
                    shown(one.wrong),
                    trouble(one),
                    "-" if one.usd is None else money(one.usd, moment.currency),
                ),
                "control" if one.control else "",
            )
            for one in moment.systems
            if one.task == task
        ]
        head = ("system", *HEAD[1:])
        blocks.append(Table(says=f"Systems on {task}, so far.", header=head, rows=tuple(rows)))
    blocks.append(Para(f"{HOLDS} * {ABOVE}: its answers all count as given.", "note"))
    if moment.notes:
        blocks.append(Items(tuple(moment.notes)))
    return (Section("progress", "How far it is", tuple(blocks)),)


def compare_page(name: str, base: str, section: Section) -> str:
    """Return what changed from one run to another."""
    return plain_page(
        "What changed",
        f"{name} minus {base}, paired question by question",
        (section,),
        links=((name, run_link(name)), (base, run_link(base))),
    )


def text_section(name: str, title: str, text: str) -> Section:
    """Return a section of one sentence."""
    return Section(name, title, (Para(text),))


def plain_page(
    title: str,
    says: str,
    sections: Sequence[Section] = (),
    *,
    links: Sequence[tuple[str, str]] = (),
) -> str:
    """Return a page that is of no one run."""
    return fill(
        "view-run.html", title=title, says=says, name="", badge=None, links=links, sections=sections
    )


def error_page(error: AssayError) -> str:
    """Return the page of an error: what happened, where, and what to try, as the command line says it."""
    told = [("at", error.where), ("try", error.hint), ("more", f"assay explain {error.code}")]
    facts = Facts(tuple((name, text) for name, text in told if text))
    return plain_page(
        "This cannot be shown",
        f"{error.code} {error.what}",
        (Section("error", "What to try", (facts,)),),
        links=(("all runs", "/"),),
    )
