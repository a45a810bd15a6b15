"""The same model at several precisions in one run: what a smaller file costs, answer by answer."""
