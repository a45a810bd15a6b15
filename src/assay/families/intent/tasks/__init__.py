"""The tasks of the family: samples with their truth, in parts that do not leak."""
