"""One format made from another, a tensor at a time."""
