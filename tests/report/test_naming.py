"""The names of what is handed in."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.report.naming import slug


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ada Lovelace", "Ada-Lovelace"),
        ("Jürgen O'Neil", "Jürgen-O-Neil"),
        ("Ju\u0308rgen", "Jürgen"),
        ("Юрий Ёлкин", "Юрий-Ёлкин"),
        ("हिन्दी", "हिन्दी"),
        ("../../etc/passwd", "etc-passwd"),
        ("a\\b:c*d?", "a-b-c-d"),
        ("王小明", "王小明"),
        ("한글", "한글"),
        ("--- ", ""),
        ("", ""),
    ],
)
def test_a_slug_keeps_letters_and_digits_alone(text, expected):
    assert slug(text) == expected


@given(st.text())
def test_no_text_leads_out_of_the_folder_or_hides_the_file(text):
    kinds = {unicodedata.category(c)[0] for c in slug(text).replace("-", "")}
    assert kinds <= set("LMN")
    assert not slug(text).startswith("-")
