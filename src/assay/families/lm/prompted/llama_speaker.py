"""A GGUF model that speaks, through llama.cpp.

What it says never depends on what was asked before: nothing of an earlier prompt is used again, so
every prompt is computed whole, in batches of the same sizes.

*Covered*: the spelling of a special token in a message stays words, so that a text cannot end its
turn.  *Not covered*: what the words of a question talk the model into.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, Literal, TypeAlias

from assay import Crash, Failed, PlanError, PluginError

from ..header import read_header
from ..likelihood.llama_scorer import LlamaScorer
from ..likelihood.llama_words import LlamaWords
from ..likelihood.sharing import Prefix
from ..likelihood.system import Overlong, Room, Weighs
from ..likelihood.tokens import require_one_opening
from ..likelihood.writing import NON_FINITE
from ..server import LlamaServer, Shape, TooLong, broken
from .pieces import Unplaced, pieces_of
from .speaker import Draw, Message, Spoken, as_text, cut_of

Chat: TypeAlias = Literal["template", "plain"]

BATCH = 256
"""Tokens of a prompt between two looks at the clock."""

_PURE = {"top_k": 0, "top_p": 1.0, "min_p": 0.0, "repeat_penalty": 1.0, "samplers": ["temperature"]}
"""Nothing but the temperature: whatever defaults a file or a version of llama.cpp has."""


class LlamaSpeaker:
    """A model held by llama.cpp.  Raises what ``LlamaServer`` raises.

    With ``chat="template"``, ``PlanError`` A104 when the file has no chat template.
    """

    def __init__(
        self,
        path: Path,
        *,
        chat: Chat,
        threads: int,
        context: int,
        overlong: Overlong = "fail",
        prefix: Prefix = "shared",
    ) -> None:
        self._header = read_header(path)
        if chat == "template" and self._header.chat_template is None:
            raise PlanError(
                f"{path.name} has no chat template",
                where="options.chat",
                hint="set chat: plain",
                code="A104",
            )
        self._batch = min(BATCH, context)
        shape = Shape(threads=threads, context=context, batch=self._batch, whole_window=True)
        self._server = LlamaServer(path, shape)
        self._words = LlamaWords(
            self._server,
            bos=self._header.number("tokenizer.ggml.bos_token_id"),
            eos=self._header.number("tokenizer.ggml.eos_token_id"),
        )
        self._before = self._words.before
        self._chat, self._overlong, self._prefix = chat, overlong, prefix
        self.ran: dict[str, int | str] = {
            "threads": threads,
            "context": context,
            "batch": self._batch,
            "prefix": prefix,
        }
        """What it runs with: facts for the record."""

    def say(self, messages: Sequence[Message], draw: Draw) -> Spoken:
        """Answer the last message."""
        started = perf_counter()
        try:
            prompt = self._rendered(messages) if self._chat == "template" else as_text(messages)
            tokens = self._server.fitting(self._tokens(prompt, messages))
            require_one_opening(tokens, self._words.bos)
        except TooLong:
            detail = f"the prompt has {self._server.context} tokens or more"
            return Spoken(instead=Failed("too_long", detail))
        except PluginError as error:
            return Spoken(instead=Crash("llama_cpp", str(error)))
        heard = _Heard(started, draw.timeout_s)
        body = {
            "prompt": tokens,
            "max_tokens": draw.max_tokens,
            "temperature": draw.temperature,
            "seed": draw.seed,
            "stop": list(draw.stop),
            "n_probs": 1,  # a token whose likelihood is no number was not predicted
            "cache_prompt": False,
            "stream": True,
            "return_progress": True,
            "stream_options": {"include_usage": True},
            **_PURE,
        }
        try:
            self._server.complete(body, heard.take)
        except PluginError as error:
            return Spoken(prompt=prompt, instead=Crash("llama_cpp", str(error)))
        return heard.spoken(prompt, tuple(tokens))

    @property
    def weighs(self) -> Weighs:
        """What it takes to say how likely texts are."""
        words = self._words
        # llama.cpp gives a slot no more than what the model was trained for, and wants room for one token.
        trained = self._header.of_architecture("context_length") or self._server.context
        room = Room(tokens=min(self._server.context, trained) - 1, overlong=self._overlong)
        scorer = LlamaScorer(
            self._server, batch=self._batch, letter=words.plain("a")[-1], prefix=self._prefix
        )
        framed = self._framed if self._chat == "template" else None
        return Weighs(words=words, scorer=scorer, room=room, framed=framed)

    def _framed(self, text: str) -> str:
        return self._rendered([Message("user", text)])

    def _rendered(self, messages: Sequence[Message]) -> str:
        said = [{"role": message.role, "content": message.text} for message in messages]
        match self._server.post("/apply-template", {"messages": said}):
            case {"prompt": str(prompt)}:
                # llama.cpp takes one BOS off what a template wrote, where the file says to add one.
                return self._before + prompt
            case {"error": {"message": str(why)}}:
                raise PlanError(
                    f"the chat template of the model refuses the messages: {why[:300]}",
                    where="options.chat",
                    hint="leave the option system out, or set chat: plain",
                    code="A104",
                )
            case other:
                raise broken(str(other)[:200])

    def _tokens(self, prompt: str, messages: Sequence[Message]) -> list[int]:
        server = self._server
        if self._chat == "plain":
            return self._words.opened(server.text(prompt))
        if all(server.text(m.text) == server.markup(m.text) for m in messages):
            return self._words.opened(server.markup(prompt))
        tokens: list[int] = []
        try:
            for piece in pieces_of(messages, self._rendered):
                tokens += server.text(piece.text) if piece.is_words else server.markup(piece.text)
        except Unplaced as error:
            raise broken(str(error)) from error
        return self._words.opened(tokens)


class _Heard:
    """What came of a stream so far."""

    def __init__(self, started: float, timeout_s: float) -> None:
        self.started, self.deadline = started, started + timeout_s
        self.text: list[str] = []
        self.finish = ""
        self.first: float | None = None
        self.usage: tuple[int, int, int] | None = None
        self.wrong: Failed | Crash | None = None

    def take(self, piece: Any) -> bool:
        """Take one piece; return whether that is enough.  Must not raise: nobody would hear it."""
        match piece:
            case {"error": {"type": "exceed_context_size_error", "message": str(why)}}:
                self.wrong = Failed("too_long", why)
            case {"choices": []}:
                pass
            case {"choices": [{"logprobs": {"content": [*drawn]}}]} if any(
                one["logprob"] is None for one in drawn
            ):
                self.finish = NON_FINITE
                self.wrong = Failed(NON_FINITE, "a prediction of the model is not a number")
            case {"choices": [{"text": str(text), "finish_reason": finish}]}:
                if text and self.first is None:
                    self.first = perf_counter() - self.started
                self.text.append(text)
                self.finish = str(finish or "")
            case _:
                self.wrong = Crash("llama_cpp", str(piece)[:500])
        match piece:
            case {
                "usage": {"prompt_tokens": int(read), "completion_tokens": int(out)},
                "timings": {"cache_n": int(cached)},
            }:
                self.usage = (read, cached, out)
            case _:
                pass
        if not self.finish and self.wrong is None and perf_counter() > self.deadline:
            self.finish = "timeout"
            self.wrong = Failed("timeout", "the model had not ended its answer")
        return self.wrong is not None

    def spoken(self, prompt: str, tokens: tuple[int, ...]) -> Spoken:
        read, cached, out = self.usage or (len(tokens), None, None)
        wrong = self.wrong
        if wrong is None and not self.finish:
            wrong = Crash("llama_cpp", "the answer broke off")
        if wrong is None and (cached, read) != (0, len(tokens)):
            wrong = Crash("llama_cpp", f"{read} tokens were read, {cached} of them from a cache")
        return Spoken(
            text="".join(self.text),
            finish=self.finish,
            instead=wrong,
            prompt=prompt,
            tokens=tokens,
            first_token_s=self.first,
            tokens_in=read,
            tokens_cached=cached,
            tokens_out=out,
            cut=cut_of(self.finish),
        )
