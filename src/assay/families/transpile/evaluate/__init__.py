"""``assay rust evaluate``: task files, model files and rivals become plans, which are run."""
