"""What a language model takes on this machine: time, memory, energy, and how that stands to a reference."""
