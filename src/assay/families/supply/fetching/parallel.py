"""Bring several files at the same time, and stop all of them where one cannot be had."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence

from assay import AssayError

from .bringing import bring, named_digest, still_to_come
from .offers import Offer
from .patience import Halted
from .rehashing import found_in_cache
from .work import Brought, Work

GRACE_S = 0.5


def bring_all(offers: Sequence[Offer], work: Work, *, workers: int) -> dict[str, Brought]:
    """Bring files into the cache; return them by name, in the order of ``offers``.

    What is there already is found first and held, so that making room for the others does not evict it.
    Raises what ``bring`` raises for the first file that fails; the others stop where they are and can be
    continued.  The threads are daemons: an interrupt does not wait for a server that is silent.
    """
    brought: dict[str, Brought] = {}
    for offer in offers:
        digest = named_digest(offer, work)
        there = found_in_cache(offer.name, digest, work, size=offer.size) if digest else None
        if there is not None:
            brought[offer.name] = there
    missing = [offer for offer in offers if offer.name not in brought]
    if not missing:
        return brought
    sizes = {offer.name: offer.size or 0 for offer in missing}
    work.into.room.check_size(sum(sizes.values()))
    work.into.room_for(sum(still_to_come(offer, work) for offer in missing))
    if any(sizes.values()):
        work.tell.begin("fetching", sizes)
    brought.update(_at_once(missing, work, workers))
    return {offer.name: brought[offer.name] for offer in offers}


def _at_once(offers: Sequence[Offer], work: Work, workers: int) -> dict[str, Brought]:
    waiting: queue.SimpleQueue[Offer] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[Offer, Brought | BaseException]] = queue.SimpleQueue()
    for offer in sorted(offers, key=lambda each: -(each.size or 0)):  # the longest begins first
        waiting.put(offer)

    def labour() -> None:
        while not work.stop.is_set():
            try:
                offer = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                done.put((offer, bring(offer, work)))
            except (AssayError, Halted, OSError) as error:  # raised again by the one who waits
                done.put((offer, error))
            except BaseException as error:  # a mistake of ours: shown here, too
                done.put((offer, error))
                raise

    threads = [
        threading.Thread(target=labour, daemon=True) for _ in range(min(workers, len(offers)))
    ]
    for thread in threads:
        thread.start()
    brought: dict[str, Brought] = {}
    failed: dict[str, BaseException] = {}
    try:
        while len(brought) < len(offers) and not failed:
            offer, result = done.get()
            if isinstance(result, BaseException):
                failed[offer.name] = result
            else:
                brought[offer.name] = result
    finally:
        work.stop.set()
    for error in failed.values():
        for thread in threads:  # most stop at their next piece; a silent server is not waited for
            thread.join(GRACE_S)
        raise error
    return brought
