"""Which prompts are the same, nearly the same, or mean the same."""
