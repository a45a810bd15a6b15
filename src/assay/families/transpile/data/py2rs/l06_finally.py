def trace(divisor: int, stop: bool) -> list[str]:
    """Return which parts of a try statement run, in order."""
    seen = ["start"]
    try:
        seen.append(f"{12 // divisor}")
        if stop:
            return seen
    except ZeroDivisionError:
        seen.append("except")
    else:
        seen.append("else")
    finally:
        seen.append("finally")
    seen.append("end")
    return seen
