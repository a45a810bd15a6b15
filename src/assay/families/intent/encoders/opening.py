"""Encoders by name, opened, and held to their probes."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from assay import PluginError

from . import static
from .encoder import Encoder, encoder_agrees, made_by, open_graph
from .facts import EncoderFacts
from .files import EncoderFiles, locate_encoder
from .static import StaticEncoder, open_static
from .versions import GRAPH

Opened: TypeAlias = Encoder | StaticEncoder


def open_encoder(encoder: Path | str, *, threads: int = 1) -> Opened:
    """Find an encoder and make it ready to run, from files that are verified when they are read.

    What is computed from the files is made the first time and then kept in the cache.  An encoder
    of the registry is compared with what it gave its probes where it was measured, whenever it is
    opened.  Raises ``PluginError`` A401 (an extra is missing) or A403 (a file is missing or wrong,
    or what was made of it does not compute what it should).
    """
    files = locate_encoder(encoder)
    opened = open_static(files) if files.form == "static" else open_graph(files, threads=threads)
    if not encoder_agrees(opened, files.probes, within=files.within):
        raise PluginError(
            "the graph does not compute what the reference implementation computes",
            where=f"encoder {str(encoder)!r}",
            hint="try another version of onnxruntime, and tell us which one fails",
            code="A403",
        )
    return opened


def computation(files: EncoderFiles) -> str:
    """Return the name and version of what is computed from the files of an encoder.

    Two encoders of the same files and computation give the same embeddings, but for rounding.
    """
    if files.form == "static":
        return f"static/{static.VERSION} of bert/{GRAPH}"
    return f"bert/{made_by(files)}"


def facts_of(encoder: Opened) -> EncoderFacts:
    """Return what a card says of an encoder."""
    files = encoder.files
    return EncoderFacts(
        name=files.name,
        made_by=computation(files),
        weights=files.weights.digest,
        tokenizer=files.tokenizer.digest,
    )
