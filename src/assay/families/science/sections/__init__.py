"""What reports say of a value that may not be there."""
