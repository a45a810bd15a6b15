"""What leaves the house: reports, gates, comparisons."""
