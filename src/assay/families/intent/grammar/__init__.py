"""Domains, and the grammar that reads a request as typed steps."""
