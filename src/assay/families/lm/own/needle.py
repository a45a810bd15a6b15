"""``lm.needle``: a code that no model can know, somewhere in a long text, among others like it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from assay import Answer, Bottom, Check, Crash, PlanError, Reply, Sample, Task

from ..labelled.verifiers import text_of
from .haystack import NEEDLE, drawn
from .lengths import Ruler, ruler
from .metrics import declined_of, metrics, share
from .names import CODE, Names
from .worlds import LICENSE, dealt, require

ABSENT = "NOT IN THE TEXT"
_ASKED = """Read the text and answer the question behind it.

Text:
{text}

Question: What is the access code of {place}?
Answer with the code alone. If the text does not give it, answer exactly: {absent}"""
_LONGEST = 200
"""Characters of an answer; who repeats the text has found nothing in it."""


def needle(
    *,
    lengths: tuple[int, ...] = (512, 1024, 2048),
    depths: tuple[int, ...] = (0, 25, 50, 75, 100),
    tokenizer: Path | None = None,
    worlds: int = 20,
    seed: int = 7,
) -> Task:
    """Hide the access code of a place in texts of given lengths, at given depths.

    Around it stand four codes of other places, in sentences of the same form; places and codes are
    invented.  For each length there is also a question about a place that the text does not give a code
    for: right is to decline.  ``lengths`` are tokens of ``tokenizer`` (a ``tokenizer.json``), or of an
    estimate, which the task then says; ``depths`` are percentages of the text before the code.

    Raises ``PlanError`` A102 for options that make no sense; ``samples`` raises ``DataError`` A200 for a
    file that is no tokenizer, ``PluginError`` A401 where its library is not installed.

    >>> task = needle(lengths=(256,), depths=(50,), worlds=4)
    >>> len(task.samples("test"))
    2

    *Not to be trusted when* texts of another kind are searched: a code stands out from these sentences.
    """
    for option, given, least, most in (
        ("lengths", lengths, 200, 10_000_000),
        ("depths", depths, 0, 100),
    ):
        for value in given:
            require(option, value, least=least, most=most)
        if not given or len(set(given)) != len(given):
            raise PlanError(
                f"{option} is {list(given)}",
                where=f"options.{option}",
                hint="give at least one, each once",
                code="A102",
            )
    measured = cache(lambda: ruler(tokenizer))

    def make(world: str, rng: Random) -> Iterator[Sample]:
        for tokens in lengths:
            yield from _asked(world, tokens, depths, Drawing(Names(rng), measured()))

    return Task(
        name="lm.needle",
        version="1",
        says="What code does a long text give?",
        samples=dealt(make, worlds=worlds, seed=seed),
        verifier=CodeReader(),
        metrics=metrics(
            share("exact_match", "answers that are the code and nothing else"),
            *(declined_of(f"absent_{tokens}") for tokens in lengths),
            tags=[
                *(f"length_{tokens}" for tokens in lengths),
                *(f"depth_{depth}" for depth in depths),
            ],
        ),
        license=LICENSE,
        caveats=lambda: (measured().says,),
    )


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a text is drawn with."""

    names: Names
    ruler: Ruler


def _asked(world: str, tokens: int, depths: Sequence[int], by: Drawing) -> Iterator[Sample]:
    names = by.names
    place, code, unknown = names.place(), names.code(), names.place()
    others = [NEEDLE.format(place=names.place(), code=names.code()) for _ in range(4)]
    wanted, spare = (
        NEEDLE.format(place=place, code=code),
        NEEDLE.format(place=names.place(), code=names.code()),
    )
    hay = drawn(others, tokens, names=names, ruler=by.ruler)
    for depth in depths:
        yield Sample(
            id=f"{world}/{tokens}/{depth}",
            input=_question(hay.text(wanted, depth=depth / 100), place),
            target=Answer(code),
            group=world,
            tags=frozenset({f"length_{tokens}", f"depth_{depth}"}),
        )
    # As many codes as in the other texts: their number gives nothing away.
    yield Sample(
        id=f"{world}/{tokens}/absent",
        input=_question(hay.text(spare, depth=names.rng.random()), unknown),
        target=Bottom("absent"),
        group=world,
        tags=frozenset({f"absent_{tokens}"}),
    )


def _question(text: str, place: str) -> dict[str, str | dict[str, str]]:
    prompt = _ASKED.format(text=text, place=place, absent=ABSENT)
    return {"prompt": prompt, "declines": {ABSENT: "absent"}}


@dataclass(frozen=True, slots=True)
class CodeReader:
    """Right when the code of the sample, sign by sign, is the only code in a short answer.

    Score: ``exact_match`` (the answer is the code and nothing else).  Evidence: which codes were read.
    """

    def check(self, batch: Sequence[tuple[Sample, Reply]]) -> Iterable[Check | Crash]:
        """Read the codes in each answer."""
        for sample, reply in batch:
            code = sample.target.value if isinstance(sample.target, Answer) else None
            said = text_of(reply)
            if not isinstance(code, str):
                yield Crash("no_target", f"sample {sample.id!r} has no code")
                continue
            read = sorted(set(re.findall(CODE, said or "")))
            short = said is not None and len(said) <= _LONGEST
            right = short and read == [code]
            yield Check(
                passed=right,
                scores={"exact_match": float(said is not None and said.strip() == code)},
                evidence={
                    "read": ", ".join(read[:10]),
                    "why": "" if short else "no text, or a long one",
                },
            )
