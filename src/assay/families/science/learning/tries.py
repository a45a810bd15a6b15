"""What is tried when something is tuned: the same for every seed, spread over its range."""

from __future__ import annotations

REACH = 4.0
"""What is tuned lies between a quarter and four times the one declared."""


def halton(place: int, base: int) -> float:
    """Return one number of van der Corput's sequence, in (0, 1).

    Its first numbers are spread evenly, however many are taken; those of two bases that are prime
    to each other make the points of Halton (1960).

    >>> [halton(place, 2) for place in (1, 2, 3, 4)]
    [0.5, 0.25, 0.75, 0.125]
    """
    found, share = 0.0, 1.0
    while place:
        share /= base
        place, digit = divmod(place, base)
        found += digit * share
    return found


def factors(tries: int, base: int = 2) -> list[float]:
    """Return what is tried beside the value declared, as multiples of it: one less than ``tries``.

    >>> [round(one, 2) for one in factors(5)]
    [0.5, 2.0, 0.35, 1.41]
    """
    # The first number of the sequence is the middle, which is the value declared.
    return [REACH ** (2.0 * halton(place, base) - 1.0) for place in range(2, tries + 1)]


def choices(tries: int, among: int, base: int = 3) -> list[int]:
    """Return which of some possibilities is tried, beside each factor.

    >>> choices(5, among=4)
    [2, 0, 1, 3]
    """
    return [int(among * halton(place, base)) for place in range(2, tries + 1)]
