"""Rust that a system wrote: found in its answer, read, built, tested, and judged."""
