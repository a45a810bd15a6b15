"""The pages of ``assay view`` that show samples, filled: text of strangers is text here too."""

from __future__ import annotations

from urllib.parse import urlencode

from ...core.reply import Answer, Bottom
from ...core.sample import Sample
from ...core.verdict import Outcome
from ...store.line import Line
from ..browser import shown as text_of
from ..hostile import visible
from ..html import fill
from ..paging.pages import Found, Pages
from ..paging.shown import Said, Shown
from ..paging.wanted import Order, Wanted
from .sealed import run_link, samples_link

SIZE = 20
MOST_INPUT, MOST_ANSWER, MOST_EVIDENCE = 4_000, 1_200, 6_000
ORDERS = {
    Order.APART: "systems disagree first",
    Order.ID: "by id",
    Order.SURE: "surest first",
    Order.UNSURE: "least sure first",
}


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
