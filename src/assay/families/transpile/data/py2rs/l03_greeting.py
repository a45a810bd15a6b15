def plural(count: int, word: str) -> str:
    return word if count == 1 else word + "s"


def greeting(name: str, unread: int) -> str:
    """Return what a mail program says first."""
    name = name.strip()
    who = name.capitalize() if name else "stranger"
    if unread < 0:
        return f"Hello, {who}?"
    if unread == 0:
        return f"Hello, {who}. Nothing new."
    return f"Hello, {who}! {unread} new {plural(unread, 'message')}."
