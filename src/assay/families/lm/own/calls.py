"""``lm.calls``: which calls of given functions does a request ask for, if any?"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from assay import Answer, Bottom, Check, Crash, Reply, Sample, Task

from .call_reading import Call, NoCalls, calls, parsed, thawed
from .functions import Function, offered
from .metrics import metrics, share
from .names import Names
from .schemas import breaches
from .worlds import LICENSE, dealt

NO_CALL = "NO CALL"
_ASKED = """You can call these functions; "parameters" is the JSON schema of the arguments:
{functions}

Answer with the calls that the request asks for and nothing else, as a JSON list:
[{{"name": NAME, "arguments": {{ARGUMENT: VALUE, ...}}}}, ...]
Write texts and lists as the request has them, where the schema does not name the values, and leave out
arguments that it does not give.
If none of the functions does what it asks for, answer exactly: {no_call}

Request: {request}."""


def function_calls(*, worlds: int = 40, seed: int = 7) -> Task:
    """Ask for calls of functions whose JSON schemas are given.

    In each world twelve functions go by names drawn for it, and there are four requests.  *single*: one
    function, one call.  *multiple*: one call, of four functions.  *parallel*: two or three calls, of
    three functions, some of them of the same one.  *none*: what none of the three functions does; right
    is to decline in the words that the prompt gives, and any call is invented.  Names, places, codes
    and amounts in the requests are invented.  An answer is parsed and is right when its calls are those of the
    request, in any order, every argument equal as JSON, and none too many.

    Raises ``PlanError`` A102 for fewer than four worlds.

    >>> task = function_calls(worlds=4)
    >>> sorted(sample.id for sample in task.samples("test"))[:2]
    ['world/0000/multiple', 'world/0000/none']

    *Not to be trusted when* requests are vague, or span turns: these say each argument in so many words.
    """
    return Task(
        name="lm.calls",
        version="1",
        says="Which calls of given functions does a request ask for, if any?",
        samples=dealt(_make, worlds=worlds, seed=seed),
        verifier=CallReader(),
        metrics=metrics(
            share("valid_json", "answers that are JSON"),
            share("valid_calls", "answers whose calls keep the schemas"),
            share(
                "right_names", "answers that call the right functions, each as often as it should"
            ),
            share("right_arguments", "answers that hold the arguments of the right calls"),
            tags=("single", "multiple", "parallel"),
        ),
        license=LICENSE,
    )


def _make(world: str, rng: Random) -> Iterator[Sample]:
    names = Names(rng)
    known = offered(rng)
    wanted = known[0]
    yield _sample(f"{world}/single", known[:1], [wanted.wanted(names)], rng)
    wanted = rng.choice(known[:4])
    yield _sample(f"{world}/multiple", known[:4], [wanted.wanted(names)], rng)
    three = known[4:7]
    several = rng.choices(three, k=rng.choice((2, 3)))
    yield _sample(f"{world}/parallel", three, [each.wanted(names) for each in several], rng)
    asked, _ = known[7].wanted(names)
    yield _sample(f"{world}/none", known[8:11], [(asked, None)], rng)


def _sample(
    name: str,
    functions: Sequence[Function],
    wanted: Sequence[tuple[str, dict[str, Any] | None]],
    rng: Random,
) -> Sample:
    described = [each.described() for each in rng.sample(functions, len(functions))]
    said = "; and ".join(asked for asked, _ in wanted)
    right = [call for _, call in wanted if call is not None]
    world, _, kind = name.rpartition("/")
    return Sample(
        id=name,
        input={
            "prompt": _ASKED.format(
                functions="\n".join(json.dumps(each) for each in described),
                no_call=NO_CALL,
                request=said[0].upper() + said[1:],
            ),
            "functions": described,
            "declines": {NO_CALL: "no_call", "[]": "no_call"},
        },
        target=Answer(right) if right else Bottom("no_call"),
        group=world,
        tags=frozenset({kind}),
    )


@dataclass(frozen=True, slots=True)
class CallReader:
    """Right when the calls of an answer are those of the sample, in any order.

    Scores, each 0 or 1: ``valid_json``; ``valid_calls`` (every call names a function that is given and
    keeps its schema); ``right_names``; ``right_arguments`` (the arguments of the right calls, whatever
    the names).  Evidence: what was read, or why nothing was.
    """

    def check(self, batch: Sequence[tuple[Sample, Reply]]) -> Iterable[Check | Crash]:
        """Read the calls in each answer."""
        for sample, reply in batch:
            if isinstance(sample.target, Answer) and isinstance(reply.said, Answer):
                wanted = calls(parsed(sample.target.value))
                yield _checked(reply.said.value, wanted, _schemas(sample.input))
            else:
                yield Crash("no_target", f"sample {sample.id!r} has no calls")


def _schemas(asked: Any) -> dict[str, Mapping[str, Any]]:
    return {each["name"]: each["parameters"] for each in thawed(asked["functions"])}


def _checked(
    said: object, wanted: Sequence[Call], schemas: Mapping[str, Mapping[str, Any]]
) -> Check:
    scores = dict.fromkeys(("valid_json", "valid_calls", "right_names", "right_arguments"), 0.0)
    try:
        values = parsed(said)
        scores["valid_json"] = 1.0
        made = calls(values)
    except NoCalls as problem:
        return Check(passed=False, scores=scores, evidence={"why": str(problem)})
    wrong = [text for call in made for text in _breaches(call, schemas)]
    names = sorted(call.name for call in made) == sorted(call.name for call in wanted)
    arguments = _same([call.arguments for call in made], [call.arguments for call in wanted])
    right = _same(
        [{"name": call.name, "arguments": call.arguments} for call in made],
        [{"name": call.name, "arguments": call.arguments} for call in wanted],
    )
    scores |= {
        "valid_calls": float(not wrong),
        "right_names": float(names),
        "right_arguments": float(arguments),
    }
    return Check(
        passed=right and not wrong,
        scores=scores,
        evidence={
            "read": json.dumps([[c.name, c.arguments] for c in made]),
            "why": "; ".join(wrong),
        },
    )


def _breaches(call: Call, schemas: Mapping[str, Mapping[str, Any]]) -> list[str]:
    if call.name not in schemas:
        return [f"there is no function {call.name!r}"]
    return list(breaches(call.arguments, schemas[call.name]))


def _same(made: Sequence[object], wanted: Sequence[object]) -> bool:
    """Whether two lists hold the same JSON, in any order."""
    return sorted(map(_canonical, made)) == sorted(map(_canonical, wanted))


def _canonical(value: object) -> str:
    """Return one text for what is the same JSON: keys have no order, 2 and 2.0 are one number."""
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: object) -> object:
    match value:
        case dict():
            return {name: _plain(each) for name, each in value.items()}
        case list():
            return [_plain(each) for each in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value
