"""Python programs to translate, with what tells whether a translation is right."""
