"""``lm.turns``: code words told, changed and taken back over a conversation, then asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from assay import Answer, Bottom, Check, Crash, Reply, Sample, Task

from ..labelled.verifiers import text_of
from .metrics import declined_of, metrics, share
from .names import Names
from .worlds import LICENSE, dealt, require

UNTOLD = "NO CODE WORD"
_OPENING = f"""I will tell you code words for things, and ask for some of them later.
Answer such a question with the code word alone. If I have told you none for a thing, or have taken it \
back, answer exactly: {UNTOLD}
Answer whatever else I say in one word or number.

"""
_THINGS: tuple[str, ...] = (
    "lighthouse",
    "orchard",
    "archive",
    "bridge",
    "greenhouse",
    "observatory",
    "chapel",
)
_THINGS = (*_THINGS, "quarry", "brewery", "tunnel", "windmill", "library")
_TELLS = ("The code word for the {thing} is {word}.", "For the {thing}, the code word is {word}.")
_CHANGES = (
    "The code word for the {thing} has changed: it is now {word}.",
    "Forget the old code word for the {thing}; from now on it is {word}.",
)
_TAKES_BACK = (
    "I take back the code word for the {thing}: it has none any more.",
    "The {thing} no longer has a code word.",
)
_LONGEST = 200
"""Characters of an answer that may recall a word."""

_ASKS = "What is the code word for the {thing}?"
_NOTED = ("Noted.", "All right.", "I will remember that.", "Thank you, I have it.", "Understood.")
"""Answers to what is told: several, so that there is less to repeat."""
_FORMS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("From now on, write every code word in capital letters.", str.upper),
    ("From now on, put every code word in square brackets.", "[{}]".format),
    ("From now on, write an exclamation mark behind every code word.", "{}!".format),
    ("From now on, write every code word backwards.", lambda word: word[::-1]),
)


def turns(*, turns: int = 6, worlds: int = 40, seed: int = 7) -> Task:
    """Ask for a code word after a conversation of some turns.

    Each world is told in five conversations.  *recall*: the word was told.  *updated*: it was told, and
    changed later.  *standing*: it was told, and a form for all code words was laid down (capitals,
    brackets, an exclamation mark, backwards).  *untold*: only of other things.  *taken_back*: told, and
    taken back; in these two, right is to decline in the words that the first turn gives.  Between them
    stand the words of two other things, one of which is changed or taken back, and sums.  What was answered before is given, in ``so_far``.

    Raises ``PlanError`` A102 for fewer than five ``turns`` (of the user, before the question) or four worlds.

    >>> task = turns(worlds=4)
    >>> len(task.samples("test")[0].input["so_far"])
    6

    *Not to be trusted when* a model's own earlier answers matter: those here are given and right.
    """
    require("turns", turns, least=5, most=1000)

    def make(world: str, rng: Random) -> Iterator[Sample]:
        for kind in _KINDS:
            yield _sample(world, kind, turns, Names(rng))

    return Task(
        name="lm.turns",
        version="1",
        says="Which code word holds at the end of a conversation?",
        samples=dealt(make, worlds=worlds, seed=seed),
        verifier=WordReader(),
        metrics=metrics(
            share("recalled", "short answers that end with the word, in whatever form"),
            *(declined_of(kind) for kind in ("untold", "taken_back")),
            tags=("recall", "updated", "standing"),
        ),
        license=LICENSE,
    )


@dataclass(frozen=True, slots=True)
class _Turn:
    """What the user says, and what is answered."""

    user: str
    answer: str = ""
    """Empty: one that says it was heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plot:
    """The turns that matter, in order, and what is right at the end."""

    turns: tuple[_Turn, ...]
    right: str | None
    """None: to decline."""


def _recall(thing: str, names: Names) -> _Plot:
    word = names.word()
    return _Plot(turns=(_told(thing, word, names.rng),), right=word)


def _updated(thing: str, names: Names) -> _Plot:
    old, word = names.word(), names.word()
    changed = names.rng.choice(_CHANGES).format(thing=thing, word=word)
    return _Plot(turns=(_told(thing, old, names.rng), _Turn(changed)), right=word)


