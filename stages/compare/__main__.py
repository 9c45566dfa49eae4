"""Put the four networks side by side: `python -m stages.compare`."""

from stages.common.base import fingerprint, process
from stages.common.base.progress import log
from stages.common.study import NETWORKS, SPLIT_TITLES


def main() -> None:
    fingerprint.record()

    from stages.common import figures
    from stages.common.base import files
    from stages.compare import draw, significance, tables

    networks = list(NETWORKS)
    metrics = {name: files.read_json(f"metrics/{name}.json") for name in networks}
    curves = tables.read(networks, "curves.csv", tables.CURVES)
    confusion = {
        split: tables.read(networks, f"confusion_{split}.csv", tables.CONFUSION)
        for split in SPLIT_TITLES
    }
    for split, pairs in confusion.items():
        tables.check_images(pairs, split)
    classes = tables.read(networks, "classes.csv", tables.CLASSES)
    reliability = tables.read(networks, "reliability.csv", tables.RELIABILITY)

    images = (confusion["train"]["network"] == networks[0]).sum()
    overview = tables.overview(metrics, curves, int(images))
    names = list(classes["class"].unique())
    correct = {name: tables.correct(confusion["test"], name) for name in networks}
    with files.new_folder("plots/compare") as folder:
        files.write_csv(folder / "networks.csv", overview)
        files.write_csv(folder / "curves.csv", tables.long_curves(curves))
        files.write_csv(folder / "classes.csv", classes)
        files.write_csv(folder / "reliability.csv", reliability)
        for split, pairs in confusion.items():
            files.write_csv(folder / f"confusion_{split}.csv", tables.cells(pairs, names))
        best = overview.set_index("network")["best_epoch"]
        figures.save(draw.curves(curves, best), folder / "curves.png")
        figures.save(draw.classes(classes, "test"), folder / "classes.png")
        figures.save(draw.reliability(reliability, metrics, "test"), folder / "reliability.png")
        figures.save(draw.cost(overview), folder / "cost.png")
        for first, second in zip(networks, networks[1:], strict=False):
            figure = draw.difference(confusion["val"], first, second, names)
            figures.save(figure, folder / f"difference_{first}_{second}.png")
        files.write_json("metrics/pairwise.json", significance.pairwise(correct))
        files.write_json("metrics/summary.json", tables.summary(metrics))
    best = overview.loc[overview["val_accuracy"].idxmax()]
    log(
        f"best on validation: {best['network']}, {best['val_accuracy']:.1%}, "
        f"{best['test_accuracy']:.1%} on test"
    )


if __name__ == "__main__":
    process.run_main(main)
