"""``.apr`` model files: every layout told, those with an index of tensors read, v2 written."""

from .layouts import Layout, sniff
from .metadata import settled
from .reading import AprFile, Map, open_apr
from .shards import open_shards
from .torch_tensors import torch_tensors
from .whole import Extent
from .writing import TensorToWrite, Written, write_apr

__all__ = [
    "AprFile",
    "Extent",
    "Layout",
    "Map",
    "TensorToWrite",
    "Written",
    "open_apr",
    "open_shards",
    "settled",
    "sniff",
    "torch_tensors",
    "write_apr",
]
