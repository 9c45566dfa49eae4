"""Set the experiments side by side in `results.md` and a plot: `python -m experiments.table`."""

import json
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from experiments import plan as plans
from experiments import record
from experiments.plan import Plan
from stages.common import figures, networks
from stages.common.base import files, process
from stages.common.base.errors import InputError
from stages.common.base.params import parse
from stages.common.base.progress import log
from stages.common.study import NETWORKS

RESULTS = record.FOLDER / "results.md"
BASELINE = "q2"
CLASSES = 10
HEADINGS = {
    "study": "The four networks",
    "official": "The four networks on the published split",
    "long": "What more time gives",
    "portable": "The four networks in float32, with the same bytes on every x86-64 processor",
    "ablation": "From the deep network to ours, one change at a time",
    "sweep": "Learning rates and numbers of epochs",
    "tried": "What was tried to raise our network further, in 96 epochs",
}


def goals(curves: pd.DataFrame) -> pd.Series:
    """Return the best accuracy on validation of the deep network, by seed."""
    return curves[curves["experiment"] == BASELINE].groupby("seed")["val_accuracy"].max()


def summarise(curve: pd.DataFrame, goals: pd.Series) -> dict[str, Any]:
    """Summarise the runs of one experiment.

    Parameters
    ----------
    curve : DataFrame
        Rows of one experiment: seed, epoch, cpu_minutes, wall_minutes, val_accuracy.
    goals : Series
        By seed, the accuracy on validation that a run of it is to reach.

    Returns
    -------
    dict
        seeds and epochs; means over the seeds of the best val_accuracy, with its standard deviation
        val_std (NaN for one seed), and of the epochs_to the goal; cpu_minutes and wall_minutes of
        the training, and cpu_minutes_to the goal, of the first seed alone: a later one may have
        been run on another machine. Those to the goal are None where a seed has none or never gets
        there.
    """
    by_seed = {seed: run.sort_values("epoch") for seed, run in curve.groupby("seed")}
    runs = list(by_seed.values())
    best = pd.Series([run["val_accuracy"].max() for run in runs])
    firsts = [
        run[run["val_accuracy"] >= goals.get(seed, np.nan)].head(1) for seed, run in by_seed.items()
    ]
    first = pd.concat(firsts) if all(len(one) for one in firsts) else None
    whole = runs[0].iloc[-1]
    return {
        "seeds": len(runs),
        "epochs": int(curve["epoch"].max()),
        "cpu_minutes": whole["cpu_minutes"],
        "wall_minutes": whole["wall_minutes"],
        "epochs_to": None if first is None else first["epoch"].mean(),
        "cpu_minutes_to": None if first is None else first["cpu_minutes"].iloc[0],
        "val_accuracy": best.mean(),
        "val_std": best.std(),
    }


def table(
    plan: Plan, part: str, curves: pd.DataFrame, params: dict[str, Any]
) -> list[dict[str, str]]:
    """Set the experiments of a part side by side, a row for each that has been run."""
    reached = goals(curves)
    rows = []
    for name in getattr(plan, part):
        experiment = plan.experiments[name]
        own = curves[curves["experiment"] == name]
        if own.empty:
            continue
        chosen = plan.hyperparameters(name, params)
        network = networks.ARCHITECTURES[chosen["architecture"]](CLASSES)
        row = summarise(own, reached)
        cells = {
            "experiment": f"`{name}`",
            "what": experiment.about,
            "parameters": f"{networks.parameter_count(network):,}",
            "MACs": f"{networks.multiply_accumulates(network) / 1e6:.0f} M",
            "precision": chosen["precision"],
            "epochs": str(row["epochs"]),
            "CPU minutes": f"{row['cpu_minutes']:.1f}",
            "minutes": f"{row['wall_minutes']:.1f}",
            "epochs to q2's best": "–" if row["epochs_to"] is None else f"{row['epochs_to']:.1f}",
            "CPU minutes to it": "–"
            if row["cpu_minutes_to"] is None
            else f"{row['cpu_minutes_to']:.1f}",
            "validation": spread(row["val_accuracy"], row["val_std"]),
            "seeds": str(row["seeds"]),
        }
        rows.append(cells)
    return rows


def spread(mean: float, deviation: float) -> str:
    """Write a mean of shares with its standard deviation, where there is one."""
    return f"{mean:.1%}" if pd.isna(deviation) else f"{mean:.1%} ± {100 * deviation:.1f}"


