"""Bytes from the Hub, the web, packages and folders, compared with what was named."""
