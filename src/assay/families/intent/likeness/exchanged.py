"""Words that take each other's place without changing the label: what was filled into templates.

A set that was made by filling templates shows it: the same words around a gap, many words in it,
one label.  Whoever masks what stands in the gaps sees the templates again.

*Covered*: words and phrases of up to three words, and gaps beside gaps, in a few rounds.
*Not covered*: what was filled in once; templates that are reworded; labels that hang on a filler.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from .normal import masks

ROUNDS = 5
ALTERNATIVES = 3
"""So many words in one gap, or one beside what is known to be filled in."""

CONTEXTS = 2
"""A word is filled in when it is exchanged in so many different gaps."""

MOST = 400
"""Fillers that are returned, most often exchanged first."""

MANY_FORMS = 10_000
"""With more different prompts than that, gaps hold single words only."""

SHOWS = 1.3
"""Prompts per form after one round, below which so many prompts are not looked at again."""

MADE_OF_TEMPLATES = 2.5
"""Prompts per form from which a set is made of templates; what people wrote has about 1."""

LEAST = 100
"""Prompts from which that can be told."""

LONGEST = 40
"""Tokens; longer prompts are no templates."""

GAP = "_"
_TOKEN = re.compile(r"\w+|[^\w\s]")
Form = tuple[str, ...]


def exchanged(texts: Sequence[str], labels: Sequence[str]) -> tuple[str, ...]:
    """Return the words and phrases that are exchanged for each other under one label.

    Numbers count as filled in.  What is exchanged anywhere with another label as the result is never
    returned: it may be what the label hangs on.

    >>> towns = ("Rome", "Oslo", "Lima", "Bern")
    >>> texts = [f"{verb} {n} to {town}" for verb in ("send", "post") for n in (5, 7)
    ...          for town in towns] + [f"book {town} now" for town in towns]
    >>> sorted(exchanged(texts, ["mail"] * 16 + ["trip"] * 4))
    ['bern', 'lima', 'oslo', 'rome']
    """
    tokens = [tuple(_TOKEN.findall(text)) for text in masks(texts)]
    found: Counter[Form] = Counter()
    decisive: set[Form] = set()
    for _ in range(ROUNDS):
        forms: dict[Form, set[str]] = defaultdict(set)
        for form, label in zip(tokens, labels, strict=True):
            if len(form) <= LONGEST:
                forms[form].add(label)
        hits, changing = _weigh(forms)
        decisive |= changing
        before = len(found)
        # Short spans first: a phrase around a filler is not one itself.
        for span in sorted(hits, key=lambda span: (len(span), -hits[span], span)):
            parts = {part for _, part in _spans(span, (1, 2, 3), bare=True)}
            if hits[span] >= CONTEXTS and span not in decisive and not parts & found.keys():
                found[span] = hits[span]
        if len(found) == before:
            break
        fill = {span for span in found if span not in decisive}
        tokens = [_filled(form, fill) for form in tokens]
        if len(tokens) > MANY_FORMS and len(tokens) < SHOWS * len(set(tokens)):
            break
    kept = [span for span, _ in found.most_common() if span not in decisive]
    return tuple(" ".join(span) for span in kept[:MOST])


def filled_in(texts: Sequence[str], labels: Sequence[str]) -> tuple[str, ...]:
    """Return what was filled in if the texts are templates that were filled in; else nothing.

    >>> filled_in(["pay my rent", "sing to me"], ["pay", "sing"])
    ()
    """
    if len(texts) < LEAST:
        return ()
    words = exchanged(texts, labels)
    forms = len(set(skeletons(texts, words)))
    return words if len(texts) >= MADE_OF_TEMPLATES * forms else ()


def _weigh(forms: Mapping[Form, set[str]]) -> tuple[Counter[Form], set[Form]]:
    """Return in how many gaps each span is exchanged, and which exchanges change the label."""
    gaps: defaultdict[int, dict[Form, set[str]]] = defaultdict(dict)
    lengths = (1, 2, 3) if len(forms) <= MANY_FORMS else (1,)
    for form, of in forms.items():
        for around, span in _spans(form, lengths):
            # A number for what stands around it: the texts themselves would not fit into memory.
            gaps[hash(around)].setdefault(span, set()).update(of)
    hits: Counter[Form] = Counter()
    changing: set[Form] = set()
    for alternatives in gaps.values():
        if len(alternatives) < 2:
            continue
        if len(set().union(*alternatives.values())) > 1:
            changing.update(alternatives)
        elif len(alternatives) >= ALTERNATIVES or (GAP,) in alternatives:
            hits.update(list(alternatives))
    changing.discard((GAP,))
    del hits[(GAP,)]
    return hits, changing


def _spans(
    form: Form, lengths: Sequence[int], *, bare: bool = False
) -> Iterator[tuple[tuple[Form, Form], Form]]:
    """Yield each run of words with what stands around it; where ``bare``, also if nothing does."""
    for length in lengths:
        for start in range(len(form) - length + 1):
            span = form[start : start + length]
            if span != (GAP,) and (GAP in span or not all(map(str.isalnum, span))):
                continue
            around = form[:start], form[start + length :]
            if bare or any(word.isalnum() for part in around for word in part):
                yield around, span


def _filled(form: Form, fillers: set[Form]) -> Form:
    """Return a form with every filler as a gap, the longest first, and gaps side by side as one."""
    made: list[str] = []
    place = 0
    while place < len(form):
        for length in (3, 2, 1):
            span = form[place : place + length]
            if span == (GAP,) or (len(span) == length and span in fillers):
                if not made or made[-1] != GAP:
                    made.append(GAP)
                place += length
                break
        else:
            made.append(form[place])
            place += 1
    return tuple(made)


def skeletons(texts: Sequence[str], fillers: Sequence[str]) -> list[str]:
    """Return the words of texts that are left when numbers and fillers are taken out.

    A text that has nothing else is its own skeleton.

    >>> skeletons(["Send 5 pens to Rome (now)!", "send 7 to Oslo", "Oslo"], ["rome", "oslo", "pens", "now"])
    ['send to', 'send to', 'oslo']
    """
    known = {tuple(filler.split(" ")) for filler in fillers}
    found = []
    for text in masks(texts):
        form = _filled(tuple(_TOKEN.findall(text)), known)
        found.append(" ".join(word for word in form if word != GAP and word.isalnum()) or text)
    return found
