"""An encoder that was taught, as a folder: written with a card, known again by it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay import Artifact

from ..extras import extra
from .files import EncoderFiles, digest_of

FORMAT = "assay.intent.finetuned/1"


def save_encoder(
    weights: Mapping[str, NDArray[np.float32]],
    base: EncoderFiles,
    folder: Path,
    *,
    card: Mapping[str, object],
) -> Artifact:
    """Write a sentence-transformers folder: these weights, everything else as the base has it.

    ``card.json`` beside them names the digests of both and whatever ``card`` adds.  Equal weights
    and cards are equal bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for file in ("config.json", "modules.json", "sentence_bert_config.json", "tokenizer.json"):
        shutil.copyfile(base.folder / file, folder / file)
    for place in ("1_Pooling", "2_Normalize"):
        if (base.folder / place).is_dir():
            shutil.copytree(base.folder / place, folder / place, dirs_exist_ok=True)
    data = extra("safetensors.numpy").save(dict(weights), metadata={"format": "pt"})
    (folder / "model.safetensors").write_bytes(data)
    made = Artifact(
        digest=digest_of(data),
        kind="weights",
        size=len(data),
        parents=(base.weights.digest,),
        made_by="assay.families.intent.finetune/1",
        license=base.weights.license,
    )
    facts = {"format": FORMAT, "weights": made.digest, "base": base.weights.digest, **card}
    text = json.dumps(facts, indent=1, sort_keys=True, ensure_ascii=True)
    (folder / "card.json").write_text(text + "\n", encoding="ascii")
    return made


def mean_weights(folders: Sequence[Path]) -> dict[str, NDArray[np.float32]]:
    """Return the mean of the weights of encoders that were taught from the same base."""
    load = extra("safetensors.numpy").load_file
    taught = [load(folder / "model.safetensors") for folder in folders]
    return {
        name: np.asarray(np.mean([each[name] for each in taught], axis=0, dtype=np.float64), "f4")
        for name in taught[0]
    }


def is_taught(folder: Path, card: Mapping[str, object]) -> bool:
    """Whether a folder holds an encoder whose card says the same as ``card`` and is true.

    >>> is_taught(Path("/nowhere"), {})
    False
    """
    try:
        found = json.loads((folder / "card.json").read_bytes())
        data = (folder / "model.safetensors").read_bytes()
    except (OSError, ValueError):
        return False
    return (
        isinstance(found, dict)
        and found.get("format") == FORMAT
        and found.get("weights") == digest_of(data)
        and all(found.get(key) == value for key, value in card.items())
    )
