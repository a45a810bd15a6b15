"""How likely a model finds texts: every shared beginning is computed once."""
