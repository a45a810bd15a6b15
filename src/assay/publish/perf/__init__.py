"""How fast assay is: suites are timed, two measurements compared, a gate judges, a page tells."""
