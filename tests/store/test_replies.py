"""Replies that wait for their check: what was written whole is read, whatever happened to the end."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.store.replies import ReplyWriter, Said, first_of, read_replies
from strategies import json_values, texts


def said() -> st.SearchStrategy[Said]:
    """Any reply, made of anything."""
    body = json_values().map(msgspec.json.encode).map(msgspec.Raw)
    return st.builds(Said, texts(), st.integers(0, 9), st.booleans(), body)


def write(path: Path, *batches: list[Said]) -> None:
    """Write batches, each by a writer of its own."""
    for batch in batches:
        with ReplyWriter(path) as writer:
            writer.write(batch)


def plain(found: Said) -> tuple[str, int, bool, bytes]:
    return found.sample, found.attempt, found.crashed, bytes(found.reply)


@given(batches=st.lists(st.lists(said(), max_size=4), max_size=3))
def test_what_is_written_is_read_in_order(
    batches: list[list[Said]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("read") / "a" / "x.replies"
    write(path, *batches)
    wrote = [plain(one) for batch in batches for one in batch]
    assert [plain(one) for one in read_replies(path)] == wrote


@given(batch=st.lists(said(), min_size=1, max_size=5), data=st.data())
def test_a_file_that_is_cut_or_damaged_anywhere_gives_the_whole_lines_before_that(
    batch: list[Said], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("cut") / "x.replies"
    write(path, batch)
    raw = path.read_bytes()
    at = data.draw(st.integers(0, len(raw) - 1), label="at")
    whole = raw[:at].count(b"\n")
    path.write_bytes(raw[:at])
    assert [plain(one) for one in read_replies(path)] == list(map(plain, batch[:whole]))
    flipped = data.draw(st.integers(1, 255), label="flip")
    path.write_bytes(raw[:at] + bytes([raw[at] ^ flipped]) + raw[at + 1 :])
    assert [plain(one) for one in read_replies(path)] == list(map(plain, batch[:whole]))


def test_no_file_has_no_replies(tmp_path: Path) -> None:
    assert list(read_replies(tmp_path / "none.replies")) == []


def test_the_first_reply_counts_and_a_crash_only_for_lack_of_better(tmp_path: Path) -> None:
    def one(sample: str, word: str, *, crashed: bool = False) -> Said:
        return Said(sample, 0, crashed, msgspec.Raw(msgspec.json.encode(word)))

    write(tmp_path / "1", [one("a", "first"), one("b", "lost", crashed=True)])
    write(tmp_path / "2", [one("a", "second"), one("b", "found"), one("c", "lost", crashed=True)])
    found = first_of([tmp_path / "1", tmp_path / "2"])
    kept = {key: msgspec.json.decode(reply.reply) for key, reply in found.items()}
    assert kept == {("a", 0): "first", ("b", 0): "found", ("c", 0): "lost"}
    assert found["c", 0].crashed
