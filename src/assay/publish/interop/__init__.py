"""Logs of other tools, in and out."""
