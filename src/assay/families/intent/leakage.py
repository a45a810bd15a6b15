"""Whether anything that was trained on comes back in the test.

*Covered*: shared groups; the same prompt in other casing or spacing; the same template with other
numbers or other filled-in words; near-duplicates by character trigrams.
*Not covered*: the same thing in other words.  Only groups that are made with care keep paraphrases
together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np

from assay import DataError, Failed, Sample

from .alike import candidates, grams, jaccard
from .prompt import prompt_of

ALIKE = 0.75

_NUMBER = re.compile(r"\$?\d[\d,.]*(?:[kKmM]\b|%)?")
_SPACE = re.compile(r"\s+")


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
        ([_plain(t) for t in texts], "are the same prompt", "drop one of them"),
        (masked, "are the same template", "put both into one group, or rewrite one of them"),
    )
    for keys, says, hint in looks:
        seen: dict[str, int] = {}
        for place, key in enumerate(keys):
            other = seen.setdefault(key, place)
            if where[other] != where[place]:
                raise _leak(samples, texts, (other, place), says.format(key=key), hint)
    _check_alike(samples, texts, where, masked, alike)


def text_of(sample: Sample) -> str:
    """Return the prompt of a sample.  Raises ``DataError`` for an input that is not text."""
    text = prompt_of(sample)
    if isinstance(text, Failed):
        raise DataError("a sample's input is not text", where=f"{sample.id}: {text.detail}")
    return text


def masks(texts: Sequence[str], fillers: Sequence[str] = ()) -> list[str]:
    """Return texts in lower case, with numbers and fillers as ``_`` and single spaces.

    >>> masks(["Swap 2,500  USDC", "swap 3k dai"], ["USDC", "DAI"])
    ['swap _ _', 'swap _ _']
    """
    plain = [_plain(text) for text in texts]
    if fillers:
        longest_first = sorted({f.lower() for f in fillers}, key=lambda f: (-len(f), f))
        words = "|".join(map(re.escape, longest_first))
        filler = re.compile(rf"(?<!\w)(?:{words})(?!\w)")
        plain = [filler.sub("_", text) for text in plain]
    return [_NUMBER.sub("_", text) for text in plain]


def _plain(text: str) -> str:
    return _SPACE.sub(" ", text).strip().lower()


def _check_alike(
    samples: Sequence[Sample],
    texts: Sequence[str],
    where: Sequence[str],
    masked: Sequence[str],
    alike: float,
) -> None:
    # The looks before this one have shown that every masked text is in one split only.
    first: dict[str, int] = {}
    for place, text in enumerate(masked):
        first.setdefault(text, place)
    places = list(first.values())
    names = {name: number for number, name in enumerate(dict.fromkeys(where))}
    labels = np.array([names[where[place]] for place in places], dtype=np.int64)
    sets = grams(list(first))
    for left, right in candidates(sets, alike=alike, labels=labels):
        pairs = sorted(zip(left.tolist(), right.tolist(), strict=True))
        for a, b in pairs:
            if (share := jaccard(sets, a, b)) >= alike:
                raise _leak(
                    samples,
                    texts,
                    (min(places[a], places[b]), max(places[a], places[b])),
                    f"are near-duplicates (alikeness {share:.2f})",
                    "put both into one group, or rewrite one of them",
                )


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
