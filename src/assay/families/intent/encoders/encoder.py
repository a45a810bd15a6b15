"""Text to sentence embeddings, with onnxruntime and tokenizers alone."""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from assay import Artifact
from assay.kept import cache_folder

from ..extras import extra
from .cache import cached, stored
from .files import EncoderFiles
from .versions import APART, GRAPH, INT8, OPSET

BATCH = 64
"""Texts per inference, at most.  No result depends on it."""


class Embedded(NamedTuple):
    """One embedding, the place of its text in what was asked, and what it cost."""

    place: int
    vector: NDArray[np.float32]
    seconds: float
    """Its share of the time of its batch."""


class Embeds(Protocol):
    """Anything that turns texts into embeddings, in any order."""

    def embed(self, texts: Sequence[str]) -> Iterator[Embedded]:
        """Yield one embedding per text."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Encoder:
    """A sentence encoder that is ready to run."""

    files: EncoderFiles
    graph: Artifact
    session: Any
    """``onnxruntime.InferenceSession``."""

    tokenizer: Any
    """``tokenizers.Tokenizer``, truncating, never padding."""

    def embed(self, texts: Sequence[str]) -> Iterator[Embedded]:
        """Yield an embedding per text, the shortest texts first.

        Texts are batched with texts of the same number of tokens, so that nothing is ever padded
        and no embedding depends on its neighbours.
        """
        start = time.perf_counter()
        by_length: defaultdict[int, list[tuple[int, list[int]]]] = defaultdict(list)
        for place, text in enumerate(texts):
            tokens = self.tokenizer.encode(text).ids
            by_length[len(tokens)].append((place, tokens))
        share = (time.perf_counter() - start) / max(len(texts), 1)
        for _, alike in sorted(by_length.items()):
            for first in range(0, len(alike), BATCH):
                batch = alike[first : first + BATCH]
                start = time.perf_counter()
                ids = np.array([tokens for _, tokens in batch], dtype=np.int64)
                feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
                [vectors] = self.session.run(None, feed)
                seconds = share + (time.perf_counter() - start) / len(batch)
                for (place, _), vector in zip(batch, vectors, strict=True):
                    yield Embedded(place, vector, seconds)

    def artifacts(self) -> tuple[Artifact, ...]:
        """Return what the encoder loaded: weights, tokenizer, graph."""
        return (self.files.weights, self.files.tokenizer, self.graph)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Remembering:
    """An encoder that encodes no text twice: for systems that are asked the same questions.

    A remembered embedding carries the seconds that it took when it was made, because that is what
    a system without a memory would have spent.
    """

    encoder: Embeds
    known: dict[str, Embedded] = field(default_factory=dict)

    def embed(self, texts: Sequence[str]) -> Iterator[Embedded]:
        """Yield an embedding per text, encoding only texts that were never seen."""
        places: defaultdict[str, list[int]] = defaultdict(list)
        for place, text in enumerate(texts):
            places[text].append(place)
        for text, where in places.items():
            if text in self.known:
                yield from (self.known[text]._replace(place=place) for place in where)
        fresh = [text for text in places if text not in self.known]
        for found in self.encoder.embed(fresh):
            text = fresh[found.place]
            self.known[text] = found
            yield from (found._replace(place=place) for place in places[text])


def matrix(encoder: Embeds, texts: Sequence[str]) -> NDArray[np.float64]:
    """Return the embeddings of texts as rows, in their order: [n, hidden]."""
    rows: list[NDArray[np.float32]] = [np.zeros(0, dtype=np.float32)] * len(texts)
    for found in encoder.embed(texts):
        rows[found.place] = found.vector
    return np.array(rows, dtype=np.float64)


def open_graph(files: EncoderFiles, *, threads: int = 1) -> Encoder:
    """Make a sentence encoder ready to run, from files that were found."""
    path, graph = graph_of(files)
    return Encoder(
        files=files,
        graph=graph,
        session=start_session(path, threads=threads),
        tokenizer=open_tokenizer(files),
    )


def graph_of(files: EncoderFiles) -> tuple[Path, Artifact]:
    """Return where the graph of an encoder is, written from the weights the first time, then kept.

    Its arrays are a file of their own that the runtime maps: of the word vectors, half of all bytes,
    only the pages are read that hold a word somebody used.
    """
    name, folder = _graph_name(files), cache_folder() / "graphs"
    parts = cache(lambda: _write_graph(files, f"{name}.bin"))
    arrays = stored(f"{name}.bin", lambda: parts()[1], folder=folder)
    graph = cached(f"{name}.onnx", lambda: parts()[0], folder=folder)
    return folder / f"{name}.onnx", Artifact(
        digest=graph.digest,
        kind="graph",
        size=len(graph.data) + arrays.size,
        parents=(files.weights.digest,),
        made_by=f"assay.families.intent.encoders.graph/{made_by(files)}",
        license=files.weights.license,
    )


def made_by(files: EncoderFiles) -> str:
    """Return which computation makes embeddings of the files, with its version."""
    return GRAPH if files.form == "fp32" else f"{GRAPH}-int8-{INT8}"


def encoder_agrees(
    encoder: Embeds, reference: Mapping[str, Sequence[float]], *, within: float = 1e-5
) -> bool:
    """Whether an encoder gives every prompt the coordinates that a reference gives it.

    ``reference`` holds the first coordinates of each embedding, or all of them; ``within`` bounds
    the absolute difference of each.  An empty reference is agreed with: there is nothing to
    contradict.
    """
    return largest_difference(encoder, reference) <= within


def largest_difference(encoder: Embeds, reference: Mapping[str, Sequence[float]]) -> float:
    """Return the largest absolute difference from a reference, over prompts and coordinates."""
    texts = list(reference)
    largest = 0.0
    for found in encoder.embed(texts):
        wanted = np.array(reference[texts[found.place]])
        gap = np.abs(found.vector[: len(wanted)] - wanted)
        largest = max(largest, float(gap.max(initial=0.0)) if np.isfinite(gap).all() else np.inf)
    return largest


def start_session(model: bytes | Path, *, threads: int = 1) -> Any:
    """Load a graph into onnxruntime: all optimisations, deterministic, ``threads`` threads.

    ``model`` is a whole graph, or the path of one whose arrays are beside it.
    """
    runtime = extra("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = runtime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.use_deterministic_compute = True
    options.log_severity_level = 3
    given = str(model) if isinstance(model, Path) else model
    return runtime.InferenceSession(given, options, providers=["CPUExecutionProvider"])


def open_tokenizer(files: EncoderFiles) -> Any:
    """Return the tokenizer of an encoder: it cuts long texts, and never pads."""
    tokenizer = extra("tokenizers").Tokenizer.from_buffer(files.read(files.tokenizer))
    tokenizer.no_padding()
    tokenizer.enable_truncation(files.shape.max_tokens)
    return tokenizer


def _graph_name(files: EncoderFiles) -> str:
    # A graph of a name is a graph of bytes: what could change them is in it.
    versions = (GRAPH,) if files.form == "fp32" else (GRAPH, files.form, INT8)
    computed = hashlib.sha256(
        repr((*versions, OPSET, APART, astuple(files.shape))).encode()
    ).hexdigest()
    return f"bert-{files.weights.digest.removeprefix('sha256:')[:16]}-{computed[:8]}"


def _write_graph(files: EncoderFiles, arrays: str) -> tuple[bytes, bytes]:
    from .apart import apart  # what a start does not need costs it nothing
    from .graph import bert_graph
    from .quantised import ARITHMETIC

    weights = extra("safetensors.numpy").load(files.read(files.weights))
    graph = bert_graph(weights, files.shape, ARITHMETIC if files.form == "int8" else None)
    return apart(graph, arrays)
