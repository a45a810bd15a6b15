"""``assay intent bench``: one mapper beside its rivals, thresholds swept, views of one sealed run."""
