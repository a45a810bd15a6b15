"""The systems of this family."""
