"""Heads over embeddings: fitted, calibrated, written with a card, and asked."""
