"""A checkpoint of torch made into safetensors by a process that can harm nothing.

*Covered*: what the pickle does while it is read: no network, no file of yours, no other process, bounded time,
memory and disk (``assay.sandbox``), and ``weights_only``, which calls nothing but what builds tensors; what
comes out is looked through as any other file.  *Not covered*: a checkpoint that gets the better of
``weights_only`` decides which weights come out (it did that anyway); faults of the kernel and of bubblewrap.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from hashlib import file_digest
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from assay import Artifact, AssayError, DataError
from assay.sandbox import Ended, How, Job, Limits, Sandbox, find_sandbox
from assay.visible import plain

from ..extras import require
from .admit import admit
from .to_safetensors import NO_WEIGHTS, REFUSED

WALL_S = 300.0
TORCH_MB = 8192
"""Of address space, for torch itself."""

_SAYS = re.compile(r"[^\n]*(?:GLOBAL|nsupported)[^\n]*")
"""The line of ``torch.load`` that names what it does not call; the others are advice to load it anyway."""

_PACKAGES = ("torch", "safetensors")
_PYTHON, _CODE, _CHECKPOINT = "/python", "/code", "/checkpoint/file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpickled:
    """What became of a checkpoint."""

    path: Path
    """The safetensors file."""

    artifact: Artifact
    """Its digest, with that of the pickle as its parent."""

    tensors: int
    left_out: tuple[str, ...]
    """Names of what is no tensor."""

    settings: dict[str, Any]
    """As the file's own metadata has them."""


def unpickle(checkpoint: Path, target: Path, *, sandbox: Sandbox | None = None) -> Unpickled:
    """Write the tensors of a checkpoint of torch to ``target``, a new safetensors file.

    Raises ``DataError`` A206 where ``weights_only`` refuses the checkpoint, or there is no sandbox to read it
    in; A205 where it holds no tensors by name, or takes more time or memory than it may; ``PluginError`` A401
    without torch.

    *Not to be trusted when* it matters that the weights are those which the authors saved: that is what the
    digest of the pickle, kept as the parent, is for.
    """
    require(*_PACKAGES)
    held = sandbox or _sandbox(checkpoint)
    with checkpoint.open("rb") as file:
        parent = file_digest(file, "sha256").hexdigest()
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".unpickling-") as inside:
        folder = Path(inside)
        folder.chmod(0o755)
        out = folder / "out"
        out.mkdir()
        out.chmod(
            0o777
        )  # the user inside the sandbox is another one, and its folder's parent is ours
        given = _readable(checkpoint, folder)
        ended = held.run(_job(given, out, parent))
        facts = _facts(ended, checkpoint)
        made = out / "model.safetensors"
        if made.is_symlink() or not made.is_file():
            raise _refused(checkpoint, "it left something that is no file in place of weights")
        if admit(made, name="model.safetensors").kind != "safetensors":
            raise _refused(checkpoint, "it left something that is no safetensors file")
        shutil.copyfile(made, target)  # that one belongs to the user of the sandbox
    with target.open("rb") as file:
        found, size = file_digest(file, "sha256").hexdigest(), target.stat().st_size
    return Unpickled(
        path=target,
        artifact=Artifact(
            digest=f"sha256:{found}",
            kind="weights",
            size=size,
            parents=(f"sha256:{parent}",),
            made_by=f"unsafe_allow_pickle, weights_only, torch {facts['torch']}",
        ),
        tensors=facts["tensors"],
        left_out=tuple(facts["left_out"]),
        settings={"unsafe_allow_pickle": True, "weights_only": True, "torch": facts["torch"]},
    )


