"""A board of models: what people send, what was measured of it, what stands on the page."""
