"""The training loop on a handful of images."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from stages.common import dataset
from stages.common.base.errors import InputError
from stages.common.inference import Model, to_input
from stages.common.networks import BetterCNN, ShallowCNN, initialise
from stages.train import loop
from stages.train.batches import augmented_batch
from stages.train.checkpoint import is_better
from tests.conftest import CLASSES, train_params

COLUMNS = ["epoch", "lr", "train_loss", "val_loss", "train_accuracy", "val_accuracy"]
COLUMNS += ["test_accuracy"]


@pytest.fixture
def data(study):
    return dataset.load()


def build(architecture=ShallowCNN, mean=None, std=None) -> Model:
    network = architecture(2)
    initialise(network, torch.Generator().manual_seed(0))
    return Model(network, CLASSES, mean, std)


def run(model, data, **changes) -> list[dict]:
    params = train_params(**{"batch_size": 8} | changes)
    return list(loop.train(model, data, params, loop.build_optimizer(model.network, params)))


def test_a_tiny_set_is_learnt_by_heart(study):
    # labels that have nothing to do with the images: only what the network remembers helps
    study.labels = np.arange(26) // 4 % 2
    study.split[8:], study.split[[8, 9]] = "test", "val"
    study.write_split()
    data = dataset.load()
    model = build(mean=tuple(data.mean), std=tuple(data.std))
    history = run(model, data, epochs=30, lr=0.001, schedule="constant")
    assert history[-1]["train_accuracy"] == 1.0
    assert history[-1]["train_loss"] < 0.1 < history[0]["train_loss"]


@pytest.mark.parametrize("normalize", [False, True])
def test_a_row_is_measured_in_eval_mode_on_clean_images(data, normalize):
    mean, std = (tuple(data.mean), tuple(data.std)) if normalize else (None, None)
    model = build(BetterCNN, mean, std)
    switches = {"flip": 0.5, "crop": 12, "erase": 48, "label_smoothing": 0.2}
    row = run(model, data, epochs=1, **switches)[-1]

    network = model.network.eval()
    for split in ("train", "val", "test"):
        members = data.splits[split]
        if split == "train":  # as many as there are validation images
            members = members[[0, 4, 8, 12]]
        x = np.asarray(data.images[members]) / 255
        if normalize:
            x = (x - data.mean) / data.std
        labels = torch.from_numpy(data.labels[members])
        with torch.no_grad():
            outputs = network(torch.from_numpy(x.transpose(0, 3, 1, 2)).float())
        accuracy = (outputs.argmax(dim=1) == labels).double().mean().item()
        assert row[f"{split}_accuracy"] == pytest.approx(accuracy)
        if split != "test":
            loss = cross_entropy(outputs, labels).item()
            assert row[f"{split}_loss"] == pytest.approx(loss, rel=1e-4)


@pytest.mark.parametrize("members, count, expected", [(5, 2, [0, 2]), (4, 4, [0, 1, 2, 3]),
                                                       (3, 9, [0, 1, 2])])  # fmt: skip
def test_members_are_picked_evenly(members, count, expected):
    assert loop.evenly(np.arange(members), count).tolist() == expected


def test_images_grow_from_the_first_epochs_to_the_last(data):
    model = build(BetterCNN)
    sides = []
    model.network.stem.register_forward_pre_hook(
        lambda layer, args: sides.append(args[0].shape[-1]) if layer.training else None
    )
    run(model, data, epochs=3, batch_size=16, architecture="BetterCNN", sizes=[48, 96])
    assert sides == [48, 48, 96]


def test_bfloat16_computes_the_layers_and_leaves_the_weights_as_they_are(data):
    model = build(BetterCNN)
    kinds = set()
    model.network.block1.conv1.register_forward_hook(lambda *args: kinds.add(args[-1].dtype))
    (row,) = run(model, data, epochs=1, precision="bfloat16")
    assert kinds == {torch.bfloat16}
    tensors = model.network.state_dict().values()
    assert {tensor.dtype for tensor in tensors} == {torch.float32, torch.int64}
    (other,) = run(build(BetterCNN), data, epochs=1)
    assert row["train_loss"] == pytest.approx(other["train_loss"], rel=0.1)


@pytest.mark.parametrize("change", [{"flip": 1.0}, {"label_smoothing": 0.3}, {"seed": 1},
                                    {"weight_decay": 0.5}, {"optimizer": "sgd"},
                                    {"schedule": "constant"}, {"batch_size": 4},
                                    {"precision": "bfloat16"}, {"zoom": 0.5},
                                    {"cutmix": 1.0}])  # fmt: skip
def test_each_param_reaches_the_training(data, change):
    weights = []
    for changes in ({}, {}, change):
        model = build()
        run(model, data, **{"epochs": 1} | changes)
        weights.append(torch.cat([tensor.flatten() for tensor in model.network.parameters()]))
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_the_loss_is_that_of_both_images_of_a_cutmix(data, monkeypatch):
    given, loss = [], loop.mixed_loss

    def record(outputs, labels, others, kept, label_smoothing):
        given.append((labels, others, kept))
        return loss(outputs, labels, others, kept, label_smoothing)

    monkeypatch.setattr(loop, "mixed_loss", record)
    run(build(), data, epochs=1, cutmix=1.0)
    params = train_params(cutmix=1.0)
    batches = loop.shuffle(data.splits["train"], params.seed, epoch=1).split(8)
    for batch, (labels, others, kept) in zip(batches, given, strict=True):
        _, partners, expected = augmented_batch(data, batch.tolist(), None, params, epoch=1)
        assert labels.tolist() == data.labels[batch].tolist()
        assert others.tolist() == data.labels[partners].tolist()
        assert torch.equal(kept, expected)
    labels, others, kept = map(torch.cat, zip(*given, strict=True))
    assert (labels != others).any() and (kept < 1).any()


def test_a_smaller_last_batch_counts_its_own_mean(data):
    model, other = build(), build()
    settings = {"optimizer": "sgd", "momentum": 0, "weight_decay": 0, "schedule": "constant"}
    run(model, data, epochs=1, batch_size=64, lr=0.01, **settings)  # of 16 images: one step
    members = data.splits["train"]
    outputs = other.network(to_input(data.images[members]))
    cross_entropy(outputs, torch.from_numpy(data.labels[members])).backward()
    for trained, tensor in zip(model.network.parameters(), other.network.parameters(), strict=True):
        torch.testing.assert_close(trained, tensor - 0.01 * tensor.grad)


@pytest.mark.parametrize("size", [48, 64])
def test_smaller_images_show_stripes_of_a_pixel_as_grey(size):
    stripes = torch.arange(96.0).remainder(2).expand(1, 3, 96, 96)
    for x in (stripes, stripes.transpose(2, 3)):
        shown = loop.resize(x, size)
        assert shown.shape == (1, 3, size, size)
        assert (shown - 0.5).abs().max() < 0.15


def test_a_loss_that_is_not_finite_is_refused(data):
    model = build()
    with torch.no_grad():
        model.network.conv1.weight *= 1e30  # the first steps of a training that explodes
    with pytest.raises(InputError, match="loss is not finite after epoch 1.*lower lr") as caught:
        run(model, data, epochs=3, optimizer="sgd", lr=100.0, schedule="constant")
    assert "\n" not in str(caught.value)


def row(accuracy, loss) -> dict:
    return {"val_accuracy": accuracy, "val_loss": loss}


@pytest.mark.parametrize(
    "new, best, expected",
    [
        (row(0.5, 1.0), {}, True),
        (row(0.6, 9.0), row(0.5, 1.0), True),
        (row(0.4, 0.1), row(0.5, 1.0), False),
        (row(0.5, 0.9), row(0.5, 1.0), True),
        (row(0.5, 1.1), row(0.5, 1.0), False),
        (row(0.5, 1.0), row(0.5, 1.0), False),  # the earlier stays
    ],
)
def test_the_best_epoch_is_by_accuracy_then_loss_then_the_earlier(new, best, expected):
    assert is_better(new, best) is expected


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_weight_decay_leaves_out_biases_and_normalisation(optimizer):
    network = BetterCNN()
    params = train_params(optimizer=optimizer, weight_decay=0.3)
    groups = loop.build_optimizer(network, params).param_groups
    decay = {id(tensor): group["weight_decay"] for group in groups for tensor in group["params"]}
    assert len(decay) == len(list(network.parameters()))
    for name, tensor in network.named_parameters():
        plain = "norm" in name or name.endswith("bias")
        assert decay[id(tensor)] == (0.0 if plain else 0.3), name


def test_the_optimisers_get_their_params():
    layer = nn.Linear(2, 2)
    adamw = loop.build_optimizer(layer, train_params(optimizer="adamw", momentum=0.8, lr=0.02))
    assert type(adamw) is torch.optim.AdamW
    assert adamw.param_groups[0]["betas"] == (0.8, 0.999) and adamw.param_groups[0]["lr"] == 0.02
    sgd = loop.build_optimizer(layer, train_params(optimizer="sgd", momentum=0.8, lr=0.02))
    assert type(sgd) is torch.optim.SGD
    assert sgd.param_groups[0]["momentum"] == 0.8 and sgd.param_groups[0]["nesterov"]
    plain = loop.build_optimizer(layer, train_params(optimizer="sgd", momentum=0.0))
    assert not plain.param_groups[0]["nesterov"]


def rates(steps, **changes) -> list[float]:
    """Return the learning rate of each step."""
    return [loop.learning_rate(train_params(**changes), step, steps) for step in range(steps)]


def test_one_cycle_rises_over_a_quarter_to_its_peak_and_falls_to_nothing():
    given = rates(40, lr=0.5, schedule="one_cycle")
    assert given[0] == pytest.approx(0.5 * 0.04)
    assert given[5] == pytest.approx(0.5 * 0.52)  # half way up
    assert max(given) == given[10] == pytest.approx(0.5)
    assert given[25] == pytest.approx(0.25)  # half way down
    assert given[:11] == sorted(given[:11]) and given[10:] == sorted(given[10:], reverse=True)
    assert 0 < given[-1] < 0.005


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5, 7, 11])
def test_one_cycle_works_for_any_number_of_steps(steps):
    given = rates(steps, lr=0.5, schedule="one_cycle")
    assert len(given) == steps and all(0 < lr <= 0.5 for lr in given)
    assert steps == 1 or max(given) > 0.25


def test_the_history_holds_the_rate_of_each_epochs_last_step(data):
    history = run(build(), data, epochs=2, lr=1e-4, schedule="constant")
    assert [row["lr"] for row in history] == [1e-4, 1e-4]
    history = run(build(), data, epochs=2, lr=1e-4, schedule="one_cycle")
    expected = rates(4, lr=1e-4, schedule="one_cycle")
    assert [row["lr"] for row in history] == [expected[1], expected[3]]


def test_epochs_that_lie_behind_are_not_trained_again(data):
    params = train_params(batch_size=8, epochs=4, flip=0.5)
    whole, halves = build(BetterCNN), build(BetterCNN)
    expected = list(loop.train(whole, data, params, loop.build_optimizer(whole.network, params)))
    optimizer = loop.build_optimizer(halves.network, params)
    first = loop.train(halves, data, params, optimizer)
    history = [next(first), next(first)]
    history += loop.train(halves, data, params, optimizer, finished_epochs=2)
    assert history == expected
    for one, other in zip(whole.network.parameters(), halves.network.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_order_is_keyed_by_seed_and_epoch():
    members = np.array([3, 5, 8, 13, 21, 34, 55])
    first = loop.shuffle(members, seed=0, epoch=1)
    assert sorted(first.tolist()) == members.tolist()
    torch.manual_seed(1)
    assert torch.equal(loop.shuffle(members, seed=0, epoch=1), first)
    assert not torch.equal(loop.shuffle(members, seed=0, epoch=2), first)
    assert not torch.equal(loop.shuffle(members, seed=1, epoch=1), first)
    assert members.tolist() == [3, 5, 8, 13, 21, 34, 55]
