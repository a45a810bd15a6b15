"""``lm.rag``: questions about passages that answer them, do not, or contradict each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from assay import Answer, Bottom, Sample, Task

from ..labelled.verifiers import TextReader
from .chronicle import (
    ASKS,
    OF_A_PERSON,
    OF_A_TOWN,
    TRADES,
    TWO_STEPS,
    Thing,
    World,
    passage,
    told,
)
from .metrics import declined_of, metrics, share
from .names import Names
from .worlds import LICENSE, dealt

ABSENT = "NOT IN THE PASSAGES"
CONTRADICTED = "THE PASSAGES DISAGREE"
_ASKED = """Answer the question from these passages alone.

{passages}

Question: {question}
Answer with the name, word or date alone. If the passages do not answer it, answer exactly: {absent}
If they contradict each other about it, answer exactly: {contradicted}"""


def rag(*, worlds: int = 40, seed: int = 7) -> Task:
    """Ask about passages on invented people and towns.

    Of each world, eight questions about the same passages: four that a passage answers (one of them
    twice, alike; one about the person of whom something else is told in two ways), one that takes two
    passages, two that none answers (a thing that is not told; a person who is not there), and one that
    two passages answer differently.  In the last three, right is to decline in the words that the prompt
    gives.  An answer is right when it is the answer and nothing
    else, both normalised as in SQuAD.

    Raises ``PlanError`` A102 for fewer than four worlds.

    >>> task = rag(worlds=4)
    >>> len(task.samples("test"))
    8

    *Not to be trusted when* a retriever is to be tested, too: the passages are given, and few.
    """
    return Task(
        name="lm.rag",
        version="1",
        says="What do the passages answer, if anything?",
        samples=dealt(_make, worlds=worlds, seed=seed),
        verifier=TextReader(metrics=()),
        metrics=metrics(
            share("f1", "F1 of the words shared with the answer (SQuAD)"),
            *(declined_of(kind) for kind in ("untold", "unknown", "contradicted")),
            tags=("direct", "two_step"),
        ),
        license=LICENSE,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asking:
    """A question with what kind it is of and what is right; None: declining, for this reason."""

    kind: str
    about: str
    question: str
    right: tuple[str, ...] | None = None
    reason: str = "absent"


def _make(world: str, rng: Random) -> Iterator[Sample]:
    names = Names(rng)
    drawn = World.drawn(names)
    passages, asked = _told(drawn, names)
    text = "\n".join(f"[{k}] {each}" for k, each in enumerate(passages, 1))
    for number, one in enumerate(asked):
        prompt = _ASKED.format(
            passages=text, question=one.question, absent=ABSENT, contradicted=CONTRADICTED
        )
        yield Sample(
            id=f"{world}/{number}-{one.kind}",
            input={
                "prompt": prompt,
                "declines": {ABSENT: "absent", CONTRADICTED: "contradicted"},
            },
            target=_target(one),
            group=world,
            tags=frozenset({one.kind, f"about_{one.about}"}),
        )


def _target(one: _Asking) -> Answer | Bottom:
    match one.right:
        case None:
            return Bottom(one.reason)
        case (only,):
            return Answer(only)
        case several:
            return Answer(list(several))


def _told(world: World, names: Names) -> tuple[list[str], list[_Asking]]:
    """Return the passages in any order, and what is asked about them."""
    rng = names.rng
    quiet, disputed, plain, other = rng.sample(world.people, 4)
    untold, doubted = rng.choice(OF_A_PERSON), rng.choice(("town", "trade", "teacher"))
    twice = rng.choice(OF_A_PERSON)
    otherwise = {
        "town": rng.choice([t.name for t in world.towns if t.name != disputed.facts["town"][0]]),
        "trade": rng.choice([t for t in TRADES if t != disputed.facts["trade"][0]]),
        "teacher": names.person(),
    }[doubted]
    passages = [
        *(
            passage(one, frozenset({untold}) if one is quiet else frozenset(), rng)
            for one in world.people
        ),
        *(passage(town, frozenset(), rng) for town in world.towns),
        told(disputed, doubted, otherwise, rng),
        # Else whoever is told of in two places would be the one that is told of differently.
        told(plain, twice, plain.facts[twice][0], rng),
    ]
    rng.shuffle(passages)
    towns = {town.name: town for town in world.towns}
    far = rng.choice(OF_A_TOWN)
    asked = [
        _direct(plain, twice, rng),
        _direct(quiet, rng.choice([name for name in OF_A_PERSON if name != untold]), rng),
        _direct(disputed, rng.choice([name for name in OF_A_PERSON if name != doubted]), rng),
        _direct(rng.choice(world.towns), rng.choice(OF_A_TOWN), rng),
        _Asking(
            kind="two_step",
            about=far,
            question=TWO_STEPS[far].format(who=other.name),
            right=towns[other.facts["town"][0]].facts[far],
        ),
        _Asking(kind="untold", about=untold, question=_ask(quiet.name, untold, rng)),
        _Asking(
            kind="unknown",
            about=(about := rng.choice(OF_A_PERSON)),
            question=_ask(names.person(), about, rng),
        ),
        _Asking(
            kind="contradicted",
            about=doubted,
            question=_ask(disputed.name, doubted, rng),
            reason="contradicted",
        ),
    ]
    return passages, asked


def _direct(thing: Thing, attribute: str, rng: Random) -> _Asking:
    return _Asking(
        kind="direct",
        about=attribute,
        question=_ask(thing.name, attribute, rng),
        right=thing.facts[attribute],
    )


def _ask(who: str, attribute: str, rng: Random) -> str:
    return rng.choice(ASKS[attribute]).format(who=who)
