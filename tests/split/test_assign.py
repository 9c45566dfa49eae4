"""Which image goes where."""

import numpy as np
import pytest

from stages.common.base.errors import InputError
from stages.split.assign import by_parts, check, duplicate_groups, with_validation

PARTS = [8, 2, 3]


def counts(split) -> list[int]:
    return [int((split == side).sum()) for side in ("train", "val", "test")]


def shuffled_labels(classes=10, per_class=130, seed=0):
    return np.random.default_rng(seed).permutation(np.repeat(np.arange(classes), per_class))


def test_each_class_is_divided_exactly():
    labels = shuffled_labels()
    split = by_parts(labels, np.arange(1300), PARTS, seed=0)
    assert counts(split) == [800, 200, 300]
    for label in range(10):
        assert counts(split[labels == label]) == [80, 20, 30]


def test_a_class_that_cannot_be_divided_evenly_is_divided_as_evenly_as_possible():
    labels = np.repeat([0, 1, 2], [7, 20, 1])
    split = by_parts(labels, np.arange(28), PARTS, seed=0)
    # 7 x 8/13 = 4.3 and 7 x 10/13 = 5.4; 20 x 8/13 = 12.3 and 20 x 10/13 = 15.4
    assert counts(split[:7]) == [4, 1, 2]
    assert counts(split[7:27]) == [12, 3, 5]
    assert counts(split[27:]) == [1, 0, 0]


def test_the_seed_alone_decides():
    labels, groups = shuffled_labels(), np.arange(1300)
    first = by_parts(labels, groups, PARTS, seed=3)
    assert np.array_equal(by_parts(labels, groups, PARTS, seed=3), first)
    assert not np.array_equal(by_parts(labels, groups, PARTS, seed=4), first)


def test_every_image_may_go_everywhere():
    labels = np.zeros(13, int)
    splits = np.array([by_parts(labels, np.arange(13), PARTS, seed) for seed in range(300)])
    for side, part in zip(("train", "val", "test"), PARTS, strict=True):
        share = (splits == side).mean(axis=0)
        # 300 draws: four standard deviations are at most 0.115
        assert np.abs(share - part / 13).max() < 0.115


@pytest.mark.parametrize("seed", range(5))
def test_duplicates_stay_together_and_the_shares_nearly_hold(seed):
    labels = np.repeat([0, 1], 65)
    groups = np.arange(130)
    groups[[5, 20, 40]] = 3  # four copies of one image of class 0
    groups[[70, 129]] = 66  # three of one of class 1
    split = by_parts(labels, groups, PARTS, seed)
    assert len(set(split[[3, 5, 20, 40]])) == 1
    assert len(set(split[[66, 70, 129]])) == 1
    for label, copies in ((0, 4), (1, 3)):
        exact = np.array([40, 10, 15])
        assert np.abs(np.array(counts(split[labels == label])) - exact).max() < copies


@pytest.mark.parametrize("seed", range(5))
def test_duplicates_with_other_labels_follow_the_first(seed):
    labels = np.repeat([0, 1], 13)
    groups = np.arange(26)
    groups[[14, 20]] = 2
    split = by_parts(labels, groups, PARTS, seed)
    assert split[2] == split[14] == split[20]


def test_exact_duplicates_share_the_number_of_the_first():
    images = np.random.default_rng(0).integers(0, 256, (6, 4, 4, 3), np.uint8)
    images[4] = images[1]
    images[5] = images[1]
    images[3] = images[0]
    images[3, 0, 0, 0] ^= 1  # nearly a duplicate
    assert duplicate_groups(images).tolist() == [0, 1, 2, 3, 1, 1]


def source_split(*sides) -> np.ndarray:
    return np.array([side for side, count in sides for _ in range(count)])


@pytest.mark.parametrize("order", ["train first", "test first", "mixed"])
def test_the_official_protocol_takes_validation_from_train_and_leaves_test_alone(order):
    origin = source_split(("train", 100), ("test", 160))
    if order == "test first":
        origin = origin[::-1]
    if order == "mixed":
        origin = np.random.default_rng(0).permutation(origin)
    labels = np.empty(260, int)
    for side in ("train", "test"):
        labels[origin == side] = np.arange((origin == side).sum()) % 2
    split = with_validation(labels, np.arange(260), origin, PARTS, seed=0)
    assert ((split == "test") == (origin == "test")).all()
    for label in (0, 1):
        assert counts(split[labels == label]) == [40, 10, 80]  # train and val are 8 : 2


def test_a_duplicate_of_a_test_image_in_train_does_not_disturb():
    origin = source_split(("test", 10), ("train", 40))
    labels = np.arange(50) % 2
    groups = np.arange(50)
    groups[[12, 30]] = 4
    split = with_validation(labels, groups, origin, PARTS, seed=0)
    assert ((split == "test") == (origin == "test")).all()
    assert split[12] == split[30]
    assert abs(counts(split)[1] - 8) <= 2


@pytest.mark.parametrize("side", ["train", "val", "test"])
def test_a_class_without_an_image_on_one_side_is_named(side):
    split = np.array(["train", "val", "test"] * 2)
    split[3:][split[3:] == side] = "train" if side != "train" else "val"
    with pytest.raises(InputError, match=f"the class 'dog' has no image in {side}: its 3 images"):
        check(split, np.repeat([0, 1], 3), ["cat", "dog"])
