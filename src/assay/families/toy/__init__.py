"""A family for a first minute: small words, small systems, no extra to install."""
