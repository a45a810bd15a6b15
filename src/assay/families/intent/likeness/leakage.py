"""Whether anything that was trained on comes back in the test.

*Covered*: shared groups; the same prompt in other casing, spacing or characters; the same template
with other numbers or other filled-in words; near-duplicates by character trigrams.
*Not covered*: the same thing in other words.  Only groups that are made with care keep paraphrases
together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from assay import DataError, Failed, Sample

from ..prompt import prompt_of
from .alike import Grams, candidates, grams, jaccard
from .normal import masks, plain

ALIKE = 0.75
KINDS = ("prompt", "template", "alike", "group")
"""How two samples can be too much alike; of several ways the first one counts."""

SAYS = {
    "prompt": "the same prompt",
    "template": "the same template",
    "alike": "near-duplicates",
    "group": "of the same group",
    "meaning": "neighbours of an encoder",
}


def check(
    splits: Mapping[str, Sequence[Sample]], *, fillers: Sequence[str] = (), alike: float = ALIKE
) -> None:
    """Raise ``DataError`` A201 for the first pair of samples that leaks from one split to another.

    ``fillers`` are the words and phrases that were filled into templates (names of assets, say):
    they are masked like numbers, so that two copies of a template look the same.  ``alike`` is the
    Jaccard index of trigram sets from which two masked prompts of different groups are
    near-duplicates.  Two seconds for 10,000 prompts.

    >>> from assay import Answer
    >>> def one(split, text):
    ...     return [Sample(id=f"{split}/0", input=text, target=Answer("stake"), group=split)]
    >>> check({"train": one("train", "stake 5 ETH now"), "test": one("test", "sell my house")})
    >>> check({"train": one("train", "stake 5 ETH now"), "test": one("test", "stake 70 ETH now")})
    Traceback (most recent call last):
        ...
    assay.core.errors.DataError: A201 train/0 and test/0 are the same template
      at: 'stake 5 ETH now' / 'stake 70 ETH now'
      try: put both into one group, or rewrite one of them
    """
    where = [split for split, members in splits.items() for _ in members]
    samples = list(chain.from_iterable(splits.values()))
    texts = [text_of(sample) for sample in samples]
    groups = [sample.cluster for sample in samples]
    masked = masks(texts, fillers)
    looks = (
        (groups, "share the group {key!r}", "assign whole groups to splits"),
        ([plain(t) for t in texts], "are the same prompt", "drop one of them"),
        (masked, "are the same template", "put both into one group, or rewrite one of them"),
    )
    for keys, says, hint in looks:
        seen: dict[str, int] = {}
        for place, key in enumerate(keys):
            other = seen.setdefault(key, place)
            if where[other] != where[place]:
                raise _leak(samples, texts, (other, place), says.format(key=key), hint)
    for a, b, share in _near(masked, where, alike):
        one, other = sorted((masked.index(a), masked.index(b)))
        raise _leak(
            samples,
            texts,
            (one, other),
            f"are near-duplicates (alikeness {share:.2f})",
            "put both into one group, or rewrite one of them",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """A sample, and the one of another split that it is too much like."""

    kind: str
    """One of ``KINDS``, or ``meaning``."""

    here: int
    """Place of the sample."""

    there: int
    """Place of the other one."""

    share: float = 1.0
    """How much alike: Jaccard index of trigrams, cosine of embeddings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaks:
    """For every split, which of its samples have a twin in which other split."""

    sizes: Mapping[str, int]
    """Samples of each split."""

    twins: Mapping[tuple[str, str], Mapping[int, Twin]]
    """(split, other split) to place to its closest twin there."""

    def of(self, split: str, others: Sequence[str]) -> dict[int, Twin]:
        """Return the samples of a split that have a twin in any of the others."""
        found: dict[int, Twin] = {}
        for other in others:
            for place, twin in self.twins.get((split, other), {}).items():
                if place not in found or closeness(twin) < closeness(found[place]):
                    found[place] = twin
        return dict(sorted(found.items()))

    def __bool__(self) -> bool:
        """Whether anything leaks from any split into any other."""
        return any(self.twins.values())


def closeness(twin: Twin) -> tuple[int, float]:
    """Return a key that sorts the closest twins first."""
    order = (*KINDS, "meaning")
    return order.index(twin.kind), -twin.share


