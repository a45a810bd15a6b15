import io


def lines(text: str) -> list[str]:
    """Return the numbered lines of a text, read as a file is; a line "#end" ends it, none is an error."""
    found = []
    with io.StringIO(text) as file:
        for number, line in enumerate(file, start=1):
            line = line.rstrip("\n")
            if line == "#end":
                return found
            if line:
                found.append(f"{number}: {line}")
    raise EOFError("there is no #end")
