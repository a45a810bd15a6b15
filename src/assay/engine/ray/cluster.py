"""A Ray cluster: joined or started, and looked at before anything is asked of it."""

from __future__ import annotations

import logging
import os
import socket
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from pydantic import JsonValue

from ...core.errors import PluginError, RunError
from ...core.system import Needs
from ...store.machine import packages, usable_cpus
from ...store.rundir import RunDir
from ..keys import Limits
from ..sandbox.found import sandbox_name
from ..wire import unpack_error
from .node import US, look

AUTO = "auto"
"""The address of a cluster that this machine belongs to."""

CLIENT_PORT = 10001
KNOCK_S = 10.0

STORE_BYTES = 100 * 2**20
"""Memory for objects of a cluster of our own: replies never pass through it."""

LOOK_S = 120.0
"""A machine that does not answer by then is taken for lost."""


TRIES = 3
PASSING = "Starting Ray client server failed", "psutil."
"""What a client server says of the process that it began: it was not there in time, or has just ended."""


def import_ray() -> Any:
    """Return the module; raise ``PluginError`` A401 where it is not installed."""
    if find_spec("ray") is None:
        raise PluginError("ray is not installed", hint="pip install 'assay-eval[ray]'", code="A401")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a run tells nobody that it ran
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # a warning on every start
    os.environ.setdefault(
        "RAY_ENABLE_AUTO_CONNECT", "0"
    )  # whose cluster is lost joins no other one
    return import_module("ray")


@contextmanager
def joined(address: str, cpus: int | None) -> Iterator[Any]:
    """Hold a connection to a cluster; without an address, start one of this machine alone.

    Raises ``RunError`` A505 when nobody answers there.
    """
    ray = import_ray()
    if ray.is_initialized():
        raise RunError(
            "this process has joined a Ray cluster already",
            hint="call ray.shutdown() first, or run assay in a process of its own",
            code="A505",
        )
    logging.getLogger("ray").setLevel(logging.ERROR)  # what matters is raised
    where = os.environ.get("RAY_ADDRESS", "") if address == AUTO else address
    if where and where != AUTO:
        _require_listening(where.removeprefix("ray://"))
    common = {"log_to_driver": False, "configure_logging": False}
    try:
        if not address:
            ray.init(
                num_cpus=cpus or usable_cpus(),
                include_dashboard=False,
                object_store_memory=STORE_BYTES,
                **common,
            )
        elif address == AUTO:
            ray.init(address=AUTO, **common)
        else:
            with warnings.catch_warnings(action="ignore"):  # it warns of what it raises
                join_client(ray, f"ray://{address}", common)
    except (ConnectionError, OSError, RuntimeError, TimeoutError, ValueError) as error:
        words = str(error).strip().splitlines() or [type(error).__name__]
        raise RunError(
            f"no Ray cluster could be joined: {' '.join(dict.fromkeys((words[0], words[-1])))}",
            where=f"--engine ray://{address}" if address else "--engine ray",
            hint=_hint(address),
            code="A505",
        ) from None
    try:
        with redirect_stdout(sys.stderr):  # Ray prints there that a process was lost
            yield ray
    finally:
        ray.shutdown()


def join_client(ray: Any, address: str, common: dict[str, Any]) -> None:
    """Join through a client server, which starts a process for us and gives a busy machine half a minute for it."""
    for left in reversed(range(TRIES)):
        try:
            ray.init(address=address, **common)
        except ConnectionError as error:
            if not left or not any(words in str(error) for words in PASSING):
                raise
            ray.shutdown()
        else:
            return


def _of_the_wire() -> tuple[type[Exception], ...]:
    """Return what a client server's channel raises where it breaks in the middle of a request."""
    if find_spec("grpc") is None:
        return ()
    kind: type[Exception] = import_module("grpc").RpcError
    return (kind,)


@contextmanager
def while_there(ray: Any) -> Iterator[None]:
    """Raise ``RunError`` A505 where the block loses the head of the cluster."""
    try:
        yield
    except (ConnectionError, ray.exceptions.RaySystemError, *_of_the_wire()) as error:
        if isinstance(error, ConnectionError) and type(error) is not ConnectionError:
            raise  # a pipe of ours: Ray raises no kind of it
        details = getattr(error, "details", None)  # what grpc raises says it in ten lines
        raise RunError(
            f"the head of the cluster was lost: {details() if callable(details) else error}",
            hint="what was answered is kept: start the cluster, and say the same command; or go on without it",
            code="A505",
        ) from None


