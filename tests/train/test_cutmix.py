"""CutMix: which part comes from where, and what it counts."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from stages.common.dataset import load
from stages.train.augmentation import augment, build
from stages.train.batches import augmented_batch
from stages.train.cutmix import cutmix
from stages.train.loop import mixed_loss
from tests.conftest import train_params

ONES, TWOS = (np.full((1, 96, 96, 3), value, np.uint8) for value in (1, 2))


@pytest.mark.parametrize(
    ("draws", "rows", "columns"),
    [
        # a quarter of the area is half of a side: 48 pixels
        ((0.25, 0.5, 0.5), slice(24, 72), slice(24, 72)),
        # cut off: of 48 rows around row 0 the lower half, of 48 columns around column 84 all but 12
        ((0.25, 0.0, 0.875), slice(0, 24), slice(60, 96)),
        ((0.0, 0.5, 0.5), slice(0, 0), slice(0, 0)),
    ],
)
def test_a_rectangle_worked_out_by_hand(draws, rows, columns):
    mixed, kept = cutmix(ONES, TWOS, np.array([draws]))
    expected = ONES.copy()
    expected[:, rows, columns] = 2
    assert np.array_equal(mixed, expected)
    assert kept.dtype == np.float32
    assert kept[0] == pytest.approx((expected == 1).mean())
    assert (ONES == 1).all() and (TWOS == 2).all()  # left as they were


def test_the_loss_by_hand():
    outputs = torch.log(torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]]))
    labels, others = torch.tensor([0, 2]), torch.tensor([1, 2])
    loss = mixed_loss(outputs, labels, others, torch.tensor([0.75, 1.0]), 0.0)
    expected = -0.75 * np.log(0.5) - 0.25 * np.log(0.25) - np.log(0.7)
    assert loss.item() == pytest.approx(expected)


def test_without_mixing_the_loss_is_that_of_torch():
    outputs, labels = torch.randn(5, 3), torch.tensor([0, 1, 2, 0, 1])
    loss = mixed_loss(outputs, labels, labels.flip(0), torch.ones(5), 0.1)
    theirs = cross_entropy(outputs, labels, label_smoothing=0.1, reduction="sum")
    torch.testing.assert_close(loss, theirs)


def mixed(data, indices, probability=0.5, seed=0, epoch=1, augmentation=None):
    return augmented_batch(
        data, indices, augmentation, train_params(cutmix=probability, seed=seed), epoch
    )


def test_an_image_gets_the_same_whatever_batch_it_is_in(study):
    data = load()
    members = data.splits["train"].tolist()
    images, partners, kept = mixed(data, members)
    for place, index in enumerate(members):
        one, partner, share = mixed(data, [index])
        assert np.array_equal(one[0], images[place])
        assert partner[0] == partners[place] and share[0] == kept[place]
    assert not np.array_equal(mixed(data, members, epoch=2)[0], images)
    assert not np.array_equal(mixed(data, members, seed=1)[0], images)


def test_parts_come_from_training_images_as_the_epoch_sees_them(study):
    data = load()
    members = data.splits["train"].tolist()
    augmentation = build(train_params(flip=1.0), fill=(0, 0, 0))
    images, partners, kept = mixed(data, members, 1.0, augmentation=augmentation)
    assert set(partners.tolist()) <= set(members)
    own = data.images[members][:, :, ::-1]
    others = augment(data.images[partners.numpy()], augmentation, 0, 1, partners.tolist())
    assert np.array_equal(others, data.images[partners.numpy()][:, :, ::-1])
    assert ((images == own) | (images == others)).all()
    shares = (images == own).all(axis=-1).mean(axis=(1, 2))
    differ = partners.numpy() != np.array(members)
    np.testing.assert_allclose(shares[differ], kept.numpy()[differ], atol=0.02)


def test_it_happens_as_often_as_asked(study):
    data = load()
    members = data.splits["train"].tolist()
    changed = sum(int((mixed(data, members, 0.25, epoch=e)[2] < 1).sum()) for e in range(40))
    # 640 draws: 160 +- 4 standard deviations, less a few rectangles beyond the border
    assert 110 <= changed <= 204
    images, partners, kept = mixed(data, members, 0.0)
    assert np.array_equal(images, data.images[members])
    assert partners.tolist() == members and (kept == 1).all()
