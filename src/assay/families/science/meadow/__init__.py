"""Signed common meadows: arithmetic in which every division has a result."""
