"""The table of the experiments, against runs made up by hand."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from experiments import plan as plans
from experiments import record, table
from experiments.plan import Experiment, Plan
from stages.common.base.errors import InputError
from tests.conftest import ROOT, project_params


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


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of results of its own."""
    monkeypatch.chdir(ROOT)
    for name, file in (("CURVES", "curves.csv"), ("METRICS", "metrics"), ("PLOTS", "plots")):
        monkeypatch.setattr(record, name, tmp_path / file)
    monkeypatch.setattr(table, "RESULTS", tmp_path / "results.md")
    return tmp_path


def written(folder):
    """The results without the blanks that align their columns."""
    return re.sub(" +", " ", (folder / "results.md").read_text())


def measured(accuracy):
    interval = {"low": accuracy - 0.05, "high": accuracy + 0.05}
    part = {"accuracy": accuracy, "accuracy_interval": interval, "tta_accuracy": accuracy + 0.01}
    part |= {"macro_f1": accuracy, "expected_calibration_error": 0.1}
    alike = {"rank_correlation": 0.7654, "rank_p": 0.001}
    alike |= {f"error_distance{of}": None for of in ("", "_by_chance", "_p")}
    return {"train": {"accuracy": 1.0}, "test": part, "agreement": {"train_test": alike}}


def test_results_list_what_was_run_with_sizes_and_tests(folder, monkeypatch):
    study = {
        "q2": Experiment(stage="train_q2", about="the deep CNN"),
        "better": Experiment(stage="train_better", about="ours"),
    }
    plain = Experiment(
        stage="train_better", about="plain", params={"train_better.architecture": "ShallowCNN"}
    )
    made = Plan(params={"a": 1}, study=study, sweep={}, ablation={"plain": plain}, variants={})
    monkeypatch.setattr(plans, "read", lambda: made)
    with pytest.raises(InputError, match="curves.csv is empty"):
        table.main()
    q2, better = runs("q2", [0.3, 0.5], [0.5, 0.5]), runs("better", [0.5, 0.75], minutes=1)
    record.add("q2", 0, q2[q2["seed"] == 0])
    record.add("q2", 1, q2[q2["seed"] == 1])
    record.add("better", 0, better)
    for seed, accuracy in enumerate((0.5, 0.6)):
        (folder / f"metrics/seed-{seed}").mkdir(parents=True)
        path = folder / f"metrics/seed-{seed}/better.json"
        path.write_text(json.dumps(measured(accuracy)))
    pair = {"only_first": 3, "only_second": 9, "p": 0.146, "p_holm": 0.0}
    (folder / "metrics/seed-0/pairwise.json").write_text(json.dumps({"q2_better": pair}))
    table.main()
    text = written(folder)
    deep = "| `q2` | the deep CNN | 901,066 | 115 M | 2 | 4.0 | 2.0 | 1.5 | 4.0 | 50.0% ± 0.0 | 2 |"
    assert deep in text
    assert "| 2 | 2.0 | 1.0 | 1.0 | 1.0 | 75.0% | 1 |" in text
    assert "| `better` | 55.0% ± 7.1 | 56.0% ± 7.1 | 55.0% ± 7.1 | 10.0% ± 0.0 | " in text
    assert "50.0% (45.0% to 55.0%); 60.0% (55.0% to 65.0%) |" in text
    assert "| `q2`, `better` | 0 | 3 | 9 | 0.146 | < 0.001 |" in text
    agreement = "train, test | 100.0% and 60.0% | 0.765 | 0.001 | – | – | – |"
    assert f"| `better` | 1 | {agreement}" in text
    assert "\n- [`accuracy_cost.png`](plots/accuracy_cost.png)\n" in text
    assert "`plain`" not in text and "one change at a time" not in text
    assert (folder / "plots/accuracy_cost.png").is_file()

    record.add("plain", 0, runs("plain", [0.4]))
    table.main()
    assert "| `plain` | plain | 390,602 | 104 M | 1 |" in written(folder)


def test_each_network_has_a_line_a_seed_in_its_colour():
    curves = pd.concat(
        [
            runs("q1", [0.1, 0.2], [0.2, 0.3]),
            runs("better", [0.5, 0.6]),
            runs("better-short", [0.5, 0.55]),
        ]
    )
    figure = table.draw(curves, 0.25)
    *lines, dotted = figure.axes[0].lines
    accuracies = [[0.1, 0.2], [0.2, 0.3], [0.5, 0.6], [0.5, 0.55]]
    assert [line.get_ydata().tolist() for line in lines] == accuracies
    first, second, ours, short = (line.get_color() for line in lines)
    assert first == second != ours == short
    assert [line.get_linestyle() for line in lines] == ["-", "-", "-", "--"]
    assert dotted.get_ydata()[0] == 0.25
    assert [text.get_text() for text in figure.axes[0].get_legend().texts] == [
        "Shallow CNN",
        "Better CNN",
        "Better CNN, six epochs",
    ]
    plt.close(figure)


def test_the_plan_names_params_and_architectures_that_there_are():
    plan, params = plans.read(), project_params()
    for name, experiment in plan.experiments.items():
        architecture = plan.hyperparameters(name, params)["architecture"]
        assert architecture in table.networks.ARCHITECTURES
        for key in plan.params | experiment.params:
            group, name = key.split(".")
            assert name in params[group] or name in params["train"], key


def test_a_step_of_the_ablation_has_the_changes_of_all_before_it():
    steps = [{"train.lr": 1, "train.crop": 0}, {"train.crop": 8}, {"train.lr": 2}]
    ablation = {
        str(i): Experiment(stage="augment", about="", params=p) for i, p in enumerate(steps)
    }
    plan = Plan(params={}, study={}, sweep={}, ablation=ablation, variants={})
    assert [one.params for one in plan.experiments.values()] == [
        {"train.lr": 1, "train.crop": 0},
        {"train.lr": 1, "train.crop": 8},
        {"train.lr": 2, "train.crop": 8},
    ]


def test_the_ablation_ends_with_our_network_as_the_study_trains_it():
    plan = plans.read()
    assert plan.twins(list(plan.ablation)[-1], project_params()) == ["better", "cutmix"]
    assert plan.twins("longer", project_params()) == ["longer"]


def test_parts_and_experiments_are_chosen_by_name():
    one = Experiment(stage="augment", about="")
    plan = Plan(params={}, study={"a": one, "b": one}, sweep={"c": one}, ablation={}, variants={})
    assert plans.chosen(plan, []) == ["a", "b", "c"]
    assert plans.chosen(plan, ["c", "study", "a"]) == ["c", "a", "b"]
    with pytest.raises(InputError, match="'d' is not in the plan"):
        plans.chosen(plan, ["d"])
