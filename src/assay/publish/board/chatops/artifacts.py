"""The sealed run that a workflow run kept, fetched within bounds.

Covered: an artifact of another workflow run, several of one name, one that is too large, was exchanged, or
unpacks to anything but one archive.
Not covered: what is in the archive.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import zipfile
import zlib

from ....core.errors import DataError
from ..archive import PACKED_LIMIT
from .api import Api
from .comments import ARTIFACT
from .payloads import Artifacts

MEMBER = "run.tar.xz"
ZIPPED_LIMIT = PACKED_LIMIT + (1 << 20)
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    OSError,
    ValueError,
    OverflowError,
    NotImplementedError,
    RuntimeError,
    EOFError,
)
"""What the library raises, by turns, at bytes that are no zip."""


def fetch(api: Api, run: int) -> bytes:
    """Return the archive that a workflow run kept.

    Raises ``DataError`` A200 where there is none or not just one, ``UnansweredError`` A405 as the API does.
    """
    found = api.get(f"/actions/runs/{run}/artifacts", Artifacts, per_page=100, name=ARTIFACT)
    ours = [
        artifact
        for artifact in found.artifacts
        if artifact.name == ARTIFACT
        and artifact.workflow_run is not None
        and artifact.workflow_run.id == run
    ]
    where = f"workflow run {run}"
    if len(ours) != 1:
        raise _refused(f"it kept {len(ours) or 'no'} sealed run{'s' * (len(ours) > 1)}", where)
    (artifact,) = ours
    if artifact.expired:
        raise _refused("the sealed run that it kept is gone", where)
    if artifact.size_in_bytes > ZIPPED_LIMIT:
        raise _refused(f"its sealed run has more than {PACKED_LIMIT:,} bytes", where)
    data = api.download(f"/actions/artifacts/{artifact.id}/zip", most=ZIPPED_LIMIT)
    if artifact.digest and artifact.digest != f"sha256:{hashlib.sha256(data).hexdigest()}":
        raise _refused("other bytes came than it kept", where)
    return member(data, where)


def member(data: bytes, where: str) -> bytes:
    """Return the one file that a zip may hold; raise ``DataError`` A200 for every other."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as zipped:
            names = zipped.namelist()
            if names != [MEMBER]:
                raise _refused(f"its artifact holds something else than {MEMBER}", where)
            if zipped.getinfo(MEMBER).compress_type not in (
                zipfile.ZIP_STORED,
                zipfile.ZIP_DEFLATED,
            ):  # the others are unpacked whole, however little of them is read
                raise _refused("its artifact is packed in another way than GitHub's", where)
            with zipped.open(MEMBER) as file:
                found = file.read(PACKED_LIMIT + 1)
    except _UNREADABLE as error:
        raise _refused(f"its artifact is no zip that is read: {error}", where) from None
    if len(found) > PACKED_LIMIT:
        raise _refused(f"its sealed run has more than {PACKED_LIMIT:,} bytes", where)
    return found


def _refused(what: str, where: str) -> DataError:
    return DataError(what, where=where, hint="say /test-benchmark again")
