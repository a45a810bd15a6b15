"""A model file that answers prompts: the folder that transformers loads, made of it alone."""
