"""``models.lock``: the same bytes for the same files, and nothing believed that is not there."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import AssayError, DataError
from assay.families.supply.fetching.lockfile import (
    Lock,
    LockedFile,
    LockedSource,
    add_to_lock,
    check_writable,
    read_lock,
)

names = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1)
files = st.builds(
    LockedFile,
    sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
    size=st.integers(0, 2**62),
)
entries = st.builds(
    LockedSource,
    resolved=names,
    licence=st.none() | names,
    asked=st.lists(names, min_size=1, unique=True).map(lambda some: tuple(sorted(some))),
    files=st.dictionaries(names, files),
)
FILE = LockedFile(sha256="0" * 64, size=1)


def entry(**locked: LockedFile) -> LockedSource:
    return LockedSource(resolved="file:x", asked=("*",), files=locked)


@given(st.dictionaries(names, entries, max_size=4))
def test_a_lock_reads_what_it_wrote_and_the_order_of_adding_does_not_show(
    tmp_path_factory: pytest.TempPathFactory, sources: dict[str, LockedSource]
):
    path = tmp_path_factory.mktemp("lock") / "models.lock"
    for source, one in sources.items():
        add_to_lock(path, source, one)
    assert dict(read_lock(path).sources) == sources
    text = Lock(sources=dict(reversed(sources.items()))).text()
    assert not sources or path.read_text("utf-8") == text


def test_what_is_added_joins_what_was_there(tmp_path: Path):
    path = tmp_path / "models.lock"
    add_to_lock(path, "file:x", entry(a=FILE))
    before = path.stat().st_ino
    add_to_lock(path, "file:x", entry(a=FILE))
    assert path.stat().st_ino == before  # nothing new: not written
    add_to_lock(path, "file:x", entry(b=FILE))
    assert set(read_lock(path).sources["file:x"].files) == {"a", "b"}
    assert [each.name for each in tmp_path.iterdir()] == ["models.lock"]


def test_a_file_that_is_locked_with_other_bytes_halts(tmp_path: Path):
    path = tmp_path / "models.lock"
    add_to_lock(path, "file:x", entry(a=FILE))
    text = path.read_bytes()
    with pytest.raises(DataError) as raised:
        add_to_lock(path, "file:x", entry(a=LockedFile(sha256="1" * 64, size=1)))
    assert raised.value.code == "A207"
    assert path.read_bytes() == text


def test_all_of_many_writers_are_in_it(tmp_path: Path):
    path = tmp_path / "models.lock"
    writers = [
        Thread(target=add_to_lock, args=(path, f"file:{i}", entry(a=FILE))) for i in range(20)
    ]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    assert set(read_lock(path).sources) == {f"file:{i}" for i in range(20)}


SOUND = Lock(sources={"file:x": entry(a=FILE)}).text()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        SOUND[:-10],
        SOUND.replace('"version": 1', '"version": 2'),
        SOUND.replace('"size": 1', '"size": "1"'),
        SOUND.replace('"size": 1', '"size": -1'),
        SOUND.replace('"size": 1', '"size": 1, "sise": 2'),
        SOUND.replace('"size": 1', '"size": 1, "size": 2'),
        SOUND.replace("0" * 64, "0" * 63),
        SOUND.replace("0" * 64, "A" * 64),
        f"<<<<<<< ours\n{SOUND}=======\n{SOUND}>>>>>>> theirs\n",
        "[" * 100_000,
        SOUND.encode().replace(b"file:x", b"file:\xff").decode("latin-1"),
    ],
)
def test_a_lock_that_makes_no_sense_is_refused_with_its_place(tmp_path: Path, text: str):
    path = tmp_path / "models.lock"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError) as raised:
        read_lock(path)
    assert raised.value.code == "A200"
    assert str(path) in raised.value.where
    assert raised.value.hint


def test_a_lock_that_cannot_be_written_is_said_before_anything_is_fetched(tmp_path: Path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file" / "models.lock"):
        with pytest.raises(AssayError) as raised:
            check_writable(path)
        assert raised.value.code == "A500"
    check_writable(tmp_path / "new" / "models.lock")


def test_a_link_to_a_lock_stays_a_link(tmp_path: Path):
    real, link = tmp_path / "real.lock", tmp_path / "models.lock"
    add_to_lock(real, "file:x", entry(a=FILE))
    link.symlink_to(real)
    add_to_lock(link, "file:y", entry(a=FILE))
    assert link.is_symlink()
    assert set(json.loads(real.read_text())["sources"]) == {"file:x", "file:y"}
