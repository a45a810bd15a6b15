"""Disks that forget: what a program wrote, recorded call by call, and what is left of it after a power cut.

``record`` notes the real calls of a real process (with strace); ``Disk`` draws the states that its disk may be in after a
power cut.  What a disk may forget:

* what was written to a file and not synced: any suffix of it, or blocks of it, which then read as zeros;
* what was done to a folder and not synced (a name made, renamed, removed): any suffix of that, folder by folder.

What was synced stays.  A real file system forgets less: ext4 keeps the name of a file that was synced.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TypeAlias

CALLS = (
    "openat,write,pwrite64,writev,ftruncate,rename,renameat,renameat2,unlink,unlinkat,"
    "mkdir,mkdirat,rmdir,fsync,fdatasync"
)
_CALL = re.compile(r"^(?:\d+ +)?(\w+)\((.*)\) += (-?\d+)")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
_HANDLE = re.compile(r"^(?:AT_FDCWD|\d+)<([^>]*)>")

BLOCK = 4096
Op: TypeAlias = tuple[str, str, bytes]
"""What was done, to which path, and with what: bytes, another path, a size."""


def record(command: Sequence[str], log: Path, **environment: str) -> None:
    """Run a program and write its calls to ``log``."""
    done = subprocess.run(
        [
            "strace",
            "-y",
            "-xx",
            "-s",
            "100000000",
            "-e",
            f"trace={CALLS}",
            "-o",
            str(log),
            *command,
        ],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)


def read(log: Path, root: Path) -> list[Op]:
    """Return what was done below a folder."""
    found: list[Op] = []
    for line in log.read_text("ascii").splitlines():
        match = _CALL.match(line)
        if match and int(match[3]) >= 0 and (op := _op(match[1], match[2])) is not None:
            found.append(op)
    inside = f"{root}/"
    return [op for op in found if f"{op[1]}/".startswith(inside)]


def _op(call: str, arguments: str) -> Op | None:
    texts = [bytes.fromhex(text.replace("\\x", "")) for text, _ in _TEXT.findall(arguments)]
    assert '"...' not in arguments, "a call was cut"
    handle = _HANDLE.match(arguments)
    at = _plain(handle[1]) if handle else ""
    match call:
        case "openat":
            kind = "make" if "O_CREAT" in arguments else ""
            empty = b"empty" if "O_TRUNC" in arguments else b""
            return (kind, _joined(at, texts[0]), empty) if kind else None
        case "write" | "pwrite64":
            return "write", at, texts[0] if texts else b""
        case "writev":
            return "write", at, b"".join(texts)
        case "ftruncate":
            return "cut", at, arguments.rpartition(",")[2].strip().encode()
        case "fsync" | "fdatasync":
            return "sync", at, b""
        case "mkdir" | "mkdirat":
            return "folder", _joined(at, texts[0]), b""
        case "unlink" | "unlinkat" | "rmdir":
            return "remove", _joined(at, texts[0]), b""
        case _:
            return "rename", _joined(at, texts[0]), _joined("", texts[1]).encode()


def _plain(shown: str) -> str:
    return bytes.fromhex(shown.replace("\\x", "")).decode() if shown.startswith("\\x") else shown


def _joined(at: str, name: bytes) -> str:
    return os.path.normpath(os.path.join(at, name.decode()))  # noqa: PTH118  (paths that may be gone)


@dataclass(slots=True)
class _File:
    synced: bytes = b""
    now: bytes = b""


@dataclass(slots=True)
class Disk:
    """Files and folders as they are, and as much of them as is sure to stay."""

    root: str
    files: dict[int, _File] = field(default_factory=dict)
    folders: defaultdict[str, list[dict[str, int]]] = field(
        default_factory=lambda: defaultdict(lambda: [{}])
    )
    """Folder to what it held: when it was last synced, and after each change since."""

    made: int = 0

    def do(self, op: Op) -> None:
        """Do what was done."""
        what, path, more = op
        folder, name = os.path.split(path)
        match what:
            case "make":
                now = self.folders[folder][-1]
                if name not in now:
                    self.made += 1
                    self.files[self.made] = _File()
                    self._change(folder, {**now, name: self.made})
                elif more:
                    self.files[now[name]].now = b""
            case "write":
                self._file(path).now += more
            case "cut":
                self._file(path).now = self._file(path).now[: int(more)]
            case "sync" if path in self.folders:
                del self.folders[path][:-1]
            case "sync":
                file = self._file(path)
                file.synced = file.now
            case "folder":
                self._change(folder, {**self.folders[folder][-1], name: 0})
                self.folders[path] = [{}]
            case "remove":
                self._change(
                    folder, {k: v for k, v in self.folders[folder][-1].items() if k != name}
                )
            case "rename":
                other, new = os.path.split(more.decode())
                assert other == folder, "renames within one folder are all that is modelled"
                now = dict(self.folders[folder][-1])
                self._change(
                    folder, {**{k: v for k, v in now.items() if k != name}, new: now[name]}
                )

    def _change(self, folder: str, now: dict[str, int]) -> None:
        self.folders[folder].append(now)

    def _file(self, path: str) -> _File:
        folder, name = os.path.split(path)
        return self.files[self.folders[folder][-1][name]]

    def whole(self) -> dict[str, bytes]:
        """Return the files as they are, by path."""
        held = {folder: states[-1] for folder, states in self.folders.items()}
        return dict(self._walk(self.root, held, {k: f.now for k, f in self.files.items()}))

    def after_a_cut(self, rng: Random) -> dict[str, bytes]:
        """Return the files that are left after a power cut now, by path below the root."""
        held = {folder: rng.choice(states) for folder, states in self.folders.items()}
        left = {number: _forgotten(file, rng) for number, file in self.files.items()}
        return dict(self._walk(self.root, held, left))

    def _walk(
        self, folder: str, held: dict[str, dict[str, int]], left: dict[int, bytes]
    ) -> Iterator[tuple[str, bytes]]:
        for name, number in held.get(folder, {}).items():
            path = f"{folder}/{name}"
            if number:
                yield os.path.relpath(path, self.root), left[number]
            else:
                yield from self._walk(path, held, left)


def _forgotten(file: _File, rng: Random) -> bytes:
    """Return what is left of a file of which not all was synced."""
    if not file.now.startswith(file.synced):  # it was cut, or begun again
        return rng.choice([file.synced, file.now])
    start, new = file.synced, file.now[len(file.synced) :]
    if not new:
        return file.now
    if rng.random() < 0.7:
        return start + new[: rng.randrange(len(new) + 1)]
    kept = bytearray(file.now)
    for block in range(len(start) // BLOCK, len(kept) // BLOCK + 1):
        if rng.random() < 0.5:
            at = max(block * BLOCK, len(start)), min((block + 1) * BLOCK, len(kept))
            kept[at[0] : at[1]] = bytes(max(at[1] - at[0], 0))
    return bytes(kept)


def lay_out(left: dict[str, bytes], folder: Path) -> None:
    """Write files below a new folder."""
    folder.mkdir(parents=True)
    for name, content in left.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
