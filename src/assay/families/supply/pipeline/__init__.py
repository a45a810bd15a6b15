"""Model files from their sources to a front: a tier file, its stages, and a log of what was stopped."""
