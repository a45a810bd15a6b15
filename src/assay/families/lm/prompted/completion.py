"""An endpoint's JSON, read once: an answer with its counts, or an error."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import nan
from typing import Any

from assay import Bottom, Crash

from .refusal import Refusal
from .speaker import Spoken, cut_of


def read_answer(data: object) -> Spoken | Refusal:
    """Return what a whole reply of ``/chat/completions`` says."""
    if not isinstance(data, dict):
        return Spoken(instead=Crash("malformed", f"no completion: {str(data)[:500]}"))
    match data:
        case {"error": dict(error)} if not data.get("choices"):
            return read_refusal(0, error)
        case {"choices": [{"message": dict(message), **choice}, *_]}:
            return _spoken(message, str(choice.get("finish_reason") or ""), data)
        case _:
            # It is paid for all the same, where it says so.
            lost = Crash("malformed", f"no completion: {str(data)[:500]}")
            return replace(_spoken({}, "", data), instead=lost)


def read_refusal(status: int, body: object) -> Refusal:
    """Return an error in whichever shape it came."""
    if not isinstance(body, dict):
        return Refusal(status=status, message=str(body or ""))
    inner = body.get("error")
    if isinstance(inner, dict):
        body = inner
    code = body.get("code")
    if not status and isinstance(code, int):
        status = code
    return Refusal(
        status=status,
        code="" if code is None else str(code),
        kind=str(body.get("type") or ""),
        param=str(body.get("param") or ""),
        message=str(body.get("message") or body),
    )


def _spoken(message: dict[str, Any], finish: str, data: dict[str, Any]) -> Spoken:
    content, refusal = message.get("content"), message.get("refusal")
    instead: Bottom | Crash | None = None
    if finish == "content_filter":
        instead = Bottom("content_filter")
    elif isinstance(refusal, str) and refusal:
        instead = Bottom("refusal", detail=refusal[:2000])
    elif content is not None and not isinstance(content, str):
        instead = Crash("malformed", f"the content is no text: {str(content)[:500]}")
    shown = {"served": data.get("model"), "reasoning": message.get("reasoning_content")}
    usage = data.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    details = counts.get("prompt_tokens_details")
    cost = counts.get("cost")
    return Spoken(
        text=content if isinstance(content, str) else "",
        finish=finish,
        instead=instead,
        tokens_in=_count(counts.get("prompt_tokens")),
        tokens_cached=_count(details.get("cached_tokens")) if isinstance(details, dict) else None,
        tokens_out=_count(counts.get("completion_tokens")),
        cut=cut_of(finish),
        billed_usd=float(cost) if isinstance(cost, int | float) and 0 <= cost < 1e300 else None,
        shown={name: text for name, text in shown.items() if isinstance(text, str) and text},
    )


_MOST_TOKENS = 10**12
"""JSON has whole numbers of any length; no reply has taken so many."""


def _count(value: object) -> int | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value <= _MOST_TOKENS else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Echo:
    """A prompt as it came back: its tokens, and how likely each of them was."""

    tokens: tuple[str, ...]
    logs: tuple[float, ...]
    """Natural logarithms; no number for a first token, which nothing predicts."""

    best: tuple[float, ...]
    """That of the likeliest token at each place."""

    opening: int
    """How many tokens stand before the text: 1 where the endpoint added a BOS."""

    cached: int | None = None
    billed_usd: float | None = None
    latency_s: float = 0.0

    def after(self, latency_s: float) -> Echo:
        """Return the same with the seconds that it took."""
        return replace(self, latency_s=latency_s)


def read_echo(data: object, text: str) -> Echo | Refusal | Crash | None:
    """Return what a reply of ``/completions`` says about a prompt; None where it says nothing of it."""
    match data:
        case {"error": dict(error)}:
            return read_refusal(0, error)
        case {"choices": [{"text": str(said), "logprobs": logprobs, **_rest}], **more}:
            if not isinstance(logprobs, dict) or not said.startswith(text):
                return None
            return _echo(logprobs, text, more.get("usage"))
        case {"choices": [{"text": str()}]}:
            return None
        case _:
            return Crash("malformed", f"no completion: {str(data)[:500]}")


def _echo(logprobs: dict[str, Any], text: str, usage: object) -> Echo | Crash | None:
    match logprobs:
        case {"tokens": [*tokens], "token_logprobs": [*logs], "top_logprobs": [*tops]}:
            pass
        case _:
            return None
    counts = usage if isinstance(usage, dict) else {}
    # What came behind the prompt, for an endpoint that cannot write nothing, is left out.
    size = _count(counts.get("prompt_tokens")) or len(tokens)
    tokens, logs, tops = tokens[:size], logs[:size], tops[:size]
    if not tokens or not len(tokens) == len(logs) == len(tops):
        return Crash("malformed", f"{len(tokens)} tokens have {len(logs)} log-probabilities")
    first = str(tokens[0])
    found = Echo(
        tokens=tuple(map(str, tokens)),
        logs=tuple(map(_log, logs)),
        best=tuple(_best(top) for top in tops),
        opening=int(not (first and text.startswith(first))),
    )
    return counts_of(found, counts)


def counts_of(echo: Echo, usage: object) -> Echo:
    """Return the same with what the endpoint says that it took."""
    said = _spoken({}, "", {"usage": usage})
    return replace(echo, cached=said.tokens_cached, billed_usd=said.billed_usd)


def _log(value: object) -> float:
    return float(value) if isinstance(value, int | float) and _LEAST < value <= MOST else nan


def _best(top: object) -> float:
    return max(map(_log, top.values())) if isinstance(top, dict) and top else nan


_LEAST = -1e300
"""JSON has whole numbers of any length; no logarithm is one."""

MOST = 0.01
"""The logarithm of a probability is at most 0; so much is rounding.  What is above is none."""
