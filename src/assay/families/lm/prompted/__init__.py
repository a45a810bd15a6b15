"""Systems that are asked by a prompt and answer in words."""
