"""Commands on pull requests: what a comment asks for, whether it may, and what is done about it."""
