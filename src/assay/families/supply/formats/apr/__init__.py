"""``.apr`` model files: every layout told, those with an index of tensors read, v2 written."""

from .layouts import Layout, sniff
from .metadata import settled
from .reading import AprFile, open_apr
from .whole import Extent
from .writing import TensorToWrite, Written, write_apr

__all__ = [
    "AprFile",
    "Extent",
    "Layout",
    "TensorToWrite",
    "Written",
    "open_apr",
    "settled",
    "sniff",
    "write_apr",
]
