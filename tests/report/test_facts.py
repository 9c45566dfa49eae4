"""Every verdict follows from the numbers: made-up ones, in both directions."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.common.study import SPLITS
from stages.common.tables.evaluation import GALLERIES
from stages.evaluate import agreement
from stages.report import facts

CLASSES = ["cat", "dog", "ship"]


def right(*counts: tuple[int, int]) -> dict[str, np.ndarray]:
    """Tell of each split that so many of so many images are classified correctly."""
    return {s: np.arange(n) < k for s, (k, n) in zip(SPLITS, counts, strict=True)}


def history(train_loss: list[float], val_loss: list[float]) -> pd.DataFrame:
    epochs = range(1, len(val_loss) + 1)
    return pd.DataFrame({"epoch": epochs, "train_loss": train_loss, "val_loss": val_loss})


def learnt(test: tuple[int, int], train=(60, 100), val=(60, 100), curve=None):
    one_in_ten = np.arange(test[1]) % 10 == 9
    return facts.learning(
        history([2.0], [2.0]) if curve is None else curve, right(train, val, test), one_in_ten
    )


@pytest.mark.parametrize(
    ("train", "val", "expected", "p"),
    [
        # Wilson's intervals overlap, and yet the shares differ
        ((768, 800), (185, 200), "above", 0.036),
        ((185, 200), (768, 800), "below", 0.036),
        ((767, 800), (186, 200), "unclear", 0.086),
        ((9, 9), (9, 9), "unclear", 1.0),
    ],
)
def test_overfitting_is_told_by_a_test_of_both_shares(train, val, expected, p):
    found = learnt(val, train, val)
    for other in ("val", "test"):
        assert found[f"train_against_{other}"] == {"verdict": expected, "p": p}
    assert found["gap"] == pytest.approx(train[0] / train[1] - val[0] / val[1])


@pytest.mark.parametrize(
    ("test", "expected"), [(60, "above"), (12, "unclear"), (18, "unclear"), (0, "below")]
)
def test_a_network_at_chance_is_not_said_to_have_learnt(test, expected):
    # of the images that it gets right, one in ten is of the class that is named always
    assert learnt((test, 100))["against_baseline"]["verdict"] == expected


def test_the_lowest_loss_is_that_of_the_curve():
    found = learnt((60, 100), curve=history([2.0, 1.0, 0.1], [2.0, 1.5, 1.75]))
    assert found["lowest_val_loss"] == {"epoch": 2, "loss": 1.5}
    assert found["last_loss"] == {"train": 0.1, "val": 1.75}


def test_the_baseline_names_the_most_frequent_class_of_train():
    actual = {"train": pd.Series(["dog", "ship", "dog"]), "test": pd.Series(["cat", "dog", "cat"])}
    assert facts.baseline(actual, CLASSES).tolist() == [False, True, False]
    # of equally frequent ones, the first
    assert facts.baseline(actual | {"train": pd.Series(["ship", "cat"])}, CLASSES).sum() == 2


def gallery(*rows) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["class", "rank", "actual", "predicted", "score"])
    assert set(table) < set(GALLERIES)
    return table


def test_a_gallery_tells_which_classes_have_fewer_images():
    table = gallery(
        ("cat", 1, "cat", "cat", 0.9), ("cat", 2, "cat", "cat", 0.8), ("dog", 1, "dog", "dog", 0.95)
    )
    found = facts.gallery(table, CLASSES, 2)
    assert (found["images"], found["lowest"], found["highest"]) == (3, 0.8, 0.95)
    assert found["few"] == [["dog", 1], ["ship", 0]]
    assert found["best_class"] == {"class": "dog", "score": 0.95}
    assert found["worst_class"] == {"class": "cat", "score": 0.9}
    assert facts.gallery(gallery(), CLASSES, 2) == {"images": 0}


def test_the_most_frequent_errors_are_counted():
    rows = [("cat", 1, "cat", "dog", 0.99), ("dog", 1, "dog", "cat", 0.7)]
    found = facts.gallery(gallery(*rows), CLASSES, 2)
    assert found["top"] == {"actual": "cat", "predicted": "dog", "score": 0.99}
    assert (found["confident"], found["most_frequent"]) == (1, 1)
    found = facts.gallery(gallery(*rows, ("cat", 2, "cat", "dog", 0.8)), CLASSES, 2)
    assert (found["most_frequent"], found["frequent"]) == (2, [["cat", "dog"]])


# each class is taken for the next one, ever more often
PATTERN = np.diag([50] * 7) + np.diag([2, 4, 6, 8, 10, 12], 1)
OTHER = np.rot90(PATTERN - np.diag([50] * 7)) + np.diag([50] * 7)
CLEAN = np.diag([9] * 7)
NAMES = list("abcdefg")


def pattern(train, val, test):
    counts = dict(zip(SPLITS, (train, val, test), strict=True))
    return facts.pattern(agreement.compare(counts, NAMES)[0], counts, NAMES)


def test_three_matrices_of_one_shape_share_a_pattern():
    found = pattern(PATTERN * 3, PATTERN, PATTERN)
    assert found["all_shared"] and found["spread_differs"] == []
    assert found["errors"] == {"train": 126, "val": 42, "test": 42}
    assert found["mixed"]["test"]["pairs"] == [["f", "g", 12], ["e", "f", 10], ["d", "e", 8]]


def test_a_pattern_that_two_share_is_not_claimed_for_the_third():
    found = pattern(OTHER, PATTERN, PATTERN)
    assert found["shared"] == [("val", "test")] and not found["all_shared"]
    assert found["spread_differs"] == [("train", "val"), ("train", "test")]


def test_matrices_without_errors_share_nothing():
    found = pattern(CLEAN, CLEAN, CLEAN)
    assert found["shared"] == [] and found["spread_differs"] == []
    assert found["mixed"]["val"] == {"pairs": [], "ties": 0}


def test_pairs_are_ranked_by_errors_in_both_directions_and_ties_counted():
    counts = np.array([[9, 1, 0], [2, 9, 3], [0, 0, 9]])
    assert facts.mixed(counts, CLASSES)["pairs"] == [["cat", "dog", 3], ["dog", "ship", 3]]
    assert facts.mixed(CLEAN + np.diag([1] * 6, 1), NAMES)["ties"] == 3


@pytest.mark.parametrize(
    ("only_first", "only_second", "p", "verdict", "beyond"),
    [
        (5, 25, 0.0003, "better", True),
        (25, 5, 0.049, "worse", True),
        (9, 21, 0.05, "better", False),  # p alone is half of it
        (9, 9, 1.0, "equal", False),
    ],
)
def test_a_comparison_goes_by_the_images_on_which_two_networks_differ(
    only_first, only_second, p, verdict, beyond
):
    test = {"only_first": only_first, "only_second": only_second, "p": p / 2, "p_holm": p}
    found = facts.comparison(("q1", "q2"), (0.6, 0.7), test)
    assert (found["verdict"], found["beyond_chance"]) == (verdict, beyond)
    assert found["difference"] == pytest.approx(0.1)


@given(st.lists(st.integers(0, 100), min_size=4, max_size=4), st.floats(0, 1))
def test_the_winner_is_the_best_on_test(correct, p):
    accuracy = dict(zip(NAMES, (count / 100 for count in correct), strict=False))
    tests = {frozenset(pair): {"p_holm": p} for pair in combinations(accuracy, 2)}
    found = facts.best(accuracy, tests)
    assert set(found["networks"]) == {n for n, a in accuracy.items() if a == max(accuracy.values())}
    if len(found["networks"]) == 1:
        assert found["difference"] == pytest.approx((max(correct) - sorted(correct)[-2]) / 100)
        assert found["beyond_chance"] == (p < 0.05)
    else:
        assert "beyond_chance" not in found


def test_the_epoch_is_the_first_that_reaches_an_accuracy():
    curve = pd.DataFrame({"epoch": [1, 2, 3, 4], "val_accuracy": [0.1, 0.6, 0.5, 0.7]})
    assert [facts.epochs_to(curve, goal) for goal in (0.6, 0.65, 0.8)] == [2, 4, None]


@given(st.floats(-10, 10), st.dictionaries(st.sampled_from(NAMES), st.floats(-10, 10)))
def test_networks_are_sorted_by_the_sign_of_the_difference(own, others):
    found = facts.against(own, others)
    assert sorted(found["less"] + found["same"] + found["more"]) == sorted(others)
    assert all(own < others[name] for name in found["less"])
    assert all(own > others[name] for name in found["more"])


def test_gains_and_losses_are_those_of_the_classes_that_change_beyond_chance():
    actual = np.repeat(CLASSES, 20)
    before, after = np.zeros((2, 60), bool)
    before[:12], after[4:20] = True, True  # cat: 4 lost, 8 gained
    before[20:30], after[30:38] = True, True  # dog: 10 lost, 8 gained
    after[50:58] = True  # ship: 8 gained; p is 2 / 2 ** 8, three times that with Holm
    found = facts.recall_change(before, after, actual, CLASSES)
    assert found == {"more": [["ship", pytest.approx(0.4)]], "less": [], "unclear": 2}
    found = facts.recall_change(after, before, actual, CLASSES)
    assert found == {"more": [], "less": [["ship", pytest.approx(-0.4)]], "unclear": 2}
    assert facts.recalls(np.array([[3, 1], [0, 0]])) == [0.75, None]


@pytest.mark.parametrize(
    ("without", "with_it", "expected"),
    [
        (((800, 800), (130, 200)), ((740, 800), (164, 200)), "below"),
        (((740, 800), (164, 200)), ((800, 800), (130, 200)), "above"),
        (((740, 800), (164, 200)), ((736, 800), (165, 200)), "unclear"),
    ],
)
def test_a_gap_changes_beyond_chance_or_this_cannot_be_shown(without, with_it, expected):
    networks = [right(*counts, (0, 1)) for counts in (without, with_it)]
    found = facts.gap_change(*networks)
    assert found["verdict"] == expected
    gaps = [train[0] / train[1] - val[0] / val[1] for train, val in (without, with_it)]
    assert found["gaps"] == pytest.approx(gaps)


def occluded(drops: dict[int, float], steps=(), **others) -> dict:
    patches = {f"patch_{size}": {"largest_drop": drop} for size, drop in drops.items()}
    keys = ("rises", "falls", "p")
    effect = {str(i): dict(zip(keys, step, strict=True)) for i, step in enumerate(steps)}
    effects = {"size_effect": {"largest_drop": effect}}
    curve = {
        "area": 0.3,
        "area_by_chance": 0.5,
        "against_chance": dict(zip(keys, FALLS, strict=True)),
    }
    curves = {"deletion": curve, "insertion": curve, "fill_agreement": {"patch": 16}}
    return {"images": 9, "rank_agreement": {}} | curves | patches | effects | others


RISES, FALLS, EITHER = (9, 0, 0.004), (0, 9, 0.049), (8, 1, 0.05)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((RISES, RISES), "rises"),
        ((FALLS, FALLS), "falls"),
        ((RISES, FALLS), "varies"),
        ((RISES, EITHER), "unclear"),
        ((), "unclear"),
    ],
)
def test_the_effect_of_the_size_is_a_course_beyond_chance(steps, expected):
    found = facts.occlusion(occluded({32: 0.1, 16: 0.2, 8: 0.4}, steps))
    assert [patch["size"] for patch in found["patches"]] == [8, 16, 32]
    assert found["trend"] == {"largest_drop": expected}


def test_sizes_are_compared_where_there_are_several():
    agreement = {"8_16": 0.5, "16_32": -0.1, "8_32": None}
    found = facts.occlusion(occluded({8: 0.1, 16: 0.2, 32: 0.3}, rank_agreement=agreement))
    assert found["agreement"] == [[8, 16, 0.5], [16, 32, -0.1]]
    assert (found["closest"], found["furthest"]) == ((8, 16), (16, 32))


def test_fills_are_compared_and_those_without_a_map_left_out():
    agreement = {"patch": 16, "mean_blur": 0.5, "mean_255-0-10": -0.1, "blur_255-0-10": None}
    found = facts.occlusion(occluded({16: 0.2}, fill_agreement=agreement))["fills"]
    assert found["patch"] == 16
    assert found["agreement"] == [["mean", "blur", 0.5], ["mean", "255-0-10", -0.1]]
    assert (found["closest"], found["furthest"]) == (("mean", "blur"), ("mean", "255-0-10"))


@pytest.mark.parametrize(
    ("deletion", "insertion", "trusted"),
    [
        (FALLS, RISES, True),
        (FALLS, FALLS, False),
        (RISES, RISES, False),
        (FALLS, EITHER, False),
        ((1, 8, 0.05), RISES, False),
    ],
)
def test_maps_are_trusted_where_both_curves_are_better_than_chance(deletion, insertion, trusted):
    keys = ("rises", "falls", "p")
    curves = [{"against_chance": dict(zip(keys, of, strict=True))} for of in (deletion, insertion)]
    found = facts.trust(*curves)
    assert found["trusted"] == trusted
    assert found["deletion"]["p"] == deletion[2]


def test_without_images_nothing_is_said_of_heatmaps():
    nothing = {"images": 0, "rank_agreement": {}, "patch_8": {"largest_drop": None}}
    assert "trend" not in facts.occlusion(nothing)
