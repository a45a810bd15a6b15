"""The suites of the core: statistics, fronts, records."""
