"""Several values on a line, with other separators and ends."""

print("red", "green", "blue", sep=", ", end=".\n")
print("left", "right", sep=" | ")
print("no line end", end="")
print()
print("", "", sep="-")
