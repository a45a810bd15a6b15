"""Arrays in, numbers out.  Knows nothing about runs: no files, no clock, no log."""
