"""The nouns.  Standard library only: no files, no clock, no log."""
