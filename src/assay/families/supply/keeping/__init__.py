"""The cache of model files: by digest, bounded, shared by processes."""
