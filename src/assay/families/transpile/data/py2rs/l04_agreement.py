def agreement(mine: list[str], yours: list[str]) -> dict[str, list[str]]:
    """Return what two lists share and do not share, each in order."""
    left, right = set(mine), set(yours)
    return {
        "both": sorted(left & right),
        "mine": sorted(left - right),
        "yours": sorted(right - left),
        "one": sorted(left ^ right),
    }
