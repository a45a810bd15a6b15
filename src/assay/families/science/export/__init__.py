"""A network that is done, for others to load: an ONNX graph with masks, and what it was held to."""
