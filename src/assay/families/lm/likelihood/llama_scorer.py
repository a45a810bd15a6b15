"""The likelihood of continuations by llama.cpp, one predicted token at a time.

llama.cpp's server tells how likely the token is that it drew, from the logits as they came out of the model;
so each token of a continuation is made the one that is drawn.  *Covered*: what is found out about a question
depends on the question alone.  Its kernels give other low bits when a prompt is computed in batches of other
sizes; so of an earlier prompt whole batches are used again, at the places where they would be cut anyway, and
the last token of a context, and each behind it, is computed by itself.  *Not covered*: a model whose memory
cannot go back by a few tokens (a recurrent one) computes every prompt whole, which is slow.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from math import inf, nan
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np

from assay import Crash, PluginError

from .scores import Likelihood, Scores, Unscored
from .sharing import Prefix, alike
from .tokens import Scored

Tokens: TypeAlias = tuple[int, ...]

TOP = 100
"""How many next tokens are looked at where continuations part: most of them are among these."""

MANY, ALL = 1000, 2**24
"""How many are looked at where a token cannot be drawn; telling all takes llama.cpp a second."""

FORCED = 1000.0
"""What is added to the logit of the token that is to be drawn; its likelihood is that without it."""

_LEAST_FLOAT = -3.4e38
"""What llama.cpp writes for the logarithm of 0, rounded."""


class Completes(Protocol):
    """What answers as llama.cpp's server does."""

    asked: int
    """How many completions it was asked for, by anybody."""

    def complete(self, body: Mapping[str, object], /) -> Any:
        """Return the reply to one request."""
        ...


class _Next(NamedTuple):
    """How likely some tokens are to come next."""

    logs: Mapping[int, float]
    best: int


