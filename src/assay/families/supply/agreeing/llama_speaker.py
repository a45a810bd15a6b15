"""Logits of a GGUF file as llama.cpp computes them: what really runs, kernels and all.

llama.cpp's server says how probable each token of the whole vocabulary is, one place at a time.  That
takes a second or two per place: choose a few places of each text.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException
from importlib.metadata import version
from pathlib import Path
from secrets import token_hex
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import numpy as np

from assay import PluginError

from ..extras import extra

Array: TypeAlias = Any


class LlamaModel:
    """A GGUF file held by xllamacpp's server on one loopback port.

    Raises ``PluginError`` A401 without xllamacpp, A403 when llama.cpp cannot load the file, A400 when it
    does not answer as expected.
    """

    def __init__(self, path: Path, *, vocabulary: int, context: int = 2048) -> None:
        llama = extra("xllamacpp")
        self.ran = f"llama.cpp (xllamacpp {version('xllamacpp')}), one thread"
        self.vocabulary, self._key = vocabulary, token_hex(16)
        params = llama.CommonParams()
        params.model.path = str(path)
        params.n_ctx, params.n_parallel, params.n_gpu_layers = context, 1, 0
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
        params.fit_params = params.cache_idle_slots = params.endpoint_slots = params.ui = False
        params.cache_ram_mib, params.n_threads_http, params.verbosity = 0, 1, -1
        params.api_keys = [self._key]
        try:
            self._server = llama.Server(params)
        except RuntimeError as error:
            raise PluginError(
                "llama.cpp cannot load the model",
                where=str(path),
                hint="run `assay model inspect` on it",
                code="A403",
            ) from error
        # A server that ends before its loop has begun waits for ever: ask one token first.
        self._server.handle_completions({"prompt": [0], "max_tokens": 1, "cache_prompt": False})
        self._letter = self.tokens("a")[-1]

    def tokens(self, text: str) -> list[int]:
        """Return llama.cpp's own tokens of a text, with its opening token."""
        asked = {"content": text, "parse_special": True, "add_special": True}
        address = urlsplit(self._server.listening_address)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._key}"}
        line = HTTPConnection(address.hostname or "", address.port, timeout=60)
        try:
            line.request("POST", "/tokenize", json.dumps(asked), headers)
            found = json.loads(line.getresponse().read())["tokens"]
        except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
            raise _broken(repr(error)) from error
        finally:
            line.close()
        return [int(token) for token in found]

    def logits(self, tokens: Sequence[int], places: Sequence[int]) -> Array:
        """Return log-probabilities after some places, float32 [places, vocabulary].

        A probability that llama.cpp gives as zero or as no number becomes NaN.
        """
        return np.stack([self._after(list(tokens[: place + 1])) for place in places])

    def _after(self, tokens: list[int]) -> Array:
        body = {
            "prompt": tokens,
            "max_tokens": 1,
            "n_probs": self.vocabulary,
            "temperature": 0,
            "cache_prompt": False,  # what is cached changes the low bits of what follows
            # Of a token that ends the text, or that is half a character, nothing would be said: a letter
            # is said.  What is asked for is computed before a token is chosen, and does not change.
            "logit_bias": [[self._letter, 1e6]],
        }
        try:
            reply = self._server.handle_completions(body)
            top = reply["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
        except (RuntimeError, KeyError, IndexError, TypeError) as error:
            raise _broken(repr(error)) from error
        row = np.full(self.vocabulary, np.nan, dtype=np.float32)
        for one in top:
            if one["logprob"] is not None and 0 <= one["id"] < self.vocabulary:
                row[one["id"]] = one["logprob"]
        return row


def _broken(what: str) -> PluginError:
    return PluginError(f"llama.cpp did not answer: {what}", where="llama.cpp", code="A400")
