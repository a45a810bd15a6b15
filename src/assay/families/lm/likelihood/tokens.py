"""Texts as tokens, split between context and continuation as lm-evaluation-harness splits them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from assay import PlanError, PluginError


@dataclass(frozen=True, slots=True)
class Scored:
    """A continuation in its context, as tokens."""

    tokens: tuple[int, ...]
    """All of them, context first."""

    context: int
    """How many of them are context; at least one."""

    @property
    def given(self) -> tuple[int, ...]:
        """What the model is given: everything but the last token."""
        return self.tokens[:-1]


class Words(Protocol):
    """What turns text into tokens."""

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text, ``opened``: with what the model wants before it (its BOS, or nothing)."""
        ...

    def plain(self, text: str) -> list[int]:
        """Return the tokens of a text alone."""
        ...

    @property
    def bos(self) -> int | None:
        """The token before every text, where the model has one."""
        ...

    @property
    def opening(self) -> int:
        """The token before a text that has nothing before it: BOS, or EOS where there is none."""
        ...


def parted(context: str, continuation: str) -> tuple[str, str]:
    """Return a pair with the spaces at the end of its context before its continuation.

    >>> parted("Two and two is ", "four")
    ('Two and two is', ' four')
    """
    bare = context.rstrip()
    return bare, context[len(bare) :] + continuation


def split(words: Words, context: str, continuation: str) -> Scored:
    """Return the tokens of a pair, as lm-evaluation-harness splits it.

    Spaces at the end of the context go to the continuation; context and continuation are encoded as one
    text, and the continuation is what stands behind as many tokens as the context alone has (``TemplateLM._encode_pair``,
    lm-eval 0.4.13).  Raises ``ValueError`` where no token is left for the continuation.
    """
    context, continuation = parted(context, continuation)
    if not context:
        alone = words.plain(continuation)
        if not alone:
            raise ValueError("the continuation has no token")
        if alone[0] == words.opening and len(alone) > 1:
            return Scored(tuple(alone), 1)
        return Scored((words.opening, *alone), 1)
    whole, before = words.encode(context + continuation), words.encode(context)
    if not 0 < len(before) < len(whole):
        raise ValueError("the continuation has no token of its own")
    return Scored(tuple(whole), len(before))


def opened(tokens: Sequence[int], *, before: Sequence[int], bos: int | None) -> list[int]:
    """Return the tokens of a prompt with what the tokenizer puts ``before`` a text, unless they begin with it.

    The one place that decides whether a BOS is added, for words and for likelihoods, with a chat template and without:
    where the tokenizer adds one, and the text does not spell it itself.  So do lm-evaluation-harness
    (``HFLM.tok_encode``, lm-eval 0.4.13) and llama.cpp (which takes one BOS off what a template wrote, and adds it).

    >>> opened([5, 6], before=[1], bos=1), opened([1, 5, 6], before=[1], bos=1), opened([5, 6], before=[], bos=1)
    ([1, 5, 6], [1, 5, 6], [5, 6])
    """
    spelt = [*tokens[: len(before)]] == [*before] or (bos is not None and [*tokens[:1]] == [bos])
    return [*tokens] if spelt else [*before, *tokens]


def require_one_opening(tokens: Sequence[int], bos: int | None) -> None:
    """Raise ``PlanError`` A104 where a prompt begins with two BOS tokens.

    A chat template that writes one and a tokenizer that adds one make two, which a model has never
    seen: its answers get worse, and nothing says why.

    >>> require_one_opening([1, 5, 6], 1)
    >>> require_one_opening([1, 1, 5], 1)
    Traceback (most recent call last):
        ...
    assay.core.errors.PlanError: A104 the prompt begins with two BOS tokens
      at: options.chat
      try: leave the BOS out of the prompt or of the template: the tokenizer adds one
    """
    if bos is not None and list(tokens[:2]) == [bos, bos]:
        raise PlanError(
            "the prompt begins with two BOS tokens",
            where="options.chat",
            hint="leave the BOS out of the prompt or of the template: the tokenizer adds one",
            code="A104",
        )


def require_known(tokens: Sequence[int], known: int) -> None:
    """Raise ``PluginError`` A403 where a token is none of the model's ``known`` first ones.

    The tokenizer is then another model's.  It could not be looked up, or would be on another device what
    nobody knows.

    >>> require_known([0, 5], 6)
    >>> require_known([0, 6], 6)
    Traceback (most recent call last):
        ...
    assay.core.errors.PluginError: A403 the tokenizer gives the token 6, and the model has 6 only
      at: tokenizer
      try: take the tokenizer that belongs to the model
    """
    most = max(tokens, default=-1)
    if most >= known:
        raise PluginError(
            f"the tokenizer gives the token {most}, and the model has {known} only",
            where="tokenizer",
            hint="take the tokenizer that belongs to the model",
            code="A403",
        )
