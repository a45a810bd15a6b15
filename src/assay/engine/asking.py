"""A system's process, seen from the engine: start it, ask it, notice when it hangs or dies."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import IO, Any

import msgspec

from ..core.errors import AssayError
from ..core.reply import Reply
from ..core.sample import Question
from ..store.canon import disk_errors
from .beside import until_over
from .wire import Ask, Costs, Job, Message, decode_message, encode, unpack_error, unpack_reply

PIECE = 2**20
AHEAD = 256
"""Questions that wait in the process while it works on others."""

PAUSE_S = 0.25
"""Seconds without a word, after which whoever asks may do something else."""

LINE_LIMIT = 64 * 2**20
"""Bytes of one reply.  A system that says more than this has failed."""

NO_MESSAGE = "its process wrote what is no message"

LAST_BREATH_S = 5.0
"""Seconds from the last word of a process to its exit status."""


THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""What numerical libraries read once, when they are loaded."""


class SystemEnded(Exception):  # noqa: N818  (not an error of ours: an event in a system's life)
    """The system's process ended, hung, or said more than can be read."""

    def __init__(self, why: str, detail: str = "") -> None:
        super().__init__(why)
        self.why, self.detail = why, detail


class Unobserved(Exception):  # noqa: N818  (likewise)
    """The machine, not the system, failed while it was asked."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of which nothing more comes; ``crash`` says what the machine did where it was cut short."""

    questions: Sequence[Question]
    crash: str = ""


