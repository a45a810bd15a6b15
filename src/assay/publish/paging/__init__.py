"""The samples of a sealed run a page at a time, whichever are asked for, however many there are."""
