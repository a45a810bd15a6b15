"""The domains as they were published, faults and all, so that published comparisons can be repeated."""
