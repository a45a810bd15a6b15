"""Bring the files of a source into the cache, as a lock names them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from threading import Event

from assay import PluginError

from ..keeping.cache import ModelCache
from ..keeping.kept import Kept
from .hub import list_hub
from .local import list_files
from .lockfile import Lock, LockedSource, add_to_lock, check_writable, read_lock
from .offers import ALL, Listing, Offer, choose
from .packages import listed_packages
from .parallel import bring_all
from .patience import Patience
from .rehashing import found_in_cache
from .sources import FileSource, HubSource, PackageSource, WebSource, parse_source
from .web import Address
from .work import Pickles, Tells, Work
from .written import as_written

WORKERS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """The files of a source, each in the cache and each byte of it hashed."""

    source: str
    """As it was asked for, without what signs an address."""

    resolved: str
    """With its commit."""

    commit: str | None
    licence: str | None
    files: tuple[Kept, ...]
    """By name; ``name`` is the path inside the source, that of a converted pickle with ``.safetensors``."""

    came: tuple[str, ...] = ()
    """Names of those that were not in the cache."""

    added: tuple[str, ...] = ()
    """Names that the lock did not know."""

    notes: tuple[str, ...] = ()
    """What a careful reader should know, a sentence each."""


class Quiet:
    """Hears and says nothing."""

    def begin(self, phase: str, totals: dict[str, int]) -> None:
        """Do nothing."""

    def advance(self, system: str, replies: int) -> None:
        """Do nothing."""

    def note(self, text: str) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a fetch goes about it."""

    patience: Patience = field(default_factory=Patience)
    tell: Tells = field(default_factory=Quiet)
    workers: int = WORKERS
    """Files at the same time."""

    pickles: Pickles = "refuse"
    """Whether a pickle is converted, in a process that can harm nothing."""


def fetch(
    source: str,
    *,
    into: ModelCache,
    lock: Path | None = None,
    files: Sequence[str] = (),
    offline: bool = False,
    manner: Manner | None = None,
) -> Fetched:
    """Bring files of a source into the cache; with a lock, those bytes and no others.

    ``files`` are names or patterns; none stands for all that can be read.  What the lock does not know
    is added to it, a signed address without its signature.  A branch that the lock knows stays at its commit.  Nothing keeps the files from
    being evicted afterwards: see ``fetching``.

    Raises ``PlanError`` A106 for what is no source, ``PluginError`` A405 where something cannot be had,
    ``DataError`` A207 (*HALT checksum*) where bytes are not the named ones, A206 for code, A205 for other
    formats, A200 for a lock that cannot be read, ``AssayError`` A504 and A500 for want of room.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "config.json").write_text("{}")
    >>> lock = folder / "models.lock"
    >>> fetched = fetch(f"file:{folder}/config.json", into=ModelCache(folder / "cache"), lock=lock)
    >>> fetched.files[0].name, fetched.added, fetched.files[0].path.read_text()
    ('config.json', ('config.json',), '{}')
    >>> fetch(f"file:{folder}/config.json", into=ModelCache(folder / "cache"), lock=lock).came
    ()

    *Not to be trusted when* the lock is not under version control: it says which bytes were meant.
    """
    with fetching(
        source, into=into, lock=lock, files=files, offline=offline, manner=manner
    ) as fetched:
        return fetched


@contextmanager
def fetching(
    source: str,
    *,
    into: ModelCache,
    lock: Path | None = None,
    files: Sequence[str] = (),
    offline: bool = False,
    manner: Manner | None = None,
) -> Iterator[Fetched]:
    """Fetch, and hold the files while the block runs: nothing evicts them.  Raises as ``fetch`` does."""
    manner, named = manner or Manner(), as_written(source)
    parse_source(source)
    if lock is not None:
        check_writable(lock)
    entry = (read_lock(lock) if lock else Lock()).sources.get(named)
    with ExitStack() as held:
        work = Work(
            into=into,
            resolved=entry.resolved if entry else named,
            licence=entry.licence if entry else None,
            locked=entry.files if entry else {},
            patience=manner.patience,
            stop=Event(),
            tell=manner.tell,
            pickles=manner.pickles,
            held=held,
        )
        patterns = tuple(files) or (ALL,)
        there = _all_there(entry, patterns, work) if entry else None
        if entry and there is not None:
            yield _fetched(named, entry, there)
            return
        fetched, new = _brought(source, patterns, work, manner, offline=offline)
        if lock is not None:
            add_to_lock(lock, named, new)
        yield replace(fetched, added=fetched.added if lock else ())


