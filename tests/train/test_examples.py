"""The images that show what augmentation does."""

import numpy as np
import pytest

from stages.common import dataset, inference, networks
from stages.train import examples, loop
from tests.conftest import CLASSES, train_params

FIRSTS = [0, 13]  # the first training image of either class


@pytest.fixture
def data(study):
    return dataset.load()


def test_each_image_is_what_the_training_is_given_in_that_epoch(data, monkeypatch):
    params = train_params(epochs=2, batch_size=4, flip=0.5, crop=8, color=0.2, cutmix=0.5)
    given = {}

    def batch(dataset, indices, augmentation, params, epoch):
        seen = loop_batch(dataset, indices, augmentation, params, epoch)
        given.update(((epoch, i), image) for i, image in zip(indices, seen[0], strict=True))
        return seen

    loop_batch = loop.augmented_batch
    monkeypatch.setattr(loop, "augmented_batch", batch)
    model = inference.Model(networks.ShallowCNN(2), CLASSES)
    rows = loop.train(model, data, params, loop.build_optimizer(model.network, params))
    assert len(list(rows)) == 2

    views = examples.examples(data, params)
    assert views.dtype == np.uint8 and views.shape == (2, 3, 96, 96, 3)
    np.testing.assert_array_equal(views[:, 0], data.images[FIRSTS])
    for epoch in (1, 2):
        for view, index in zip(views[:, epoch], FIRSTS, strict=True):
            np.testing.assert_array_equal(view, given[epoch, index])
    assert (views[:, 1] != views[:, 0]).any() and (views[:, 1] != views[:, 2]).any()


def test_many_epochs_and_classes_are_shown_in_part(study, data):
    params = train_params(epochs=1000, flip=1)
    views = examples.examples(data, params)
    assert views.shape[1] == 1 + examples.MOST_EPOCHS
    np.testing.assert_array_equal(views[:, 3], data.images[FIRSTS][:, :, ::-1])
    data.labels[:] = np.arange(26)
    assert len(examples.examples(data, params)) == examples.MOST_CLASSES
