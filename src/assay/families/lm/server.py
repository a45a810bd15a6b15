"""One GGUF model in memory, held by xllamacpp's server on one loopback port of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from secrets import token_hex
from typing import Any, Protocol
from urllib.parse import urlsplit

from assay import PluginError

_LONGEST_TOKEN = 256
"""Bytes.  No vocabulary that llama.cpp reads has longer tokens in use, so a longer text than this
times the context cannot fit and need not be tokenised."""


class TooLong(Exception):  # noqa: N818  (a fact about the question, not an error of ours)
    """The prompt does not fit the context."""


class _Server(Protocol):
    listening_address: str

    def handle_completions(
        self, body: Mapping[str, object], stream: Callable[[Any], bool] | None = None, /
    ) -> Any: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a server is started with."""

    threads: int
    context: int
    """Tokens, those of the prompt and of the answer together."""

    batch: int | None = None
    """Tokens of a prompt that are computed at a time; None leaves llama.cpp's own number."""

    whole_window: bool = False
    """Keep all keys of layers with a sliding window, so that any part of a prompt can be used again."""


def require_llama(where: str = "lm") -> None:
    """Raise ``PluginError`` A401 unless xllamacpp is installed."""
    if find_spec("xllamacpp") is None:
        raise PluginError(
            "xllamacpp is not installed",
            where=where,
            hint="run pip install 'assay-eval[lm]'",
            code="A401",
        )


class LlamaServer:
    """A model held by xllamacpp's server, on processor cores, with one slot.

    Memory is about 120 MB, the file, and the keys and values of ``context`` tokens.  The server is
    stopped when the object is released.  Raises ``PluginError`` A401 without xllamacpp, A403 when
    llama.cpp cannot load the file.  *Not to be trusted when* ``threads`` exceeds the idle cores:
    llama.cpp's threads wait by spinning, and two on one core are tens of times slower than one.
    """

    def __init__(self, path: Path, shape: Shape) -> None:
        require_llama()
        self.context = shape.context
        self.asked = 0
        """How many completions it was asked for."""
        self._key = token_hex(16)
        self._server = _start(path, shape, key=self._key)
        self._address = urlsplit(self._server.listening_address)

    def text(self, text: str) -> list[int]:
        """Return the tokens of ``text``; the spelling of a special token is ordinary text.

        Raises ``TooLong`` when it surely exceeds the context.
        """
        self._require_short(text)
        return self._tokenise(text, parse_special=False, add_special=False)

    def markup(self, text: str) -> list[int]:
        """Return the tokens of text, special tokens parsed.  Raises ``TooLong``."""
        self._require_short(text)
        return self._tokenise(text, parse_special=True, add_special=False)

    def opening(self) -> list[int]:
        """Return the tokens that the model wants before any prompt (its BOS, or nothing)."""
        return self._tokenise("", parse_special=True, add_special=True)

    def spelt(self, tokens: Sequence[int]) -> str:
        """Return the text that tokens spell, special ones included."""
        match self.post("/detokenize", {"tokens": [*tokens]}):
            case {"content": str(text)}:
                return text
            case other:
                raise broken(str(other)[:200])

    def fitting(self, tokens: list[int]) -> list[int]:
        """Return the tokens of a prompt.  Raises ``TooLong`` when no room is left behind them."""
        if len(tokens) >= self.context:
            raise TooLong
        return tokens

    def complete(
        self, body: Mapping[str, object], stream: Callable[[Any], bool] | None = None
    ) -> Any:
        """Return llama.cpp's reply; with ``stream``, hand it over in pieces, until it says True.

        The binding swallows what ``stream`` raises.  Raises ``PluginError`` when llama.cpp fails.
        """
        self.asked += 1
        try:
            if stream is None:
                return self._server.handle_completions(body)
            return self._server.handle_completions(body, stream)
        except RuntimeError as error:
            raise broken(str(error)) from error

    def post(self, path: str, body: Mapping[str, object]) -> Any:
        """Return what the server's own port says (loopback, keyed).  Raises ``PluginError``."""
        # A fresh connection each time: the server drops idle and long-used ones.
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._key}"}
        line = HTTPConnection(self._address.hostname or "", self._address.port, timeout=60)
        try:
            line.request("POST", path, json.dumps(body), headers)
            return json.loads(line.getresponse().read())
        except (OSError, HTTPException, ValueError) as error:
            raise broken(f"{path} failed: {error!r}") from error
        finally:
            line.close()

    def _require_short(self, text: str) -> None:
        if len(text.encode("utf-8", "backslashreplace")) > _LONGEST_TOKEN * self.context:
            raise TooLong

    def _tokenise(self, text: str, *, parse_special: bool, add_special: bool) -> list[int]:
        # The binding has no tokeniser of its own, and prompts given as strings always have their
        # special tokens parsed; the server's own port is the one exact way.
        body = {
            "content": text.encode("utf-8", "backslashreplace").decode(),
            "parse_special": parse_special,
            "add_special": add_special,
        }
        reply = self.post("/tokenize", body)
        match reply:
            case {"tokens": list(tokens)}:
                return [int(token) for token in tokens]
            case _:
                raise broken(f"tokenising failed: {str(reply)[:200]}")


def _start(path: Path, shape: Shape, *, key: str) -> _Server:
    llama: Any = import_module("xllamacpp")
    params = llama.CommonParams()
    params.model.path = str(path)
    params.n_ctx = shape.context
    params.n_parallel = 1
    params.cpuparams.n_threads = shape.threads
    params.cpuparams_batch.n_threads = shape.threads
    params.n_gpu_layers = 0
    params.fit_params = False  # or llama.cpp changes the context that was asked for
    params.cache_ram_mib = 0  # or it swaps in the caches of earlier prompts
    params.cache_idle_slots = False
    params.n_threads_http = 1
    params.api_keys = [key]  # the binding always listens on a loopback port
    params.endpoint_slots = False
    params.swa_full = shape.whole_window
    params.ui = False
    params.verbosity = -1  # nothing on stderr: a failed load raises below
    if shape.batch is not None:
        params.n_batch = params.n_ubatch = shape.batch
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


def broken(what: str) -> PluginError:
    """Return the error that says that llama.cpp, not the model, failed."""
    return PluginError(f"llama.cpp did not answer: {what}", where="llama.cpp", code="A400")
