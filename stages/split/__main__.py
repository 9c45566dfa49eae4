"""Divide the images into train, validation and test: `python -m stages.split`."""

import numpy as np

from stages.common.base import params, process
from stages.common.base.errors import InputError
from stages.common.base.progress import log
from stages.common.study import SPLITS
from stages.split.params import Split


def main() -> None:
    settings = params.read(Split, "split")

    import pandas as pd

    from stages.common import dataset, figures
    from stages.common.base import files, fingerprint
    from stages.split import assign, draw, statistics

    fingerprint.record()
    source = files.read_json(dataset.RAW / "source.json")
    images = files.read_array(dataset.RAW / "images.npy")
    labels = files.read_array(dataset.RAW / "labels.npy").astype(np.int64)
    origin = np.repeat(
        [group["origin"] for group in source["groups"]],
        [group["count"] for group in source["groups"]],
    )

    protocol = settings.protocol
    if protocol == "auto":
        protocol = "source" if source["source"] == "npz" else "parts"
    groups = assign.duplicate_groups(images)
    if protocol == "parts":
        split = assign.by_parts(labels, groups, settings.parts, settings.seed)
    elif any(group["origin"] == "val" for group in source["groups"]):
        split = origin
    elif len(origin):
        split = assign.with_validation(labels, groups, origin, settings.parts, settings.seed)
    else:
        raise InputError(
            f"params.yaml: split.protocol is 'source': the source {source['source']} has no split "
            "of its own, only npz and stl10 have one; parts or auto divides it at random"
        )
    assign.check(split, labels, source["classes"])

    mean, std = statistics.channel_statistics(images, np.flatnonzero(split == "train"))
    summary = statistics.summary(split, labels, groups, source["classes"])
    with files.new_folder(dataset.SPLIT_FOLDER) as folder, files.new_folder("plots/split") as plots:
        table = pd.DataFrame({"index": np.arange(len(labels)), "label": labels, "split": split})
        files.write_csv(folder / "split.csv", table)
        rounded = {"mean": mean.round(6).tolist(), "std": std.round(6).tolist()}
        files.write_json(folder / "statistics.json", summary | {"protocol": protocol} | rounded)
        title = f"The data set, source {source['source']}"
        sheet = draw.contact_sheet(images, labels, split, source["classes"], title)
        figures.save(sheet, plots / "contact_sheet.png")
    counts = ", ".join(f"{summary['images'][side]['total']:,} {side}" for side in SPLITS)
    log(f"split by {protocol}: {counts}; {summary['duplicates']['images']} exact duplicates")


if __name__ == "__main__":
    process.run_main(main)
