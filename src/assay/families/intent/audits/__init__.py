"""Audits of labelled prompts: leaks, conflicts, balance, ceilings."""
