from collections.abc import Callable
from functools import wraps

LOG: list[str] = []


def logged(prefix: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Make a decorator that writes down calls and what they return."""

    def around(function: Callable[..., int]) -> Callable[..., int]:
        @wraps(function)
        def call(*args: int) -> int:
            at = len(LOG)
            LOG.append("")
            result = function(*args)
            LOG[at] = f"{prefix}{function.__name__}({', '.join(map(str, args))}) = {result}"
            return result

        return call

    return around


@logged("> ")
def choose(n: int, k: int) -> int:
    """Return n over k, by Pascal's triangle."""
    if k < 0 or k > n:
        return 0
    if k == 0 or k == n:
        return 1
    return choose(n - 1, k - 1) + choose(n - 1, k)


def logged_calls(n: int, k: int) -> list[str]:
    """Return every call that it takes to compute n over k, in the order in which they begin."""
    LOG.clear()
    choose(n, k)
    return LOG.copy()