def find(
    texts: Sequence[str],
    where: Sequence[str],
    *,
    groups: Sequence[str] = (),
    fillers: Sequence[str] = (),
    alike: float = ALIKE,
    places: Sequence[int] | None = None,
    masked: Sequence[str] | None = None,
) -> Leaks:
    """Return every sample that has a twin in another split, with one of the closest kind.

    ``texts``, ``where`` (the split of each) and ``groups`` (empty: none were given) have one entry
    per sample; ``fillers`` and ``alike`` are those of ``check``; ``masked`` are the templates of
    the texts where they are known better than by masking numbers and fillers.  Near-duplicates are looked for
    among ``places`` (None: everywhere); exactly.  Seconds for 25,000 prompts; raises ``DataError``
    for more than it can compare.

    >>> found = find(["pay rent", "Pay  RENT", "sing"], ["train", "test", "test"])
    >>> found.of("test", ["train"])
    {1: Twin(kind='prompt', here=1, there=0, share=1.0)}
    """
    twins: defaultdict[tuple[str, str], dict[int, Twin]] = defaultdict(dict)
    masked = masks(texts, fillers) if masked is None else masked
    keyed = {"prompt": [plain(t) for t in texts], "template": masked, "group": groups}
    for kind, keys in keyed.items():
        for here, there in _meet(keys, where):
            found = twins[where[here], where[there]]
            found.setdefault(here, Twin(kind=kind, here=here, there=there))
    first: defaultdict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    some = range(len(texts)) if places is None else places
    for place in some:
        first[masked[place]][where[place]].append(place)
    near = _near([masked[p] for p in some], [where[p] for p in some], alike)
    for a, b, share in near:
        for one, other in ((a, b), (b, a)):
            for split, mine in first[one].items():
                for to, theirs in first[other].items():
                    if split == to:
                        continue
                    found = twins[split, to]
                    for here in mine:
                        twin = Twin(kind="alike", here=here, there=theirs[0], share=share)
                        if here not in found or closeness(twin) < closeness(found[here]):
                            found[here] = twin
    sizes = {split: where.count(split) for split in dict.fromkeys(where)}
    return Leaks(sizes=sizes, twins={pair: dict(found) for pair, found in twins.items()})


def _meet(keys: Sequence[str], where: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield each place with the first one of the same key in every other split."""
    first: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for place, key in enumerate(keys):
        first[key].setdefault(where[place], place)
    for place, key in enumerate(keys):
        if len(first[key]) > 1:
            yield from (
                (place, other) for split, other in first[key].items() if split != where[place]
            )


def text_of(sample: Sample) -> str:
    """Return the prompt of a sample.  Raises ``DataError`` for an input that is not text."""
    text = prompt_of(sample)
    if isinstance(text, Failed):
        raise DataError(
            "a sample's input is not text",
            where=f"{sample.id}: {text.detail}",
            hint="give text, or a mapping with the text under `prompt`",
        )
    return text


def _near(
    masked: Sequence[str], where: Sequence[str], alike: float
) -> Iterator[tuple[str, str, float]]:
    """Yield pairs of different masked texts that are alike and stand in different splits.

    Every text comes up once at least with every other split in which one is like it.
    """
    splits: defaultdict[str, set[str]] = defaultdict(set)
    for text, split in zip(masked, where, strict=True):
        splits[text].add(split)
    texts = list(splits)
    numbers: dict[str, int] = {}
    # A text of one split is not compared with its like there; one of several with everything.
    labels = np.array(
        [
            numbers.setdefault(next(iter(found)) if len(found) == 1 else f"/{place}", len(numbers))
            for place, found in enumerate(splits.values())
        ],
        dtype=np.int64,
    )
    sets: Grams = grams(texts)
    home = list(splits.values())
    met: list[set[str]] = [set() for _ in texts]
    for left, right in candidates(sets, alike=alike, labels=labels):
        for a, b in sorted(zip(left.tolist(), right.tolist(), strict=True)):
            if home[b] <= met[a] and home[a] <= met[b]:
                continue
            if (share := jaccard(sets, a, b)) >= alike:
                met[a] |= home[b]
                met[b] |= home[a]
                yield texts[a], texts[b], share


def _leak(
    samples: Sequence[Sample],
    texts: Sequence[str],
    pair: tuple[int, int],
    says: str,
    hint: str,
) -> DataError:
    one, other = pair
    return DataError(
        f"{samples[one].id} and {samples[other].id} {says}",
        where=f"{texts[one][:120]!r} / {texts[other][:120]!r}",
        hint=hint,
        code="A201",
    )
