"""Write the numbers in README.md and docs/ anew from the committed results: `make docs`.

They stand in blocks between `<!-- name -->` and `<!-- end -->`; each function below fills the block
of its name.
"""

import re
from itertools import combinations
from pathlib import Path

import pandas as pd

from experiments import plan as plans
from experiments import record, table
from stages.common.base import files
from stages.common.base.params import parse
from stages.common.base.progress import log
from stages.common.study import GALLERIES, NETWORKS, SPLITS
from tools.benchmarks.__main__ import BENCHMARKS
from tools.verify import compare

PAGES = (Path("README.md"), *sorted(Path("docs").glob("*.md")))
BLOCK = re.compile(r"(<!-- (?!end)(\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
STL10_TEST = 8000  # official test images
LEVEL = 0.05  # below this p, a difference is taken for more than chance


def main() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        files.write_text(page, BLOCK.sub(lambda m: f"{m[1]}{BLOCKS[m[2]]()}\n{m[3]}", text))
        log(f"{page}: {len(BLOCK.findall(text))} blocks")


def markdown(rows: list[dict[str, str]]) -> str:
    return pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)


def stl10() -> str:
    """Return what the four networks reach on STL-10, and on which machine it was measured."""
    machine = processors(list(NETWORKS))
    titles = {name: f"{network.title}, `{name}`" for name, network in NETWORKS.items()}
    return (
        "`python -m experiments data/official/stl10_binary study`: 8,000 training, 2,000 validation"
        " and 3,000 test images of STL-10; `bfloat16`, `fastest`,\none thread. Accuracies are "
        "means over the seeds of split and training, ± standard deviations; the minutes are those "
        f"of the first seed,\non an {machine}. TTA is test-time augmentation, the mean of the "
        f"scores of an image and its mirror image.\n\n{markdown(measured(titles))}\n\n"
        f"{longer()}"
        f"{chance(record.METRICS / 'seed-0/pairwise.json', 'the test images of the first seed')}"
    )


def longer() -> str:
    """Return, as a line, what our network reaches with more time, once that was measured."""
    name = "better-30-minutes"
    rows = measured({name: name})
    if not rows:
        return ""
    [row] = rows
    return (
        f"Trained for {row['epochs']} epochs, in {row['CPU minutes']} CPU minutes of an "
        f"{processors([name])}, the better network reaches {row['test']} on test, with TTA "
        f"{row['test, TTA']} (`{name}`, {row['seeds']} seeds).\n\n"
    )


def processors(names: list[str]) -> str:
    """Name the processors that the minutes of some experiments are of: those of the first seed."""
    models = record.read_models()
    first = models[models["experiment"].isin(names) & (models["seed"] == 0)]
    return "; ".join(first["processor"].unique())


def stl10_more() -> str:
    """Return what the published split, more time and float32 give on STL-10."""
    plan = plans.read()
    names = [name for part in plans.MEASURED for name in getattr(plan, part)]
    titles = {name: f"`{name}`" for name in names if name not in plan.study}
    about = {f"`{name}`": plan.experiments[name].about for name in titles}
    rows = [{"experiment": row.pop("network")} | row for row in measured(titles)]
    return markdown([row | {"what": about[row["experiment"]]} for row in rows])


def stl10_ablation() -> str:
    """Return what each step from the deep network to ours gives on STL-10."""
    columns = ["experiment", "what", "parameters", "epochs", "CPU minutes", "validation"]
    rows = table.table(plans.read(), "ablation", record.read(), parse())
    return markdown([{column: row[column] for column in columns} for row in rows])


def stl10_occlusion() -> str:
    """Return what the size of the patch changes on STL-10."""
    found = files.read_json(record.METRICS / "seed-0/occlusion.json")
    rows = []
    for kind in GALLERIES:
        sizes = [key for key in found[kind] if key.startswith("patch_")]
        for key in sorted(sizes, key=lambda key: int(key.removeprefix("patch_"))):
            one = found[kind][key]
            rows.append(
                {
                    "images": f"{found[kind]['images']} {kind}",
                    "patch": f"{key.removeprefix('patch_')} pixels",
                    "largest fall of the score": f"{one['largest_drop']:.2f}",
                    "it is below 0.01 in": f"{one['blank_maps']} images",
                    "largest fall of the log-odds": f"{one['largest_drop_of_log_odds']:.1f} nats",
                    "places that change the answer": f"{one['flip_share']:.1%}",
                }
            )
    return markdown(rows)


def measured(titles: dict[str, str]) -> list[dict[str, str]]:
    """Return a row for each of some experiments that has been run and measured on test."""
    curves, metrics, rows = record.read(), record.read_metrics(), []
    for name, title in titles.items():
        own = curves[curves["experiment"] == name]
        seeds = [metrics[seed][name] for seed in sorted(own["seed"].unique())]
        if not seeds:
            continue
        shares = {
            "validation": [one["val"]["accuracy"] for one in seeds],
            "test": [one["test"]["accuracy"] for one in seeds],
            "test, TTA": [one["test"]["tta_accuracy"] for one in seeds],
        }
        spreads = {}
        for column, values in shares.items():
            values = pd.Series(values)
            spreads[column] = table.spread(values.mean(), values.std())
        rows.append(
            {
                "network": title,
                "parameters": f"{seeds[0]['parameters']:,}",
                "epochs": str(own["epoch"].max()),
                "CPU minutes": f"{own.loc[own['seed'] == 0, 'cpu_minutes'].max():.0f}",
                **spreads,
                "seeds": str(len(seeds)),
            }
        )
    return rows


