"""From a plan to a sealed run."""
