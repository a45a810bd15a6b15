"""A source as it may be written down: without what signs an address, or opens it.

*Covered*: the signed addresses of S3, Google, Azure, CloudFront and their like; tokens and keys that stand
under a name that says so; JSON web tokens under any name.  *Not covered*: a secret that is a part of the path, or
a parameter whose name says nothing.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

_SIGNERS = ("x-amz-", "x-goog-", "x-oss-", "x-cos-", "x-ms-", "x-bz-")
_NAMES = re.compile(
    r"(?:^|[^a-z])(?:sig|sign|signature|token|secret|password|passwd|pwd|credentials?|auth|authorization"
    r"|api_?-?key|access_?-?key(?:_?-?id)?|key|jwt|bearer|session|hmac|hdnea|hdnts)(?:[^a-z]|$)"
    r"|(?:signature|token|secret|password|apikey|accesskeyid|accesskey)$"
)
_WITH_A_SIGNATURE = re.compile(
    r"expires|policy|key-pair-id|googleaccessid|ossaccesskeyid"
    r"|s[tepvrs]|srt|spr|sip|sk[testv]|sk[ot]id|sdd|ses|saoid|suoid|scid"  # Azure's
)
"""Parameters that belong to a signature, and are renewed with it; alone they say which file is meant."""

_JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")


def as_written(source: str) -> str:
    """Return a source without the parts of its address that are secret; any other as it is.

    A new signature of the same address is therefore the same source.

    >>> as_written("https://b.s3.amazonaws.com/m.gguf?rev=2&X-Amz-Expires=60&X-Amz-Signature=ab12")
    'https://b.s3.amazonaws.com/m.gguf?rev=2'
    >>> as_written("https://host/m.gguf?download=true"), as_written("file:a?token=b")
    ('https://host/m.gguf?download=true', 'file:a?token=b')
    """
    if source.partition(":")[0].lower() not in ("http", "https"):
        return source
    address, _, fragment = source.partition("#")
    path, _, query = address.partition("?")
    pairs = [pair for pair in query.split("&") if pair]
    plain = [pair for pair in pairs if not _is_secret(pair)]
    if len(plain) < len(pairs):
        plain = [pair for pair in plain if not _WITH_A_SIGNATURE.fullmatch(_name(pair))]
    else:
        return source
    return path + ("?" if plain else "") + "&".join(plain) + ("#" if fragment else "") + fragment


def _is_secret(pair: str) -> bool:
    name = _name(pair)
    named = name.startswith(_SIGNERS) or _NAMES.search(name) is not None
    return named or _JWT.search(unquote_plus(pair.partition("=")[2])) is not None


def _name(pair: str) -> str:
    return unquote_plus(pair.partition("=")[0]).lower()
