def runs(text: str) -> str:
    """Return a text with repeated letters counted: aaab is a3b."""
    packed = ""
    at = 0
    while at < len(text):
        end = at
        while end < len(text) and text[end] == text[at]:
            end += 1
        packed += text[at] + (str(end - at) if end - at > 1 else "")
        at = end
    return packed
