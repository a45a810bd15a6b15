"""``assay model fetch``: files of models, brought into the cache as a lock names them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from assay.pages import Page, check_file, check_folder, wrong_option

if TYPE_CHECKING:
    from ..fetching.fetch import Fetched

Flag = Annotated[bool, Parameter(negative="")]


def fetch(
    *source: str,
    file: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    lock: Path = Path("models.lock"),
    out: Path | None = None,
    offline: Flag = False,
    limit: str | None = None,
    timeout: float = 60.0,
    unsafe_allow_pickle: Flag = False,
) -> Page:
    """Bring model files into the cache, as the lock names them; what the lock does not know is added to it.

    Parameters
    ----------
    source
        `hf:org/name@commit` (or a branch or tag, which stays at the commit that is locked), `https://...`,
        `file:path`, or `pypi:package==version#path/inside`; several are fetched one after the other.
    file
        A name or a pattern (`*.json`) of the files that are meant; may be given again. Without it all that
        can be read by their names.
    lock
        Where the bytes of each source are written down; it belongs under version control.
    out
        A folder to put the files into, under their own names.
    offline
        Use what is on this machine, and ask nobody.
    limit
        How much the cache may hold, as `20 GB`.
    timeout
        Seconds after which a connection that brings nothing, or less than 1 kB/s, counts as cut.
    unsafe_allow_pickle
        Convert pickles to safetensors, in a process that can harm nothing, instead of refusing them.
    """
    from assay.progress import BYTES, telling

    from ..fetching.fetch import Manner, fetching
    from ..fetching.laid import lay_out
    from ..fetching.patience import Patience
    from ..fetching.sources import parse_source
    from ..keeping.settings import models_cache

    check_file("--lock", lock)
    if not source:
        raise wrong_option("SOURCE", "nothing is named", "write hf:org/name@main, or file:path")
    if not 0 < timeout <= 86_400:
        raise wrong_option("--timeout", f"{timeout:g} s is no timeout", "give 1 to 86400")
    for each in source:
        parse_source(each)  # a slip in the last one is said before the first one is fetched
    check_folder(out)
    cache = models_cache(limit)
    fetched: list[Fetched] = []
    with telling(BYTES) as teller:
        manner = Manner(
            patience=Patience(timeout_s=timeout),
            tell=teller,
            pickles="convert" if unsafe_allow_pickle else "refuse",
        )
        for each in dict.fromkeys(source):
            with fetching(
                each, into=cache, lock=lock, files=file, offline=offline, manner=manner
            ) as done:
                if out is not None:
                    lay_out(done, out, cache=cache)
                fetched.append(done)
    lines = [line for done in fetched for line in lines_of(done, lock)]
    if out is not None:
        lines.append(f"Under their own names in {out}")
    facts = {
        "cache": str(cache.folder),
        "lock": str(lock),
        "out": str(out) if out else None,
        "sources": [facts_of(done) for done in fetched],
    }
    return Page(lines=lines, facts=facts)


def lines_of(done: Fetched, lock: Path) -> list[str | tuple[str, ...]]:
    """Return what is said of a source."""
    from ..keeping.sizes import spell_size

    total = sum(each.size for each in done.files)
    count = f"{len(done.files)} file{'s' if len(done.files) != 1 else ''}"
    lines: list[str | tuple[str, ...]] = [f"{done.source}: {count}, {spell_size(total)}"]
    lines += [
        (
            each.name,
            spell_size(each.size),
            f"sha256 {each.sha256}",
            "fetched" if each.name in done.came else "was there",
        )
        for each in done.files
    ]
    if done.resolved != done.source:
        lines.append(f"* {done.source} is {done.resolved}")
    lines.append(f"* licence: {done.licence or 'the source names none'}")
    if not done.added:
        lines.append(f"* every byte is the one that {lock} names")
    elif len(done.added) == len(done.files):
        lines.append(f"* written into {lock}: from now on these bytes, and no others")
    else:
        lines.append(f"* {len(done.added)} written into {lock}; the others are as it names them")
    lines += [f"* {note}" for note in done.notes]
    return lines


def facts_of(done: Fetched) -> dict[str, Any]:
    """Return what ``--json`` says of a source."""
    return {
        "source": done.source,
        "resolved": done.resolved,
        "commit": done.commit,
        "licence": done.licence,
        "files": [
            {
                "name": each.name,
                "sha256": each.sha256,
                "size": each.size,
                "path": str(each.path),
                "fetched": each.name in done.came,
            }
            for each in done.files
        ],
        "added_to_lock": list(done.added),
        "notes": list(done.notes),
    }
