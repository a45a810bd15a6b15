"""What networks have learnt, on disk: stacks that are still learning, and networks that are done.

Covered: a file that is cut off or damaged, of other data, of other options or of other code (it is
left aside and learnt again), a process that is killed while it writes.  Not covered: who writes into a run's
``cache/`` on purpose.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay import Artifact, __version__

from ..extras import extra
from .device import class_of
from .together import Lesson, Member, State

LEARNING = "4"
"""Bump it whenever the same options would learn something else."""

NETWORK, STACK, SPENT = "network.safetensors", "stack.safetensors", "spent.json"
_ARRAYS = ("weights", "mean", "square", "best", "best_score", "best_epoch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One network that is done."""

    weights: NDArray[np.float32]
    """Every parameter, in the order of the lesson's parts."""

    facts: Mapping[str, Any]
    """How it was chosen: epoch, score on tune rows, rate, decay, and the log of its epochs."""

    spent: Mapping[str, float | int] = field(default_factory=dict)
    """What may differ between equal runs: CPU seconds, how many learnt together, from which epoch on."""


def contract_of(lesson: Lesson, members: Sequence[Member], more: Mapping[str, Any]) -> str:
    """Return the digest of everything that decides what is learnt.

    Code, options, seeds, data, and the library that multiplies; no path, so a run may be moved.
    """
    data = hashlib.sha256()
    scale = lesson.scale
    arrays = [a for rows in (lesson.train, lesson.tune) for a in (rows.x, rows.y, rows.kind)]
    arrays += [scale.x_mean, scale.x_sd, scale.y_mean, scale.y_sd]
    arrays += [] if scale.y_unit is None else [scale.y_unit]
    for array in arrays:
        data.update(repr(array.shape).encode())
        data.update(np.ascontiguousarray(array).tobytes())
    told = {
        "assay": __version__,
        "learning": LEARNING,
        # Asked of the package, not of the library: what is learnt already needs no torch.
        "torch": version("torch"),
        "device": class_of(lesson.device),
        "precision": lesson.precision,
        "shape": asdict(lesson.shape),
        "head": [type(lesson.head).__name__, repr(lesson.head)],
        "course": asdict(lesson.course),
        "only": sorted(lesson.only),
        "members": [asdict(member) for member in members],
        "data": data.hexdigest(),
        "reasons": list(lesson.train.reasons),
        **more,
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def write_state(folder: Path, state: State, contract: str) -> None:
    """Write how far a stack has come, whole or not at all."""
    arrays = {name: np.ascontiguousarray(getattr(state, name)) for name in _ARRAYS}
    facts = {"epoch": state.epoch, "log": state.log, "cpu_s": state.cpu_s}
    _write(folder / STACK, arrays, contract, facts)


def read_state(folder: Path, contract: str) -> State | None:
    """Return how far a stack had come; None where there is none of this contract."""
    found = _read(folder / STACK, contract)
    if found is None:
        return None
    arrays, facts = found
    return State(
        epoch=facts["epoch"],
        log=facts["log"],
        cpu_s=facts["cpu_s"],
        **{name: arrays[name].copy() for name in _ARRAYS},
    )


def drop_state(folder: Path) -> None:
    """Remove the stack of a folder: its networks are done."""
    (folder / STACK).unlink(missing_ok=True)


def write_network(folder: Path, network: Network, contract: str) -> None:
    """Write a network that is done, whole or not at all."""
    _write(folder / NETWORK, {"weights": network.weights}, contract, dict(network.facts))
    # In a file of its own: equal networks are then equal files.
    replace_file(folder / SPENT, json.dumps(dict(network.spent)).encode())


def read_network(folder: Path, contract: str) -> Network | None:
    """Return the network of a folder; None where there is none of this contract."""
    found = _read(folder / NETWORK, contract)
    if found is None:
        return None
    try:
        spent = json.loads((folder / SPENT).read_bytes())
    except (OSError, ValueError):
        spent = {}
    return Network(weights=found[0]["weights"], facts=found[1], spent=spent)


def open_network(path: Path) -> Network | None:
    """Return the network of a file, whatever its contract; None where there is none, or a damaged one.

    For whoever knows the digest of the file, which names it better than a contract does.
    """
    found = _read(path, None)
    return None if found is None else Network(weights=found[0]["weights"], facts=found[1])


def artifact_of(folder: Path, made_by: str) -> Artifact:
    """Return a network's file, named by its digest."""
    data = (folder / NETWORK).read_bytes()
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    return Artifact(digest=digest, kind="weights", size=len(data), made_by=made_by)


def _write(
    path: Path, arrays: Mapping[str, NDArray[Any]], contract: str, facts: Mapping[str, Any]
) -> None:
    save = extra("safetensors.numpy").save
    told = json.dumps({"contract": contract, "facts": dict(facts)}, sort_keys=True)
    # One entry, because the format keeps several in a random order: equal networks are equal files.
    wrapped = json.dumps({"digest": _digest(arrays, told), "told": told}, sort_keys=True)
    replace_file(path, save(dict(arrays), metadata={"assay": wrapped}))


def _digest(arrays: Mapping[str, NDArray[Any]], told: str) -> str:
    # The format has no checksum of its own.
    found = hashlib.sha256(told.encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        found.update(f"{name} {array.dtype} {array.shape}".encode())
        found.update(array.tobytes())
    return found.hexdigest()


def replace_file(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    part.replace(path)


def _read(
    path: Path, contract: str | None
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
    safetensors = extra("safetensors")
    if not path.is_file():
        return None
    try:
        with safetensors.safe_open(str(path), framework="numpy") as file:
            wrapped = json.loads((file.metadata() or {})["assay"])
            told = json.loads(wrapped["told"])
            if contract not in (None, told["contract"]):
                return None
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            whole = wrapped["digest"] == _digest(arrays, wrapped["told"])
            return (arrays, told["facts"]) if whole else None
    except (safetensors.SafetensorError, OSError, ValueError, KeyError, TypeError):
        return None  # cut off or damaged: it is learnt again
