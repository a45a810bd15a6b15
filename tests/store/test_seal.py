"""Whatever is done to a sealed run, verifying it finds the file and names it."""

from __future__ import annotations

import json
import random
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.core.errors import SealError
from assay.store.manifest import Manifest, Seal, read_doc, write_doc
from assay.store.rundir import RunDir
from assay.store.seal import Fault, faults, journals, read_seal, require_intact, seal
from runs import ROOT, copy_of


@pytest.fixture
def run(smoke: RunDir, tmp_path: Path) -> RunDir:
    """Return a copy of a sealed run, to be broken."""
    return copy_of(smoke, tmp_path / "copy")


def named(run: RunDir) -> set[str]:
    """Return the files that verifying names, by whatever way it names them."""
    try:
        found = {fault.path for fault in faults(run)}
    except SealError as error:
        return {Path(error.where.partition(":")[0]).name}
    if found:
        with pytest.raises(SealError, match="A300") as caught:
            require_intact(run)
        assert any(path in caught.value.what for path in found)
    return found


def name_of(run: RunDir, path: Path) -> str:
    return str(path.relative_to(run.root))


def replaced(path: Path, data: bytes) -> Callable[[], None]:
    """Write a file and return how to write it back."""
    before = path.read_bytes()
    path.write_bytes(data)
    return lambda: path.write_bytes(before) and None


def some_journal(run: RunDir, system: str = "votes") -> Path:
    return run.root / "records" / "toy.errands" / system / "0-test.jsonl"


def test_an_intact_run_has_no_faults(smoke: RunDir) -> None:
    assert faults(smoke) == []
    assert require_intact(smoke) == read_seal(smoke)


def test_the_seal_covers_every_file_that_a_number_comes_from(smoke: RunDir) -> None:
    below = {p for p in smoke.root.rglob("*") if p.is_file()}
    free = {smoke.seal, smoke.root / ".lock", *smoke.work.rglob("*"), *smoke.derived.rglob("*")}
    assert {name_of(smoke, p) for p in below - free} == set(read_seal(smoke).files)


def test_a_flipped_byte_in_any_file_is_found_and_the_file_named(run: RunDir) -> None:
    rng = random.Random(11)
    for path in [*run.sealed_files()]:
        whole = path.read_bytes()
        for place in {0, len(whole) // 2, len(whole) - 1, rng.randrange(len(whole))}:
            damaged = bytearray(whole)
            damaged[place] ^= 1 << rng.randrange(8)
            restore = replaced(path, bytes(damaged))
            assert named(run) == {name_of(run, path)}, (path, place)
            restore()
    assert faults(run) == []


def test_a_flipped_byte_anywhere_in_the_seal_is_found(run: RunDir) -> None:
    rng = random.Random(12)
    whole = run.seal.read_bytes()
    for place in sorted(rng.sample(range(len(whole)), 120)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << rng.randrange(8)
        restore = replaced(run.seal, bytes(damaged))
        assert named(run), (place, whole[place - 20 : place + 20])
        restore()


def test_white_space_added_to_the_seal_is_found(run: RunDir) -> None:
    run.seal.write_bytes(run.seal.read_bytes() + b"\n")
    assert named(run) == {"SEAL"}


@pytest.mark.parametrize("size", [0, 1, 0.5, -1])
def test_a_truncated_file_is_found_and_named(run: RunDir, size: float) -> None:
    for path in run.sealed_files():
        whole = path.read_bytes()
        cut = int(len(whole) * size) if isinstance(size, float) else size
        restore = replaced(path, whole[:cut])
        assert named(run) == {name_of(run, path)}
        restore()


def test_a_missing_file_is_found_and_named(run: RunDir) -> None:
    for path in run.sealed_files():
        if path == run.manifest:
            continue  # without it there is no run
        hidden = path.rename(run.root / ".hidden")
        assert named(run) == {name_of(run, path)}
        hidden.rename(path)


def test_an_added_file_is_found_and_named(run: RunDir) -> None:
    for folder in (
        "samples/toy.errands",
        "records/toy.errands/votes",
        "timing",
        "evidence",
        "records",
    ):
        for name in ("9-test.jsonl", ".hidden", "x.cell.json"):
            added = run.root / folder / name
            added.parent.mkdir(parents=True, exist_ok=True)
            added.write_bytes(b"")
            assert named(run) == {name_of(run, added)}
            added.unlink()


def test_two_swapped_files_are_both_named_and_known_for_each_other(run: RunDir) -> None:
    one, two = some_journal(run, "votes"), some_journal(run, "last-word")
    one.rename(run.root / ".x")
    two.rename(one)
    (run.root / ".x").rename(two)
    names = {name_of(run, one), name_of(run, two)}
    found = faults(run)
    assert {fault.path for fault in found} == names
    for fault in found:
        other = (names - {fault.path}).pop()
        assert fault.what == f"holds what {other} was sealed with"


@pytest.mark.parametrize("change", ["drop", "double", "swap", "reverse"])
def test_a_changed_line_of_a_journal_is_found(run: RunDir, change: str) -> None:
    path = some_journal(run)
    lines = path.read_bytes().splitlines(keepends=True)
    match change:
        case "drop":
            del lines[7]
        case "double":
            lines.insert(7, lines[7])
        case "swap":
            lines[3], lines[4] = lines[4], lines[3]
        case _:
            lines.reverse()
    path.write_bytes(b"".join(lines))
    assert faults(run) == [Fault(name_of(run, path), "was changed after sealing")]


def test_a_wrong_answer_made_right_is_found_even_when_its_file_is_sealed_again(run: RunDir) -> None:
    """Who forges the file and its digest, and not the decision digest, is found by it."""
    path = some_journal(run)
    path.write_bytes(path.read_bytes().replace(b'"outcome":"wrong"', b'"outcome":"correct"', 1))
    sealed = read_seal(run)
    seal(run, decisions=sealed.decisions, incomplete=())
    assert faults(run) == [
        Fault(name_of(run, path), "does not hold the decisions that the seal names")
    ]


def test_a_crash_that_the_seal_hides_is_found(run: RunDir) -> None:
    sealed = read_seal(run)
    write_doc(run.seal, sealed.model_copy(update={"incomplete": ("toy.errands/votes/0-test",)}))
    assert faults(run) == [Fault("SEAL", "does not name the cells that have crashes left")]


def test_a_decision_that_the_seal_forgot_is_found(run: RunDir) -> None:
    sealed = read_seal(run)
    name = name_of(run, some_journal(run))
    kept = {k: v for k, v in sealed.decisions.items() if k != name}
    write_doc(run.seal, sealed.model_copy(update={"decisions": kept}))
    assert {fault.path for fault in faults(run)} == {name}


def test_a_seal_that_names_files_outside_of_the_run_reads_none_of_them(run: RunDir) -> None:
    outside = "../../../../../../../../../dev/zero"
    sealed = read_seal(run)
    forged = sealed.model_copy(
        update={
            "files": {**sealed.files, outside: "sha256:" + "0" * 64},
            "decisions": {**sealed.decisions, outside: "sha256:" + "0" * 64},
        }
    )
    write_doc(run.seal, forged)
    assert {fault.path for fault in faults(run)} == {outside}


def test_who_seals_again_is_not_found(run: RunDir) -> None:
    """A seal finds edits, not forgers.  This test says so; the seal's digest is what to publish."""
    path = some_journal(run)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[1:]))
    from assay.store.journal import decision_digest, read_lines

    every = {name_of(run, p): decision_digest(read_lines(p)) for p in journals(run)}
    seal(run, decisions=every, incomplete=())
    assert faults(run) == []


