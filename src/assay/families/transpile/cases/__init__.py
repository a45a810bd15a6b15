"""Test cases in JSON as tests in Rust, by way of types."""
