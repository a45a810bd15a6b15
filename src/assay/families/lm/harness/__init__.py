"""Tasks of lm-evaluation-harness: its definitions make our samples, its metrics score our answers."""
