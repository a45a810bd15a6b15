"""Dates as people write them: a task, a rule, and a system that learns."""
