"""A small transpiler by rules: what it cannot translate it says so, and does not guess."""
