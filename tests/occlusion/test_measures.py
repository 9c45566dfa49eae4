"""What heatmaps say, against numbers worked out by hand."""

import numpy as np
import pytest

from stages.common import heatmaps
from stages.occlusion import measures


@pytest.mark.parametrize(
    "count, patch, stride, expected",
    [(3, 1, 4, [0, 4, 8]), (3, 9, 4, [4, 8, 12]), (2, 8, 6, [3.5, 9.5]), (1, 96, 6, [47.5])],
)
def test_centers(count, patch, stride, expected):
    assert heatmaps.centers(count, patch, stride).tolist() == expected


def logits_of(scores) -> np.ndarray:
    """Return logits that a softmax turns into these scores."""
    return np.log(np.asarray(scores, np.float64))


def test_the_map_of_a_target_is_its_class():
    scores = np.arange(1.0, 1 + 2 * 2 * 3 * 4).reshape(2, 2, 3, 4)
    scores /= scores.sum(axis=-1, keepdims=True)
    maps = measures.target_maps(logits_of(scores) + 7, np.array([1, 3]))
    np.testing.assert_allclose(maps, [scores[0, ..., 1], scores[1, ..., 3]])


def test_log_odds_are_exact_where_the_score_is_1():
    logits = np.array([[90, 30, 30], [90, 31, 30], [0, 0, 1000]], np.float32)
    odds = heatmaps.log_odds(logits, np.array([0, 0, 2]))
    expected = [60 - np.log(2), 60 - np.log(np.e + 1), 1000 - np.log(2)]
    np.testing.assert_allclose(odds, expected, rtol=1e-12)
    assert (measures.softmax(logits, np.array([0, 0, 2])) == 1).all()
    assert heatmaps.log_odds(logits[2], np.array(0)) == pytest.approx(-1000)


def test_log_odds_are_those_of_the_score():
    scores = np.array([0.2, 0.5, 0.3])
    for target, score in enumerate(scores):
        odds = heatmaps.log_odds(logits_of(scores), np.array(target))
        assert odds == pytest.approx(np.log(score / (1 - score)))


def test_a_map_is_blank_where_the_score_neither_falls_nor_rises():
    maps = np.full((3, 2, 2), 0.5)
    maps[0, 0, 1], maps[1, 1, 0], maps[2, 1, 1] = 0.509, 0.489, 0.511
    assert measures.blank(maps, np.full(3, 0.5)).tolist() == [True, False, False]


def test_the_largest_drop_is_to_the_lowest_score():
    maps = np.array([[[0.9, 0.5], [0.8, 0.7]], [[0.6, 0.6], [0.6, 0.7]]])
    drops = measures.largest_drop(maps, np.array([0.9, 0.5]))
    np.testing.assert_allclose(drops, [0.4, -0.1])  # the score may rise everywhere


def test_the_flip_share_counts_positions_with_another_answer():
    first = [[[0.9, 0.1], [0.4, 0.6]], [[0.3, 0.7], [0.8, 0.2]]]
    second = [[[0.1, 0.9], [0.4, 0.6]], [[0.3, 0.7], [0.2, 0.8]]]
    shares = measures.flip_share(np.array([first, second]), np.array([0, 1]))
    assert shares.tolist() == [0.5, 0.0]


def test_the_pointing_game_looks_at_the_centre_of_the_worst_patch():
    maps = np.ones((4, 3, 3))
    maps[0, 0, 2] = maps[1, 2, 0] = maps[2, 1, 1] = 0
    maps[3, 1, 2] = maps[3, 2, 1] = 0  # equal: the first counts
    masks = np.zeros((4, 20, 20), bool)
    # patch 8, stride 6: the centres are at 3.5, 9.5 and 15.5
    masks[0, 3, 15] = True
    masks[1, 3, 15] = True
    masks[2, 9, 9] = True
    masks[3, 9, 15] = True
    hits, chance = heatmaps.points_at_object(maps, masks, 8, 6)
    assert hits.tolist() == [True, False, True, True]
    np.testing.assert_allclose(chance, 1 / 9)


