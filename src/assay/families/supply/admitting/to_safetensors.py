"""Makes a safetensors file of a checkpoint of torch, inside the sandbox.

This file runs there by itself, so it imports nothing of assay.  What it prints and writes is believed by
nobody: a checkpoint may have got the better of ``torch.load``.

    python to_safetensors.py CHECKPOINT TARGET SHA256
"""

from __future__ import annotations

import json
import pickle
import sys
from typing import Any

NESTED = ("state_dict", "model_state_dict", "model", "module", "net", "ema")
"""Where checkpoints of training keep the weights, beside the optimiser's state."""

REFUSED, NO_WEIGHTS = 3, 4


def main() -> int:
    """Convert; the exit status says why not."""
    import torch
    from safetensors.torch import save_file

    source, target, sha256 = sys.argv[1:]
    try:
        loaded = torch.load(source, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        return _say(REFUSED, why=str(error))
    weights = _weights(loaded, torch.Tensor)
    tensors = {name: value for name, value in weights.items() if isinstance(value, torch.Tensor)}
    tensors = {name: value for name, value in tensors.items() if value.layout == torch.strided}
    if not tensors:
        return _say(NO_WEIGHTS)
    # Tensors that share memory are written each: a safetensors file has no such notion.
    whole = {name: value.detach().clone().contiguous() for name, value in tensors.items()}
    settings = {"unsafe_allow_pickle": True, "weights_only": True, "torch": torch.__version__}
    record = {
        "format": "pt",
        "assay.parents": json.dumps([f"sha256:{sha256}"]),
        "assay.settings": json.dumps(settings),
    }
    save_file(whole, target, metadata=record)
    left = sorted(str(name) for name in weights if name not in tensors)
    return _say(0, tensors=len(whole), left_out=left[:100], torch=torch.__version__)


def _weights(loaded: Any, tensor: type) -> dict[str, Any]:
    for _ in range(3):
        if not isinstance(loaded, dict):
            return {}
        if any(isinstance(value, tensor) for value in loaded.values()):
            break
        inner = next((loaded[name] for name in NESTED if isinstance(loaded.get(name), dict)), None)
        if inner is None:
            break
        loaded = inner
    return {name: value for name, value in loaded.items() if isinstance(name, str)}


def _say(status: int, **facts: Any) -> int:
    sys.stdout.write(json.dumps(facts) + "\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
