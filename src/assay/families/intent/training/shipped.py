"""The mapper of the DeFi domain: trained when it is first asked for, then kept by what it is made from."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from assay import AssayError, PluginError
from assay.kept import cache_folder

from ..encoders.files import digest_of
from ..likeness.canonical import fingerprint
from ..recipes.trained import Trained, load
from ..tasks.defi import make
from .learning import MADE_BY, Training, train

LEAST = 300
"""Test prompts of the task that it learns from: train and calibration do not depend on it."""

QUICK = Training(encoder="tfidf", strength=100.0)
"""Learns in seconds, and is .83 right on calibration; MiniLM is .79, both together .85 after a minute,
an encoder that learnt too .91 after many (LOG.md, 2026-11-28): see ``make defi``."""

UNUSUAL, SEED = 0.25, 20261120
"""As the task ``intent.defi`` has them."""


def defi_mapper(
    how: Training | None = None,
    *,
    threads: int = 1,
    say: Callable[[str], None] = lambda _: None,
) -> Trained:
    """Return the DeFi mapper, trained now or before.

    It learns from train and tune of ``intent.defi``; its thresholds come from calibration; nobody
    looks at test.  Kept in ``$ASSAY_CACHE/mappers`` under a digest of the samples, the options and
    the code's version.  What is kept and is damaged, or was made with another encoder, is made
    again.  Two processes that train at once each keep a whole mapper; the last one stays.

    Raises ``PluginError`` A401 without the extra, A500 when the cache cannot be written.
    """
    how = how or QUICK
    splits = make(LEAST, UNUSUAL, SEED)
    lessons, calibration = (*splits["train"], *splits["tune"]), splits["calibration"]
    key = digest_of(
        repr(
            (MADE_BY, str(how.encoder), how, fingerprint(lessons), fingerprint(calibration))
        ).encode()
    )
    folder = cache_folder() / "mappers" / f"defi-{key.removeprefix('sha256:')[:16]}"
    if folder.is_dir():
        try:
            return load(folder, threads=threads)
        except PluginError as error:
            if error.code != "A403":
                raise
            say(f"the kept mapper cannot be used and is trained again: {error.what}")
    say("training the DeFi mapper, once")
    made = train(lessons, how, calibration=calibration, say=say)
    _keep(made, folder)
    return load(folder, threads=threads)


def _keep(made: Trained, folder: Path) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        made.save(fresh)
        shutil.rmtree(folder, ignore_errors=True)
        fresh.replace(folder)
    except OSError as error:
        raise AssayError(
            f"the cache cannot be written: {error.strerror or error}",
            where=str(folder),
            hint="set ASSAY_CACHE to a folder that can be written",
            code="A500",
        ) from error
