"""``lm.labelled``: questions from labelled rows, answered in free text."""
