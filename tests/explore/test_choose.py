"""The images that say most come first, and as many as there is room for."""

import numpy as np

from stages.explore.choose import MOST_MAPPED, fitting, highest, order, scattered


def test_images_with_maps_come_before_errors_and_errors_before_others():
    mapped, wrong = np.zeros(1000, bool), np.zeros(1000, bool)
    mapped[[3, 500]], wrong[[3, 7, 800]] = True, True
    found = order(mapped, wrong)
    assert sorted(found) == list(range(1000))
    assert set(found[:2]) == {3, 500} and set(found[2:4]) == {7, 800}


def test_the_first_few_are_evenly_spaced_however_many():
    for count in (10, 57, 300):
        gaps = np.diff(np.sort(scattered(1000)[:count]))
        assert gaps.max() <= 3 * 1000 / count


def test_as_many_are_taken_as_fit():
    assert [fitting([10, 20, 30], room) for room in (9, 10, 59, 60, 99)] == [0, 1, 2, 3, 3]
    assert fitting([], 5) == 0


def test_a_map_shows_all_of_few_classes_and_of_many_those_that_count():
    logits = np.tile(-np.arange(30.0), (4, 1))
    logits[1, 20], logits[2, 25] = 5, 3
    assert highest(logits[:, :3], [1]).tolist() == [0, 1, 2]
    found = highest(logits, [28, 29])
    assert len(found) == MOST_MAPPED and {20, 25, 28, 29} <= set(found.tolist())
    assert (np.diff(found) > 0).all()
