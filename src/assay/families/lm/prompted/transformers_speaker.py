"""A model in safetensors that speaks, through transformers.

What it says depends on the messages and the draw alone, but for low bits of what is computed together:
each prompt has a generator of its own.  *Covered*: no code of a model is run, no network is
used, the spelling of a special token in a message stays words.  *Not covered*: what the words of a
question talk the model into.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, TypeAlias

from assay import Crash, Failed, PlanError

from ..likelihood.lending import Lending
from ..likelihood.sharing import Prefix
from ..likelihood.system import Overlong, Room, Weighs
from ..likelihood.tokens import require_known, require_one_opening
from ..likelihood.torch_scorer import LEAST_SHARED, NEVER_SHARED, TorchScorer
from ..likelihood.words import HfWords
from ..likelihood.writing import NON_FINITE, TorchWriter, Wish, Written
from ..loading import Loaded, load_decoder
from .llama_speaker import Chat
from .pieces import Unplaced, pieces_of
from .speaker import Draw, Message, Spoken, as_text, cut_of

Device: TypeAlias = Literal["auto", "cpu", "cuda"]
Dtype: TypeAlias = Literal["float32", "float16", "bfloat16"]

_INSTEAD = {
    "timeout": Failed("timeout", "the model had not ended its answer"),
    NON_FINITE: Failed(NON_FINITE, "a prediction of the model is not a number"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """How much is computed at a time."""

    batch: int = 8
    """Rows, of prompts or of questions about likelihoods."""

    overlong: Overlong = "fail"
    prefix: Prefix = "shared"
    """Whether what prompts begin alike with is computed once."""

    @property
    def least(self) -> int:
        """Tokens of a shared beginning from which it is computed once."""
        return LEAST_SHARED if self.prefix == "shared" else NEVER_SHARED


class TransformersSpeaker:
    """A model held by transformers, in the precision ``dtype``.

    Raises ``PlanError`` A104 without a chat template, or for ``cuda`` where there is none;
    ``PluginError`` A403 when transformers cannot load the folder.
    """

    def __init__(
        self,
        folder: Path,
        *,
        chat: Chat,
        device: Device,
        dtype: Dtype,
        together: Together | None = None,
    ) -> None:
        self._together = together or Together()
        self._torch: Any = import_module("torch")
        self._chat, self._device = chat, self._placed(device)
        self._tokenizer, self._model = load_decoder(folder, dtype=dtype)
        self._model.to(self._device)
        self._words = HfWords(self._tokenizer, known=self._rows, ends=self._ends())
        if chat == "template" and not self._tokenizer.chat_template:
            raise PlanError(
                f"{folder.name} has no chat template",
                where="options.chat",
                hint="set chat: plain",
                code="A104",
            )

    @property
    def ran(self) -> dict[str, int | str]:
        """What it runs with: facts for the record."""
        return {
            "threads": int(self._torch.get_num_threads()),
            "device": self._device,
            "dtype": str(self._model.dtype).removeprefix("torch."),
            "batch": self._together.batch,
            "prefix": self._together.prefix,
        }

    def say(self, messages: Sequence[Message], draw: Draw) -> Spoken:
        """Answer the last message, as it would be answered among others."""
        ((_, spoken),) = self.say_all([(messages, draw)])
        return spoken

    def say_all(
        self, asked: Sequence[tuple[Sequence[Message], Draw]]
    ) -> Iterator[tuple[int, Spoken]]:
        """Answer several last messages, prompts that begin alike together; in any order."""
        wishes: list[Wish] = []
        places: list[tuple[int, str]] = []
        for at, (messages, draw) in enumerate(asked):
            ready = self._ready(messages)
            if isinstance(ready, Spoken):
                yield at, ready
                continue
            prompt, tokens = ready
            places.append((at, prompt))
            wishes.append(
                Wish(
                    tokens=tuple(tokens),
                    most=min(draw.max_tokens, self._room() - len(tokens)),
                    temperature=draw.temperature,
                    seed=draw.seed,
                    stop=draw.stop,
                    timeout_s=draw.timeout_s,
                )
            )
        writer = TorchWriter(
            Lending(self._model),
            decode=self._decoded,
            ends=frozenset(self._ends()),
            batch=self._together.batch,
            least=self._together.least,
        )
        left = set(range(len(wishes)))
        try:
            for written in writer.write(wishes):
                left.discard(written.at)
                at, prompt = places[written.at]
                yield at, self._spoken(written, prompt, wishes[written.at].tokens)
        except self._torch.OutOfMemoryError as error:
            for place in sorted(left):
                at, prompt = places[place]
                yield at, Spoken(prompt=prompt, instead=Crash("memory", str(error)[:500]))

    @property
    def loaded(self) -> Loaded:
        """The tokenizer and the model, on its device."""
        return Loaded(self._tokenizer, self._model)

    @property
    def weighs(self) -> Weighs:
        """What it takes to say how likely texts are."""
        return Weighs(
            words=self._words,
            scorer=TorchScorer(self._model, batch=self._together.batch, least=self._together.least),
            room=Room(tokens=self._room(), overlong=self._together.overlong),
            framed=self._framed if self._chat == "template" else None,
        )

    def _framed(self, text: str) -> str:
        return self._rendered([Message("user", text)])

    def _decoded(self, tokens: list[int]) -> str:
        text: str = self._tokenizer.decode(
            tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text

    def _ready(self, messages: Sequence[Message]) -> tuple[str, list[int]] | Spoken:
        """Return a prompt and its tokens, or why there are none."""
        try:
            prompt = self._rendered(messages) if self._chat == "template" else as_text(messages)
            tokens = self._tokens(prompt, messages)
            require_one_opening(tokens, self._tokenizer.bos_token_id)
            require_known(tokens, self._rows)
        except Unplaced as error:
            return Spoken(instead=Crash("template", str(error)))
        if len(tokens) >= self._room():
            why = Failed("too_long", f"the prompt has {len(tokens)} tokens")
            return Spoken(prompt=prompt, instead=why, tokens_in=len(tokens))
        return prompt, tokens

    def _spoken(self, written: Written, prompt: str, tokens: tuple[int, ...]) -> Spoken:
        said = list(written.tokens)
        # What ends an answer is no part of it, whether the tokenizer calls it special or not.
        ended = said and said[-1] in self._ends()
        return Spoken(
            text=self._decoded(said[:-1] if ended else said),
            finish=written.finish,
            instead=_INSTEAD.get(written.finish),
            prompt=prompt,
            tokens=tokens,
            latency_s=written.total_s,
            first_token_s=written.first_s,
            tokens_in=len(tokens),
            tokens_cached=written.lent,
            tokens_out=len(written.tokens),
            cut=cut_of(written.finish),
            shown={"device": self._device},
        )

    def _placed(self, device: Device) -> str:
        there = self._torch.cuda.is_available()
        if device == "cuda" and not there:
            raise PlanError(
                "there is no CUDA device here",
                where="options.device",
                hint="set device: cpu",
                code="A104",
            )
        return "cuda" if device != "cpu" and there else "cpu"

    @property
    def _rows(self) -> int:
        """How many tokens the model knows."""
        return int(self._model.get_input_embeddings().weight.shape[0])

    def _room(self) -> int:
        """Tokens that fit, prompt and answer together."""
        config = self._model.config.get_text_config()
        return int(getattr(config, "max_position_embeddings", None) or 2**31)

    def _ends(self) -> set[int]:
        """Tokens that end an answer."""
        named = [self._model.generation_config.eos_token_id, self._tokenizer.eos_token_id]
        lists = [one if isinstance(one, list) else [one] for one in named if one is not None]
        return {int(token) for one in lists for token in one}

    def _rendered(self, messages: Sequence[Message]) -> str:
        said = [{"role": message.role, "content": message.text} for message in messages]
        jinja: Any = import_module("jinja2")
        try:
            prompt: str = self._tokenizer.apply_chat_template(
                said, tokenize=False, add_generation_prompt=True
            )
        except jinja.TemplateError as error:
            raise PlanError(
                f"the chat template of the model refuses the messages: {str(error)[:300]}",
                where="options.chat",
                hint="leave the option system out, or set chat: plain",
                code="A104",
            ) from error
        return prompt

    def _tokens(self, prompt: str, messages: Sequence[Message]) -> list[int]:
        if self._chat == "plain":
            return self._words.opened(self._literal(prompt))
        if all(self._literal(m.text) == self._marks(m.text) for m in messages):
            return self._words.opened(self._marks(prompt))
        tokens: list[int] = []
        for piece in pieces_of(messages, self._rendered):
            tokens += self._literal(piece.text) if piece.is_words else self._marks(piece.text)
        return self._words.opened(tokens)

    def _marks(self, text: str) -> list[int]:
        """Return tokens, special ones parsed."""
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def _literal(self, text: str) -> list[int]:
        """Return tokens; the spelling of a special one stays words."""
        given = {"add_special_tokens": False, "split_special_tokens": True}
        return list(self._tokenizer(text, **given)["input_ids"])
