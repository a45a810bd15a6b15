"""The recipes of the family: what a plan names after ``use: transpile.``."""
