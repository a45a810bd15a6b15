"""The recipes of the family: what a plan names after ``uses: intent.``."""
