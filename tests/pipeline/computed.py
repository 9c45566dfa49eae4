"""Compute, in the current folder's study, the least of each kind: for test_processors.

The argument is the folder that the results go to.
"""

import sys
from pathlib import Path

from stages.common import reproducible
from stages.common.base import params
from stages.common.study import NETWORKS
from stages.train.params import Train

IMAGES = [0, 13]


def main(folder: Path) -> None:
    device = reproducible.prepare(params.read(reproducible.Compute, "compute"), record=False)

    import numpy as np

    from stages.common import dataset, figures, inference
    from stages.download.sample import pictures
    from stages.evaluate import draw
    from stages.occlusion import sensitivity
    from stages.train import run

    data = dataset.load()
    for name, network in NETWORKS.items():
        settings = params.read(Train, "train", network.stage)
        model = run.build(settings, data, device)
        step(model, data, settings)
        inference.save(folder / name, model)
    images = data.images[IMAGES]
    logits = inference.logits(model, images).numpy()
    maps = sensitivity.occlusion_maps(model, images[:1], [0], patch=32, stride=64)
    picture, mask = next(iter(pictures.draw(per_class=1, seed=0)))
    np.savez(folder / "arrays.npz", logits=logits, maps=maps, picture=picture, mask=mask)
    figures.save(
        draw.confusion(np.array([[3, 1], [0, 4]]), data.classes, "a figure"), folder / "figure.png"
    )


def step(model, data, settings: Train) -> None:
    """Take one step of a training, on augmented images."""
    import torch

    from stages.train import augmentation, batches, loop

    optimizer = loop.build_optimizer(model.network, settings)
    indices = torch.tensor(IMAGES)
    augment = augmentation.build(settings, fill=[0, 0, 0])
    seen = batches.augmented_batch(data, IMAGES, augment, settings, epoch=1)
    labels = torch.as_tensor(data.labels)
    loss = loop.batch_loss(model.network, model, seen, labels, indices, 96, settings)
    (loss / len(IMAGES)).backward()
    optimizer.step()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
