"""Names of classes: what every table, picture and page shows as it is."""

import pytest

from stages.common.base.names import fault, twins

FORMULAS = [
    *("=1+1", "=cmd|' /C calc'!A0", "+1+1", "-2+3+cmd|' /C calc'!A0", "@SUM(A1)", "-cat", "+x"),
    *("\uff1d1+1", "cat;=1+1", "cat; @SUM(A1)", "-1;-1-1"),
]
PLAIN = [
    *(
        "-1",
        "+1",
        "-0.5",
        "-",
        "=",
        "a=b",
        "a-b",
        "me@home",
        "x; y",
        "cat, -1",
        "007",
        "NaN",
        "'=1",
    ),
    *("$x$", "<!--<script>", "*", "a  b", "\u6f22\u5b57", "e\u0301", "{{7*7}}", "a" * 250),
]


@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_is_no_name(name):
    assert "formula of a spreadsheet" in fault(name)


@pytest.mark.parametrize("name", PLAIN)
def test_whatever_is_shown_as_it_is_is_a_name(name):
    assert fault(name) == ""


@pytest.mark.parametrize("name", ["", "a\nb", "\x1b[2J", "\u202e", "\u200b", "\ud800", " a", "a "])
def test_what_cannot_be_seen_is_no_name(name):
    assert fault(name)


def test_names_that_look_alike_are_found():
    assert twins(["cat", "Cat", "e", "e\u0301"]) is None
    assert twins(["\u00e9", "cat", "e\u0301"]) == ("\u00e9", "e\u0301")
    assert twins(["a", "b", "a"]) == ("a", "a")
