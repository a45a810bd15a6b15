"""Differential testing: what a Python program makes of generated inputs, its translation must make too."""
