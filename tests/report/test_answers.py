"""Every sentence follows from the numbers: made-up ones, in both directions."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.evaluate import agreement
from stages.evaluate.statistics import accuracy_interval
from stages.report import answers
from stages.report.answers import mixed_pairs
from stages.report.results import (
    GALLERY,
    Agreement,
    Interval,
    Measured,
    Occluded,
    Pair,
    Patch,
)

CLASSES = ["cat", "dog", "ship"]
SPLITS = ("train", "val", "test")


def measured(correct: int, count: int = 100) -> Measured:
    low, high = accuracy_interval(correct, count)
    return Measured(
        accuracy=correct / count,
        accuracy_interval=Interval(low=low, high=high),
        loss=1.0,
        macro_f1=0.5,
        expected_calibration_error=0.1,
    )


def pair(only_first: int, only_second: int, p: float) -> Pair:
    return Pair(only_first=only_first, only_second=only_second, p=p / 2, p_holm=p)


def results(train: int, val: int, test: int) -> dict[str, Measured]:
    return dict(zip(SPLITS, map(measured, (train, val, test)), strict=True))


def history(train_loss: list[float], val_loss: list[float]) -> pd.DataFrame:
    epochs = range(1, len(val_loss) + 1)
    return pd.DataFrame({"epoch": epochs, "train_loss": train_loss, "val_loss": val_loss})


@pytest.mark.parametrize(
    ("words", "expected"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", 3], "a, b and 3")],
)
def test_words_are_joined_as_in_a_sentence(words, expected):
    assert answers.join(words) == expected


@pytest.mark.parametrize("source", ["sample", "npz", "folder", "another"])
def test_no_other_source_is_called_stl_10(source):
    totals = {"train": 8, "val": 2, "test": 3}
    text = answers.data(source, "parts", totals, 10, 0) + answers.data_short(source, totals)
    assert "STL-10" not in text.replace("of the ten classes of STL-10 (they are not STL-10)", "")
    assert "13 colour images" in text and "8 train, 2 validation and 3 test images" in text


def test_stl_10_is_called_by_its_name_and_duplicates_are_counted():
    text = answers.data("stl10", "source", {"train": 8000, "val": 2, "test": 3}, 1, 2)
    assert "The data are STL-10" in text and "8,000 train" in text and "1 class." in text
    assert "2 images repeat an earlier one exactly" in text
    assert "1 image repeats" in answers.data("npz", "x", {"train": 1, "val": 1, "test": 1}, 1, 1)


@pytest.mark.parametrize(
    ("train", "val", "expected", "absent"),
    [
        (99, 60, "It overfits: on train it is 39.0 points better", "no overfitting"),
        (62, 60, "Train and validation are 2.0 points apart", "It overfits"),
        (60, 99, "On validation it is 39.0 points better than on train", "overfit"),
    ],
)
def test_overfitting_is_claimed_beyond_the_intervals_alone(train, val, expected, absent):
    curve = history([2.0, 1.0], [2.0, 1.5])
    text = answers.learning("deep CNN", curve, 2, results(train, val, 60), 0.1)
    assert expected in text and absent not in text


@pytest.mark.parametrize(
    ("test", "expected"),
    [(60, "that is more than what"), (12, "that cannot be told from what"), (0, "is less than")],
)
def test_a_network_at_chance_is_not_said_to_have_learnt(test, expected):
    curve = history([2.0], [2.0])
    text = answers.learning("deep CNN", curve, 1, results(60, 60, test), 0.1)
    assert expected in text and "what always naming the most frequent class would give" in text
    assert "1 epoch." in text and "loss" not in text


def test_the_lowest_loss_is_that_of_the_curve():
    curve = history([2.0, 1.0, 0.1], [2.0, 1.5, 1.75])
    text = answers.learning("deep CNN", curve, 3, results(99, 60, 60), 0.1)
    assert "lowest after epoch 2 (1.500); after the last one it is 1.750, against 0.100" in text


def gallery(*rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(GALLERY))


def test_a_gallery_says_which_classes_have_fewer_images():
    table = gallery(
        ("correct", "cat", 1, "cat", "cat", 0.9),
        ("correct", "cat", 2, "cat", "cat", 0.8),
        ("correct", "dog", 1, "dog", "dog", 0.95),
    )
    text = answers.gallery_correct(table, CLASSES, 2)
    assert "3 images" in text and "from 0.800 to 0.950" in text
    assert "Fewer than 2 are classified correctly in 2 classes: dog (1) and ship (none)." in text
    assert "0.950 at best (dog) and 0.900 at least (cat)" in text
    full = answers.gallery_correct(table[table["class"] == "cat"], ["cat"], 2)
    assert "Every class has 2 images" in full and "at best" not in full


def test_many_classes_with_fewer_images_are_counted_instead():
    table = gallery(("correct", "c0", 1, "c0", "c0", 0.9))
    names = [f"c{i}" for i in range(40)]
    text = answers.gallery_correct(table, names, 5)
    assert "Fewer than 5 are classified correctly in 40 classes, none at all in 39." in text


def test_an_empty_gallery_is_called_so():
    empty = gallery()
    assert "is empty" in answers.gallery_correct(empty, CLASSES, 5)
    assert "No validation image is misclassified" in answers.gallery_misclassified(
        empty, CLASSES, 5, "actual"
    )
    assert answers.gallery_short("correct", empty) == "No validation image is correct."


def test_a_gallery_in_a_line_says_how_many_images_and_how_sure():
    table = gallery(
        ("misclassified", "cat", 1, "cat", "dog", 0.9),
        ("misclassified", "dog", 1, "dog", "cat", 0.75),
    )
    assert answers.gallery_short("misclassified", table) == (
        "The gallery has 2 misclassified images, with scores of 0.750 to 0.900."
    )


def test_the_most_frequent_error_is_named_only_if_it_comes_twice():
    rows = [
        ("misclassified", "cat", 1, "cat", "dog", 0.99),
        ("misclassified", "dog", 1, "dog", "cat", 0.7),
    ]
    text = answers.gallery_misclassified(gallery(*rows), CLASSES, 2, "actual")
    assert "0.990, cat taken for dog; 1 of the 2 errors shown score above 0.9" in text
    assert "listed under the true class" in text and "No class is taken" in text
    rows.append(("misclassified", "cat", 2, "cat", "dog", 0.8))
    text = answers.gallery_misclassified(gallery(*rows), CLASSES, 2, "predicted")
    assert "Most frequent, 2 times each: cat taken for dog." in text
    assert "listed under the predicted class" in text


# each class is taken for the next one, ever more often
PATTERN = np.diag([50] * 7) + np.diag([2, 4, 6, 8, 10, 12], 1)
OTHER = np.rot90(PATTERN - np.diag([50] * 7)) + np.diag([50] * 7)
NAMES = list("abcdefg")


def confusion(train, val, test, accuracies=(80, 80, 80)):
    counts = dict(zip(SPLITS, (train, val, test), strict=True))
    summary, _ = agreement.compare(counts, NAMES)
    found = {pair: Agreement(**figures) for pair, figures in summary.items()}
    return answers.confusion(results(*accuracies), counts, NAMES, found)


def test_three_matrices_of_one_shape_share_a_pattern():
    verdict, level, shape = confusion(PATTERN * 3, PATTERN, PATTERN)
    assert verdict.startswith("Yes: on all three")
    assert "Misclassified are 126 of 1,176 images on train, 42 of 392" in level
    assert "train and test +1.00 (p " in shape
    assert "validation and test 0.00 (by chance 0.00, p = 1.000)" in shape
    assert "None of these is more than the same errors dealt at random would give." in shape
    assert "On test most often mixed are f and g (12); e and f (10); d and e (8)" in shape


def test_errors_that_are_spread_differently_are_said_to_be():
    _, _, shape = confusion(OTHER, PATTERN, PATTERN)
    beyond = (
        "Beyond chance the spread differs between train and validation; between train and test."
    )
    assert beyond in shape and "None of these" not in shape


def test_a_pattern_that_two_share_is_not_claimed_for_the_third():
    verdict, _, shape = confusion(OTHER, PATTERN, PATTERN)
    assert verdict.startswith("In part: similar pairs of classes are mixed on validation and test;")
    assert "train and validation −" in shape or "train and validation +0" in shape


def test_matrices_without_errors_share_nothing():
    clean = np.diag([9] * 7)
    verdict, level, shape = confusion(clean, clean, clean)
    assert verdict.startswith("It cannot be shown")
    assert "0 of 63 images on train" in level
    assert "train and validation cannot be compared (0 errors on train and 0 errors on" in shape
    assert "On validation no two classes are mixed" in shape and "Jensen" not in shape


def test_pairs_are_ranked_by_errors_in_both_directions():
    counts = np.array([[9, 1, 0], [2, 9, 3], [0, 0, 9]])
    assert mixed_pairs(counts) == [(0, 1, 3), (1, 2, 3)]
    assert mixed_pairs(np.diag([1, 2])) == []


@pytest.mark.parametrize(
    ("accuracies", "expected"),
    [
        ((99, 70, 60), "The level of train is better"),
        ((60, 70, 99), "The level of test is better"),
        ((60, 61, 62), "The intervals of train and test overlap"),
    ],
)
def test_levels_differ_beyond_the_intervals_alone(accuracies, expected):
    assert expected in confusion(PATTERN, PATTERN, PATTERN, accuracies)[1]


def test_pairs_as_frequent_as_the_last_that_is_named_are_counted():
    even = np.diag([9] * 7) + np.diag([1] * 6, 1)
    assert answers.most_mixed(even, NAMES).endswith("other, and 3 more as often as the last")


@pytest.mark.parametrize(
    ("one", "other", "test", "expected"),
    [
        (60, 80, (5, 25, 0.0003), "20.0 points better than the deep CNN, beyond chance."),
        (80, 60, (25, 5, 0.0003), "20.0 points worse than the deep CNN, beyond chance."),
        (60, 62, (9, 11, 0.8), "2.0 points better than the deep CNN, which could be chance."),
        (60, 60, (9, 9, 1.0), "as often as the deep CNN, which could be chance."),
    ],
)
def test_a_comparison_goes_by_the_images_on_which_two_networks_differ(one, other, test, expected):
    names = ("deep CNN", "better CNN")
    test = pair(*test)
    text = answers.versus(names, (measured(one), measured(other)), test)
    assert text.endswith(expected)
    assert f"{other}.0% (" in text
    assert f"{test.only_second} test images" in answers.mcnemar(names, test)


def test_a_p_is_never_written_as_zero():
    assert answers.chance(1e-9) == "p < 0.001"
    assert answers.chance(0.05) == "p = 0.050"


@given(st.lists(st.integers(0, 100), min_size=4, max_size=4), st.floats(0, 1))
def test_the_winner_is_the_best_on_test(correct, p):
    names = ["shallow", "deep", "augmented", "better"]
    tests = {(i, j): pair(0, 0, p) for i in range(4) for j in range(i + 1, 4)}
    text = answers.winner(names, [measured(count) for count in correct], tests)
    best = [name for name, count in zip(names, correct, strict=True) if count == max(correct)]
    if len(best) > 1:
        assert text.startswith(f"Equally good on test are the {best[0]}")
        assert all(f"the {name}" in text for name in best)
    else:
        assert text.startswith(f"The {best[0]} is best on test with {max(correct)}.0%")
        gap = max(correct) - sorted(correct)[-2]
        assert f"{gap}.0 points before" in text
        assert ("beyond chance" in text) == (p < 0.05)


PLAIN = {"epochs": 14, "flip": 0.0, "crop": 0, "normalize": "fixed"}


def test_augmentation_names_what_is_switched_on_and_what_else_differs():
    augmented = PLAIN | {"epochs": 24, "flip": 0.5, "crop": 8, "normalize": "channels"}
    text = answers.augmentation(PLAIN, augmented, (0.3, 0.1))
    assert "a horizontal flip with probability 0.5 and a random crop after padding by 8" in text
    assert "brought to mean 0" in text
    assert "also differ in epochs (14 without, 24 with)" in text
    assert "is +10.0 points, smaller than the +30.0 points without" in text


def test_augmentation_names_zoom_and_cutmix():
    text = answers.augmentation(PLAIN, PLAIN | {"zoom": 0.25, "cutmix": 0.5}, (0.3, 0.1))
    assert "brought nearer or further by up to 25.0%" in text
    assert "with probability 0.5 a part replaced by that of another image" in text
    assert "also differ" not in text


def test_augmentation_that_is_off_is_not_praised():
    text = answers.augmentation(PLAIN, PLAIN, (0.1, -0.2))
    assert text.startswith("No augmentation is switched on in this run.")
    assert "not normalised" in text and "also differ" not in text
    assert "is −20.0 points, smaller than" in text
    assert "larger than" in answers.augmentation(PLAIN, PLAIN, (0.1, 0.2))
    assert "the same as" in answers.augmentation(PLAIN, PLAIN, (0.1, 0.1))


def test_the_epoch_is_the_first_that_reaches_an_accuracy():
    curve = pd.DataFrame({"epoch": [1, 2, 3, 4], "val_accuracy": [0.1, 0.6, 0.5, 0.7]})
    assert answers.epochs_to(curve, 0.6) == 2
    assert answers.epochs_to(curve, 0.65) == 4
    assert answers.epochs_to(curve, 0.8) is None


def test_our_network_is_better_only_in_what_it_is():
    size, speed, won = answers.better(
        ["shallow", "deep"],
        [100, 90, 200],
        [5, 5, 9],
        0.6,
        [0.7, 0.8, 0.6],
        [pair(9, 1, 0.02), pair(1, 9, 0.2)],
    )
    assert size.endswith("Parameters: 100. That is fewer than the deep, more than the shallow.")
    assert speed.endswith("after 5 epochs. That is earlier than the deep, the same as the shallow.")
    assert "That is more than the deep, less than the shallow." in won
    assert "is the difference to the shallow." in won


@pytest.mark.parametrize(
    ("p", "expected"), [(0.9, "None of these differences"), (0.01, "Each of these differences")]
)
def test_differences_that_chance_explains_are_called_so(p, expected):
    assert expected in answers.better(["deep"], [1, 2], [1, 2], 0.5, [0.6, 0.5], [pair(1, 2, p)])[2]


def test_gains_and_losses_are_those_of_the_classes():
    before = np.array([[5, 5, 0], [0, 10, 0], [0, 0, 10]])
    after = np.array([[9, 1, 0], [3, 7, 0], [0, 0, 10]])
    text = answers.recall_change(("deep", "better"), before, after, CLASSES)
    assert "recognises 1 more often than the deep, 1 less often and 1 as often" in text
    assert "largest gain is cat, +40.0 points" in text and "largest loss is dog, −30.0" in text
    assert text.endswith("Most often mixed are cat and dog (4) images taken for the other "
                         "with the better.")  # fmt: skip
    same = answers.recall_change(("deep", "better"), before, before, CLASSES)
    assert "gain" not in same and "loss" not in same


def patch(drop, flips=0.1, rise=0.2, hit=None) -> Patch:
    return Patch(
        largest_drop=drop, flip_share=flips, largest_rise_of_actual=rise, pointing_game=hit
    )


@pytest.mark.parametrize(
    ("drops", "expected"),
    [
        ((0.1, 0.2, 0.4), "the drop rises with the size"),
        ((0.4, 0.2, 0.1), "the drop falls with the size"),
        ((0.1, 0.4, 0.2), "the drop goes up and down with the size."),
        ((0.1, 0.1001, 0.1), "the drop is the same for every size."),
    ],
)
def test_the_effect_of_the_size_is_the_course_of_the_numbers(drops, expected):
    patches = dict(zip((8, 16, 32), map(patch, drops), strict=True))
    [text] = answers.occlusion("correct", Occluded(images=9, rank_agreement={}), patches)
    assert expected in text and "for patches of 8, 16 and 32 pixels" in text


def test_one_size_has_no_course_and_no_agreement():
    images = Occluded(images=1, object_share=0.2, rank_agreement={})
    text = " ".join(answers.occlusion("correct", images, {12: patch(0.1, hit=0.5)}))
    assert "1 correct image," in text and "with the size" not in text
    assert "for 50.0% of the images; a place at random would for 20.0%" in text
    assert "most often" not in text


def test_sizes_are_compared_where_there_are_several():
    agreement = {"8_16": 0.5, "16_32": -0.1, "8_32": None}
    images = Occluded(images=5, object_share=0.2, rank_agreement=agreement)
    patches = {8: patch(0.1, hit=0.9), 16: patch(0.2, hit=0.9), 32: patch(0.3, hit=0.4)}
    text = " ".join(answers.occlusion("misclassified", images, patches))
    assert "most often with 8 and 16 pixels" in text
    assert "+0.50 for 8 and 16 pixels and −0.10 for 16 and 32 pixels" in text
    assert "The maps of 8 and 16 pixels are most alike, those of 16 and 32 least" in text
    assert "true class most, its score changes by +0.20, +0.20 and +0.20" in text


def test_without_images_nothing_is_said_of_heatmaps():
    empty = Occluded(images=0, rank_agreement={})
    nothing = {8: Patch(largest_drop=None, flip_share=None, largest_rise_of_actual=None)}
    assert answers.occlusion("misclassified", empty, nothing) == [
        "There is no misclassified image to occlude."
    ]
    assert answers.occlusion_short(empty, nothing) == "There is no image to occlude."
