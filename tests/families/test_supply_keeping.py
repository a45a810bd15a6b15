"""The cache of model files: what stays, what goes, and in which order."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from assay import AssayError
from assay.families.supply.keeping.cache import ModelCache
from assay.families.supply.keeping.kept import Gone, Stays
from assay.families.supply.keeping.notes import Note, Origin, read_note, write_note
from assay.families.supply.keeping.parts import open_part
from assay.families.supply.keeping.refusing import refused
from assay.families.supply.keeping.settings import models_cache, models_folder
from assay.families.supply.keeping.sizes import parse_size, spell_size

LIMIT = 20
CONTENTS = [bytes([65 + n]) * size for n, size in enumerate((0, 1, 3, 5, 7, 8, 10, 13, 20, 21, 40))]


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def put(cache: ModelCache, data: bytes, **more) -> str:
    return cache.put(io.BytesIO(data), **{"name": "a", "source": ""} | more).sha256


@pytest.fixture
def cache(tmp_path: Path) -> ModelCache:
    return ModelCache(tmp_path / "models", limit=LIMIT)


class Cache(RuleBasedStateMachine):
    """A cache against a list in order of use, the latest first."""

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.cache = ModelCache(self.folder / "models", limit=LIMIT)
        self.order: list[bytes] = []
        self.pinned: set[bytes] = set()
        self.held: dict[bytes, ExitStack] = {}

    def teardown(self):
        for stack in self.held.values():
            stack.close()
        shutil.rmtree(self.folder)

    def use(self, data: bytes):
        self.order = [data, *(each for each in self.order if each != data)]

    def going(self, size: int) -> list[bytes] | None:
        """Return what must go for so many bytes; None where there can be no room."""
        over, going = sum(map(len, self.order)) + size - LIMIT, []
        for each in reversed(self.order):
            if over > 0 and each and each not in self.pinned and each not in self.held:
                going.append(each)
                over -= len(each)
        return None if over > 0 or size > LIMIT else going

    @rule(data=st.sampled_from(CONTENTS), as_file=st.booleans())
    def put(self, data, as_file):
        if as_file:
            what = self.folder / "given"
            what.write_bytes(data)
        else:
            what = io.BytesIO(data)
        going = [] if data in self.order else self.going(len(data))
        if going is None:
            with pytest.raises(AssayError) as error:
                self.cache.put(what, name="a", source="")
            assert error.value.code == "A504"
            return
        assert self.cache.put(what, name="a", source="").sha256 == digest(data)
        self.order = [each for each in self.order if each not in going]
        self.use(data)

    @rule(size=st.integers(0, 2 * LIMIT))
    def make_room(self, size):
        going = self.going(size)
        if going is None:
            with pytest.raises(AssayError) as error:
                self.cache.room_for(size)
            assert error.value.code == "A504"
            return
        assert self.cache.room_for(size) == sum(map(len, going))
        self.order = [each for each in self.order if each not in going]

    @rule(data=st.sampled_from(CONTENTS))
    def get(self, data):
        path = self.cache.get(digest(data))
        if data not in self.order:
            assert path is None
            return
        assert path.read_bytes() == data
        self.use(data)

    @precondition(lambda self: self.order)
    @rule(choice=st.data())
    def hold(self, choice):
        data = choice.draw(st.sampled_from(self.order))
        if data not in self.held:
            self.held[data] = ExitStack()
            self.held[data].enter_context(self.cache.using(digest(data)))
            self.use(data)

    @precondition(lambda self: self.held)
    @rule(choice=st.data())
    def let_go(self, choice):
        self.held.pop(choice.draw(st.sampled_from(sorted(self.held)))).close()

    @precondition(lambda self: self.order)
    @rule(choice=st.data())
    def pin(self, choice):
        data = choice.draw(st.sampled_from(self.order))
        self.cache.pin(digest(data))
        self.pinned.add(data)
        self.use(data)

    @rule(data=st.sampled_from(CONTENTS))
    def unpin(self, data):
        self.cache.unpin(digest(data))
        self.pinned.discard(data)

    @rule(data=st.sampled_from(CONTENTS))
    def evict(self, data):
        done = self.cache.evict(digest(data))
        if data not in self.order:
            assert done == Stays(why="not there")
        elif data in self.pinned:
            assert done == Stays(why="pinned")
        elif data in self.held:
            assert done == Stays(why="in use")
        else:
            assert done == Gone(freed=len(data))
            self.order.remove(data)

    @rule()
    def restart(self):
        """Nothing is remembered in memory."""
        self.cache = ModelCache(self.folder / "models", limit=LIMIT)

    @invariant()
    def is_as_it_should_be(self):
        there = self.cache.ls()
        assert [each.sha256 for each in there] == [digest(each) for each in self.order]
        assert {each.sha256 for each in there if each.pinned} == {digest(d) for d in self.pinned}
        assert sum(each.size for each in there) <= LIMIT
        assert all(digest(each.path.read_bytes()) == each.sha256 for each in there)
        assert not list(self.cache.incoming.glob("*"))


TestCache = Cache.TestCase
TestCache.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestCache = pytest.mark.slow(TestCache)


def test_what_is_larger_than_the_limit_is_refused_before_anything_goes(cache: ModelCache):
    small = put(cache, b"small")
    for ask in (
        lambda: cache.put(io.BytesIO(b"x" * 21), name="a", source=""),
        lambda: cache.room_for(21),
    ):
        with pytest.raises(AssayError) as error:
            ask()
        assert error.value.code == "A504"
        assert error.value.exit_code == 3
    assert [each.sha256 for each in cache.ls()] == [small]
    assert not list(cache.incoming.iterdir())


def test_other_bytes_than_were_named_halt_and_are_kept_as_evidence(cache: ModelCache):
    with pytest.raises(AssayError) as error:
        put(cache, b"evil", sha256=digest(b"good"), name="m.gguf")
    assert error.value.code == "A207"
    assert "HALT" in error.value.what
    assert cache.ls() == ()
    assert cache.get(digest(b"good")) is cache.get(digest(b"evil")) is None
    [evidence] = refused(cache.folder)
    assert evidence.path == Path(error.value.where)
    assert evidence.path.read_bytes() == b"evil"
    assert (evidence.named, digest(b"good") in evidence.why) == ("m.gguf", True)


@pytest.mark.parametrize("change", [b"", b"wei", b"weights and more"])
def test_a_file_of_another_size_halts_once_and_is_fetched_again(cache: ModelCache, change):
    sha = put(cache, b"weights")
    path = cache.get(sha)
    path.chmod(0o644)
    path.write_bytes(change)
    with pytest.raises(AssayError) as error:
        cache.get(sha)
    assert error.value.code == "A207"
    assert Path(error.value.where).read_bytes() == change
    assert cache.get(sha) is None
    put(cache, b"weights", sha256=sha)
    assert cache.get(sha).read_bytes() == b"weights"


def test_putting_a_file_again_mends_the_one_that_was_cut(cache: ModelCache):
    sha = put(cache, b"weights")
    path = cache.get(sha)
    path.chmod(0o644)
    path.write_bytes(b"wei")
    assert put(cache, b"weights") == sha
    assert cache.get(sha).read_bytes() == b"weights"
    assert [each.path.read_bytes() for each in refused(cache.folder)] == [b"wei"]


@pytest.mark.parametrize(
    "said", [None, b"", b"{", b"[]", b'{"size": -1, "origins": []}', b"[" * 9000]
)
def test_a_lost_or_broken_note_is_made_again_from_the_bytes(cache: ModelCache, said):
    sha = put(cache, b"weights")
    note = cache.shelf.note(sha)
    note.unlink()
    if said is not None:
        note.write_bytes(said)
    assert [each.name for each in cache.ls()] == [sha[:12]]
    assert cache.get(sha).read_bytes() == b"weights"
    assert read_note(note).size == 7
    cache.get(sha).chmod(0o644)
    note.unlink()
    cache.shelf.blob(sha).write_bytes(b"Weights")
    with pytest.raises(AssayError) as error:
        cache.get(sha)
    assert error.value.code == "A207"


def test_a_file_that_comes_twice_is_kept_once_with_both_origins(cache: ModelCache):
    sha = put(cache, b"{}", name="one/config.json", source="hf:one", licence="mit")
    assert put(cache, b"{}", name="two/config.json", source="hf:two") == sha
    [kept] = cache.ls()
    assert [each.name for each in kept.origins] == ["one/config.json", "two/config.json"]
    assert (kept.name, kept.source, kept.licence) == ("two/config.json", "hf:two", "mit")


def test_uses_are_in_order_though_the_clock_was_set_back(cache: ModelCache):
    first, second = put(cache, b"first"), put(cache, b"second")
    late = 4_000_000_000 * 10**9
    os.utime(cache.shelf.note(first), ns=(late, late))
    cache.get(second)
    assert [each.sha256 for each in cache.ls()] == [second, first]


def test_a_part_that_is_adopted_is_in_use_until_its_block_ends(cache: ModelCache):
    with open_part(cache.incoming, "a-download") as part:
        part.file.write(b"weights")
        kept = cache.adopt(part, Origin(name="a", source="hf:a"), sha256=digest(b"weights"))
        assert cache.evict(kept.sha256) == Stays(why="in use")
        with cache.using(kept.sha256) as path:
            assert path.read_bytes() == b"weights"
    assert cache.evict(kept.sha256) == Gone(freed=7)


def test_a_part_stays_for_the_next_who_downloads(cache: ModelCache):
    with open_part(cache.incoming, "a-download") as part:
        part.file.write(b"half")
    with open_part(cache.incoming, "a-download") as part:
        assert part.file.read() == b"half"
    for name in ("", "../a", "a/b", ".a", "a" * 200):
        with pytest.raises(ValueError), open_part(cache.incoming, name):
            pass


def test_a_full_disk_is_said_before_anything_is_written(tmp_path: Path):
    cache = ModelCache(tmp_path, limit=2**62)
    with pytest.raises(AssayError) as error:
        cache.room_for(2**60)
    assert error.value.code == "A500"
    assert "free" in error.value.what
    huge = tmp_path / "huge"
    huge.touch()
    try:
        os.truncate(huge, 2**43)  # holes: no disk of ours has room for its copy
    except OSError:
        pytest.skip("this file system has no files of 8 TB")
    with pytest.raises(AssayError) as error:
        cache.put(huge, name="a", source="")
    assert error.value.code == "A500"


def test_a_folder_that_cannot_be_written_is_an_error_of_the_machine(tmp_path: Path):
    (tmp_path / "file").touch()
    cache = ModelCache(tmp_path / "file" / "models", limit=LIMIT)
    with pytest.raises(AssayError) as error:
        put(cache, b"a")
    assert (error.value.code, error.value.exit_code) == ("A500", 3)


def test_what_is_no_digest_never_becomes_a_path(cache: ModelCache):
    for name in ("", "../../etc/passwd", "0" * 63, "A" * 64, "0" * 65, "x" * 64):
        for ask in (cache.get, cache.pin, cache.unpin, cache.evict):
            with pytest.raises(ValueError):
                ask(name)


def test_a_file_that_is_not_there_is_missing_to_whoever_holds_or_pins_it(cache: ModelCache):
    for ask in (lambda: cache.using("0" * 64).__enter__(), lambda: cache.pin("0" * 64)):
        with pytest.raises(AssayError) as error:
            ask()
        assert error.value.code == "A403"


@given(st.integers(0, 2**70))
def test_a_size_is_read_as_it_is_written(size):
    assert parse_size(str(size % 10**18)) == size % 10**18
    if size >= 1000:
        assert parse_size(spell_size(size)) == pytest.approx(size, rel=0.06)


@pytest.mark.parametrize("text", ["", "x", "-1", "1 PB", "1e9", "nan", "1 G B", "9" * 40])
def test_what_is_no_size_is_an_error_of_the_command_line(text):
    with pytest.raises(AssayError) as error:
        models_cache(text)
    assert error.value.code == "A106"


def test_the_environment_says_where_the_cache_is_and_how_large(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path))
    monkeypatch.setenv("ASSAY_MODELS_LIMIT", "3 MB")
    assert models_cache() == ModelCache(tmp_path / "models", limit=3_000_000)
    assert models_cache("2 kB").limit == 2000
    monkeypatch.setenv("ASSAY_MODELS_LIMIT", "lots")
    with pytest.raises(AssayError) as error:
        models_cache()
    assert error.value.where == "ASSAY_MODELS_LIMIT"
    monkeypatch.delenv("ASSAY_MODELS_LIMIT")
    assert models_cache().limit == 10_000_000_000
    monkeypatch.delenv("ASSAY_CACHE")
    assert models_folder() == Path.home() / ".cache" / "assay" / "models"


origins = st.builds(Origin, name=st.text(), source=st.text(), licence=st.none() | st.text())


@given(size=st.integers(0, 2**63), told=st.lists(origins, max_size=4), used=st.integers(0, 2**62))
def test_a_note_is_read_as_it_was_written(tmp_path_factory, size, told, used):
    path = tmp_path_factory.getbasetemp() / "note.json"
    note = Note(size=size, origins=tuple(told), used_ns=used)
    write_note(path, note)
    assert read_note(path) == note
