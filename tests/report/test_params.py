"""What may stand in the group `report`."""

import pytest

from stages.common.base.errors import InputError
from stages.common.base.params import check
from stages.report.params import Report

GOOD = {"author": "Ada Lovelace", "student_number": "0012345", "email": "ada@example.org"}


@pytest.mark.parametrize("changes", [{}, dict.fromkeys(GOOD, ""), {"author": "王小明"}])
def test_what_is_allowed_is_taken_as_it_is(changes):
    assert check(Report, GOOD | changes, "params.yaml").model_dump() == GOOD | changes


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"student_number": 12345}, 'should stand in quotes, "12345"'),
        ({"author": None}, "report.author is None: should be a valid string"),
        ({"author": "Ada\nLovelace"}, "should be printable text"),
        ({"author": "a" * 101}, "at most 100 characters"),
        ({"email": "ada"}, "should be an address such as name@example.org"),
        ({"email": "ada@"}, "should be an address"),
        ({"email": "a b@c"}, "should be an address"),
        ({"mail": "ada@example.org"}, "report.mail is not a known param; the nearest known key is"),
    ],
)
def test_anything_else_is_refused_in_one_line(changes, words):
    with pytest.raises(InputError, match="^[^\n]+$") as error:
        check(Report, GOOD | changes, "params.yaml", group="report")
    assert words in str(error.value)
