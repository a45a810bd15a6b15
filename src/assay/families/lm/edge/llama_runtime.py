"""A GGUF model in llama.cpp, measured token by token."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from ..header import read_header
from ..prompted.llama_speaker import BATCH
from ..server import LlamaServer, Shape
from .stamps import Silent, Stamp, filled


class LlamaRuntime:
    """A server of its own, set up as that of ``lm.gguf``.  Raises what ``LlamaServer`` raises.

    ``Silent`` where ``context`` tokens are more than the model was made for.
    """

    def __init__(self, path: Path, *, threads: int, context: int) -> None:
        most = read_header(path).of_architecture("context_length")
        if most is not None and context > most:
            raise Silent(f"prompt and answer have {context} tokens, and the model takes {most}")
        # Two more than are used: llama.cpp stops before the last place of its context.
        shape = Shape(threads=threads, context=context + 2, batch=min(BATCH, context + 2))
        self._server = LlamaServer(path, shape)

    def prompt(self, tokens: int) -> list[int]:
        """Return a prompt of exactly so many tokens."""
        return filled(self._server.opening(), self._server.text, tokens)

    def write(self, prompt: Sequence[int], tokens: int) -> tuple[Stamp, ...]:
        """Continue a prompt, the most probable token each time, beyond any end."""
        heard = _Heard()
        body = {
            "prompt": list(prompt),
            "max_tokens": tokens,
            "temperature": 0,
            "ignore_eos": True,
            "cache_prompt": False,
            "stream": True,
            "timings_per_token": True,
        }
        heard.started = perf_counter()
        self._server.complete(body, heard.take)
        if heard.wrong:
            raise Silent(heard.wrong)
        return tuple(heard.stamps)

    def fault(self, prompt: Sequence[int]) -> str | None:
        """Return why the next token's probabilities are none."""
        body = {
            "prompt": list(prompt),
            "max_tokens": 1,
            "temperature": 0,
            "n_probs": 5,
            "cache_prompt": False,
        }
        match self._server.complete(body):
            case {"choices": [{"logprobs": {"content": [{"top_logprobs": list(top)}, *_]}}]}:
                found = [one.get("logprob") for one in top]
            case other:
                return f"llama.cpp answered {str(other)[:200]}"
        if not found or None in found:
            return "its probabilities are no numbers"
        return "it finds every token equally probable" if len(set(found)) == 1 else None


class _Heard:
    """What came of a stream so far."""

    def __init__(self) -> None:
        self.started = 0.0
        self.stamps: list[Stamp] = []
        self.wrong = ""

    def take(self, piece: Any) -> bool:
        """Take one piece; return whether that is enough.  Must not raise: nobody would hear it."""
        now = perf_counter() - self.started
        match piece:
            case {"timings": {"cache_n": int(cached), "predicted_n": int(tokens)}}:
                if cached:
                    self.wrong = f"llama.cpp took {cached} tokens of the prompt from a cache"
                # The last piece repeats the count: it says that the answer has ended.
                elif tokens > (self.stamps[-1].tokens if self.stamps else 0):
                    self.stamps.append(Stamp(now, tokens))
            case _:
                self.wrong = f"llama.cpp answered {str(piece)[:200]}"
        return bool(self.wrong)
