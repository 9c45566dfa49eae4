"""The names of what is handed in."""

import unicodedata
from itertools import groupby


def slug(text: str) -> str:
    """Turn text into a part of a file's name: letters and digits as they are, `-` for all else."""
    runs = groupby(unicodedata.normalize("NFC", text), _is_letter)
    return "-".join("".join(run) for is_word, run in runs if is_word)


def _is_letter(character: str) -> bool:
    # a mark, such as a vowel of Hindi, belongs to the letter before it
    return character.isalnum() or unicodedata.category(character).startswith("M")


def stem(author: str, student_number: str) -> str:
    """Name the report: `report_<author>_<number>`, without what is empty."""
    return "_".join(filter(None, ["report", slug(author), slug(student_number)]))