def _sandbox(checkpoint: Path) -> Sandbox:
    try:
        held = find_sandbox()
    except AssayError as error:
        raise DataError(
            f"the file is a pickle, and there is no sandbox to read it in: {error.what}",
            where=str(checkpoint),
            hint="apt-get install bubblewrap, and run `assay doctor`; or take a safetensors file",
            code="A206",
        ) from None
    if held.name == "none":  # allowed for programs of a run; a pickle is another matter
        raise DataError(
            "the file is a pickle, and no sandbox works here",
            where=str(checkpoint),
            hint="apt-get install bubblewrap, and run `assay doctor`",
            code="A206",
        )
    return held


def _readable(checkpoint: Path, folder: Path) -> Path:
    """Return a file that another user may read: the checkpoint, or a copy of it."""
    if checkpoint.stat().st_mode & 0o004:
        return checkpoint
    copy = folder / "checkpoint"
    shutil.copyfile(checkpoint, copy)
    copy.chmod(0o444)
    return copy


def _job(checkpoint: Path, out: Path, sha256: str) -> Job:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    homes = dict.fromkeys(_home(package) for package in _PACKAGES)
    packages = {home: f"/packages/{n}" for n, home in enumerate(homes)}
    size_mb = checkpoint.stat().st_size // 2**20 + 1
    return Job(
        argv=(
            f"{_PYTHON}/bin/python{version}", "-s", "-S", "-B", f"{_CODE}/to_safetensors.py",
            _CHECKPOINT, "/out/model.safetensors", sha256,
        ),
        reads={
            Path(sys.base_prefix): _PYTHON,
            Path(__file__).with_name("to_safetensors.py"): f"{_CODE}/to_safetensors.py",
            checkpoint: _CHECKPOINT,
            **packages,
        },
        writes=out,
        env={
            "PYTHONPATH": ":".join(packages.values()),
            "LD_LIBRARY_PATH": f"{_PYTHON}/lib",
            "OMP_NUM_THREADS": "1",
        },
        limits=Limits(
            wall_s=WALL_S,
            cpu_s=WALL_S,
            memory_mb=TORCH_MB + 4 * size_mb,
            disk_mb=64 + 4 * size_mb,
            output_kb=256,
        ),
    )  # fmt: skip


def _home(package: str) -> Path:
    spec = find_spec(package)
    assert spec is not None and spec.origin is not None  # noqa: PT018  (``require`` has found it)
    return Path(spec.origin).parents[1]


def _facts(ended: Ended, checkpoint: Path) -> dict[str, Any]:
    """Return what the process says it did; raise what kept it from that."""
    said = _last_line(ended.stdout)
    line = _SAYS.search(str(said.get("why", "")))
    why = plain(line[0].strip())[:200] if line else "what it calls is not known"
    if ended.how is How.EXITED and ended.status == REFUSED:
        raise _refused(checkpoint, f"weights_only does not read it: {why}")
    if ended.how is How.EXITED and ended.status == NO_WEIGHTS:
        raise DataError(
            "the checkpoint holds no tensors by name",
            where=str(checkpoint),
            hint="take the safetensors file of the same model",
            code="A205",
        )
    if not ended.well or not _is_right(said):
        end = ended.stderr.decode(errors="replace").strip().splitlines()[-1:] or [""]
        raise DataError(
            f"the checkpoint was not converted: the process {ended.how}, status {ended.status}"
            f" ({plain(end[0])[:200]})",
            where=str(checkpoint),
            hint="take the safetensors file of the same model",
            code="A205",
        )
    return said


def _last_line(stdout: bytes) -> dict[str, Any]:
    try:
        said = json.loads(stdout.splitlines()[-1])
    except (IndexError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _is_right(said: dict[str, Any]) -> bool:
    left, version = said.get("left_out"), said.get("torch")
    are_texts = isinstance(left, list) and all(isinstance(each, str) for each in left)
    return are_texts and isinstance(version, str) and isinstance(said.get("tensors"), int)


def _refused(checkpoint: Path, why: str) -> DataError:
    return DataError(
        f"the file is a pickle that holds more than weights: {why}",
        where=str(checkpoint),
        hint="take the safetensors file of the same model",
        code="A206",
    )
