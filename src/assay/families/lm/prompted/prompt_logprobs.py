"""The log-probabilities of a prompt in the shape of vLLM's extension ``prompt_logprobs``, read once.

*Covered*: the tokens that are read spell the text that was sent, or the reply is malformed.  *Not covered*: which of
two tokens an endpoint means that gives neither ids nor ranks; such a reply is malformed, too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import inf, nan
from typing import Any, NamedTuple

from assay import Crash

from .completion import MOST, Echo, counts_of, read_refusal
from .refusal import Refusal

_LEAST = -9999.0
"""What vLLM writes for the logarithm of 0."""


class _Place(NamedTuple):
    """One token of a prompt, as the endpoint spells it."""

    token: str
    log: float
    best: float


def read_prompt_logprobs(data: object, text: str) -> Echo | Refusal | Crash | None:
    """Return what a reply of ``/completions`` says about a prompt; None where it says nothing of it.

    >>> place = {"7": {"logprob": -1.5, "rank": 3, "decoded_token": "Hi"},
    ...          "9": {"logprob": -0.5, "rank": 1, "decoded_token": "A"}}
    >>> echo = read_prompt_logprobs({"choices": [{"text": "!", "prompt_logprobs": [None, place]}]}, "Hi")
    >>> echo.tokens, echo.logs[1], echo.best[1], echo.opening
    (('', 'Hi'), -1.5, -0.5, 1)
    """
    match data:
        case {"error": dict(error)}:
            return read_refusal(0, error)
        case {"choices": [{"prompt_logprobs": [first, *places], **choice}], **more}:
            ids: Any = choice.get("prompt_token_ids")
            if first is not None or not _go_together(ids, places):
                return _malformed("the prompt's tokens and log-probabilities do not go together")
            found = _echo(text, places, ids)
            return found if isinstance(found, Crash) else counts_of(found, more.get("usage"))
        case {"choices": [{"text": str()}]}:
            return None
        case _:
            return _malformed(f"no completion: {str(data)[:500]}")


def _go_together(ids: object, places: Sequence[object]) -> bool:
    named = ids is None or (isinstance(ids, list) and len(ids) == len(places) + 1)
    return named and all(isinstance(place, dict) and place for place in places)


def _echo(text: str, places: Sequence[Mapping[str, Any]], ids: list[int] | None) -> Echo | Crash:
    found = []
    for k, place in enumerate(places, 1):
        one = _own(place, None if ids is None else ids[k])
        if one is None:
            return _malformed(f"which of {len(place)} tokens stands at place {k}")
        found.append(one)
    opening = _opening(text, [one.token for one in found])
    if opening is None:
        return _malformed("the tokens do not spell the prompt")
    # The first token has no log-probability, and so no spelling; that of a BOS is seen where it comes twice.
    twice = bool(found) and ids is not None and ids[0] == ids[1]
    first = text[: len(text) - len("".join(one.token for one in found))] if not opening else ""
    return Echo(
        tokens=(found[0].token if twice else first, *(one.token for one in found)),
        logs=(nan, *(one.log for one in found)),
        best=(nan, *(one.best for one in found)),
        opening=opening,
    )


def _own(place: Mapping[str, Any], token: int | None) -> _Place | None:
    """Return the token of the prompt at one place; beside it stands the likeliest, unless it is that."""
    read = {name: _read(entry) for name, entry in place.items()}
    if not all(isinstance(entry, dict) for entry in place.values()):
        return None
    best = max(one.log for one in read.values())
    if token is not None:
        own = read.get(str(token))
    elif len(read) == 1:
        (own,) = read.values()
    else:
        others = [read[name] for name, entry in place.items() if entry.get("rank", 1) != 1]
        own = others[0] if len(others) == 1 else None
    return None if own is None else own._replace(best=best)


def _read(entry: object) -> _Place:
    match entry:
        case {"logprob": int() | float() as log, **more}:
            token = more.get("decoded_token")
            value = float(log) if _LEAST < log <= MOST else -inf if log <= _LEAST else nan
            return _Place(token if isinstance(token, str) else "", value, nan)
        case {**more}:
            token = more.get("decoded_token")
            return _Place(token if isinstance(token, str) else "", nan, nan)
        case _:
            return _Place("", nan, nan)


def _opening(text: str, tokens: Sequence[str]) -> int | None:
    """Return how many tokens stand before a text, 1 or 0; None where these are not the text's.

    Parts of a letter are spelt as U+FFFD; a space that a tokenizer puts before a text does not count.
    """
    parts = re.split("\ufffd+", "".join(tokens).lstrip(" "))
    if _spell(parts, text.lstrip(" ")):
        return 1
    return 0 if _spell(["", *parts], text) else None


def _spell(parts: Sequence[str], text: str) -> bool:
    """Whether a text is made of parts in order, with something between them."""
    first, *others = parts
    if not others:
        return text == first
    at = len(first) if text.startswith(first) else -1
    *middle, last = others
    for part in middle:
        found = text.find(part, at + 1)
        if at < 0 or found < 0:
            return False
        at = found + len(part)
    return 0 <= at < len(text) - len(last) and text.endswith(last)


def _malformed(why: str) -> Crash:
    return Crash("malformed", why)
