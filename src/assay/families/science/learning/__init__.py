"""How networks learn: rows, nets, losses, all seeds at once."""
