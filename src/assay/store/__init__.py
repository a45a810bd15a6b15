"""Run directories: what is written, how it is sealed, how it is read back."""
