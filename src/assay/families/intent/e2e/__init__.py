"""End to end: a prompt and the facts, to actions that were carried out or the reason why not."""
