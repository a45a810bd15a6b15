"""Tasks that ask what a language model does that it should not."""
