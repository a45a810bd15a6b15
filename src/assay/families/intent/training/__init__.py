"""Training a mapper on labelled prompts, and the mapper that is shipped as its recipe."""
