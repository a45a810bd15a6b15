"""How near a text is to one of those that are right."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from assay import PluginError

ORDERS = (1, 2, 3, 4)
"""Lengths of the runs of words that BLEU counts."""

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normal(text: str) -> str:
    """Return text as SQuAD compares it: small letters, no punctuation, no articles, single spaces.

    Source: the evaluation script of SQuAD 1.1 (Rajpurkar et al. 2016).

    >>> normal("The  Eiffel Tower!")
    'eiffel tower'
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_NO_PUNCTUATION)).split())


def is_exact(said: str, accepted: Sequence[str]) -> bool:
    """Whether a text is one of the accepted ones, as SQuAD compares them."""
    return normal(said) in {normal(each) for each in accepted}


def overlap(said: str, accepted: Sequence[str]) -> float:
    """Return the best F1 of shared words with an accepted text, each normalised as in SQuAD.

    Where nothing is left of one of the two, it is 1 if nothing is left of either (SQuAD 2.0).

    >>> overlap("in Paris, France", ["Paris"])
    0.5
    """
    return max(_f1(normal(said).split(), normal(each).split()) for each in accepted)


def _f1(said: list[str], wanted: list[str]) -> float:
    if not said or not wanted:
        return float(said == wanted)
    shared = (Counter(said) & Counter(wanted)).total()
    return 2 * shared / (len(said) + len(wanted))


def longest_in_common(said: str, accepted: Sequence[str]) -> float:
    """Return the best ROUGE-L F with an accepted text (Lin 2004), as ``rouge-score`` has it.

    Without stemming.  Raises ``PluginError`` A401 without the extra ``text``.
    """
    return float(_rouge().score_multi(accepted, said)["rougeL"].fmeasure)


def runs_in_common(said: str, accepted: Sequence[str]) -> Mapping[str, float]:
    """Return what BLEU sums over a corpus: shared and all runs of words, and both lengths.

    Tokens are those of mteval-v13a.  Raises ``PluginError`` A401 without the extra ``text``.
    """
    found = _bleu().sentence_score(said, accepted)
    return {
        **{f"bleu_shared_{n}": float(found.counts[n - 1]) for n in ORDERS},
        **{f"bleu_runs_{n}": float(found.totals[n - 1]) for n in ORDERS},
        "bleu_said": float(found.sys_len),
        "bleu_wanted": float(found.ref_len),
    }


def require_text(*packages: str) -> None:
    """Raise ``PluginError`` A401 unless the packages are installed."""
    for package in packages:
        if find_spec(package) is None:
            raise PluginError(
                f"{package} is not installed", hint="pip install 'assay-eval[text]'", code="A401"
            )


def _package(module: str) -> Any:
    require_text(module.partition(".")[0])
    return import_module(module)


@cache
def _bleu() -> Any:
    # Of one text at a time only the counts are kept; the score is that of the whole corpus.
    return _package("sacrebleu.metrics").BLEU(effective_order=True)


@cache
def _rouge() -> Any:
    return _package("rouge_score.rouge_scorer").RougeScorer(["rougeL"])