def test_a_moved_run_still_verifies(run: RunDir, tmp_path: Path) -> None:
    moved = tmp_path / "else where" / "日本 🦀"
    moved.parent.mkdir()
    run.root.rename(moved)
    assert faults(RunDir(moved)) == []


def test_a_copy_that_may_only_be_read_still_verifies(run: RunDir) -> None:
    for path in [*run.root.rglob("*"), run.root]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert faults(run) == []
        assert not [p for p in run.root.rglob("*") if p.stat().st_mode & stat.S_IWUSR]
    finally:
        for path in [run.root, *run.root.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)


def test_a_run_without_its_free_files_still_verifies(run: RunDir) -> None:
    shutil.rmtree(run.work)
    (run.root / ".lock").unlink()
    assert faults(run) == []


def test_an_unsealed_run_says_so(run: RunDir) -> None:
    run.seal.unlink()
    with pytest.raises(SealError) as caught:
        faults(run)
    assert caught.value.code == "A301"
    assert "resumes" in caught.value.hint


@pytest.mark.parametrize("file", ["SEAL", "manifest.json", "provenance.json"])
@pytest.mark.parametrize("version", [0, 2, "1", 1.5, None, "missing"])
def test_another_schema_version_has_its_own_code(run: RunDir, file: str, version: object) -> None:
    path = run.root / file
    raw = json.loads(path.read_bytes())
    if version == "missing":
        del raw["schema_version"]
    else:
        raw["schema_version"] = version
    path.write_text(json.dumps(raw))
    kind = {"SEAL": Seal, "manifest.json": Manifest}.get(file, Manifest)
    with pytest.raises(SealError) as caught:
        read_doc(kind, path)
    assert caught.value.code == "A302"
    assert caught.value.where == str(path)


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"[]", b"7", b"null", b"\xff\xfe", b"[" * 100_000, b'{"schema_version": 1}'],
)
def test_a_damaged_document_is_named_and_never_a_traceback(run: RunDir, damage: bytes) -> None:
    for path in (run.seal, run.manifest):
        path.write_bytes(damage)
        with pytest.raises(SealError) as caught:
            read_doc(Seal, path)
        assert caught.value.code in ("A300", "A302")
        assert caught.value.where == str(path)


def test_an_unknown_key_in_a_document_is_a_change(run: RunDir) -> None:
    raw = json.loads(run.seal.read_bytes())
    run.seal.write_text(json.dumps({**raw, "extra": 1}))
    with pytest.raises(SealError, match="A300 extra"):
        read_seal(run)


def test_a_run_holds_no_path_of_the_machine_that_made_it(smoke: RunDir) -> None:
    """So that it can be moved, copied and published."""
    for path in [*smoke.sealed_files(), smoke.seal]:
        data = path.read_bytes()
        assert str(smoke.root.parent).encode() not in data, path
        assert str(ROOT).encode() not in data, path
