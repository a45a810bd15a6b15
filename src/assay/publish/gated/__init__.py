"""What a gate found, for the places where teams look: each a text, and nothing is written here."""
