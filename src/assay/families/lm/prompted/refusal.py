"""What an endpoint that did not answer means: for the question, for the next try, for the run."""

from __future__ import annotations

import re
from dataclasses import dataclass

from assay import AssayError, Bottom, Crash, Failed, PlanError, PluginError, Usage

_TOO_LONG = re.compile(
    r"(context|prompt|input)[ _](length|size|window|limit|is too long|too long)"
    r"|maximum context|too many (input )?tokens|exceed_context_size",
    re.IGNORECASE,
)
_FILTERED = ("content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation")
_NO_CREDIT = ("insufficient_quota", "billing_not_active")
_AGAIN = frozenset({408, 409, 425, 429})
_OPTIONS = (
    "temperature",
    "max_tokens",
    "max_completion_tokens",
    "seed",
    "stream",
    "stream_options",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What an endpoint said instead of an answer."""

    status: int
    """Of HTTP; 0 where there was none."""

    code: str = ""
    kind: str = ""
    """``type`` of the error."""

    param: str = ""
    """The member of the request that it is about."""

    message: str = ""

    @property
    def sends_on(self) -> bool:
        """Whether the endpoint names another address."""
        return 300 <= self.status < 400

    @property
    def words(self) -> str:
        """What to show of it."""
        named = " ".join(part for part in (str(self.status or ""), self.code or self.kind) if part)
        return f"{named}: {self.message[:500]}" if named else self.message[:500]


@dataclass(frozen=True, slots=True)
class Again:
    """Another try may go well; the crash that it is when no try does."""

    crash: Crash
    after_s: float | None = None
    """Seconds that the server asks for."""

    spent: Usage | None = None
    """What the endpoint says that this try took, though it was no answer."""


def is_too_long(refusal: Refusal) -> bool:
    """Whether an endpoint says that the prompt exceeds the model's context.

    >>> is_too_long(Refusal(status=400, message="maximum context length is 4, max_tokens is 1"))
    True
    """
    said = (refusal.code, refusal.kind, refusal.message)
    in_words = refusal.status in (0, 400, 413, 422) and any(map(_TOO_LONG.search, said))
    return in_words or refusal.status == 413


def meaning(refusal: Refusal, *, where: str, model: str) -> Again | Bottom | Failed | Crash:
    """Return what a refusal means for one question.

    Raises what is so for every question: ``PluginError`` A404 for the key, the model and the
    address, ``PlanError`` A104 for an option that the endpoint does not take.
    """
    said = (refusal.code, refusal.kind, refusal.message)
    if any(name in word for name in _FILTERED for word in said):
        return Bottom("content_filter", detail=refusal.words)
    if is_too_long(refusal):
        return Failed("too_long", refusal.words)
    if error := _for_all(refusal, where, model):
        raise error
    if refusal.status in _AGAIN or refusal.status >= 500:
        return Again(Crash(f"http_{refusal.status}", refusal.words))
    return Crash(f"http_{refusal.status}" if refusal.status else "endpoint", refusal.words)


def _for_all(refusal: Refusal, where: str, model: str) -> AssayError | None:
    """Return the error of what will be refused for every question."""
    if refusal.status in (401, 403):
        what, hint = "the endpoint refuses the key", "check the variable that options.key names"
    elif refusal.status == 402 or refusal.code in _NO_CREDIT or refusal.kind in _NO_CREDIT:
        what, hint = "the account has no credit", "add some, or name another key"
    elif refusal.sends_on:
        what = "the endpoint sends questions on, and they go nowhere but to options.base_url"
        hint = "name the address that shall have them as options.base_url"
    elif refusal.status in (404, 405) or refusal.code == "model_not_found":
        what = f"there is no model {model!r} at this address, or nothing at all"
        hint = "check options.model and options.base_url, which mostly ends with /v1"
    elif refusal.param == "model":
        what, hint = f"the endpoint refuses the model {model!r}", "check options.model"
    elif refusal.status in (400, 422) and refusal.param in _OPTIONS:
        return PlanError(
            f"the endpoint refuses {refusal.param}: {refusal.words}",
            where=where,
            hint="change that option; some models take `limit: max_completion_tokens` only",
            code="A104",
        )
    else:
        return None
    return PluginError(f"{what}: {refusal.words}", where=where, hint=hint, code="A404")
