"""A user's mistake, told in one line: what, where, and what is allowed."""

from typing import Any

LONGEST = 200  # characters of a value, or of a library's words, that a message shows


class InputError(Exception):
    """A user's mistake: the message is one line that says what, where and what is allowed."""

    def __init__(self, message: str):
        super().__init__(one_line(message))


def one_line(text: str) -> str:
    """Escape what is not printable: a name must neither break the line nor steer the terminal."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def reason(error: Exception) -> str:
    """Return the first line of what a library says about damaged content, cut where it is long."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:LONGEST]


def shown(value: Any) -> str:
    """Return a value as a message shows it: as in Python, cut where it is long."""
    try:
        text = repr(value)
    except ValueError:
        text = "a number of thousands of digits"  # Python writes none of them
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