@pytest.mark.parametrize("patch, expected", [(8, 121 / 529), (16, 121 / 441), (32, 121 / 289)])
def test_chance_is_that_of_the_positions_that_a_patch_has(patch, expected):
    masks = np.zeros((1, 96, 96), bool)
    masks[:, 25:69, 25:69] = True  # of the pixels 21 %; eleven centres a side, whatever the patch
    side = (96 - patch) // 4 + 1
    _, chance = heatmaps.points_at_object(np.zeros((1, side, side)), masks, patch, 4)
    assert chance == pytest.approx(expected)


def ramp(patch, stride, size=96):
    """Return the map of a patch in which the score rises from top left to bottom right."""
    middles = heatmaps.centers((size - patch) // stride + 1, patch, stride)
    return middles[:, None] + 1.7 * middles


@pytest.mark.parametrize("patches", [(8, 16), (8, 32), (16, 32), (16, 16), (31, 60), (1, 90)])
@pytest.mark.parametrize("stride", [4, 6])
def test_maps_that_say_the_same_agree_wherever_their_patches_lie(patches, stride):
    first, second = patches
    one, two = ramp(first, stride), ramp(second, stride)
    assert measures.rank_agreement(one, first, two, second, stride) == pytest.approx(1)
    assert measures.rank_agreement(one, first, -two, second, stride) == pytest.approx(-1)


def test_maps_without_anything_in_common_do_not_agree():
    down = np.repeat(np.arange(15.0)[:, None], 15, axis=1)
    assert measures.rank_agreement(down, 8, down.T.copy(), 8, 6) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("value", [0.0, 0.3, 0.7, 0.999, 1.0, 0.123456])
@pytest.mark.parametrize(
    "patches, stride", [((8, 16), 6), ((8, 32), 6), ((16, 32), 6), ((5, 16), 7)]
)
def test_a_constant_map_agrees_with_nothing(value, patches, stride):
    first, second = patches
    flat = np.full_like(ramp(first, stride), value)
    assert np.isnan(measures.rank_agreement(flat, first, ramp(second, stride), second, stride))
    flat = np.full_like(ramp(second, stride), value)
    assert np.isnan(measures.rank_agreement(ramp(first, stride), first, flat, second, stride))


def test_a_map_of_a_single_position_agrees_with_nothing():
    assert np.isnan(measures.rank_agreement(ramp(8, 6), 8, ramp(96, 6), 96, 6))


def test_a_summary_is_as_by_hand():
    # image 0 is predicted right (class 0), image 1 wrong (class 1, actually 0)
    unoccluded = np.array([[0.9, 0.1], [0.3, 0.7]])
    large = np.empty((2, 2, 2, 2))
    large[0, ..., 0] = [[0.9, 0.4], [0.8, 0.7]]  # drops to .4, flips at one of four
    large[1, ..., 0] = [[0.3, 0.2], [0.6, 0.8]]  # the true class rises to .8, flips at two
    large[..., 1] = 1 - large[..., 0]
    # a patch of 8 with a stride of 8 on 16 pixels: centres 3.5 and 11.5
    masks = np.zeros((2, 16, 16), bool)
    masks[0, 3, 11] = True  # where image 0 drops most
    masks[1, :, :] = True
    given = measures.summary(
        {8: logits_of(large)}, logits_of(unoccluded), np.array([0, 0]), 8, masks
    )
    largest_drop_of_log_odds = given["patch_8"].pop("largest_drop_of_log_odds")
    odds = [np.log(score / (1 - score)) for score in (0.9, 0.4, 0.7, 0.2)]
    assert largest_drop_of_log_odds == pytest.approx(
        (odds[0] - odds[1] + odds[2] - odds[3]) / 2, abs=5e-5
    )
    assert given == {
        "images": 2,
        "patch_8": {
            "blank_maps": 0,
            "largest_drop_of_log_odds_of_blank_maps": None,
            "largest_drop": 0.5,  # .9 - .4 and .7 - .2
            "largest_rise_of_actual": 0.25,  # .9 - .9 and .8 - .3
            "flip_share": 0.375,
            "pointing_game": 1.0,
            "pointing_game_by_chance": (1 / 4 + 1) / 2,
        },
        "size_effect": {"largest_drop": {}, "flip_share": {}},
        "rank_agreement": {},
    }


def test_of_blank_maps_a_summary_has_the_fall_of_log_odds_by_itself():
    # by two nats from ten, which the score does not show, and from one, which it does
    logits = np.zeros((2, 1, 2, 2))
    logits[:, 0, :, 0] = [[10, 8], [1, -1]]
    given = measures.summary({8: logits}, np.array([[10.0, 0], [1, 0]]), np.array([0, 0]), 8)
    assert given["patch_8"]["blank_maps"] == 1
    assert given["patch_8"]["largest_drop_of_log_odds_of_blank_maps"] == 2.0
    logits[0, 0, 1, 0] = 7
    given = measures.summary({8: logits}, np.array([[10.0, 0], [1, 0]]), np.array([0, 0]), 8)
    assert given["patch_8"]["largest_drop_of_log_odds_of_blank_maps"] == 3.0


def test_a_summary_counts_the_images_in_which_a_larger_patch_does_more():
    lowest = {32: [0.1] * 7, 8: [0.7] * 6 + [0.05], 16: [0.7] * 7}  # 32 and 8 alone change answers
    scores = {
        patch: logits_of([[[[low, 1 - low]]] for low in lows]) for patch, lows in lowest.items()
    }
    given = measures.summary(scores, logits_of([[0.9, 0.1]] * 7), np.zeros(7, int), 8)
    some, all_but_one = {"rises": 0, "falls": 1, "p": 1.0}, {"rises": 7, "falls": 0, "p": 0.016}
    steps = {"8_16": some, "16_32": all_but_one}
    assert given["size_effect"] == {"largest_drop": steps, "flip_share": steps}


def test_a_summary_compares_every_pair_of_patches():
    def scores(patch):
        falling = 1 - ramp(patch, 6) / 1000
        return logits_of(np.stack([falling, 1 - falling], axis=-1)[None])

    sizes = {patch: scores(patch) for patch in (8, 16, 96)}
    given = measures.summary(sizes, logits_of([[0.999, 0.001]]), np.array([0]), 6)
    assert given["rank_agreement"] == {"8_16": 1.0, "8_96": None, "16_96": None}


@pytest.mark.parametrize("masks", [None, np.zeros((0, 96, 96), bool)])
def test_a_summary_of_no_images_has_nothing_to_average(masks):
    sizes = {patch: np.empty((0, 3, 3, 2)) for patch in (8, 16)}
    given = measures.summary(sizes, np.empty((0, 2)), np.empty(0, int), 6, masks)
    assert given["images"] == 0
    assert given["patch_8"].pop("blank_maps") == 0
    assert set(given["patch_8"].values()) == {None}
    assert given["rank_agreement"] == {"8_16": None}


def test_fills_are_compared_at_the_positions_that_they_share():
    fine = np.arange(25.0).reshape(1, 5, 5)
    coarse = fine[:, ::2, ::2]
    maps = {"mean": fine, "gray": coarse * 3, "black": -coarse, "blur": np.ones((1, 3, 3))}
    strides = {"mean": 4, "gray": 8, "black": 8, "blur": 8}
    assert measures.fill_agreement(maps, strides) == {
        "mean_gray": 1.0,
        "mean_black": -1.0,
        "mean_blur": None,
        "gray_black": -1.0,
        "gray_blur": None,
        "black_blur": None,
    }
    assert measures.fill_agreement({"mean": fine}, {"mean": 4}) == {}


def test_trust_is_a_comparison_of_areas_image_by_image():
    given = measures.trust(np.array([0.2, 0.3, 0.5]), np.array([0.5, 0.5, 0.4]))
    assert given["area"] == 0.3333 and given["area_by_chance"] == 0.4667
    assert given["against_chance"] == {"rises": 1, "falls": 2, "p": 1.0}
