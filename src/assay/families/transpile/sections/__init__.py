"""What the family adds to reports."""
