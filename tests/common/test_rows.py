"""Which classes have a row where there is no room for all."""

import pandas as pd
import pytest

from stages.common.tables import rows


@pytest.mark.parametrize("count", [1, 2, 10, 20])
def test_a_few_classes_all_have_a_row(count):
    names = [f"{number}" for number in range(count)]
    table = pd.DataFrame({"class": names[1:], "score": 0.5, "recall": 0.5})
    assert rows.spaced_rows(count) == list(range(count))
    assert rows.highest_scored(table, names) == rows.least_recognised(table, names) == names


def test_of_many_those_that_the_rows_are_about_in_the_order_of_the_classes():
    names = [f"{number}" for number in range(200)]
    spaced = rows.spaced_rows(200)
    assert len(spaced) == 10 and spaced[0] == 0 and spaced[-1] == 199
    assert {later - earlier for earlier, later in zip(spaced, spaced[1:], strict=False)} <= {22, 23}
    scores = pd.DataFrame({"class": [*names[150:170], "3"], "score": [0.5] * 20 + [0.9]})
    assert rows.highest_scored(scores, names) == ["3", *names[150:159]]
    # the mean over networks decides
    recalls = {"class": names * 2, "recall": [0.1] * 5 + [0.5] * 195 + [0.9] * 5 + [0.2] * 195}
    assert rows.least_recognised(pd.DataFrame(recalls), names) == names[5:15]
