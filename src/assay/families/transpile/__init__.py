"""The family ``transpile``: Python to Rust, verified by a compiler and by tests."""
