"""What proof.py simulates: data whose truth is known, and the intervals and tests put to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import sqrt
from typing import Any

import numpy as np
from proof_case import RESAMPLES, Case, Hit, Rng, holds, singly
from proof_seeds import seed_cases
from proof_statistics import statistic_cases

from assay.stats import (
    binomial,
    blocks,
    bootstrap,
    clusters,
    counted,
    effect,
    means,
    multiple,
    order,
    paired,
)
from assay.stats.bca import acceleration_of_mean, corrected
from assay.stats.equivalence import equivalence
from assay.stats.inference import Inference, Undefined

# --- what is drawn --------------------------------------------------------------------------


def in_groups(
    rng: Rng, p: float, groups: int, size: Any = 5, *, icc: float = 0.5
) -> tuple[np.ndarray, np.ndarray]:
    """Draw 0/1, correlated within groups of ``size``, one for all or one for each."""
    size, beta = np.broadcast_to(size, groups), (1 - icc) / icc
    group = np.repeat(np.arange(groups), size)
    draws = rng.random(group.size)
    return (draws < rng.beta(p * beta, (1 - p) * beta, groups)[group]).astype(float), group


def pairs(rng: Rng, gained: float, lost: float, n: int) -> tuple[np.ndarray, np.ndarray]:
    u = rng.random(n)
    both = rng.random(n) < 0.7
    first, second = u < gained, (u >= gained) & (u < gained + lost)
    same = ~first & ~second & both
    return first | same, second | same


def paired_groups(rng: Rng, gained: float, lost: float, groups: int, size: int = 5):
    """Draw gains and losses with a correlation of 0.5 within groups."""
    mix = rng.dirichlet([gained, lost, 1 - gained - lost], groups)
    group = np.repeat(np.arange(groups), size)
    u = rng.random(group.size)
    a = u < mix[group, 0]
    return a, ~a & (u < mix[group, :2].sum(axis=1)), group


def slow_blocks(rng: Rng, n_blocks: int, size: int = 10) -> tuple[np.ndarray, np.ndarray]:
    block = np.repeat(np.arange(n_blocks), size)
    logs = sqrt(0.5) * rng.normal(size=n_blocks)[block] + sqrt(0.5) * rng.normal(size=block.size)
    return np.exp(logs), block


# --- intervals ------------------------------------------------------------------------------


def wald(k: int, n: int) -> tuple[float, float]:
    p = k / n
    half = 1.96 * sqrt(p * (1 - p) / n)
    return p - half, p + half


def shares() -> Iterator[Case]:
    ways: dict[str, Callable[[int, int], Any]] = {
        "Wilson": binomial.wilson,
        "Clopper-Pearson": binomial.clopper_pearson,
        "Jeffreys": binomial.jeffreys,
        "textbook p ± 1.96 se, not used": wald,
    }
    for method, way in ways.items():
        for p in (0.8, 0.98):
            short = (
                "few events" if way is wald else "whole counts" if way is binomial.jeffreys else ""
            )
            yield Case(
                "a share",
                method,
                f"truth {p}",
                lambda rng, n, way=way, p=p: holds(way(int(rng.binomial(n, p)), n), p),
                short=short,
                printed=False,
            )
    for p in (0.8, 0.9, 0.98, 0.998):
        yield Case(
            "a share",
            "Wilson, exact up to three events",
            f"truth {p}",
            lambda rng, n, p=p: holds(single_share(rng, n, p), p),
            swing=0.02,
        )
    yield Case(
        "a share",
        "Clopper-Pearson, one-sided bound",
        "truth 0.999, nearly always n of n",
        lambda rng, n: bool(binomial.lower_bound(int(rng.binomial(n, 0.999)), n) <= 0.999),
    )
    for p in (0.8, 0.98, 0.999):
        yield Case(
            "a share",
            "Wilson at effective size",
            f"truth {p}, n groups of 5, correlation 0.5",
            lambda rng, n, p=p: grouped_share(rng, n, p),
        )
    yield Case(
        "a share",
        "Wilson at effective size",
        "truth 0.98, n groups of 1 to 14, correlation 0.5",
        lambda rng, n: grouped_share(rng, n, 0.98, sizes=(1, 2, 3, 5, 14)),
    )
    for p, icc in ((0.98, 0.9), (0.9, 0.9), (0.9, 0.5)):
        yield Case(
            "a share",
            "Wilson at effective size",
            f"truth {p}, n groups of 1 to 14, correlation {icc:g}",
            lambda rng, n, p=p, icc=icc: grouped_share(rng, n, p, sizes=(1, 2, 3, 5, 14), icc=icc),
        )
    yield Case(
        "a share",
        "Wilson, groups ignored, not used",
        "truth 0.8, n groups of 5, correlation 0.5",
        lambda rng, n: holds(binomial.wilson(int(in_groups(rng, 0.8, n)[0].sum()), 5 * n), 0.8),
        short="groups",
        printed=False,
    )
    yield Case(
        "a share",
        "percentile bootstrap by counts",
        "truth 0.8",
        lambda rng, n: holds(
            counted.resample_share(int(rng.binomial(n, 0.8)), n, rng=rng, resamples=RESAMPLES), 0.8
        ),
        short="few samples",
        printed=False,
    )
    yield Case("a share", "BCa bootstrap by counts", "truth 0.8", bca_share, printed=False)


def single_share(rng: Rng, n: int, p: float) -> Inference:
    hits = np.arange(n) < rng.binomial(n, p)
    return clusters.share(hits, np.ones(n), groups=np.arange(n))


def grouped_share(
    rng: Rng, n: int, p: float, *, sizes: tuple[int, ...] = (5,), icc: float = 0.5
) -> Hit:
    hits, group = in_groups(rng, p, n, rng.choice(sizes, n), icc=icc)
    return holds(clusters.share(hits, np.ones(hits.size), groups=group), p)


def bca_share(rng: Rng, n: int) -> Hit:
    k = int(rng.binomial(n, 0.8))
    return holds(counted.corrected_tallies([1, 0], [k, n - k], rng=rng, resamples=RESAMPLES), 0.8)


def mean_of(draw: Callable[[Rng, int], np.ndarray], truth: float) -> Callable[[Rng, int], Hit]:
    def one(rng: Rng, n: int) -> Hit:
        values = draw(rng, n)
        return holds(clusters.ratio(values, np.ones(n), groups=np.arange(n)), truth)

    return one


def boot_mean(rng: Rng, n: int, *, bca: bool) -> Hit:
    values, (ones, _) = rng.exponential(size=n), singly(n)
    drawn = bootstrap.counts(n, resamples=RESAMPLES, rng=rng)
    found = bootstrap.resample_ratio(values, ones, drawn)
    if bca:
        found = corrected(found, acceleration=acceleration_of_mean(values, ones))
    return holds(found, 1.0)


def grouped_mean(rng: Rng, n: int) -> Hit:
    group = np.repeat(np.arange(n), 4)
    values = rng.normal(size=n)[group] + rng.normal(size=group.size)
    return holds(clusters.ratio(values, np.ones(group.size), groups=group), 0.0)


def mean_cases() -> Iterator[Case]:
    t = "a mean"
    yield Case(t, "Student's t over n runs", "normal", mean_of(lambda r, n: r.normal(size=n), 0.0))
    skewed = mean_of(lambda r, n: r.exponential(size=n), 1.0)
    yield Case(t, "Student's t, the longer tail moved", "exponential", skewed)
    yield Case(
        t, "textbook t, not used", "exponential", textbook_mean, short="a long tail", printed=False
    )
    yield Case(t, "cluster-robust t", "normal, n groups of 4, correlation 0.5", grouped_mean)
    for bca, name in ((False, "percentile bootstrap"), (True, "BCa bootstrap")):
        draw = lambda rng, n, bca=bca: boot_mean(rng, n, bca=bca)  # noqa: E731
        short = "a long tail, few samples"
        yield Case(t, name, "exponential", draw, cost=4, short=short, printed=False)
    yield Case(t, "log-scale t of a ratio", "exponential over exponential", log_ratio)


def textbook_mean(rng: Rng, n: int) -> Hit:
    return holds(means.paired_t(rng.exponential(size=n), np.zeros(n)), 1.0)


def log_ratio(rng: Rng, n: int) -> Hit:
    easy = np.exp(0.5 * rng.normal(size=n))
    a, b = 2 * easy * rng.exponential(size=n), easy * rng.exponential(size=n)
    return holds(clusters.log_ratio(a, b, groups=np.arange(n)), 2.0)


def difference_cases() -> Iterator[Case]:
    t = "a paired difference"
    ways: dict[str, Callable[..., Any]] = {
        "Tango": lambda table, _: paired.tango(table),
        "Newcombe": lambda table, _: paired.newcombe(table),
        "percentile bootstrap by counts": lambda table, rng: counted.resample_difference(
            table, rng=rng, resamples=RESAMPLES
        ),
    }
    for method, way in ways.items():
        for gained, lost in ((0.1, 0.05), (0.005, 0.005)):
            yield Case(
                t,
                method,
                f"gained {gained}, lost {lost}",
                lambda rng, n, way=way, g=gained, s=lost: holds(
                    way(paired.Table.of(*pairs(rng, g, s, n)), rng), g - s
                ),
                short="few differences" if "bootstrap" in method else "",
                printed=method == "Tango",
            )
    yield Case(
        t, "Tango at effective size", "gained 0.1, lost 0.05, n groups of 5, correlation 0.5",
        grouped_difference,
    )  # fmt: skip
    yield Case(t, "paired t", "normal", lambda r, n: gap(r, n, means.paired_t), printed=False)
    yield Case(t, "sign flips", "Laplace", flips, cost=4, printed=False)
    welch = unpaired(means.welch, -1.0)
    yield Case("a difference", "Welch t", "normal, spreads 1 and 3", welch, printed=False)
    sized = lambda r, n: holds(effect.cohens_dz(r.normal(0.5, 1, n), np.zeros(n)), 0.5)  # noqa: E731
    yield Case("an effect size", "Cohen's d_z", "normal, truth 0.5", sized, cost=2, printed=False)
    for name, way in (("Cohen's d", effect.cohens_d), ("Hedges' g", effect.hedges_g)):
        draw = lambda r, n, way=way: holds(way(r.normal(0.5, 1, n), r.normal(0, 1, n)), 0.5)  # noqa: E731
        yield Case("an effect size", name, "normal, truth 0.5", draw, cost=2, printed=False)


def grouped_difference(rng: Rng, n: int) -> Hit:
    a, b, group = paired_groups(rng, 0.1, 0.05, n)
    ones = np.ones(group.size)
    return holds(clusters.paired((a, ones), (b, ones), groups=group, bounds=(0, 1)), 0.05)


def gap(rng: Rng, n: int, way: Callable[..., Inference]) -> Hit:
    hard = rng.normal(size=n)
    return holds(way(hard + 0.3 + rng.normal(size=n), hard + rng.normal(size=n)), 0.3)


def flips(rng: Rng, n: int) -> Hit:
    a = rng.laplace(0.3, 1.0, n)
    return holds(means.sign_flip(a, np.zeros(n), rng=rng, flips=RESAMPLES), 0.3)


def unpaired(way: Callable[..., Inference], truth: float) -> Callable[[Rng, int], Hit]:
    return lambda rng, n: holds(way(rng.normal(0, 1, n), rng.normal(1, 3, n // 2)), truth)


def quantile_cases() -> Iterator[Case]:
    t = "a quantile"
    for q, z in ((0.5, 0.0), (0.9, 1.2815515655446004)):
        yield Case(
            t, "order statistics", f"p{100 * q:g}, log-normal",
            lambda rng, n, q=q, z=z: holds(order.quantile(np.exp(rng.normal(size=n)), q), np.exp(z)),
        )  # fmt: skip
        yield Case(
            t, "order statistics in blocks", f"p{100 * q:g}, n blocks of 10, correlation 0.5",
            lambda rng, n, q=q, z=z: block_quantile(rng, n, q, float(np.exp(z))),
        )  # fmt: skip
    yield Case(
        t, "order statistics, blocks ignored, not used", "p50, n blocks of 10, correlation 0.5",
        lambda rng, n: holds(order.quantile(slow_blocks(rng, n)[0], 0.5), 1.0), short="blocks",
        printed=False,
    )  # fmt: skip
    yield Case(t, "ratio of two quantiles", "p50, log-normal", quantile_ratio, cost=4)


def block_quantile(rng: Rng, n: int, q: float, truth: float) -> Hit:
    values, block = slow_blocks(rng, n)
    return holds(blocks.quantile(values, q, blocks=block), truth)


def quantile_ratio(rng: Rng, n: int) -> Hit:
    one, two = (order.quantile(np.exp(rng.normal(size=n)), 0.5) for _ in range(2))
    if isinstance(one, Undefined) or isinstance(two, Undefined):
        return None
    return holds(order.QuantileRatio(above=one, below=two), 1.0)


# --- tests ----------------------------------------------------------------------------------


def two_sided(found: Inference) -> Hit:
    support, refute = found.p_at_least(0.0), found.p_at_most(0.0)
    return None if support is None or refute is None else min(support, refute) <= 0.025


REPORTED = (
    "Tango",
    "Tango at effective size",
    "Tango, non-inferiority",
    "Holm, any of five",
    "Bonferroni, any of five",
    "Benjamini-Hochberg, any of five",
)


def null_cases() -> Iterator[Case]:
    t = "tests under the null"

    def table(rng: Rng, n: int) -> paired.Table:
        return paired.Table.of(*pairs(rng, 0.1, 0.1, n))

    def grouped(rng: Rng, n: int) -> Hit:
        a, b, group = paired_groups(rng, 0.1, 0.1, n)
        ones = np.ones(group.size)
        return two_sided(clusters.paired((a, ones), (b, ones), groups=group, bounds=(0, 1)))

    def flip(rng: Rng, n: int) -> Hit:
        return two_sided(
            means.sign_flip(rng.laplace(size=n), np.zeros(n), rng=rng, flips=RESAMPLES)
        )

    def tost(rng: Rng, n: int) -> Hit:
        found = equivalence(means.paired_t(rng.normal(0.5, 1, n), np.zeros(n)), low=-0.5, high=0.5)
        return None if isinstance(found, Undefined) else found.is_shown(0.025)

    def non_inferior(rng: Rng, n: int) -> Hit:
        found = paired.tango(paired.Table.of(*pairs(rng, 0.05, 0.1, n)))
        return None if isinstance(found, Undefined) else found.p_at_least(-0.05) <= 0.025

    def many(correct: Any) -> Callable[[Rng, int], Hit]:
        def any_rejected(rng: Rng, n: int) -> Hit:
            shared = rng.normal(size=n)
            found = {
                str(i): means.paired_t(shared + rng.normal(size=n), np.zeros(n)).p_at_least(0.0)
                for i in range(5)
            }
            return any(each.rejected for each in correct(found).values())

        return any_rejected

    exact = "gained and lost 0.1"
    for name, data, draw, target in (
        (
            "McNemar exact",
            exact,
            lambda r, n: paired.mcnemar_exact(table(r, n)).two_sided <= 0.05,
            5,
        ),
        (
            "McNemar mid-p",
            exact,
            lambda r, n: paired.mcnemar_midp(table(r, n)).two_sided <= 0.05,
            5,
        ),
        ("Tango", exact, lambda r, n: two_sided(paired.tango(table(r, n))), 5),
        ("Tango at effective size", f"{exact}, n groups of 5, correlation 0.5", grouped, 5),
        ("Tango, non-inferiority", "at the margin", non_inferior, 2.5),
        ("paired t", "normal", lambda r, n: two_sided(means.paired_t(*r.normal(size=(2, n)))), 5),
        (
            "Welch t",
            "normal, spreads 1 and 3",
            lambda r, n: two_sided(means.welch(r.normal(0, 1, n), r.normal(0, 3, n // 2))),
            5,
        ),
        ("sign flips", "Laplace", flip, 5),
        ("equivalence (TOST)", "at the margin", tost, 2.5),
        ("Holm, any of five", "normal, correlation 0.5", many(multiple.holm), 2.5),
        ("Bonferroni, any of five", "normal, correlation 0.5", many(multiple.bonferroni), 2.5),
        (
            "Benjamini-Hochberg, any of five",
            "normal, correlation 0.5",
            many(multiple.benjamini_hochberg),
            5,
        ),
    ):
        cost = 4 if name == "sign flips" else 1
        printed = name in REPORTED
        yield Case(t, name, data, draw, cost=cost, target=target / 100, printed=printed)
    yield Case(
        t, "Tango at effective size, called worse", "gains in a tenth of n groups of 4, losses in the rest",
        rarely_better, target=0.025,
    )  # fmt: skip


def rarely_better(rng: Rng, n: int) -> Hit:
    """Return whether a difference of nothing is called worse: few groups gain 2, many lose 1."""
    few = rng.random(n) < 0.1
    gained, lost = few & (rng.random(n) < 0.45), ~few & (rng.random(n) < 0.1)
    before = np.tile([0.0, 0.0, 1.0, 1.0], n)
    after = before + np.stack([gained, gained, -1.0 * lost, np.zeros(n)], axis=1).ravel()
    ones, groups = np.ones(4 * n), np.repeat(np.arange(n), 4)
    found = clusters.paired((after, ones), (before, ones), groups=groups, bounds=(0, 1))
    return found.value != 0 and found.p_at_most(0.0) <= 0.025


CASES = (
    *shares(),
    *mean_cases(),
    *difference_cases(),
    *quantile_cases(),
    *statistic_cases(),
    *seed_cases(),
    *null_cases(),
)