@dataclass(slots=True)
class Worker:
    """One process with one system per seed."""

    job: Job
    log: Path
    process: asyncio.subprocess.Process
    transport: asyncio.SubprocessTransport
    facts: dict[str, Any] = field(default_factory=dict)
    lines: deque[bytes] = field(default_factory=deque)
    """Whole lines that have come and were not yet read."""

    rest: bytes = b""
    cpu_s: float = 0.0
    """CPU seconds of the last ``ask``."""

    peak_bytes: int | None = None
    """The most memory that the process has held, by its last ``ask``."""

    @classmethod
    async def start(
        cls, job: Job, log: Path, *, within: float, threads: int | None = None
    ) -> Worker:
        """Start the process and wait until its systems are built.

        ``threads`` are those of the numerical libraries; without them one, unless the environment
        says otherwise.

        Raises ``SystemEnded`` when it dies or takes longer than ``within`` seconds, ``Unobserved``
        when the machine said no, and the worker's own ``AssayError`` when it has one.
        """
        environment = dict.fromkeys(THREADS, "1") | os.environ
        if threads is not None:
            environment |= dict.fromkeys(THREADS, str(threads))
        with disk_errors(log):
            log.parent.mkdir(parents=True, exist_ok=True)
            errors = log.open("wb")
        with errors:
            transport, process = await _spawn(
                sys.executable,
                "-m",
                "assay.engine.worker",
                str(os.getpid()),
                stderr=errors,
                env=environment,
            )
        worker = cls(job, log, process, transport)
        try:
            worker._say(encode(job))
            message = await worker._read(within, "build_too_slow")
        except BaseException:
            await worker.stop()
            raise
        if message.crash:
            await worker.stop()
            raise Unobserved(message.crash)
        built = message.built or {}
        if built.keys() != set(map(str, job.seeds)):
            await worker.stop()
            raise SystemEnded("died", f"{NO_MESSAGE}: it built {sorted(built)}, not {job.seeds}")
        worker.facts = msgspec.to_builtins(built)
        return worker

    async def ask(
        self, seed: int, questions: Sequence[Question], *, each: float
    ) -> AsyncIterator[Reply]:
        """Yield replies as they come; each within ``each`` seconds of the one before.

        Raises ``SystemEnded``, or ``Unobserved`` when the machine said no.
        """
        async for found in self.ask_all(seed, [questions], each=each):
            if isinstance(found, Reply):
                yield found
            elif isinstance(found, Asked) and found.crash:
                raise Unobserved(found.crash)

    async def ask_all(
        self, seed: int, requests: Iterable[Sequence[Question]], *, each: float
    ) -> AsyncIterator[Reply | Asked | None]:
        """Yield replies as they come, and each request when nothing more comes of it.

        A request is sent while the one before has questions left, and as many more as a system that works
        on several at a time can take: nothing waits where one ends.  None says that nothing has come
        for ``PAUSE_S``.  Raises ``SystemEnded``.
        """
        more, sent, left = iter(requests), 0, 0
        under_way: dict[int, tuple[Sequence[Question], int]] = {}
        silent_s = 0.0  # while we listened: what we did meanwhile makes nobody late
        room: int = self.facts[str(seed)]["in_flight"]
        while True:
            while left < room + AHEAD and (questions := next(more, None)) is not None:
                sent, left = sent + 1, left + len(questions)
                under_way[sent] = questions, len(questions)
                # Not waited for: a system that is not done talking might wait for us.
                self._say(encode(Ask.of(seed, questions, sent)))
            if not under_way:
                return
            if not self.lines:
                began = monotonic()
                if not await self._more(min(PAUSE_S, max(each - silent_s, 0.0))):
                    silent_s += monotonic() - began
                    if silent_s >= each:
                        raise SystemEnded("too_slow", f"no sign of life for {each:g} s")
                    yield None
                    continue
            message, silent_s = self._next(), 0.0
            if message.number not in under_way:
                raise SystemEnded("died", f"{NO_MESSAGE}: nobody asked request {message.number}")
            questions, missing = under_way[message.number]
            if message.reply is not None:
                left -= 1
                under_way[message.number] = questions, missing - 1
                yield unpack_reply(message.reply)
            elif message.crash or message.done is not None:
                left -= missing
                del under_way[message.number]
                spent = message.done or Costs()
                self.cpu_s, self.peak_bytes = spent.cpu_s, spent.peak_bytes
                yield Asked(questions, message.crash)

    async def stop(self) -> None:
        """End the process and whatever it started, at once.

        Whoever is cancelled meanwhile learns it only when the process is gone: a stop that was
        left half done would leave pipes open and a child that nobody waits for.
        Not covered: a child that made itself a session of its own.
        """
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        over = asyncio.ensure_future(asyncio.wait_for(self._see_out(), LAST_BREATH_S))
        try:
            await until_over(over)
        finally:
            self.transport.close()
            with contextlib.suppress(TimeoutError):  # a child of another session held the pipe open
                over.result()

    async def _see_out(self) -> None:
        # What was said and not read keeps the pipe open, and the exit status back.
        assert self.process.stdout is not None
        while await self.process.stdout.read(2**20):
            pass
        await self.process.wait()

    def _say(self, data: bytes) -> None:
        # A process that died takes nothing: the next read says so, and why.
        assert self.process.stdin is not None
        self.process.stdin.write(data + b"\n")

    async def _read(self, within: float, late: str) -> Message:
        if not self.lines and not await self._more(within):
            raise SystemEnded(late, f"no sign of life for {within:g} s")
        return self._next()

    def _next(self) -> Message:
        raw = self.lines.popleft()
        try:
            message = decode_message(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise SystemEnded("died", f"{NO_MESSAGE}: {error}") from None
        if message.error is not None:
            raise _named(unpack_error(message.error), self.job.use)
        return message

    async def _more(self, within: float) -> bool:
        """Wait for at least one whole line; one wait serves all that come with it.  False: none came."""
        assert self.process.stdout is not None
        while not self.lines:
            try:
                piece = await asyncio.wait_for(self.process.stdout.read(PIECE), within)
            except TimeoutError:
                return False
            if not piece:
                with contextlib.suppress(TimeoutError):  # it may have closed its pipe and live on
                    await asyncio.wait_for(self.process.wait(), LAST_BREATH_S)
                raise SystemEnded("died", self._last_words())
            *whole, self.rest = (self.rest + piece).split(b"\n")
            self.lines.extend(whole)
            if len(self.rest) > LINE_LIMIT:
                raise SystemEnded("too_long", f"a reply of more than {LINE_LIMIT} bytes")
        return True

    def _last_words(self) -> str:
        words = self.log.read_bytes()[-4000:].decode("utf-8", "replace").strip()
        return f"exit status {self.process.returncode}\n{words}"


async def _spawn(
    *command: str, stderr: IO[bytes], env: dict[str, str]
) -> tuple[asyncio.SubprocessTransport, asyncio.subprocess.Process]:
    """Start a process with pipes, as ``asyncio.create_subprocess_exec`` does.

    That function keeps the transport to itself, and only the transport can close the pipes of a
    process whose grandchild still holds them.
    """
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.subprocess_exec(
        lambda: asyncio.subprocess.SubprocessStreamProtocol(limit=2**16, loop=loop),
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=stderr,
        env=env,
        start_new_session=True,  # a group of its own: what it starts ends with it
    )
    return transport, asyncio.subprocess.Process(transport, protocol, loop)


def _named(error: AssayError, use: str) -> AssayError:
    if error.where:
        return error
    return type(error)(error.what, where=use, hint=error.hint, code=error.code)
