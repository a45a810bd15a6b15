"""Locks that end with the process that holds them, and an error in words where a system has none."""

from __future__ import annotations

from .store.locks import locking

__all__ = ["locking"]