def _brought(
    source: str, patterns: Sequence[str], work: Work, manner: Manner, *, offline: bool
) -> tuple[Fetched, LockedSource]:
    """Ask the source what it has, and bring it."""
    asked = parse_source(source)
    if not isinstance(asked, WebSource):  # a lock names no signature, and the server wants one
        asked = parse_source(work.resolved)
    with _listed(asked, work, offline=offline) as listing:
        _check_locked(work, listing, patterns)
        names = [offer.name for offer in listing.offers]
        chosen = choose(names, patterns, where=listing.resolved)
        offers = [offer for offer in listing.offers if offer.name in chosen.names]
        offers.sort(key=lambda offer: offer.name)
        work = replace(work, resolved=listing.resolved, licence=listing.licence)
        brought = bring_all(offers, work, workers=manner.workers)
    new = LockedSource(
        resolved=listing.resolved,
        licence=listing.licence,
        asked=tuple(patterns),
        files={name: each.bytes_of_source for name, each in brought.items()},
    )
    fetched = _fetched(as_written(source), new, tuple(each.kept for each in brought.values()))
    fetched = replace(
        fetched,
        came=tuple(each.kept.name for each in brought.values() if not each.was_there),
        added=tuple(name for name in brought if name not in work.locked),
        notes=(
            *listing.notes,
            *(each.note for each in brought.values() if each.note),
            *_left_out(chosen.left_out),
            *([_UNSIGNED] if as_written(source) != source else []),
        ),
    )
    return fetched, new


def _all_there(entry: LockedSource, patterns: Sequence[str], work: Work) -> tuple[Kept, ...] | None:
    """Return the files, hashed again, if the lock knows all that are meant and the cache has them."""
    if not all(pattern in entry.asked or pattern in entry.files for pattern in patterns):
        return None
    names = choose(entry.files, patterns, where=entry.resolved).names
    there = []
    for name in names:
        locked = entry.files[name]
        found = found_in_cache(name, locked.sha256, work, size=locked.size)
        if found is None:
            return None
        there.append(found.kept)
    return tuple(there)


@contextmanager
def _listed(
    source: HubSource | WebSource | FileSource | PackageSource, work: Work, *, offline: bool
) -> Iterator[Listing]:
    match source:
        case FileSource():
            yield list_files(source)
        case PackageSource():
            with listed_packages(
                source,
                work.into.folder / "wheels",
                offline=offline,
                timeout_s=work.patience.timeout_s,
            ) as listing:
                yield listing
        case _ if offline:
            why = "not all of it is in the cache" if work.locked else "no lock says what it has"
            raise PluginError(
                f"{why}, and --offline forbids to ask for it",
                where=work.resolved,
                hint="say it once without --offline, with the same lock",
                code="A405",
            )
        case HubSource():
            yield list_hub(source, work.patience, stop=work.stop, tell=work.tell.note)
        case WebSource():
            yield _web(source)


def _web(source: WebSource) -> Listing:
    from urllib.parse import unquote, urlsplit

    name = unquote(urlsplit(source.url).path).rstrip("/").rpartition("/")[2]
    if not name.isprintable() or name in (".", ".."):
        name = "file"
    named = as_written(source.url)
    address = Address(url=source.url, where=named)
    return Listing(resolved=named, offers=(Offer(name=name, at=address),))


def _check_locked(work: Work, listing: Listing, patterns: Sequence[str]) -> None:
    """Raise ``PluginError`` A405 where a locked file that is asked for is not offered any more."""
    offered = {offer.name for offer in listing.offers}
    for name in sorted(work.locked):
        if name not in offered and any(fnmatchcase(name, pattern) for pattern in patterns):
            raise PluginError(
                f"the lock names {name}, which is not there any more",
                where=listing.resolved,
                hint="ask the publisher; remove the source from the lock only when the change is meant",
                code="A405",
            )


def _fetched(source: str, entry: LockedSource, files: tuple[Kept, ...]) -> Fetched:
    parsed = parse_source(entry.resolved)
    return Fetched(
        source=source,
        resolved=entry.resolved,
        commit=parsed.commit if isinstance(parsed, HubSource) else None,
        licence=entry.licence,
        files=files,
    )


_UNSIGNED = "what signs the address, or opens it, is written down nowhere"


def _left_out(names: Sequence[str]) -> tuple[str, ...]:
    if not names:
        return ()
    some = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return (f"left out: {some}; name a file with --file to have it looked at",)
