"""Programs in namespaces of their own, by bubblewrap.

*Covered*: the network (none), the file system (the system's programs and libraries, and what the job
is given, all read-only; one folder of the caller's; a small ``/tmp`` in memory), the environment
(cleared), other processes (unseen, and cannot be signalled), capabilities and set-user-id programs
(of no use), fork bombs, and what ``supervise`` covers.  *Not covered*: faults of the kernel; time that
other processes lose to this one; devices of the machine beyond /dev/null and its kind; where user
namespaces are counted together (kernels before 5.14), processes of the same user count as the job's.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil
from pathlib import Path

from ...core.errors import AssayError
from .job import Ended, Job, Limits
from .supervise import GONE_S, supervise, wait_for

SYSTEM = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc/ld.so.cache",
    "/etc/alternatives",
)
"""What programs need to start: no users, no secrets, no settings."""

HOLDERS = 3
"""Processes of bubblewrap's own that hold the job."""

NOBODY = range(60_000, 65_000)
"""User numbers that own nothing, for jobs of root: limits on processes do not bind root itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubblewrap:
    """Runs jobs under ``bwrap``."""

    name: str = "bubblewrap"
    program: str

    def run(self, job: Job) -> Ended:
        """Run a job.  Raises ``AssayError`` A500 where bubblewrap itself fails."""
        user = random.SystemRandom().choice(NOBODY) if os.geteuid() == 0 else None
        empty, held = os.pipe()  # held open by the first process inside, which ends last
        walls = [self.program, "--sync-fd", str(held), *_walls(job, user)]
        try:
            ended = supervise(
                [*walls, "--", *_inside(job, user)],
                env={},
                limits=job.limits,
                stdin=job.stdin,
                spare=HOLDERS,
                keep=(held,),
            )
        finally:
            os.close(held)
            wait_for(empty, time.monotonic() + GONE_S)
            os.close(empty)
        if ended.status == 1 and ended.stderr.startswith(b"bwrap: "):
            said = ended.stderr.decode(errors="replace").strip().splitlines()[0]
            raise AssayError(
                f"the sandbox cannot be set up: {said}",
                hint="run `assay doctor`; in a container, user namespaces must be allowed",
                code="A500",
            )
        return ended


def _walls(job: Job, user: int | None) -> Iterator[str]:
    yield from ("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts")
    yield from ("--unshare-cgroup-try", "--die-with-parent", "--new-session", "--clearenv")
    yield from ("--hostname", "sandbox", "--cap-drop", "ALL")
    if user is None:
        yield from ("--unshare-user", "--disable-userns", "--uid", "65534", "--gid", "65534")
    else:  # what becomes another user needs these, and loses them on the way
        for capability in ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"):
            yield from ("--cap-add", capability)
    seen = ("/etc/x", *job.reads.values())
    for path in sorted({str(up) for at in seen for up in Path(at).parents if len(up.parts) > 1}):
        yield from (
            "--perms",
            "0755",
            "--dir",
            path,
        )  # what bwrap makes itself only its owner enters
    for path in SYSTEM:
        where = Path(path)
        if where.is_symlink():
            yield from ("--symlink", str(where.readlink()), path)
        elif where.exists():
            yield from ("--ro-bind", path, path)
    yield from ("--proc", "/proc", "--dev", "/dev")
    yield from ("--perms", "1777", "--size", str(job.limits.disk_mb * 2**20), "--tmpfs", "/tmp")  # noqa: S108  (inside)
    for outside, inside in job.reads.items():
        yield from ("--ro-bind", str(outside.resolve()), inside)
    if job.writes is not None:
        yield from ("--bind", str(job.writes.resolve()), "/out")
    for name, value in {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/tmp", **job.env}.items():  # noqa: S108
        yield from ("--setenv", name, value)
    yield from ("--chdir", "/tmp")  # noqa: S108


def _inside(job: Job, user: int | None) -> list[str]:
    become: list[str] = []
    if user is not None:
        become = [
            "/usr/bin/setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups",
            "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--",
        ]  # fmt: skip
    return [*become, *_limits(job.limits), *job.argv]


def _limits(limits: Limits) -> Sequence[str]:
    """Return the words before a program that make the kernel hold it to limits."""
    cpu = ceil(limits.cpu_s)
    return (
        "/usr/bin/prlimit", f"--cpu={cpu}:{cpu + 1}", f"--as={limits.memory_mb * 2**20}",
        f"--fsize={limits.disk_mb * 2**20}", f"--nproc={limits.processes}", "--core=0",
        "--nofile=256", "--",
    )  # fmt: skip


@cache
def bubblewrap() -> Bubblewrap | str:
    """Return bubblewrap where it is installed and works; otherwise say why it does not."""
    program = shutil.which("bwrap")
    if program is None:
        return "bwrap is not installed (Debian and Ubuntu: apt-get install bubblewrap)"
    found = Bubblewrap(program=program)
    try:
        ended = found.run(Job(argv=("/bin/true",), limits=Limits(wall_s=10)))
    except AssayError as error:
        return error.what
    if not ended.well:
        return f"bwrap ran `true` and ended with {ended.status}: {ended.stderr[:200]!r}"
    return found
