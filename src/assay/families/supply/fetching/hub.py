"""Ask the Hub which commit a revision is, and which files with which digests it has."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any
from urllib.parse import urlsplit

from assay import PlanError, PluginError

from ..extras import extra
from .offers import MOST_FILES, Listing, Offer, check_name
from .patience import Hitch, Patience
from .sources import HubSource, is_loopback
from .web import BUSY, Address, hint_of

HUB = "https://huggingface.co"


def endpoint() -> str:
    """Return the address of the Hub: ``$HF_ENDPOINT``, or the public one.

    Raises ``PlanError`` A106 for one that would carry a token in the open.
    """
    named = os.environ.get("HF_ENDPOINT", "").rstrip("/") or HUB
    parts = urlsplit(named)
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        return named
    raise PlanError(
        f"{named!r} is no address of a Hub",
        where="HF_ENDPOINT",
        hint="set it to https://host, or unset it",
        code="A106",
    )


def list_hub(
    source: HubSource, patience: Patience, *, stop: Event, tell: Callable[[str], object]
) -> Listing:
    """Return what a repository has at its revision, with the commit that it is now.

    Raises ``PluginError`` A405 where the Hub refuses or cannot be reached, A401 without
    huggingface-hub.
    """
    where = source.at(source.revision)
    at, token = endpoint(), os.environ.get("HF_TOKEN", "").strip() or None
    tried = 0
    while True:
        try:
            with _understood(where, source):
                info = _ask(source, at, token, patience.timeout_s)
            break
        except Hitch as hitch:
            tried += 1
            patience.pause(tried, hitch, where=where, stop=stop, tell=tell)
    commit = str(info.sha)
    resolved = source.at(commit)
    if source.commit not in (None, commit):
        raise PluginError(
            f"the Hub answers with commit {commit[:12]} to another one",
            where=where,
            hint="ask again; if it stays so, use another address in HF_ENDPOINT",
            code="A405",
        )
    siblings = info.siblings or []
    if len(siblings) > MOST_FILES:
        raise PluginError(
            f"the repository has {len(siblings):,} files; {MOST_FILES:,} are read at most",
            where=where,
            hint="fetch the files by their addresses: https://...",
            code="A405",
        )
    offers = tuple(_offer(each, source, commit, (at, token)) for each in siblings)
    card = info.card_data
    licence = getattr(card, "license_name", None) or getattr(card, "license", None)
    return Listing(
        resolved=resolved,
        commit=commit,
        offers=offers,
        licence=licence if isinstance(licence, str) else None,
    )


def hub_address(source: HubSource, commit: str, name: str) -> Address:
    """Return where a file of a commit is."""
    token = os.environ.get("HF_TOKEN", "").strip() or None
    return _address(source, commit, name, (endpoint(), token))


def _address(source: HubSource, commit: str, name: str, door: tuple[str, str | None]) -> Address:
    from urllib.parse import quote

    at, token = door
    url = f"{at}/{source.repo}/resolve/{commit}/{quote(name)}"
    return Address(url=url, token=token, where=f"{source.at(commit)}#{name}")


def _offer(sibling: Any, source: HubSource, commit: str, door: tuple[str, str | None]) -> Offer:
    name = check_name(sibling.rfilename, where=source.at(commit))
    return Offer(
        name=name,
        at=_address(source, commit, name, door),
        size=sibling.lfs.size if sibling.lfs else sibling.size,
        sha256=sibling.lfs.sha256 if sibling.lfs else None,
        git_oid=None if sibling.lfs else sibling.blob_id,
    )


def _ask(source: HubSource, at: str, token: str | None, timeout_s: float) -> Any:
    api = extra("huggingface_hub").HfApi(endpoint=at, token=token or False, library_name="assay")
    return api.model_info(
        source.repo, revision=source.revision, files_metadata=True, timeout=timeout_s
    )


@contextmanager
def _understood(where: str, source: HubSource) -> Iterator[None]:
    errors = extra("huggingface_hub.errors")
    try:
        yield
    except errors.OfflineModeIsEnabled:
        raise _no(where, "HF_HUB_OFFLINE forbids to ask", "unset it, or add --offline") from None
    except errors.GatedRepoError:
        hint = "accept its terms on its page, and set HF_TOKEN to a token of that account"
        raise _no(where, "the repository is gated", hint) from None
    except errors.RevisionNotFoundError:
        hint = f"look at the branches and tags of {source.repo}, or write its commit"
        raise _no(where, f"the repository has no revision {source.revision!r}", hint) from None
    except errors.RepositoryNotFoundError:
        hint = "check the name; a private one needs a token in HF_TOKEN that may read it"
        raise _no(where, "the Hub has no such repository, or does not show it", hint) from None
    except errors.HFValidationError as error:
        raise _no(where, str(error).splitlines()[0], "write hf:org/name@commit") from None
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        what = f"the Hub says {status}"
        if status in BUSY:
            said = error.response.headers.get("Retry-After", "")
            raise Hitch(what, wait_s=float(said) if said.isdecimal() else None) from None
        raise _no(where, what, hint_of(status)) from None
    except errors.HTTPError as error:  # of the transport below: refused, silent, cut
        hint = "check HF_ENDPOINT and the network; --offline uses what is in the cache"
        raise Hitch(f"the Hub cannot be reached: {error}", hint=hint, most=3) from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        hint = "check HF_ENDPOINT: it may be the address of something else"
        raise _no(where, f"the answer is not one of a Hub: {error}", hint) from None


def _no(where: str, what: str, hint: str) -> PluginError:
    return PluginError(what, where=where, hint=hint, code="A405")
