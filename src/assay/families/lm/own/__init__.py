"""Tasks of our own for language models, made from small invented worlds that no model can know."""