def _hint(address: str) -> str:
    """Return what to try where somebody listens, and no cluster can be joined."""
    if address in ("", AUTO):
        return (
            "see that `ray status` answers there, with the same Ray and Python as here; --engine ray starts a "
            "cluster of this machine alone"
        )
    return (
        "name the port of its client server (`ray start --head --ray-client-server-port`, 10001 unless told otherwise), with "
        "the same Ray, Python and token (RAY_AUTH_TOKEN) as there"
    )


def _require_listening(address: str) -> None:
    """Raise ``RunError`` A505 where nobody listens: Ray itself would try for minutes."""
    host, _, port = address.partition(":")
    try:
        socket.create_connection((host, int(port or CLIENT_PORT)), KNOCK_S).close()
    except (OSError, ValueError, OverflowError) as error:
        raise RunError(
            f"nobody answers at {address}: {error}",
            where="--engine ray://",
            hint="start the cluster, or see its address with `ray status`; --engine ray starts one of "
            "this machine alone",
            code="A505",
        ) from None


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine of a cluster: what it offers."""

    id: str
    cpus: float
    gpus: float
    memory: float

    def has(self, needs: Needs) -> bool:
        """Whether it could hold a system with these needs."""
        return (
            self.cpus >= needs.cpus
            and self.gpus >= int(needs.gpu)
            and self.memory >= needs.memory_mb * 2**20
        )


def machines(ray: Any) -> list[Machine]:
    """Return the machines that are up."""
    return [
        Machine(
            node["NodeID"],
            node["Resources"].get("CPU", 0.0),
            node["Resources"].get("GPU", 0.0),
            node["Resources"].get("memory", 0.0),
        )
        for node in ray.nodes()
        if node["Alive"]
    ]


def require_room(found: list[Machine], needs: Mapping[str, Needs]) -> None:
    """Raise ``RunError`` A505 for a system that no machine could hold.  ``needs`` by its name."""
    for name, need in needs.items():
        if not any(machine.has(need) for machine in found):
            gpu = ", a GPU" if need.gpu else ""
            raise RunError(
                f"no machine of the cluster has room for {name}: it needs {need.cpus} CPUs{gpu} and "
                f"{need.memory_mb} MB",
                hint="add such a machine, or leave the system out of the plan",
                code="A505",
            )


def require_fit(ray: Any, run: RunDir, token: str, limits: Limits) -> dict[str, JsonValue]:
    """Ask every machine what it is and what it sees; return what a run's history says of them.

    Raises ``RunError`` A505 for a machine that does not see the run, or has another assay or Python.
    """
    on = import_module("ray.util.scheduling_strategies").NodeAffinitySchedulingStrategy
    there = machines(ray)
    remote = ray.remote(look)
    looks = [
        remote.options(
            num_cpus=0,
            max_retries=0,
            scheduling_strategy=on(node_id=m.id, soft=False),
        ).remote(str(run.root.resolve()), token, limits.sandbox)
        for m in there
    ]
    done, _ = ray.wait(looks, num_returns=len(looks), timeout=LOOK_S)
    answers = []
    for ref in done:
        try:
            answers.append(ray.get(ref))
        except ray.exceptions.RayError as error:
            # A machine that was lost meanwhile says nothing of the others.
            if isinstance(error, ray.exceptions.RayTaskError):
                raise _unlike(str(error.cause)) from None
    if not answers:
        raise RunError(
            "no machine of the cluster answers",
            hint="see `ray status`, and the logs of Ray on those machines",
            code="A505",
        )
    here = packages().get(US), sandbox_name(limits.sandbox)
    for said in answers:
        if "error" in said:
            raise unpack_error(said["error"])
        if (said["assay"], said["sandbox"]) != here:
            raise _unlike(
                f"assay {said['assay']}, sandbox {said['sandbox'] or 'as required'}; here it is "
                f"{here[0]}, {here[1] or 'as required'}"
            )
    return {
        "engine": "ray",
        "ray": ray.__version__,
        "nodes": len(there),
        "cpus": sum(m.cpus for m in there),
        "gpus": sum(m.gpus for m in there),
        "machines": _counted([said["machine"] for said in answers]),
    }


def _unlike(what: str) -> RunError:
    return RunError(
        f"a machine of the cluster is not set up as this one: {what}",
        hint="install the same assay, the same plugins and the same Python "
        f"({sys.version.split()[0]}) on every machine",
        code="A505",
    )


def _counted(found: list[dict[str, JsonValue]]) -> list[JsonValue]:
    """Return machines that are alike once, with how many there are."""
    kinds: list[dict[str, JsonValue]] = []
    counts: list[int] = []
    for one in found:
        if one in kinds:
            counts[kinds.index(one)] += 1
        else:
            kinds.append(one)
            counts.append(1)
    return [{"count": n, **kind} for n, kind in zip(counts, kinds, strict=True)]
