"""Language models as systems under test."""
