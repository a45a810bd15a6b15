"""Repositories as a board asks for them: what they have, and what the heads of their files say."""
