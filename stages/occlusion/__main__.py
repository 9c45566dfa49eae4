"""Hide each part of the galleries' images and watch the answer: `python -m stages.occlusion`."""

from stages.common import cli, params, reproducible
from stages.occlusion.params import Occlusion


def main() -> None:
    settings = params.read(Occlusion, "occlusion")
    compute = params.read(reproducible.Compute, "compute")

    import numpy as np
    import pandas as pd

    from stages.common import dataset, figures, files, inference
    from stages.occlusion import draw, measures, sensitivity

    device = reproducible.prepare(compute)
    data = dataset.load()
    name, patches, stride = settings.network, settings.patches, settings.stride
    model = inference.load(f"models/{name}", device)
    inference.check_classes(model, data.classes, f"models/{name}")
    fill = data.mean * 255 if settings.fill == "mean" else settings.fill

    gallery = pd.read_csv(f"plots/{name}/galleries.csv", keep_default_na=False)
    index = gallery["index"].to_numpy()
    images, actual = data.images[index], data.labels[index]
    masks = None
    if (dataset.RAW / "masks.npy").exists():
        masks = np.load(dataset.RAW / "masks.npy", mmap_mode="r")[index]

    unoccluded = inference.predict(model, images)
    predicted = unoccluded.argmax(axis=1)
    scores: dict[int, list[np.ndarray]] = {patch: [] for patch in patches}
    work = [(image, patch) for image in images for patch in patches]
    for image, patch in cli.progress(work, f"occlusion of {name}", len(work), unit="map"):
        scores[patch].append(sensitivity.occluded_scores(model, image, patch, stride, fill))
    stacks = {patch: np.stack(grids) for patch, grids in scores.items()}

    metrics = {}
    table = pd.DataFrame({"patch": patches})
    with files.new_folder("plots/occlusion") as folder:
        for kind in figures.GALLERIES:
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
            for rank in range(1, figures.PER_CLASS + 1):
                rows = []
                for label in data.classes:
                    found = members & (gallery["class"] == label) & (gallery["rank"] == rank)
                    i = np.flatnonzero(found)
                    if not len(i):
                        rows.append(None)
                        continue
                    i = i[0]
                    targets = list(dict.fromkeys([predicted[i], actual[i]]))
                    rows.append(
                        draw.Row(
                            images[i],
                            data.classes[actual[i]],
                            [data.classes[target] for target in targets],
                            [
                                unoccluded[i, targets] - grids[i][..., targets]
                                for grids in stacks.values()
                            ],
                        )
                    )
                title = f"{figures.TITLES[name]}: {kind} images, rank {rank}"
                figures.save(
                    draw.sheet(rows, patches, stride, title), folder / f"{kind}_{rank}.png"
                )
        files.write_csv(folder / "patches.csv", table)
    files.write_json("metrics/occlusion.json", {"network": name} | metrics)
    files.write_arrays(
        "models/occlusion/heatmaps.npz",
        index=index,
        unoccluded=unoccluded,
        **{f"patch_{patch}": grids for patch, grids in stacks.items()},
    )
    for patch in patches:
        drops = ", ".join(
            f"{metrics[kind][f'patch_{patch}']['largest_drop']} {kind}"
            for kind in figures.GALLERIES
        )
        cli.log(f"occlusion of {name}, patch {patch}: mean largest drop {drops}")


if __name__ == "__main__":
    cli.run(main)
