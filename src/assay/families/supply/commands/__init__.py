"""``assay model``: the commands of this family, each in a module that is imported when it is called."""

from __future__ import annotations

from assay.pages import commands_app

app = commands_app(
    __name__,
    "model",
    "Model files: fetch, look into, convert, and accept on what they answer.",
    {
        "convert": ("convert:convert", "write a model as APR, safetensors, GGUF or ONNX"),
        "evict": ("evict:evict", "remove a model file from the cache"),
        "fetch": ("fetch:fetch", "bring model files into the cache, as models.lock names them"),
        "gc": ("gc:gc", "read every cached file again, and tidy; exit 1 where one had changed"),
        "inspect": (
            "inspect:inspect",
            "say what a model file or folder holds; exit 2 for a damaged one",
        ),
        "ls": ("ls:ls", "say which model files are kept"),
        "pin": ("pin:pin", "keep a model file from eviction"),
        "pipeline": ("pipeline:pipeline", "take the models of a tier file from source to front"),
        "sign": ("sign:sign", "sign a model file and its passport with a key of your own"),
        "validate": (
            "validate:validate",
            "compare a file with its source, weights and answers; exit 1 when refused",
        ),
        "verify": ("sign:verify", "verify a signature; exit 1 where a byte changed"),
    },
)
"""What a command of this family says is read from its module only when it is called."""
