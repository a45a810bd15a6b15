"""Model files: fetched, looked into, converted, and accepted on what they answer."""
