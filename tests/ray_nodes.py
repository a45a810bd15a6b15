"""A Ray cluster of several nodes on this machine, in a process of its own.

    python ray_nodes.py CPUS ...

starts a head without CPUs and a node for each number (``2+1`` has a GPU, too, that is only counted), says
``ADDRESS`` and then the process id of each node's raylet, a line each.  ``kill N`` on standard input ends
node N at once, ``add CPUS`` adds one, ``name N`` asks for its name in the cluster; each is answered by a line.  It ends when standard input does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

STORE_BYTES = 80 * 2**20
TRIES = 4
"""Ray gives a node 30 seconds to start, which a busy machine does not always have."""


def main() -> None:
    """Start the nodes, and do as told."""
    from ray.cluster_utils import Cluster

    common = {"object_store_memory": STORE_BYTES, "include_dashboard": False}
    cluster = tried(lambda: Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **common}))
    nodes = []

    def add(words: str) -> None:
        cpus, _, gpus = words.partition("+")
        more = {"num_cpus": int(cpus), "num_gpus": int(gpus or 0), **common}
        nodes.append(tried(lambda: cluster.add_node(**more)))
        say(nodes[-1].all_processes["raylet"][0].process.pid)

    say(cluster.address)
    for words in sys.argv[1:]:
        add(words)
    for line in sys.stdin:
        verb, word = line.split()
        if verb == "kill":
            cluster.remove_node(nodes[int(word)], allow_graceful=False)
            say("killed")
        elif verb == "name":
            say(nodes[int(word)].node_id)
        else:
            add(word)
    cluster.shutdown()


def tried(start: Callable[[], Any]) -> Any:
    """Return what was started, also where Ray lost patience with it."""
    for _ in range(TRIES - 1):
        try:
            return start()
        except Exception as error:  # noqa: BLE001  (Ray raises nothing more exact)
            sys.stderr.write(f"{error}\n")
    return start()


def say(word: object) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
