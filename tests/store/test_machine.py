"""What a run says of the machine is plain, and missing where it is not known."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from assay.store.canon import canonical
from assay.store.machine import cpu_named, git, machine, packages, peak_bytes, threads
from assay.store.manifest import SCHEMA, CellFacts, read_doc, write_doc


def test_the_machine_is_plain_json() -> None:
    found = machine()
    assert json.loads(canonical(found)) == found
    assert set(found) >= {"cpu", "cpus", "memory_mb", "gpus", "os", "python"}
    assert isinstance(found["cpus"], int)
    assert found["cpus"] >= 1


def test_two_arm_machines_of_other_processors_have_other_names() -> None:
    """Where ``/proc/cpuinfo`` has numbers in the place of a name, they are the name."""
    four, five = (
        "CPU implementer\t: 0x41\nCPU part\t: 0x" + part + "\n" for part in ("d08", "d0b")
    )
    assert cpu_named(4 * four, "") != cpu_named(4 * five, "")
    assert cpu_named(four + five, "") == cpu_named(five + four, "") == "ARM 0x41 0xd08 0xd0b"
    assert cpu_named("model name\t: AMD EPYC 7763\n" * 2, "") == "AMD EPYC 7763"
    assert cpu_named("processor\t: 0\n", "") == ""


def test_the_most_memory_of_a_process_is_its_own_and_not_that_of_who_started_it() -> None:
    held = bytearray(b"x" * 300_000_000)
    ours = peak_bytes()
    code = "from assay.store.machine import peak_bytes; print(peak_bytes())"
    started = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert ours is not None
    assert ours > len(held) > 2 * int(started.stdout) > 2 * 5_000_000


def test_packages_are_sorted_and_named_one_way() -> None:
    found = packages()
    assert list(found) == sorted(found)
    assert "assay-eval" in found
    assert not any(name != name.lower() or "_" in name for name in found)


def test_packages_are_those_that_the_standard_library_finds_with_their_versions() -> None:
    slowly = {
        dist.metadata["Name"].lower().replace("_", "-"): dist.version
        for dist in metadata.distributions()
        if dist.metadata["Name"]
    }
    assert packages() == slowly


def test_a_distribution_whose_name_is_gone_is_none_and_one_that_talks_much_is_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in {
        "gone": "",
        "talks": "Metadata-Version: 2.1\nName: Talks_Much \nVersion: 1.5\n\nName: another\nVersion: 9\n",
    }.items():
        folder = tmp_path / f"{name}-1.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(text)
    before = packages()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert packages() == dict(sorted({**before, "talks-much": "1.5"}.items()))


def test_only_thread_settings_that_were_made_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert threads()["OMP_NUM_THREADS"] == "3"
    assert "OPENBLAS_NUM_THREADS" not in threads()


def test_a_folder_outside_of_a_checkout_has_no_commit(tmp_path: Path) -> None:
    assert git(tmp_path) == {}


def checkout(folder: Path) -> Path:
    """Make a repository with one commit, whose file looks changed until git has read it."""
    folder.mkdir()
    (folder / "plan.yaml").write_text("name: a\n")
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    for words in (("init", "-q"), ("add", "plan.yaml"), (*who, "commit", "-qm", "one")):
        subprocess.run(["git", "-C", str(folder), *words], check=True)
    os.utime(folder / "plan.yaml", (1, 1))
    return folder


def test_a_checkout_has_its_commit_and_says_whether_it_was_changed(tmp_path: Path) -> None:
    folder = checkout(tmp_path / "of")
    assert git(folder)["dirty"] is False
    (folder / "plan.yaml").write_text("name: b\n")
    found = git(folder)
    assert found["dirty"] is True
    assert len(str(found["commit"])) == 40


@pytest.mark.parametrize(
    ("settings", "dirty"),
    [
        ({"core.fsmonitor": "touch {mark}; false"}, False),
        ({"filter.own.clean": "touch {mark}; cat"}, None),
        ({"filter.own.process": "touch {mark}"}, None),
        ({"include.path": "../more"}, None),
        ({"core.hooksPath": "{hooks}"}, False),
    ],
    ids=["monitor", "filter", "process", "included", "hook"],
)
def test_a_checkout_of_somebody_else_starts_no_program(
    settings: dict[str, str], dirty: bool | None, tmp_path: Path
) -> None:
    folder, mark, hooks = checkout(tmp_path / "of"), tmp_path / "mark", tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "post-index-change").write_text(f"#!/bin/sh\ntouch {mark}\n")
    (hooks / "post-index-change").chmod(0o755)
    (folder / "more").write_text(f'[filter "own"]\n\tclean = touch {mark}; cat\n')
    (folder / ".git" / "info" / "attributes").write_text("* filter=own\n")
    (folder / ".git" / "info" / "exclude").write_text("more\n")
    for name, value in settings.items():
        said = value.format(mark=mark, hooks=hooks)
        subprocess.run(["git", "-C", str(folder), "config", name, said], check=True)
    found = git(folder)
    assert not mark.exists()
    assert found["dirty"] is dirty


def test_a_machine_without_git_has_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git(tmp_path) == {}


def test_a_document_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    facts = CellFacts(
        task="t",
        system="s",
        seed=3,
        split="test",
        n=5,
        decisions="sha256:0",
        notes={"C": 0.5, "words": 7, "kind": "日本"},
    )
    write_doc(tmp_path / "d.json", facts)
    assert read_doc(CellFacts, tmp_path / "d.json") == facts
    assert json.loads((tmp_path / "d.json").read_text())["schema_version"] == SCHEMA
