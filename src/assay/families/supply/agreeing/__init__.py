"""Whether two model files say the same: on weights first, then on what they answer."""
