"""The menu, the examples and the question, as the pieces of a prompt.

Covered: a question is written as one line of JSON between fixed lines, so it cannot begin a new
line, close its quotes or imitate another request; and its piece is ``Text``, whose special-token
spellings are never parsed.
Not covered: what the words of a question talk the model into.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from string import ascii_uppercase
from typing import Literal, TypeAlias

from assay import Answer, Bottom, PlanError, Sample

Style: TypeAlias = Literal["plain", "chat"]
Labels: TypeAlias = Literal["words", "letters"]

NONE = "none of these"
"""The option that says: no option fits."""


@dataclass(frozen=True, slots=True)
class Text:
    """Words; the spelling of a special token in it stays words."""

    text: str


@dataclass(frozen=True, slots=True)
class Markup:
    """The chat format's own marks, parsed as special tokens."""

    text: str


Piece: TypeAlias = Text | Markup


@dataclass(frozen=True, slots=True)
class Option:
    """A line of the menu.  The answer is ``None`` in the last: none of these."""

    name: str
    """The answer as it is, JSON when it is not a text; the key of its score."""

    answer: Answer | None

    @property
    def words(self) -> str:
        """How the menu reads it: on one line, ``swap_asset`` as ``swap asset``."""
        return " ".join(self.name.replace("_", " ").split())


def menu_of(train: Sequence[Sample]) -> tuple[Option, ...]:
    """Return the answers that occur in ``train``, sorted by name, then ``none of these``.

    Raises ``PlanError`` A104 when there is nothing to choose from, or two answers read the same.
    """
    answers: dict[str, Answer] = {}
    for sample in train:
        if isinstance(sample.target, Answer):
            answers.setdefault(_json(sample.target.value), Answer(sample.target.value))
    if not answers:
        raise PlanError(
            "the train split has no answers to make a menu of",
            where="lm.choose",
            hint="give lm.choose a task whose train targets are answers from a closed set",
            code="A104",
        )
    options = (Option(name_of(answer), answer) for answer in answers.values())
    menu = (*sorted(options, key=lambda option: option.name), Option(NONE, None))
    for words, count in Counter(option.words for option in menu).items():
        if count > 1:
            raise PlanError(
                f"{count} options of the menu read {words!r}",
                where="lm.choose",
                hint="rename all of these answers but one",
                code="A104",
            )
    return menu


def spread(train: Sequence[Sample]) -> Iterator[Sample]:
    """Yield samples round-robin over the options of the menu, at most one per group.

    The order within an option is that of a digest of the id: fixed, whatever the order of
    ``train``, and without the runs of like samples that ids in order would give.
    """
    queues: dict[str, list[Sample]] = {option.name: [] for option in menu_of(train)}
    for sample in sorted(train, key=lambda sample: blake2b(sample.id.encode()).digest()):
        if sample.target is not None:
            queues[name_of(sample.target)].append(sample)
    used: set[str] = set()
    while any(queues.values()):
        for queue in queues.values():
            while queue:
                sample = queue.pop(0)
                if sample.cluster not in used:
                    used.add(sample.cluster)
                    yield sample
                    break


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """How a menu, its examples and a question are put to the model.

    >>> menu = (Option("swap", Answer("swap")), Option(NONE, None))
    >>> script = Script(style="plain", labels="words", menu=menu)
    >>> print("".join(piece.text for piece in (*script.shared(()), *script.asked("1 eth to dai"))))
    Name the option that each request asks for. The options are:
    - swap
    - none of these
    <BLANKLINE>
    Request: "1 eth to dai"
    Option:
    """

    style: Style
    labels: Labels
    menu: tuple[Option, ...]

    def shared(self, examples: Sequence[Sample]) -> list[Piece]:
        """Return what comes before every question: the menu and the answered examples."""
        pieces = self._opening()
        spoken = {option.name: said for option, said in zip(self.menu, self.spoken(), strict=True)}
        for sample in examples:
            assert sample.target is not None
            pieces += [*self._before(), *self.asked(sample.input)]
            pieces += [Text(spoken[name_of(sample.target)]), *self._after()]
        return [*pieces, *self._before()]

    def asked(self, question: object) -> list[Piece]:
        """Return one question, up to where the label is expected."""
        tail: list[Piece] = (
            [Text('"\nOption:')]
            if self.style == "plain"
            else [Text('"'), Markup("<|im_end|>\n<|im_start|>assistant\n"), Text("Option:")]
        )
        return [Text(one_line(question)), *tail]

    def spoken(self) -> tuple[str, ...]:
        """Return how each option is answered; its first token is the option's label.

        Raises ``PlanError`` A104 when there are more options than letters.
        """
        if self.labels == "words":
            return tuple(f" {option.words}" for option in self.menu)
        return tuple(f" {letter}" for letter in self._letters())

    def menu_text(self) -> str:
        """Return the menu, a line for each option."""
        marks = ["-"] * len(self.menu)
        if self.labels == "letters":
            marks = [f"{letter}." for letter in self._letters()]
        lines = [f"{mark} {option.words}" for mark, option in zip(marks, self.menu, strict=True)]
        return "\n".join(["Name the option that each request asks for. The options are:", *lines])

    def _opening(self) -> list[Piece]:
        menu = self.menu_text()
        if self.style == "plain":
            return [Text(f"{menu}\n\n")]
        return [Markup("<|im_start|>system\n"), Text(menu), Markup("<|im_end|>\n")]

    def _before(self) -> list[Piece]:
        lead = Text('Request: "')
        return [lead] if self.style == "plain" else [Markup("<|im_start|>user\n"), lead]

    def _after(self) -> list[Piece]:
        return [Text("\n\n")] if self.style == "plain" else [Markup("<|im_end|>\n")]

    def _letters(self) -> str:
        if len(self.menu) > len(ascii_uppercase):
            raise PlanError(
                f"{len(self.menu)} options are more than there are letters",
                where="options.labels",
                hint="set labels: words",
                code="A104",
            )
        return ascii_uppercase[: len(self.menu)]


def name_of(target: Answer | Bottom) -> str:
    """Return the name of the option that a target asks for."""
    if isinstance(target, Bottom):
        return NONE
    value = target.value
    return value if isinstance(value, str) else _json(value)


def one_line(question: object) -> str:
    r"""Return a question as the inside of a JSON string, or as JSON when it is not a text.

    >>> print(one_line('swap "it"'))
    swap \"it\"
    """
    return _json(question)[1:-1] if isinstance(question, str) else _json(question)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=_thawed)


def _thawed(value: object) -> object:
    """Return a frozen mapping or sequence as one that json writes."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
