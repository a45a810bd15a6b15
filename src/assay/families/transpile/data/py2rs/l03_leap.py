def divides(part: int, whole: int) -> bool:
    return whole % part == 0


def is_leap(year: int) -> bool:
    """Return whether a year of the Gregorian calendar has 366 days."""
    return divides(4, year) and (not divides(100, year) or divides(400, year))


def days_in(month: int, year: int) -> int:
    """Return the days of a month, 1 to 12; 0 for what is no month."""
    if month < 1 or month > 12:
        return 0
    if month == 2:
        return 29 if is_leap(year) else 28
    return 30 if month in (4, 6, 9, 11) else 31
