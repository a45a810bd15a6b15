"""One GGUF model in memory, asked which token comes next.

The reply to a question never depends on what was asked before.  llama.cpp keeps the longest part
of the last prompt that the next one shares, and its kernels give other low bits (log-probabilities
moved by up to 0.45) when the rest is processed in a batch of another size.  So the shared part is
evaluated once, alone (``hold``), and each prompt is made to share exactly that part: where two
prompts in a row would share more, one token is asked in between which neither continues with.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from secrets import token_hex
from typing import Any, Protocol
from urllib.parse import urlsplit

from assay import PluginError

TOP = 200
"""How many of the most probable next tokens are looked at."""

_LONGEST_TOKEN = 256
"""Bytes.  No vocabulary that llama.cpp reads has longer tokens in use, so a longer text than this
times the context cannot fit and need not be tokenised."""


class TooLong(Exception):  # noqa: N818  (a fact about the question, not an error of ours)
    """The prompt does not fit the context."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextToken:
    """What the model expects next, and what finding out took."""

    logprobs: Mapping[int, float]
    """Natural-log probabilities of the ``TOP`` most probable tokens, by token."""

    tokens_in: int
    """The whole prompt, the cached part included."""

    tokens_cached: int
    tokens_out: int


class _Server(Protocol):
    listening_address: str

    def handle_completions(self, body: Mapping[str, object]) -> Any: ...


def require_llama() -> None:
    """Raise ``PluginError`` A401 unless xllamacpp is installed."""
    if find_spec("xllamacpp") is None:
        raise PluginError(
            "xllamacpp is not installed",
            where="lm.choose",
            hint="run pip install 'assay-eval[lm]'",
            code="A401",
        )


class Llama:
    """A model held by xllamacpp's server, on processor cores, with one slot.

    Memory is about 120 MB, the file, and the keys and values of ``context`` tokens.  The server is
    stopped when the object is released.  Raises ``PluginError`` A401 without xllamacpp, A403 when
    llama.cpp cannot load the file.  *Not to be trusted when* ``threads`` exceeds the idle cores:
    llama.cpp's threads wait by spinning, and two on one core are tens of times slower than one.
    """

    def __init__(self, path: Path, *, threads: int, context: int) -> None:
        require_llama()
        self.context = context
        self._key = token_hex(16)
        self._server = _start(path, threads=threads, context=context, key=self._key)
        self._address = urlsplit(self._server.listening_address)
        self._held: list[int] = []
        self._after: int | None = None
        """The cached token after the held ones; None when it is not known."""

    def text(self, text: str) -> list[int]:
        """Return the tokens of ``text``; the spelling of a special token is ordinary text.

        Raises ``TooLong`` when it surely exceeds the context.
        """
        if len(text.encode("utf-8", "backslashreplace")) > _LONGEST_TOKEN * self.context:
            raise TooLong
        return self._tokenise(text, parse_special=False, add_special=False)

    def markup(self, text: str) -> list[int]:
        """Return the tokens of text written by assay, special tokens parsed."""
        return self._tokenise(text, parse_special=True, add_special=False)

    def opening(self) -> list[int]:
        """Return the tokens that the model wants before any prompt (its BOS, or nothing)."""
        return self._tokenise("", parse_special=True, add_special=True)

    def hold(self, shared: Sequence[int]) -> None:
        """Evaluate the tokens that every later prompt begins with, and keep them.

        Raises ``TooLong`` when they leave no room for a question.
        """
        if len(shared) + 2 > self.context:
            raise TooLong
        self._held, self._after = list(shared), None
        self._part_from(self._held[0] if self._held else 0)

    def next_token(self, rest: Sequence[int]) -> NextToken:
        """Return what follows the held tokens and ``rest`` (at least one token).

        Raises ``TooLong`` when they exceed the context, ``PluginError`` when llama.cpp fails.
        """
        if len(self._held) + len(rest) >= self.context:
            raise TooLong
        if self._after is None or self._after == rest[0]:
            self._part_from(rest[0])
        found = self._complete([*self._held, *rest], TOP)
        if found.tokens_cached != len(self._held):
            raise PluginError(
                f"llama.cpp reused {found.tokens_cached} tokens, not the {len(self._held)} held: "
                "the reply would depend on the questions before it",
                where="lm.choose",
                hint="report this with the version of xllamacpp",
                code="A402",
            )
        self._after = rest[0]
        return found

    def _part_from(self, token: int) -> None:
        """Leave the cache with the held tokens and one that is not ``token``."""
        other = 1 if token == 0 else 0
        self._complete([*self._held, other], 1)
        self._after = other

    def _complete(self, tokens: list[int], top: int) -> NextToken:
        body = {
            "prompt": tokens,
            "max_tokens": 1,
            "n_probs": top,
            "temperature": 0,
            "cache_prompt": True,
        }
        self._after = None  # until the reply is in, nobody knows what the cache holds
        try:
            reply = self._server.handle_completions(body)
        except RuntimeError as error:
            raise _broken(str(error)) from error
        return _read(reply)

    def _tokenise(self, text: str, *, parse_special: bool, add_special: bool) -> list[int]:
        # The binding has no tokeniser of its own, and prompts given as strings always have their
        # special tokens parsed; the server's own port (loopback, keyed) is the one exact way.
        # A fresh connection each time: the server drops idle and long-used ones.
        body = {
            "content": text.encode("utf-8", "backslashreplace").decode(),
            "parse_special": parse_special,
            "add_special": add_special,
        }
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._key}"}
        line = HTTPConnection(self._address.hostname or "", self._address.port, timeout=60)
        try:
            line.request("POST", "/tokenize", json.dumps(body), headers)
            reply = json.loads(line.getresponse().read())
        except (OSError, HTTPException, ValueError) as error:
            raise _broken(f"tokenising failed: {error!r}") from error
        finally:
            line.close()
        match reply:
            case {"tokens": list(tokens)}:
                return [int(token) for token in tokens]
            case _:
                raise _broken(f"tokenising failed: {str(reply)[:200]}")


