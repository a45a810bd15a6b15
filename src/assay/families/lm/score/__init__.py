"""One number from 0 to 100 out of six categories, for display: how it is made, and how little it says alone."""
