"""The pages of ``assay view``, filled: text of strangers is text, and an address is made of checked parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from ...core.claim import Status
from ...core.reply import Answer, Bottom
from ...core.sample import Sample
from ...core.verdict import Outcome
from ...store.line import Line
from ..browser import shown as text_of
from ..document import Block, Facts, Items, Para, Row, Section, Span, Table
from ..hostile import visible
from ..html import fill
from ..paging.pages import Found, Pages, Said, Shown
from ..paging.wanted import Order, Wanted
from ..watched import Moment
from ..watched.words import ABOVE, HEAD, HOLDS, duration, money, shown, trouble
from .checked import Checked
from .sealed import run_link, samples_link
from .shelf import Listed, State

SIZE = 20
MOST_INPUT, MOST_ANSWER, MOST_EVIDENCE = 4_000, 1_200, 6_000
LOOKS = {
    State.ALIKE: "open",
    State.NEWER: "open",
    State.CHANGED: "bad",
    State.UNSEALED: "open",
    State.BROKEN: "bad",
}
ORDERS = {
    Order.APART: "systems disagree first",
    Order.ID: "by id",
    Order.SURE: "surest first",
    Order.UNSURE: "least sure first",
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


def samples_page(name: str, pages: Pages, wanted: Wanted, found: Found, number: int) -> str:
    """Return a page of samples."""
    count = max(found.count(SIZE), 1)
    number = min(max(number, 1), count)
    query = {
        "task": pages.task,
        "system": wanted.system,
        "outcome": ",".join(sorted(o.value for o in wanted.outcomes)),
        "tag": wanted.tag,
        "against": wanted.against,
        "text": wanted.text,
        "order": wanted.order.value if wanted.order is not Order.APART else "",
    }

    def page(n: int) -> str:
        given = {key: value for key, value in {**query, "page": str(n)}.items() if value}
        return f"{run_link(name, 'samples')}?{urlencode(given, errors='replace')}"

    return fill(
        "view-samples.html",
        title="Samples",
        says=f"What every system said to the test questions of {pages.task}",
        name=name,
        task=pages.task,
        back=run_link(name),
        action=run_link(name, "samples"),
        systems=pages.systems,
        tags=pages.tags[:500],
        outcomes=[o.value for o in Outcome],
        orders=[(o.value, words) for o, words in ORDERS.items()],
        wanted=wanted,
        chosen=query,
        found=len(found),
        among=len(pages),
        samples=[_shown(name, pages, one) for one in found.page(number, size=SIZE)],
        number=number,
        count=count,
        first=(number - 1) * SIZE + 1,
        last=min(number * SIZE, len(found)),
        earlier=page(number - 1) if number > 1 else "",
        later=page(number + 1) if number < count else "",
    )


def sample_page(name: str, pages: Pages, one: Shown) -> str:
    """Return one sample with every reply under every seed, and what is kept beside each."""
    replies = []
    for said in one.said:
        for seed, line in said.lines.items():
            kept = pages.evidence(said.system, seed, line)
            text = "" if kept is None else kept.decode("utf-8", "replace")
            replies.append(
                {
                    **_answer(said, seed),
                    "seed": seed,
                    "evidence": visible(text, MOST_EVIDENCE),
                }
            )
    return fill(
        "view-sample.html",
        title="One sample",
        says="",
        name=name,
        task=pages.task,
        back=samples_link(name, pages.task),
        sample=_sample(name, pages, one.sample),
        replies=replies,
    )


def _shown(name: str, pages: Pages, one: Shown) -> dict[str, object]:
    answers = [_answer(said, next(iter(said.outcomes))) for said in one.said if said.outcomes]
    return {"sample": _sample(name, pages, one.sample), "answers": answers}


def _sample(name: str, pages: Pages, sample: Sample) -> dict[str, object]:
    match sample.target:
        case Answer(value):
            target = text_of(value)
        case Bottom(reason):
            target = f"no answer: {reason}"
        case None:
            target = "no right or wrong"
    query = urlencode({"task": pages.task, "id": sample.id}, errors="replace")
    return {
        "id": sample.id,
        "input": visible(text_of(sample.input), MOST_INPUT),
        "code": not isinstance(sample.input, str),
        "target": visible(target, MOST_ANSWER),
        "tags": sorted(sample.tags)[:20],
        "href": f"{run_link(name, 'sample')}?{query}",
    }


def _answer(said: Said, seed: int) -> dict[str, object]:
    line: Line | None = said.lines.get(seed)
    text, why, sure = None, "", None
    if line is not None:
        decided = line.decided
        would = decided.value if decided.proposal is None else decided.proposal.value
        has = decided.kind == "answer" or decided.proposal is not None
        text = visible(text_of(would), MOST_ANSWER) if has else None
        sure = decided.confidence if decided.proposal is None else decided.proposal.confidence
        why = decided.reason if decided.kind != "answer" else ""
    outcome = said.outcomes[seed].value if seed in said.outcomes else ""
    same = sum(o is said.outcomes.get(seed) for o in said.outcomes.values())
    return {
        "system": said.system,
        "control": said.control,
        "outcome": outcome,
        "text": text,
        "why": visible(why, MOST_ANSWER)
        or ("below its threshold" if outcome == "withheld" else ""),
        "sure": None if sure is None else f"{sure:.2f}",
        "seed": "",
        "evidence": "",
        "same": f"{same} of {len(said.outcomes)} seeds" if len(said.outcomes) > 1 else "",
    }


def compare_page(name: str, base: str, section: Section) -> str:
    """Return what changed from one run to another."""
    return fill(
        "view-run.html",
        title="What changed",
        says=f"{name} minus {base}, paired question by question",
        name=name,
        badge=None,
        links=((name, run_link(name)), (base, run_link(base))),
        sections=(section,),
    )


def text_section(name: str, title: str, text: str) -> Section:
    """Return a section of one sentence."""
    return Section(name, title, (Para(text),))


def plain_page(title: str, says: str) -> str:
    """Return a page that says one thing."""
    return fill("view-run.html", title=title, says=says, name="", badge=None, links=(), sections=())
