"""The table of the experiments, against runs made up by hand."""

import numpy as np
import pandas as pd
import pytest

from experiments import plan as plans
from experiments import table
from experiments.plan import Experiment, Plan
from stages.common.base.errors import InputError
from tests.conftest import project_params


def plan_of(**parts):
    """A plan with some parts, of which the others are empty."""
    return Plan(params={}, **(dict.fromkeys(plans.PARTS, {}) | parts))


def runs(name, *curves, minutes=2.0):
    """A run a curve of accuracies on validation; each epoch takes as many CPU minutes.

    Those after the first are run on slower and slower machines.
    """
    return pd.concat(
        pd.DataFrame(
            {
                "experiment": name,
                "seed": seed,
                "epoch": np.arange(1, len(curve) + 1),
                "cpu_minutes": (1 + seed) * minutes * np.arange(1, len(curve) + 1),
                "wall_minutes": (1 + seed) * minutes / 2 * np.arange(1, len(curve) + 1),
                "train_accuracy": 0.9,
                "val_accuracy": curve,
            }
        )
        for seed, curve in enumerate(curves)
    )


def test_the_goal_of_a_seed_is_the_best_epoch_of_the_deep_network():
    curves = pd.concat([runs("q1", [0.9]), runs("q2", [0.4, 0.5, 0.45], [0.3, 0.6, 0.7])])
    assert table.goals(curves).to_dict() == {0: 0.5, 1: 0.7}
    own = table.summarise(curves[curves["experiment"] == "q2"], table.goals(curves))
    assert own["epochs_to"] == 2.5 and own["cpu_minutes_to"] == 4


def test_a_summary_worked_out_by_hand():
    goals = pd.Series({0: 0.6, 1: 0.55})
    row = table.summarise(runs("better", [0.5, 0.6, 0.7], [0.6, 0.62, 0.6], minutes=3), goals)
    assert row["seeds"] == 2 and row["epochs"] == 3
    assert row["cpu_minutes"] == 9 and row["wall_minutes"] == 4.5
    # reached after two epochs and after one; what it costs is that of the first seed
    assert row["epochs_to"] == 1.5 and row["cpu_minutes_to"] == 6
    assert row["val_accuracy"] == pytest.approx(0.66)
    assert row["val_std"] == pytest.approx(0.08 / np.sqrt(2))


def test_what_a_seed_never_reaches_has_no_time():
    goals = pd.Series({0: 0.6, 1: 0.6})
    for row in (
        table.summarise(runs("better", [0.7], [0.5]), goals),
        table.summarise(runs("better", [0.7], [0.7], [0.7]), goals),  # the third has no goal
    ):
        assert row["epochs_to"] is None and row["cpu_minutes_to"] is None
    assert np.isnan(table.summarise(runs("better", [0.7]), goals)["val_std"])


def test_a_spread_is_left_out_where_there_is_one_seed():
    assert table.spread(0.66, 0.0566) == "66.0% ± 5.7"
    assert table.spread(0.66, np.nan) == "66.0%"


def test_the_plan_names_params_and_architectures_that_there_are():
    plan, params = plans.read(), project_params()
    for name, experiment in plan.experiments.items():
        architecture = plan.hyperparameters(name, params)["architecture"]
        assert architecture in table.networks.ARCHITECTURES
        for key in plan.params | experiment.params:
            group, name = key.split(".")
            assert name in params[group], key


def test_a_step_of_the_ablation_has_the_changes_of_all_before_it():
    steps = [{"train.lr": 1, "train.crop": 0}, {"train.crop": 8}, {"train.lr": 2}]
    ablation = {
        str(i): Experiment(stage="augment", about="", params=p) for i, p in enumerate(steps)
    }
    plan = plan_of(ablation=ablation)
    assert [one.params for one in plan.experiments.values()] == [
        {"train.lr": 1, "train.crop": 0},
        {"train.lr": 1, "train.crop": 8},
        {"train.lr": 2, "train.crop": 8},
    ]


def test_the_ablation_ends_with_our_network_as_the_study_trains_it():
    plan, params = plans.read(), project_params()
    ours, *_, longer, last = (
        plan.hyperparameters(name, params) for name in ("better", *plan.ablation)
    )
    assert last == ours and longer != last


def test_parts_and_experiments_are_chosen_by_name():
    one = Experiment(stage="augment", about="")
    plan = plan_of(study={"a": one, "b": one}, sweep={"c": one})
    assert plans.chosen(plan, []) == ["a", "b", "c"]
    assert plans.chosen(plan, ["c", "study", "a"]) == ["c", "a", "b"]
    with pytest.raises(InputError, match="'d' is not in the plan"):
        plans.chosen(plan, ["d"])
