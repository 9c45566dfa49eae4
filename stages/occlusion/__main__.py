"""Hide each part of the galleries' images and watch the answer: `python -m stages.occlusion`."""

from stages.common import reproducible
from stages.common.base import params, process
from stages.common.base.errors import InputError
from stages.common.base.progress import log, progress
from stages.common.study import GALLERIES, NETWORKS, PER_CLASS
from stages.occlusion.params import Occlusion


def main() -> None:
    settings = params.read(Occlusion, "occlusion")
    compute = params.read(reproducible.Compute, "compute")

    import numpy as np
    import pandas as pd

    from stages.common import dataset, figures, inference
    from stages.common.base import files
    from stages.occlusion import draw, measures, sensitivity

    device = reproducible.prepare(compute)
    data = dataset.load()
    name, patches, stride = settings.network, settings.patches, settings.stride
    model = inference.load(f"models/{name}", device)
    inference.check_classes(model, data.classes, f"models/{name}")
    fill = data.mean * 255 if settings.fill == "mean" else settings.fill

    types = {"gallery": str, "class": str, "rank": int, "index": int}
    gallery = files.read_csv(f"plots/{name}/galleries.csv", types)
    if not gallery["index"].between(0, len(data.labels) - 1).all():
        raise InputError(
            f"plots/{name}/galleries.csv names an image beyond the {len(data.labels)} of the data "
            "set: run `dvc repro` to make it anew"
        )
    index = gallery["index"].to_numpy()
    images, actual = data.images[index], data.labels[index]
    masks = None
    if (dataset.RAW / "masks.npy").exists():
        masks = files.read_array(dataset.RAW / "masks.npy")[index]

    unoccluded = inference.predict(model, images)
    predicted = unoccluded.argmax(axis=1)
    scores: dict[int, list[np.ndarray]] = {patch: [] for patch in patches}
    for image in progress(images, f"occlusion of {name}", len(images)):
        clean = sensitivity.clean_image(model, image)
        for patch in patches:
            grid = sensitivity.occluded_scores(model, image, patch, stride, fill, clean=clean)
            scores[patch].append(grid)
    stacks = {patch: np.stack(grids) for patch, grids in scores.items()}

    def row(i: int, maps: int) -> draw.Row:
        targets = [predicted[i], actual[i]][:maps]
        names = [
            f"{figures.short(data.classes[target], 10)} {unoccluded[i, target]:.3f}"
            for target in targets
        ]
        drops = [unoccluded[i, targets] - grids[i][..., targets] for grids in stacks.values()]
        return draw.Row(images[i], data.classes[actual[i]], names, drops)

    places = gallery[["gallery", "class", "rank"]].itertuples(index=False, name=None)
    image_at = {place: i for i, place in enumerate(places)}
    metrics = {}
    table = pd.DataFrame({"patch": patches})
    # both folders get their names only when all is written, so that a full disk leaves neither
    with (
        files.new_folder("plots/occlusion") as folder,
        files.new_folder("models/occlusion") as raw,
    ):
        files.write_arrays(
            raw / "heatmaps.npz",
            index=index,
            unoccluded=unoccluded,
            **{f"patch_{patch}": grids for patch, grids in stacks.items()},
        )
        for kind in GALLERIES:
            members = (gallery["gallery"] == kind).to_numpy()
            metrics[kind] = measures.summary(
                {patch: grids[members] for patch, grids in stacks.items()},
                unoccluded[members],
                actual[members],
                stride,
                None if masks is None else masks[members],
            )
            for figure in ("largest_drop", "flip_share"):
                values = [metrics[kind][f"patch_{patch}"][figure] for patch in patches]
                table[f"{figure}_{kind}"] = values
            # a misclassified image has two maps a patch: of the predicted and of the true class
            maps = 1 if kind == "correct" else 2
            for rank in range(1, PER_CLASS + 1):
                rows = [
                    name if (i := image_at.get((kind, name, rank))) is None else row(i, maps)
                    for name in data.classes
                ]
                title = (
                    f"{NETWORKS[name].title}: what hiding a part of {kind} images does, rank {rank}"
                )
                sheet = draw.sheet(rows, patches, stride, title, maps)
                figures.save(sheet, folder / f"{kind}_{rank}.png")
        files.write_csv(folder / "patches.csv", table)
        agreement = {kind: metrics[kind]["rank_agreement"] for kind in GALLERIES}
        title = f"{NETWORKS[name].title}: what the size of the patch changes"
        figures.save(draw.sizes(table, agreement, title), folder / "patches.png")
        files.write_json("metrics/occlusion.json", {"network": name} | metrics)
    for patch in patches:
        drops = ", ".join(
            f"{metrics[kind][f'patch_{patch}']['largest_drop']} {kind}" for kind in GALLERIES
        )
        log(f"occlusion of {name}, patch {patch}: mean largest drop {drops}")


if __name__ == "__main__":
    process.run_main(main)
