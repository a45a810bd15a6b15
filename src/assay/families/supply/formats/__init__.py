"""One module for each format of model files; each reads a head without loading the weights."""
