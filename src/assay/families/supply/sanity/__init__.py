"""``supply.sanity``: short prompts that tell whether a model file still works, with checks that can fail."""