class LlamaScorer:
    """Scores continuations with a model held by llama.cpp.

    ``batch`` is how many tokens of a prompt the server computes at a time, ``letter`` any token that spells
    whole letters; ``computed`` counts the tokens that went through the model.  With ``prefix="apart"`` nothing of
    an earlier question is used again.
    """

    def __init__(
        self, server: Completes, *, batch: int, letter: int, prefix: Prefix = "shared"
    ) -> None:
        self._server, self._batch, self._letter = server, batch, letter
        self._prefix = prefix
        self._memory = _Memory()
        self._goes_back: bool | None = None
        self.computed = 0

    def score(self, questions: Sequence[Sequence[Scored]]) -> Iterator[Scores | Unscored]:
        """Yield what each question's continuations come to, those that begin alike one after the other."""
        for at in sorted(range(len(questions)), key=lambda at: questions[at][0].tokens):
            try:
                yield self._question(at, questions[at])
            except PluginError as error:
                self._memory = _Memory()
                yield Unscored(at, Crash("llama_cpp", str(error)))

    def expected(self, tokens: Sequence[int], places: Sequence[int]) -> Any:
        """Return logarithms of shares after some places of a text, float32 [places, vocabulary].

        Each is computed with nothing from a cache, and telling all of them takes llama.cpp a second.  A share
        that it gives as zero, or as no number, is NaN.
        """
        rows = []
        for place in places:
            found, cached = self._ask(
                tuple(tokens[: place + 1]), self._letter, top=ALL, again=False
            )
            require_cached(cached, 0)
            row = np.full(max(found.logs, default=-1) + 1, np.nan, np.float32)
            row[list(found.logs)] = [log if log > -inf else nan for log in found.logs.values()]
            rows.append(row)
        return np.stack(rows)

    def _question(self, at: int, scored: Sequence[Scored]) -> Scores:
        asked, lent = self._server.asked, 0
        if self._prefix == "apart":
            self._memory = _Memory()
        found: dict[Scored, Likelihood] = {}
        for context in sorted({one.tokens[: one.context] for one in scored}):
            behind = [one for one in scored if one.tokens[: one.context] == context]
            if self._rolls_back():
                lent += self._hold(context[:-1])
            wanted: dict[Tokens, dict[int, None]] = {}
            for one in behind:
                for k in range(one.context, len(one.tokens)):
                    wanted.setdefault(one.tokens[:k], {})[one.tokens[k]] = None
            # In order, each prompt shares all but its last token with what is in memory.
            steps = {prompt: self._next(prompt, wanted[prompt]) for prompt in sorted(wanted)}
            found |= {one: _likelihood(one, steps) for one in behind}
        return Scores(
            at,
            tuple(found[one] for one in scored),
            len({one.tokens[:k] for one in scored for k in range(1, len(one.tokens))}),
            lent,
            self._server.asked - asked,
        )

    def _rolls_back(self) -> bool:
        """Whether llama.cpp uses again what two prompts share; tried before the first question."""
        if self._goes_back is None:
            self._ask((1, 2, 3, 4), 0, top=1, again=False)
            self._goes_back = self._ask((1, 2, 3, 5), 0, top=1, again=True)[1] == 3
        return self._goes_back

    def _hold(self, stem: Tokens) -> int:
        """Have the tokens of a context but the last computed; return how many of them were there."""
        if not stem:
            return 0
        memory = self._memory if self._memory.turn == self._server.asked else _Memory()
        common = alike(memory.tokens, stem)
        # If all of the stem were there, llama.cpp would compute its last token by itself.
        whole = min(common, memory.whole, len(stem) - 1) // self._batch * self._batch
        if common > whole > 0:  # a token that the stem does not go on with ends the use there
            other = 1 if stem[whole] == 0 else 0
            require_cached(self._ask((*stem[:whole], other), 0, top=1, again=True)[1], whole)
        require_cached(self._ask(stem, 0, top=1, again=whole > 0)[1], whole)
        self._memory = _Memory(stem, len(stem) // self._batch * self._batch, self._server.asked)
        return whole

    def _next(self, prompt: Tokens, wanted: Collection[int]) -> _Next:
        logs: dict[int, float] = {}
        best = -1
        for token in wanted:
            if token not in logs:
                likely = self._likely(prompt, token, top=1 if len(wanted) == 1 else TOP)
                logs |= {one: value for one, value in likely.logs.items() if one in wanted}
                best = likely.best
        self._memory = _Memory(prompt, self._memory.whole, self._server.asked)
        return _Next(logs, best)

    def _likely(self, prompt: Tokens, token: int, *, top: int) -> _Next:
        """Return how likely a token is, and the ``top`` likeliest ones."""
        again = self._rolls_back() and len(prompt) > 1
        # Of a token that is part of a letter llama.cpp says nothing when it is drawn: it is looked for
        # among the others, all of them in the end.
        for drawn, most in ((token, top), (self._letter, MANY), (self._letter, ALL)):
            found, cached = self._ask(prompt, drawn, top=most, again=again)
            require_cached(cached, len(prompt) - 1 if again else 0)
            if token in found.logs:
                return found
        raise PluginError(
            f"llama.cpp does not know the token {token}", where="llama.cpp", code="A400"
        )

    def _ask(self, prompt: Tokens, token: int, *, top: int, again: bool) -> tuple[_Next, int]:
        body = {
            "prompt": list(prompt),
            "max_tokens": 1,
            "n_probs": top,
            "temperature": 0,
            "logit_bias": [[token, FORCED]],
            "cache_prompt": again,
        }
        found, cached = _read(self._server.complete(body))
        self.computed += len(prompt) - cached
        return found, cached


class _Memory(NamedTuple):
    """What llama.cpp has in memory."""

    tokens: Tokens = ()
    whole: int = 0
    """How many of them were computed in whole batches, from the first."""

    turn: int = -1
    """How many completions had been asked for by then."""


def require_cached(cached: int, expected: int) -> None:
    """Raise ``PluginError`` A402 where llama.cpp used another part of the last prompt again."""
    if cached != expected:
        raise PluginError(
            f"llama.cpp used {cached} tokens again, not {expected}: what comes out would depend on "
            "the questions before it",
            where="lm.gguf",
            hint="report this with the version of xllamacpp",
            code="A402",
        )


def _read(reply: object) -> tuple[_Next, int]:
    match reply:
        case {
            "choices": [{"logprobs": {"content": [{"top_logprobs": list(top), **drawn}]}}],
            "timings": {"cache_n": int(cached)},
        } if top:
            logs = {int(one["id"]): _value(one["logprob"]) for one in (*top, drawn)}
            return _Next(logs, int(top[0]["id"])), cached
        case {"choices": [{"logprobs": None}], "timings": {"cache_n": int(cached)}}:
            return _Next({}, -1), cached
        case _:
            raise PluginError(
                f"llama.cpp did not answer: {str(reply)[:200]}", where="llama.cpp", code="A400"
            )


def _value(log: float | None) -> float:
    """Return a logarithm; no number where there was none, or where it is that of 0."""
    if log is None:
        return nan
    return log if log > _LEAST_FLOAT else -inf


def _likelihood(one: Scored, steps: Mapping[Tokens, _Next]) -> Likelihood:
    taken = [(steps[one.tokens[:k]], one.tokens[k]) for k in range(one.context, len(one.tokens))]
    total = sum(step.logs[token] for step, token in taken)
    return Likelihood(total, all(step.best == token for step, token in taken), len(taken))
