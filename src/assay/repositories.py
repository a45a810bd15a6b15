"""Places where model files are, each kind a plugin: what they have, and what the heads of files say."""

from .publish.board.repository import (
    Repository,
    RepositoryFile,
    RepositoryReader,
    Weights,
    reader_of,
)

__all__ = ["Repository", "RepositoryFile", "RepositoryReader", "Weights", "reader_of"]
