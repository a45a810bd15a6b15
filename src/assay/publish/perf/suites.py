"""Find the suites of benchmarks that are installed: ours and a third party's, through one door."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.errors import PlanError, PluginError
from ...engine.overrides import nearest
from ...engine.plugins import known, load
from .suite import GROUP, Suite

ALL = "all"


def suite_names() -> tuple[str, ...]:
    """Return the names of all installed suites, sorted.

    >>> {"stats", "front", "records"} <= set(suite_names())
    True
    """
    return tuple(sorted(known(GROUP)))


def chosen(asked: Sequence[str]) -> tuple[str, ...]:
    """Return the suites that are asked for, once each, in their order; ``all`` is all of them.

    Raises ``PlanError`` A103 for one that is not installed.

    >>> chosen(["stats", "stats", "front"])
    ('stats', 'front')
    """
    names: list[str] = []
    for each in asked:
        names += suite_names() if each == ALL else [each]
    for name in names:
        if name not in suite_names():
            raise PlanError(
                f"no suite of benchmarks is called {name!r}",
                where="--suite",
                hint=f"{nearest(name, [ALL, *suite_names()])}  (`assay ls benchmarks` lists them)",
                code="A103",
            )
    return tuple(dict.fromkeys(names))


def load_suite(name: str) -> Suite:
    """Return a suite.

    Raises ``PlanError`` A103 for an unknown name, ``PluginError`` A400 for a plugin that returns no suite,
    or one in which a name stands twice.
    """
    made = load(GROUP, name)()
    if not isinstance(made, Suite):
        raise PluginError(
            f"the suite {name!r} is a {type(made).__name__}",
            hint="return an assay.benchmarks.Suite",
        )
    names = [one.name for one in made.at(())]
    if twice := [one for one in names if names.count(one) > 1]:
        raise PluginError(f"the suite {name!r} has two benchmarks called {twice[0]!r}")
    return made
