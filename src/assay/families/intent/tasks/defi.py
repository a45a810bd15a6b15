"""``intent.defi``: which of eight DeFi actions does a request ask for, if any?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from zlib import crc32

from assay import DataError, PlanError, SameAnswer, Sample, Task

from ..draws import Draws
from ..likeness import leakage
from . import fillings as slots
from . import noise
from .sizes import check_size
from .templates import SHARES, Family, assign, families, mix

SIZES = {"train": 2400, "tune": 500, "calibration": 1700}
"""Prompts per split; the size of the test is the task's option."""

MOST = 100_000
SLOTLESS = 8
"""Most prompts of a family without slots: more would be the same sentence with other courtesies."""

TRIES = 40
"""Draws for one new prompt before a family counts as exhausted."""


@cache
def fillers() -> tuple[str, ...]:
    """Return what the leakage check masks beside numbers."""
    return (*slots.values(), *noise.PHRASES)


def defi(*, size: int = 5000, unusual: float = 0.25, seed: int = 20261120) -> Task:
    """Return the task: ``size`` test prompts from about 360 template families of their own.

    A prompt is a string; the right answer is one of ``deposit_asset``, ``withdraw_asset``,
    ``swap_asset``, ``borrow_asset``, ``repay_asset``, ``stake_asset``, ``unstake_asset`` and
    ``claim_rewards``, or ``Bottom``: ``negation`` (an action is mentioned and refused),
    ``question`` (it is asked about), ``multi_step`` (two are wanted, and no single answer is
    right) or ``out_of_scope``.  Tags say the kind, ``typo`` (12 %) and ``noise`` (a courtesy, a
    hurry or a wish about gas; 25 %).

    Groups are template families: a sentence with its close paraphrases.  Plain families put an
    action's own verb into an ordinary sentence (composed, see ``tools/plain_templates.py``);
    hand-written ones say it in unusual ways, and make a share ``unusual`` of the families of each
    kind.  Families are assigned to splits at random within each kind (50 % train, 8 % tune, 21 %
    calibration, 21 % test), and no test prompt shares a template, or a near-duplicate of one, with
    another split: every generation is checked (``leakage.check``), and a leak is an error.
    Families have the same number of prompts each within a split (those without slots at most 8),
    so that about a quarter of the prompts of every split have no answer.  A prompt's text and id depend on ``seed`` and its
    place only: a smaller test is the beginning of a larger one.

    Raises ``PlanError`` A102 for a size below 1 or over 100,000, or a share that is none; ``DataError`` when the templates
    cannot make so many different prompts.

    >>> task = defi(size=300)
    >>> len(task.samples("test")), task.samples("test")[0].id
    (300, 'test/00000')

    *Not to be trusted when* the question is how people really write to a wallet: the sentences
    were written or composed for this task, in English, by few authors; the slots are drawn.  Numbers
    on it rank systems on this distribution, and its share of requests without an answer is ours.
    """
    from assay import OUTCOME_METRICS

    from .outside_metrics import OUTSIDE_METRICS

    check_size("intent.defi", size, most=MOST)

    if not 0 <= unusual <= 1:
        raise PlanError(
            f"unusual is a share of template families; {unusual} is not in [0, 1]",
            hint="0.25 is usual",
            code="A102",
        )

    def samples(split: str) -> Sequence[Sample]:
        return make(size, unusual, seed)[split]

    return Task(
        name="intent.defi",
        version="1",
        says="Which of eight DeFi actions does a request ask for, if any?",
        samples=samples,
        verifier=SameAnswer(),
        metrics=(*OUTCOME_METRICS, *OUTSIDE_METRICS),
        license="Apache-2.0",
    )


@cache
def make(size: int, unusual: float, seed: int) -> Mapping[str, tuple[Sample, ...]]:
    """Return the samples of every split, checked for leaks; made once per process."""
    taken: set[str] = set()
    assigned = assign(mix(families(), unusual=unusual), seed=seed)
    splits = {
        split: _fill(split, assigned[split], size=SIZES.get(split, size), seed=seed, taken=taken)
        for split in SHARES
    }
    leakage.check(splits, fillers=fillers())
    return splits


def _fill(
    split: str, members: Sequence[Family], *, size: int, seed: int, taken: set[str]
) -> tuple[Sample, ...]:
    """Take one prompt of each family in turn, until there are enough."""
    made = tuple(
        Sample(
            id=f"{split}/{place:05}",
            input=drawn.text,
            target=family.target,
            group=family.id,
            tags=drawn.tags,
        )
        for place, (family, drawn) in enumerate(
            islice(prompts(split, members, seed=seed, taken=taken), size)
        )
    )
    if len(made) < size:
        raise DataError(
            f"the templates of {split} make {len(made)} different prompts, not {size}",
            where="intent.defi",
            hint="ask for a smaller `size`",
        )
    return made


def prompts(
    split: str, members: Sequence[Family], *, seed: int, taken: set[str]
) -> Iterator[tuple[Family, Drawn]]:
    """Yield new prompts of the families in turn; what was ``taken`` is not drawn again."""
    streams = [
        (family, Draws(seed, crc32(family.id.encode())))
        for family in Draws(seed, crc32(split.encode())).shuffled(members)
    ]
    rounds = 0
    while streams:
        left = []
        for family, draws in streams:
            slotless = not any(slots.SLOT.search(t) for t in family.templates)
            if slotless and rounds == SLOTLESS:
                continue
            drawn = _draw_new(family, draws, taken)
            if drawn is None:
                continue
            yield family, drawn
            left.append((family, draws))
        streams, rounds = left, rounds + 1


def _draw_new(family: Family, draws: Draws, taken: set[str]) -> Drawn | None:
    for _ in range(TRIES):
        drawn = draw(family, draws)
        key = drawn.text.lower()
        if key not in taken:
            taken.add(key)
            return drawn
    return None


@dataclass(frozen=True, slots=True)
class Drawn:
    """A prompt, and what it was made of."""

    text: str
    tags: frozenset[str]
    template: str
    values: Mapping[str, str]
    """Slot to what was drawn for it, whether or not the template has it."""


def draw(family: Family, draws: Draws) -> Drawn:
    """Draw one prompt of a family."""
    template = draws.one_of(family.templates)
    values = slots.slot_values(template, draws)
    pieces = fill(template, values)
    tags = {family.tag}
    if draws.unit() < noise.TYPOS and (mistyped := noise.mistype(pieces, draws)):
        pieces = mistyped
        tags.add("typo")
    text = "".join(piece.text for piece in pieces)
    onchain = any(piece.slot for piece in pieces)
    if draws.unit() < noise.NOISE and (dressed := noise.dress(text, draws, onchain=onchain)):
        text = dressed
        tags.add("noise")
    return Drawn(noise.recase(text, draws), frozenset(tags), template, values)


def fill(template: str, values: Mapping[str, str]) -> list[noise.Piece]:
    """Fill the slots of a template, and fit the articles before them.

    >>> [p.text for p in fill("a {amount} {asset} loan", {"amount": "8", "asset": "DAI"})]
    ['an ', '8', ' ', 'DAI', ' loan']
    """
    pieces: list[noise.Piece] = []
    words = slots.SLOT.split(template)
    for before, slot in zip(words[::2], [*words[1::2], ""], strict=True):
        if not slot:
            pieces.append(noise.Piece(before))
            break
        pieces.append(noise.Piece(slots.with_article(before, values[slot])))
        pieces.append(noise.Piece(values[slot], slot=True))
    return [piece for piece in pieces if piece.text]
