"""Small sealed runs for boards, written without an engine, and a board to put them on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from assay.core.reply import Answer, Bottom, Crash, Said
from assay.core.sample import Sample
from assay.publish.board.adding import Added, Who, add
from assay.store.canon import digest
from assay.store.manifest import Manifest, Provenance, read_doc, write_doc
from assay.store.rundir import RunDir
from assay.store.seal import read_seal, seal
from publish.harm import CONTROLS, Writing, write_run

SUBMISSION = """\
model:
  name: {name}
  family: toy
  hf_repo: org/{name}
  parameters: 2M
  architecture: llama
  license: Apache-2.0
  submitted_by: somebody
  quantizations:
    - {{name: F16, format: safetensors}}
    - {{name: Q8_0, format: gguf, file: {name}-q8_0.gguf}}
"""
CPU = {"cpu": "Xeon", "cpus_usable": 2, "memory_mb": 16_000, "gpus": []}
N = 96


def right_at(share: float, *, off: int = 0) -> Callable[[int, int], Said]:
    """Return a system that is right on a share of the samples, the same ones each time."""

    def say(i: int, _seed: int) -> Said:
        return Answer("yes" if (7 * i + off) % 100 < 100 * share else "no")

    return say


def run_of(root: Path, systems: Mapping[str, Callable[[int, int], Said]], **more: object) -> RunDir:
    """Write a sealed run of some systems beside silent controls; ``name`` is the plan's."""
    samples = [
        Sample(id=f"s{i:03}", input={"n": i}, target=Answer("yes"), group=f"g{i // 2}")
        for i in range(2 * N)
    ]
    said: dict[str, Callable[[int, int], Said]] = {
        **systems,
        **{name: lambda _i, _seed: Bottom("no") for name in CONTROLS},
    }
    machine = more.pop("machine", CPU)
    plan = str(more.pop("name", "small"))
    claims = more.pop("claims", [])
    writing = Writing(samples=samples, replies=said, seeds=(0,), claims=claims, **more)
    return _sealed_again(write_run(root, writing), plan, machine)


def _sealed_again(run: RunDir, plan: str, machine: object) -> RunDir:
    """Give a run a name and a machine without harm, and seal it again."""
    manifest, facts = read_doc(Manifest, run.manifest), read_doc(Provenance, run.provenance)
    systems = {
        name: s.model_copy(update={"digest": digest(name.encode())})
        for name, s in manifest.systems.items()
    }
    told = manifest.model_copy(update={"name": plan, "run": run.root.name, "systems": systems})
    write_doc(run.manifest, told)
    write_doc(run.provenance, facts.model_copy(update={"machine": machine, "git": {}}))
    before = read_seal(run)
    seal(run, decisions=dict(before.decisions), incomplete=before.incomplete)
    return run


def crash_at(say: Callable[[int, int], Said], which: int) -> Callable[[int, int], Said]:
    """Return a system that crashes on one sample."""

    def crashing(i: int, seed: int) -> Said:
        return Crash("out of memory") if i == which else say(i, seed)

    return crashing


def board_at(root: Path, *names: str) -> Path:
    """Make a board with submissions of these names."""
    folder = root / "models" / "submissions"
    folder.mkdir(parents=True)
    for name in names:
        (folder / f"{name}.yaml").write_text(SUBMISSION.format(name=name), "utf-8")
    return root


WHO = Who(by="tester", at="2026-11-29T12:00:00Z", why="a test")


def put(board: Path, run: RunDir, *given: str, at: str = WHO.at, **more: str) -> Added:
    """Put a run on a board."""
    return add(board, run.root, who=replace(WHO, at=at), given=given, **more)  # type: ignore[arg-type]
