"""Methods of texts."""

print("quiet".upper())
print("LOUD".lower())
print("a title of a book".title())
print("  spaces around  ".strip())
print("banana".replace("an", "in", 1))
print("x".center(7, "*"))
print("7".zfill(3), "end".rjust(6), "top".ljust(5, "."), sep="/")
