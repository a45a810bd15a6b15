"""Where code that nobody has read is run: what holds it, and what became of it."""