def tested(names: list[str], metrics: dict[int, dict[str, Any]]) -> list[dict[str, str]]:
    """Return what the study's networks reach on test: means over the seeds, with deviations."""
    columns = {
        "accuracy": "accuracy",
        "tta_accuracy": "with TTA",
        "macro_f1": "macro F1",
        "expected_calibration_error": "calibration error",
    }
    rows = []
    for name in names:
        found = [seed[name]["test"] for seed in metrics.values() if name in seed]
        if not found:
            continue
        cells = {"network": f"`{name}`"}
        for column, heading in columns.items():
            values = pd.Series([one[column] for one in found])
            cells[heading] = spread(values.mean(), values.std())
        each = []
        for one in found:
            interval = one["accuracy_interval"]
            ends = f"{interval['low']:.1%} to {interval['high']:.1%}"
            each.append(f"{one['accuracy']:.1%} ({ends})")
        rows.append(cells | {"of each seed, with Wilson's interval": "; ".join(each)})
    return rows


def draw(curves: pd.DataFrame, reached: float) -> Figure:
    """Draw the accuracy on validation of the four networks against the processor time it took.

    A line a seed, its epochs at the minutes of the first seed: a later one may have been run on
    another machine. The dotted line is the best of the deep network.
    """
    figure, axes = plt.subplots(figsize=(8.8, 4.6), layout="constrained")
    for name, network in NETWORKS.items():
        own = curves[curves["experiment"] == name].pivot(index="epoch", columns="seed")
        if not own.empty:
            minutes, accuracies = own["cpu_minutes"].iloc[:, 0], own["val_accuracy"]
            lines = axes.plot(minutes, accuracies, color=network.color, linewidth=1.2)
            lines[0].set_label(network.title)
    axes.axhline(reached, color="black", linestyle=":", linewidth=1)
    axes.set(xscale="log", xlabel="CPU minutes", ylabel="accuracy on validation")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_locator(NullLocator())
    figures.unit_ticks(axes)
    axes.legend(loc="lower right")
    figure.suptitle("STL-10: what accuracy costs (dotted: the best of the deep CNN)")
    return figure


def main() -> None:
    plan, curves = plans.read(), record.read()
    if curves.empty:
        raise InputError(f"{record.CURVES.name} is empty: `python -m experiments STL10` fills it")
    params, metrics = parse(), record.read_metrics()
    firsts = record.read_models().query("seed == 0").groupby("processor", sort=False)["experiment"]
    machines = [f"{processor} ({', '.join(names)})" for processor, names in firsts]
    text = [
        "# The study on STL-10",
        "",
        "The 13,000 labelled images of STL-10: 8,000 to train, 2,000 to validate, 3,000 to test, "
        "split anew for each seed; or the published split, 5,000 to train, of which a fifth "
        "validates where nothing else is said, and 8,000 to test. `python -m experiments "
        "data/official/stl10_binary` runs "
        f"what is listed here, with `{json.dumps(plan.params)}` besides the project's params. "
        "Validation is that of the best epoch, as mean ± standard deviation over the seeds. The "
        "minutes are those of the first seed, and include measuring the three splits after each "
        f"epoch, on: {'; '.join(machines)}. q2's best is that of the same seed.",
    ]
    tables = {heading: table(plan, part, curves, params) for part, heading in HEADINGS.items()}
    tables["The four networks on test"] = tested(list(plan.study), metrics)
    tables["The four networks on the published test images"] = tested(list(plan.official), metrics)
    tables["What more time gives on test"] = tested(list(plan.long), metrics)
    tables["The four networks in float32 on test"] = tested(list(plan.portable), metrics)
    for heading, rows in tables.items():
        if rows:
            written = pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)
            text += ["", f"## {heading}", "", written]
    figures.save(draw(curves, goals(curves).mean()), record.PLOTS / "accuracy_cost.png")
    text += ["", "## Pictures", "", "Those of single trainings are of the first seed.", ""]
    for picture in sorted(record.PLOTS.rglob("*.png")):
        path = picture.relative_to(record.PLOTS).as_posix()
        text.append(f"- [`{path}`]({record.PLOTS.name}/{path})")
    files.write_text(RESULTS, "\n".join(text) + "\n")
    log(f"{RESULTS.name}: {curves['experiment'].nunique()} experiments")


if __name__ == "__main__":
    process.run_main(main)
