"""A text of several lines, with quotes and a tab."""

print(
    """The tide comes in,
    the tide goes out.
\tNobody says "stop".
"""
)
print('It\'s the moon\'s doing: "\\o/"')
