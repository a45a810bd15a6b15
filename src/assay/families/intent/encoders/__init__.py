"""Sentence encoders: found, verified, run, distilled and taught."""
