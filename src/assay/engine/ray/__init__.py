"""The engine ``ray``: the work of a run, cut into tasks for the machines of a Ray cluster."""
