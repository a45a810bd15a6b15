"""Equal values have equal bytes; a file is written whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import RunError
from assay.store.canon import (
    canonical,
    digest,
    digest_file,
    digest_value,
    disk_errors,
    parsed,
    pretty,
    write_whole,
)
from disks import mounted
from strategies import any_texts, json_values, texts


@given(value=json_values())
def test_canonical_json_is_read_back_as_it_was(value: Any) -> None:
    assert json.loads(canonical(value)) == value
    assert json.loads(pretty(value)) == value


@given(value=json_values())
def test_canonical_json_of_what_was_read_back_is_the_same_bytes(value: Any) -> None:
    written = canonical(value)
    assert canonical(json.loads(written)) == written


@given(pairs=st.lists(st.tuples(texts(), json_values()), unique_by=lambda pair: pair[0]))
def test_the_order_of_keys_does_not_matter(pairs: list[tuple[str, Any]]) -> None:
    assert canonical(dict(pairs)) == canonical(dict(reversed(pairs)))
    assert digest_value(dict(pairs)) == digest_value(dict(reversed(pairs)))


@given(value=json_values())
def test_canonical_json_is_one_line(value: Any) -> None:
    assert b"\n" not in canonical(value)
    assert b"\r" not in canonical(value)


@given(text=any_texts())
def test_half_a_surrogate_pair_travels_through_canonical_json(text: str) -> None:
    """It is not UTF-8; Python's own reader of JSON takes it back all the same."""
    assert json.loads(canonical({text: text})) == {text: text}


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_does_not_travel(number: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical({"deep": [number]})


@pytest.mark.parametrize("value", [{1, 2}, b"bytes", object(), Path("/")])
def test_what_is_not_json_does_not_travel(value: Any) -> None:
    with pytest.raises(TypeError):
        canonical(value)


@given(data=st.binary(max_size=3000))
def test_a_file_has_the_digest_of_its_bytes(
    data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "digested"
    write_whole(path, data)
    assert path.read_bytes() == data
    assert digest_file(path) == digest(data)


def test_a_file_larger_than_a_piece_has_the_digest_of_its_bytes(tmp_path: Path) -> None:
    data = os.urandom(3 * (1 << 20) + 17)
    (tmp_path / "f").write_bytes(data)
    assert digest_file(tmp_path / "f") == digest(data)


def test_writing_again_replaces_the_whole_file_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "f.json"
    write_whole(path, b"long" * 1000)
    write_whole(path, b"short")
    assert path.read_bytes() == b"short"
    assert [p.name for p in path.parent.iterdir()] == ["f.json"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a disk of 64 kB, where this process may mount one."""
    with mounted(tmp_path / "small", "64k") as folder:
        yield folder


def test_a_full_disk_keeps_the_old_file_whole_and_says_what_to_try(small_disk: Path) -> None:
    path = small_disk / "f"
    write_whole(path, b"old")
    with pytest.raises(RunError) as caught:
        write_whole(path, b"new" * 100_000)
    assert caught.value.code == "A500"
    assert os.strerror(errno.ENOSPC) in caught.value.what
    assert caught.value.where == str(path)
    assert "same command" in caught.value.hint
    assert path.read_bytes() == b"old"
    assert [p.name for p in small_disk.iterdir()] == ["f"]


def test_a_file_that_may_not_grow_is_not_written_in_part(tmp_path: Path) -> None:
    """The same with a limit on the size of files, which needs no privilege."""
    code = """
        import resource, signal, sys
        from pathlib import Path
        from assay.core.errors import RunError
        from assay.store.canon import write_whole
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
        path = Path(sys.argv[1])
        write_whole(path, b"old")
        try:
            write_whole(path, b"x" * 5001)
        except RunError as error:
            print(error.code, error.hint)
    """
    path = tmp_path / "f"
    done = subprocess.run(
        [sys.executable, "-c", dedent(code), str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("A500 free some space"), done.stderr
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_a_folder_in_the_way_is_an_error_of_the_machine(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("a file")
    with pytest.raises(RunError, match="A500"):
        write_whole(tmp_path / "f" / "g", b"")


def test_only_errors_of_the_machine_become_errors_of_the_disk() -> None:
    with pytest.raises(KeyError), disk_errors(Path("x")):
        raise KeyError("ours")
    with pytest.raises(RunError, match="A500"), disk_errors(Path("x")):
        raise OSError(errno.EROFS, "Read-only file system")


def test_the_limit_on_files_of_this_process_is_untouched() -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_a_link_in_a_run_is_replaced_and_leads_no_writer_out(tmp_path: Path) -> None:
    """A run may be of somebody else: what is kept in it must not land where its links lead."""
    (tmp_path / "run" / "cache").mkdir(parents=True)
    (tmp_path / "run" / "SEAL").write_text("{}")
    (tmp_path / "mine").write_text("mine")
    led = tmp_path / "run" / "cache" / "kept"
    led.symlink_to(tmp_path / "mine")
    pipe = tmp_path / "run" / "cache" / "pipe"
    os.mkfifo(pipe)
    for path in (led, pipe):
        write_whole(path, b"kept")
        assert path.read_bytes() == b"kept"
        assert not path.is_symlink()
    assert (tmp_path / "mine").read_text() == "mine"


def test_a_link_that_leads_to_itself_is_an_error_of_the_machine(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(RunError, match="A500"):
        write_whole(tmp_path / "loop", b"")
    assert (tmp_path / "loop").is_symlink()


def test_a_link_to_a_folder_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    with pytest.raises(RunError, match="A500"):
        write_whole(tmp_path / "link", b"")
    assert (tmp_path / "link").readlink() == Path("folder")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "link"]


def test_a_key_that_stands_twice_is_named_at_once_however_many_there_are() -> None:
    keys = ", ".join(f'"{i}": 0' for i in range(300_000))
    with pytest.raises(ValueError, match="the key 'last' stands twice"):
        parsed(f'{{{keys}, "last": 0, "last": 0}}'.encode())
