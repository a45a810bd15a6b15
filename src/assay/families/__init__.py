"""One package per family; each imports only names that ``assay`` exports."""
