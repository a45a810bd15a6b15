"""What crashed a reader is made small enough to be kept."""

from __future__ import annotations

import json

import pytest
import smaller


def falls(data: bytes) -> None:
    """Fall over a zero below any key called `b`, or over an exclamation mark."""
    if b"!" in data:
        raise KeyError("x")
    value = json.loads(data)
    for each in value if isinstance(value, list) else [value]:
        1 / each.get("b", 1)


def test_a_tree_keeps_only_the_place_where_it_falls():
    big = json.dumps(
        [{"a": [1, 2, {"c": "d" * 50}], "b": 1}, {"a": {}, "b": 0, "e": "f"}, {"g": 3}]
    )
    made = smaller.smaller(big.encode(), falls)
    assert json.loads(made) == [{"b": 0}]


def test_bytes_that_are_no_tree_are_cut():
    assert smaller.smaller(b"a lot of text ! and more of it", falls) == b"!"


def test_what_crashes_nothing_is_told():
    with pytest.raises(SystemExit, match="crashes nothing"):
        smaller.smaller(b'{"b": 1}', falls)
