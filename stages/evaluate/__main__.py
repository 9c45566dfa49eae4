"""Measure one trained network and draw its pictures: `python -m stages.evaluate q1`."""

import argparse
import shutil

from stages.common import reproducible
from stages.common.base import params, process
from stages.common.base.progress import log
from stages.common.study import GALLERIES, NETWORKS, PER_CLASS, SPLIT_TITLES, SPLITS
from stages.evaluate.params import Evaluate


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m stages.evaluate", description=__doc__)
    parser.add_argument("network", help="folder in models/, such as q1")
    name = parser.parse_args().network
    settings = params.read(Evaluate, "evaluate")
    compute = params.read(reproducible.Compute, "compute")

    import numpy as np
    import pandas as pd
    from sklearn.metrics import confusion_matrix

    from stages.common import dataset, figures, inference, networks
    from stages.common.base import files
    from stages.evaluate import agreement, draw, galleries, statistics, views

    device = reproducible.prepare(compute)
    data = dataset.load()
    model = inference.load(f"models/{name}", device)
    inference.check_classes(model, data.classes, f"models/{name}")
    columns = ("lr", "train_loss", "val_loss", "train_accuracy", "val_accuracy", "test_accuracy")
    types = {"epoch": int} | dict.fromkeys(columns, float)
    history = files.read_csv(f"models/{name}/history.csv", types)
    augmented, augmented_classes = views.read(f"models/{name}/augmented.npy", data)
    title, color = NETWORKS[name].title, NETWORKS[name].color
    names = np.array(data.classes)

    metrics = {
        "best_epoch": model.epoch,
        "parameters": networks.parameter_count(model.network),
        "multiply_accumulates": networks.multiply_accumulates(model.network),
    }
    # a view: the mirrored image is made when it is needed
    mirrored = data.images[:, :, ::-1] if settings.test_time_augmentation == "flip" else None
    of_classes, reliability, counts = [], [], {}
    with files.new_folder(f"plots/{name}") as folder:
        shutil.copyfile(f"models/{name}/history.csv", folder / "curves.csv")
        figures.save(draw.curves(history, model.epoch, title, color), folder / "curves.png")
        heading = f"{title}: training images, epoch by epoch"
        figure = draw.augmented(augmented, augmented_classes, heading)
        figures.save(figure, folder / "augmented.png")
        for split in SPLITS:
            members = data.splits[split]
            labels = data.labels[members]
            scores = inference.logits(model, data.images, members).softmax(dim=1).numpy()
            predicted = scores.argmax(axis=1)
            both = None
            if mirrored is not None:
                also = inference.logits(model, mirrored, members).softmax(dim=1).numpy()
                both = (scores + also) / 2
            metrics[split] = statistics.split_metrics(scores, labels, both)
            counts[split] = confusion_matrix(labels, predicted, labels=np.arange(len(names)))
            of_classes.append(statistics.class_metrics(predicted, labels, data.classes))
            reliability.append(statistics.reliability(scores, labels))
            frame = pd.DataFrame({"actual": names[labels], "predicted": names[predicted]})
            files.write_csv(folder / f"confusion_{split}.csv", frame)
            heading = f"{title}, {SPLIT_TITLES[split]}"
            figure = draw.confusion(counts[split], data.classes, heading)
            figures.save(figure, folder / f"confusion_{split}.png")
            if split == "val":
                ranked = galleries.most_confident(scores, labels, PER_CLASS, settings.group_by)
                table = galleries.table(ranked, scores, labels, members, data.classes)
        for tables, file in ((of_classes, "classes.csv"), (reliability, "reliability.csv")):
            joined = pd.concat(tables, keys=SPLITS, names=["split"])
            files.write_csv(folder / file, joined.reset_index("split"))
        metrics["agreement"], distances = agreement.compare(counts, data.classes)
        files.write_csv(folder / "agreement.csv", distances)
        files.write_csv(folder / "galleries.csv", table)
        for gallery in GALLERIES:
            rows = table[table["gallery"] == gallery]
            heading = f"{title}: most confident {gallery} validation images"
            figure = draw.gallery(data.images, rows, data.classes, PER_CLASS, heading)
            figures.save(figure, folder / f"gallery_{gallery}.png")
        files.write_json(f"metrics/{name}.json", metrics)
    test = metrics["test"]
    interval = test["accuracy_interval"]
    log(
        f"{name}: {test['accuracy']:.1%} on test "
        f"(95 % interval {interval['low']:.1%} to {interval['high']:.1%})"
    )


if __name__ == "__main__":
    process.run_main(main)