def results() -> str:
    """Return the accuracies of the committed run, where they come from, and what is chance."""
    metrics = {name: files.read_json(f"metrics/{name}.json") for name in NETWORKS}
    rows = []
    for name, network in NETWORKS.items():
        test, interval = metrics[name]["test"], metrics[name]["test"]["accuracy_interval"]
        row = {
            "network": f"{network.title}, `{name}`",
            "parameters": f"{metrics[name]['parameters']:,}",
            "MACs": f"{metrics[name]['multiply_accumulates'] / 1e6:.0f} M",
            "train": f"{metrics[name]['train']['accuracy']:.1%}",
            "validation": f"{metrics[name]['val']['accuracy']:.1%}",
            "test": f"**{test['accuracy']:.1%}** ({interval['low']:.1%} to {interval['high']:.1%})",
        }
        if "tta_accuracy" in test:
            row["test, TTA"] = f"{test['tta_accuracy']:.1%}"
        rows.append(row)
    return f"{origin()}\n\n{markdown(rows)}\n\n{chance('metrics/pairwise.json')}"


def origin() -> str:
    """Return on which data, machine and command the committed run was made."""
    train, val, test = (
        len(pd.read_csv(f"plots/{next(iter(NETWORKS))}/confusion_{split}.csv")) for split in SPLITS
    )
    machine = files.read_json("fingerprints/train_q1.json")
    return (
        "`make repro` with the default parameters, on the drawn data set `sample` (**not** "
        f"STL-10): {train} training, {val} validation and {test} test images; {machine['threads']} "
        f"threads of an {machine['processor']}. In brackets Wilson's 95 % interval; MACs are\n"
        "multiply-accumulates an image; TTA is test-time augmentation, the mean of the scores of "
        "an image and its mirror image."
    )


def chance(file: str | Path, images: str = "the same test images") -> str:
    """Return which of the differences between two networks on test could be chance."""
    pairs = files.read_json(file)
    named = [
        f"{NETWORKS[one].title} and {NETWORKS[other].title} (p = {p:.3f})"
        for one, other in combinations(NETWORKS, 2)
        if (p := pairs[f"{one}_{other}"]["p_holm"]) >= LEVEL
    ]
    test = f"McNemar's exact test on {images}, corrected by Holm for all pairs"
    if not named:
        return f"By {test}, each of these differences is beyond chance (p < {LEVEL})."
    return (
        f"By {test}, the difference between {'; between '.join(named)} could be chance; "
        f"all others are beyond it (p < {LEVEL})."
    )


def tolerance() -> str:
    """Return how far metrics of another kind of machine may lie from the committed ones."""
    return markdown(
        [
            {"metric": "accuracies and other shares", "tolerance": compare.SHARE_TOLERANCE},
            {"metric": "losses, in nats", "tolerance": compare.LOSS_TOLERANCE},
            {
                "metric": "what occlusion measures on its few images",
                "tolerance": compare.GALLERY_TOLERANCE,
            },
            {"metric": "counts, such as that of the parameters", "tolerance": "equal"},
            {
                "metric": "best epoch, images in a gallery, tests of significance, log-odds",
                "tolerance": "free",
            },
        ]
    )


def speed(folder: Path = Path("tools/benchmarks")) -> str:
    """Return the ratios of the committed benchmark, and the machine that it ran on."""
    machine = (folder / "results.md").read_text(encoding="utf-8").partition("\n")[0]
    measured = pd.read_csv(folder / "results.csv")
    rows = [
        {"what": row.case, "instead of": row.other, "times as fast": f"{row.ratio:.2f}"}
        for row in measured[measured["benchmark"].isin(BENCHMARKS)].itertuples()
    ]
    return f"{machine}\n\n{markdown(rows)}"


def reading() -> str:
    """Return the same of reading folders, which takes photographs that not everybody has."""
    return speed(Path("tools/benchmarks/reading"))


def speed_portable() -> str:
    """Return what occlusion gains with portable kernels."""
    return speed(Path("tools/benchmarks/portable"))


def pipeline() -> str:
    """Return the seconds of each stage of `make repro`."""
    return Path("tools/benchmarks/pipeline/results.md").read_text(encoding="utf-8").rstrip()


def large() -> str:
    """Return what each stage took on photographs and on ten times as many."""
    return Path("tools/benchmarks/large/results.md").read_text(encoding="utf-8").rstrip()


def near_duplicates() -> str:
    """Return how many pairs of nearly equal images STL-10 has, and how many of them leak."""
    table = pd.read_csv("experiments/near_duplicates.csv")
    in_test = table[["first", "second"]] < STL10_TEST  # the official test images come first
    parts = in_test.sum(axis=1).value_counts()
    differ = in_test["first"] != in_test["second"]
    across = table.loc[differ, "first"].nunique()
    leaked = set()
    for one, other in (("first", "second"), ("second", "first")):
        leaks = (table[f"{one}_split"] == "test") & (table[f"{other}_split"] == "train")
        leaked |= {*table.loc[leaks, one]}
    return (
        f"STL-10 has {len(table)} such pairs, which "
        "[`experiments/near_duplicates.csv`](../experiments/near_duplicates.csv) lists: "
        f"{differ.sum()} between\nthe official train and test, of {across} test images, "
        f"{parts[2]} within test, {parts[0]} within train. Split by parts with seed 0,\n"
        f"{len(leaked)} test images have their like in train."
    )


STUDY = (stl10, stl10_more, stl10_ablation, stl10_occlusion, near_duplicates)
FILLED = (*STUDY, results, tolerance, speed, speed_portable, reading, pipeline, large)
BLOCKS = {block.__name__: block for block in FILLED}

if __name__ == "__main__":
    main()
