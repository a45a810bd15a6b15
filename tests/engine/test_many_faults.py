"""Faults by the hundred, each counted: what is promised holds, or an error says what is wrong."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from faults import KINDS, inject


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "least"), [("torn_tails", 400), ("flipped_bits", 60), ("lost_calls", 30)]
)
def test_of_many_faults_none_goes_wrong(kind: str, least: int) -> None:
    if kind == "lost_calls" and find_spec("openai") is None:
        pytest.skip("openai is not installed")
    found = inject(kind, least, seed=11)
    assert found.total() == least
    assert not [said for said in found if said.startswith("wrong")]


def test_every_kind_of_fault_says_what_it_does() -> None:
    assert all(kind.__doc__ for kind in KINDS.values())