def _standing(thing: str, names: Names) -> _Plot:
    word, rng = names.word(), names.rng
    said, form = rng.choice(_FORMS)
    made = [_told(thing, word, rng), _Turn(said)]
    rng.shuffle(made)
    return _Plot(turns=tuple(made), right=form(word))


def _untold(_thing: str, _names: Names) -> _Plot:
    return _Plot(turns=(), right=None)


def _taken_back(thing: str, names: Names) -> _Plot:
    told = _told(thing, names.word(), names.rng)
    taken = names.rng.choice(_TAKES_BACK).format(thing=thing)
    return _Plot(turns=(told, _Turn(taken)), right=None)


_KINDS: dict[str, Callable[[str, Names], _Plot]] = {
    "recall": _recall,
    "updated": _updated,
    "standing": _standing,
    "untold": _untold,
    "taken_back": _taken_back,
}


def _told(thing: str, word: str, rng: Random) -> _Turn:
    return _Turn(rng.choice(_TELLS).format(thing=thing, word=word))


def _sample(world: str, kind: str, turns: int, names: Names) -> Sample:
    rng = names.rng
    thing, other, third = rng.sample(_THINGS, 3)
    plot = _KINDS[kind](thing, names)
    # Another thing's word is changed or taken back in each: that such a turn occurs tells nothing.
    decoy = names.rng.choice((_updated, _taken_back))(other, names)
    stories = [plot.turns, decoy.turns, (_told(third, names.word(), rng),)]
    stories += [(_sum(rng),) for _ in range(turns - sum(map(len, stories)))]
    told = _woven(stories, rng)
    return Sample(
        id=f"{world}/{kind}",
        input=_question(told, _ASKS.format(thing=thing), rng),
        target=Bottom("no_code_word") if plot.right is None else Answer(plot.right),
        group=world,
        tags=frozenset({kind}),
    )


def _woven(stories: Sequence[Sequence[_Turn]], rng: Random) -> list[_Turn]:
    """Return the turns of all stories, each story in its own order."""
    order = [number for number, story in enumerate(stories) for _ in story]
    rng.shuffle(order)
    left = [iter(story) for story in stories]
    return [next(left[number]) for number in order]


def _sum(rng: Random) -> _Turn:
    one, other = rng.randint(2, 49), rng.randint(2, 49)
    return _Turn(f"How much is {one} plus {other}?", str(one + other))


def _question(told: Sequence[_Turn], asked: str, rng: Random) -> dict[str, Any]:
    """Return the first turn as the prompt, and the others, question included, as those so far."""
    behind = [*(turn.user for turn in told[1:]), asked]
    return {
        "prompt": _OPENING + told[0].user,
        "so_far": [
            {"answer": turn.answer or rng.choice(_NOTED), "feedback": user}
            for turn, user in zip(told, behind, strict=True)
        ],
        "declines": {UNTOLD: "no_code_word"},
    }


@dataclass(frozen=True, slots=True)
class WordReader:
    """Right when an answer is the word in the form that was asked for, and nothing else.

    Quotation marks around it and a full stop behind it do not count; case does where the form is one of
    capitals, and not otherwise.  Score: ``recalled`` (a short answer ends with the word, or with the
    word backwards, whatever the form).
    """

    def check(self, batch: Sequence[tuple[Sample, Reply]]) -> Iterable[Check | Crash]:
        """Compare each answer with the word."""
        for sample, reply in batch:
            wanted = sample.target.value if isinstance(sample.target, Answer) else None
            if not isinstance(wanted, str):
                yield Crash("no_target", f"sample {sample.id!r} has no word")
                continue
            said = _bare(text_of(reply) or "")
            right = said == wanted or (wanted.islower() and said.lower() == wanted)
            letters = _last_word(wanted)
            ends = _last_word(said) if len(said) <= _LONGEST else ""
            yield Check(
                passed=right,
                scores={"recalled": float(right or ends in (letters, letters[::-1]))},
                evidence={"read": said[:200]},
            )


def _bare(text: str) -> str:
    return text.strip().strip("\"'`*“”").removesuffix(".").strip("\"'`*“”").strip()


def _last_word(text: str) -> str:
    return "".join(re.findall(r"[^\W_]+", text.lower())[-1:])
