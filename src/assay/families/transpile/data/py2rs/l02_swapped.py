"""Names change hands; texts are put together."""

first, second, third = "ada", "grace", "edsger"
first, second = second, first
second, third = third, second
line = first + "-" + second + "-" + third
print(line, len(line))
line *= 2
print(line)
initials = f"{first:.1}{second:.1}{third:.1}".upper()
print(f"{initials!r} {initials:>6} {line.count('a')}")
print(first < second, second == "edsger", "race" in first)
