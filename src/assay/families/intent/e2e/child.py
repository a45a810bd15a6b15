"""The canonical requests in a process of their own: ``python -m ...child BATCH THREADS [MAPPER]``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ..grammar.domain import load_domain
from ..grammar.verbs import by_keywords
from ..rails.canonical import canonical
from ..recipes.trained import load
from ..serving.handling import Handler
from ..training.shipped import defi_mapper
from .suite import handle_cases


def main() -> None:
    """Handle every case and write one line of JSON for each."""
    batch, threads, *mapper = sys.argv[1:]
    count = int(threads)
    made = load(Path(mapper[0]), threads=count) if mapper else defi_mapper(threads=count)
    domain = load_domain("defi")
    handler = Handler(decide=made.answer_all, domain=domain, second=by_keywords(domain))
    for one in handle_cases(handler, canonical(), batch=int(batch)):
        line = {"id": one.case.id, "said": one.said, "output": dict(one.output)}
        sys.stdout.write(json.dumps(line, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