def _start(path: Path, *, threads: int, context: int, key: str) -> _Server:
    llama: Any = import_module("xllamacpp")
    params = llama.CommonParams()
    params.model.path = str(path)
    params.n_ctx = context
    params.n_parallel = 1
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    params.n_gpu_layers = 0
    params.fit_params = False  # or llama.cpp changes the context that was asked for
    params.cache_ram_mib = 0  # or it swaps in the caches of earlier prompts
    params.cache_idle_slots = False
    params.n_threads_http = 1
    params.api_keys = [key]  # the binding always listens on a loopback port
    params.endpoint_slots = False
    params.ui = False
    params.verbosity = -1  # nothing on stderr: a failed load raises below
    try:
        server: _Server = llama.Server(params)
    except RuntimeError as error:
        raise PluginError(
            "llama.cpp cannot load the model: the file is cut short, damaged, or of a kind that "
            "this llama.cpp does not know",
            where=str(path),
            hint="fetch the file again and compare its size and sha256",
            code="A403",
        ) from error
    # A server that ends before its loop has begun waits for that loop for ever (xllamacpp 2026.10):
    # one token is asked for, so that it has begun whatever happens next.
    server.handle_completions({"prompt": [0], "max_tokens": 1, "cache_prompt": False})
    return server


def _read(reply: object) -> NextToken:
    match reply:
        case {"error": {"type": "exceed_context_size_error"}}:
            raise TooLong
        case {
            "choices": [{"logprobs": {"content": [{"top_logprobs": list(top)}]}}],
            "usage": {"prompt_tokens": int(said_in), "completion_tokens": int(said_out)},
            "timings": {"cache_n": int(cached)},
        }:
            return NextToken(
                # A logit that is no number comes as null; it is nobody's probability.
                logprobs={
                    int(one["id"]): float(one["logprob"])
                    for one in top
                    if one["logprob"] is not None
                },
                tokens_in=said_in,
                tokens_cached=cached,
                tokens_out=said_out,
            )
        case _:
            raise _broken(str(reply)[:200])


def _broken(what: str) -> PluginError:
    return PluginError(f"llama.cpp did not answer: {what}", where="lm.choose", code="A400")
