"""Bring several files at the same time, and stop all of them where one cannot be had."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence

from .bringing import Brought, Work, bring, found_in_cache, named_digest
from .offers import Offer
from .patience import Halted


def bring_all(offers: Sequence[Offer], work: Work, *, workers: int) -> dict[str, Brought]:
    """Bring files into the cache; return them by name, in the order of ``offers``.

    What is there already is found first and held, so that making room for the others does not evict it.
    Raises what ``bring`` raises for the first file that fails; the others stop where they are and can be
    continued.  The threads are daemons: an interrupt does not wait for a server that is silent.
    """
    brought: dict[str, Brought] = {}
    for offer in offers:
        digest = named_digest(offer, work)
        kept = found_in_cache(offer.name, digest, work) if digest else None
        if kept is not None:
            brought[offer.name] = Brought(kept=kept, was_there=True)
    missing = [offer for offer in offers if offer.name not in brought]
    if not missing:
        return brought
    sizes = {offer.name: offer.size or 0 for offer in missing}
    work.into.room_for(sum(sizes.values()))
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
            except BaseException as error:  # noqa: BLE001  (raised again by the one who waits)
                done.put((offer, error))

    for _ in range(min(workers, len(offers))):
        threading.Thread(target=labour, daemon=True).start()
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
        if not isinstance(error, Halted):
            raise error
    return brought
