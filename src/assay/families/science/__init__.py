"""Claims over seeds, for networks that may answer "no value here"."""
