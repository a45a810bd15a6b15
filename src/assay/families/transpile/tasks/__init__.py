"""The tasks of the family: programs to translate, and what verifies translations."""
