"""The names of what is handed in."""

import unicodedata
from itertools import groupby


def slug(text: str) -> str:
    """Turn text into a part of a file's name: letters and digits, `-` for all else, no accents."""
    letters = unicodedata.normalize("NFKD", text)
    letters = "".join(c for c in letters if not unicodedata.combining(c))
    letters = unicodedata.normalize("NFC", letters)
    words = ("".join(run) for is_word, run in groupby(letters, str.isalnum) if is_word)
    return "-".join(words)


def stem(author: str, student_number: str) -> str:
    """Name the report: `report_<author>_<number>`, without what is empty."""
    return "_".join(filter(None, ["report", slug(author), slug(student_number)]))
