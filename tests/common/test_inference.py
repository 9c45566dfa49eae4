"""Saving, loading and applying a network."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from safetensors import safe_open
from torch import nn

from stages.common.base.errors import InputError
from stages.common.inference import (
    Model,
    check_classes,
    load,
    logits,
    predict,
    save,
    to_input,
)
from stages.common.networks import BetterCNN, DeepCNN, ShallowCNN, initialise
from tests.conftest import ROOT

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 96, 96, 3), np.uint8)
CLASSES = ["cat", "dog", "cow"]
FILE = "weights.safetensors"


class Mean(nn.Module):
    """Its logits are the mean red, green and blue of the image."""

    def forward(self, x):
        return x.mean(dim=(2, 3))


def build(architecture=ShallowCNN, classes=CLASSES, **attributes) -> Model:
    network = architecture(len(classes))
    initialise(network, torch.Generator().manual_seed(0))
    return Model(network.eval(), list(classes), **attributes)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Give a folder with the weights of a shallow network."""
    save(tmp_path, build())
    return tmp_path


@pytest.mark.parametrize("architecture", [ShallowCNN, DeepCNN, BetterCNN])
def test_a_loaded_network_predicts_the_same(tmp_path, architecture):
    model = build(architecture, mean=(0.1, 0.2, 0.3), std=(0.4, 0.5, 0.6), epoch=7)
    for name, buffer in model.network.named_buffers():
        if "running" in name:
            buffer.uniform_(0.5, 1.5)  # as after a training
    save(tmp_path, model)
    loaded = load(tmp_path)
    assert type(loaded.network) is architecture and not loaded.network.training
    assert (loaded.classes, loaded.mean, loaded.std) == (CLASSES, model.mean, model.std)
    assert loaded.epoch == 7
    np.testing.assert_allclose(predict(loaded, IMAGES), predict(model, IMAGES), atol=1e-6)


def test_a_model_without_normalisation_stays_without(folder):
    loaded = load(folder)
    assert (loaded.mean, loaded.std, loaded.epoch) == (None, None, None)


def test_the_file_says_itself_what_it_is(tmp_path):
    save(tmp_path, build(classes=["Kuh", "Küken"], mean=(0.5,) * 3, std=(0.25,) * 3, epoch=3))
    with safe_open(tmp_path / FILE, framework="pt") as file:
        assert file.metadata() == {
            "model": '{"architecture": "ShallowCNN", "classes": ["Kuh", "K\\u00fcken"], '
            '"epoch": 3, "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]}'
        }
        assert sorted(file.keys()) == sorted(ShallowCNN(2).state_dict())
    assert load(tmp_path).classes == ["Kuh", "Küken"]


def test_two_saves_are_the_same_bytes(tmp_path):
    save(tmp_path / "1", build())
    save(tmp_path / "2", build())
    assert (tmp_path / "1" / FILE).read_bytes() == (tmp_path / "2" / FILE).read_bytes()


def test_the_memory_order_does_not_change_the_bytes(tmp_path):
    save(tmp_path / "1", build())
    model = build()
    model.network.to(memory_format=torch.channels_last)
    save(tmp_path / "2", model)
    assert (tmp_path / "1" / FILE).read_bytes() == (tmp_path / "2" / FILE).read_bytes()


def test_another_process_with_another_hash_seed_saves_the_same_bytes(tmp_path):
    save(tmp_path, build())
    code = "from tests.common.test_inference import build, save\nsave('.', build())"
    subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "12345"},
        cwd=tmp_path.joinpath("other").mkdir() or tmp_path / "other",
        check=True,
        timeout=60,
    )
    digests = {
        hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (tmp_path / FILE, tmp_path / "other" / FILE)
    }
    assert len(digests) == 1


def test_a_missing_file_says_how_to_make_it(tmp_path):
    with pytest.raises(InputError, match=f"{FILE} is not there: run `dvc repro`"):
        load(tmp_path / "q1")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04 a pickle of torch.save",
        bytes(1000),
        b"\xff" * 8,
        (2).to_bytes(8, "little") + b"{}",
        b"half",
        b"no metadata",
    ],
    ids=["empty", "zip", "zeros", "huge header", "no tensors", "half", "no metadata"],
)
def test_a_broken_file_ends_in_one_line(folder, content):
    whole = (folder / FILE).read_bytes()
    if content == b"half":
        content = whole[: len(whole) // 2]
    if content == b"no metadata":
        content = safetensors.torch.save(ShallowCNN(3).state_dict())
    (folder / FILE).write_bytes(content)
    with pytest.raises(
        InputError, match=f"{FILE}(: its classes are 3| is not a weights file)"
    ) as caught:
        load(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "description",
    [
        "no json",
        "[]",
        "{}",
        '{"architecture": "VGG16", "classes": ["a"], "mean": null, "std": null, "epoch": 1}',
        '{"architecture": ["a"], "classes": ["a"], "mean": null, "std": null, "epoch": 1}',
        '{"architecture": "ShallowCNN", "classes": 3, "mean": null, "std": null, "epoch": 1}',
    ],
)
def test_metadata_of_something_else_ends_in_one_line(tmp_path, description):
    tensors = ShallowCNN(3).state_dict()
    safetensors.torch.save_file(tensors, tmp_path / FILE, {"model": description})
    with pytest.raises(
        InputError, match=f"{FILE}(: its classes are 3| is not a weights file)"
    ) as caught:
        load(tmp_path)
    assert "\n" not in str(caught.value)


def spoil(folder, change) -> None:
    """Change the tensors of a file and keep its metadata."""
    with safe_open(folder / FILE, framework="pt") as file:
        metadata = file.metadata()
    tensors = safetensors.torch.load_file(folder / FILE)
    change(tensors)
    safetensors.torch.save_file(tensors, folder / FILE, metadata)


@pytest.mark.parametrize(
    "change, parts",
    [
        (lambda t: t.pop("conv2.bias"), ["conv2.bias is missing"]),
        (lambda t: t.update(extra=torch.zeros(1)), ["extra does not belong"]),
        (
            lambda t: t.update({"fc2.bias": torch.zeros(4)}),
            ["fc2.bias has the shape (4,), (3,) is needed"],
        ),
        (
            lambda t: t.update({"fc1.weight": t["fc1.weight"].T.contiguous()}),
            ["fc1.weight has the shape (1152, 128), (128, 1152) is needed"],
        ),
        (lambda t: t["conv1.weight"][0, 0, 0].fill_(float("nan")), ["conv1.weight", "NaN"]),
        (lambda t: t["fc1.bias"][5].fill_(float("-inf")), ["fc1.bias", "infinity"]),
        (
            lambda t: t.update({"fc1.bias": t["fc1.bias"].half()}),
            ["fc1.bias is of the type F16, F32 is needed"],
        ),
        (
            lambda t: t.update({"fc1.bias": t["fc1.bias"].long()}),
            ["fc1.bias is of the type I64, F32 is needed"],
        ),
        (lambda t: t.update({"a\nb\x1b[2J": torch.zeros(1)}), [r"a\nb\x1b[2J does not belong"]),
    ],
    ids=["missing", "extra", "length", "transposed", "nan", "infinity", "half", "whole", "name"],
)
def test_a_tensor_that_does_not_fit_is_named(folder, change, parts):
    spoil(folder, change)
    with pytest.raises(InputError) as caught:
        load(folder)
    assert "\n" not in str(caught.value)
    for part in [FILE, *parts]:
        assert part in str(caught.value)


def test_a_negative_variance_is_named(tmp_path):
    save(tmp_path, build(BetterCNN))
    spoil(tmp_path, lambda t: t["block2.norm1.running_var"][3].fill_(-0.5))
    with pytest.raises(InputError, match="block2.norm1.running_var holds a negative variance"):
        load(tmp_path)


def describe(folder, **changes) -> None:
    """Change the metadata of a file and keep its tensors; ... leaves an entry out."""
    description = {"architecture": "ShallowCNN", "classes": CLASSES, "epoch": 3}
    description |= {"mean": [0.5] * 3, "std": [0.25] * 3} | changes
    kept = {key: value for key, value in description.items() if value is not ...}
    tensors = safetensors.torch.load_file(folder / FILE)
    safetensors.torch.save_file(tensors, folder / FILE, {"model": json.dumps(kept)})


@pytest.mark.parametrize(
    "changes, part",
    [
        (
            {"architecture": "VGG16"},
            "architecture is 'VGG16': should be 'ShallowCNN', 'DeepCNN', 'BetterCNN'",
        ),
        ({"architecture": ...}, "architecture is missing"),
        ({"architecture": "DeepCNN"}, "the tensor block1.conv1.weight is missing"),
        ({"classes": ["cat", "dog"]}, "fc2.weight has the shape (3, 128), (2, 128) is needed"),
        ({"classes": []}, "classes is []"),
        ({"classes": ["cat", "dog", 3]}, "classes.2 is 3: should be a valid string"),
        ({"classes": ["cat", "dog", "cat"]}, "should be distinct names of printable text"),
        ({"classes": ["cat", "dog", ""]}, "should be distinct names of printable text"),
        ({"classes": ["cat", "dog", "a\nb"]}, "should be distinct names of printable text"),
        ({"classes": [str(number) for number in range(257)]}, "at most 256 items"),
        ({"mean": [0.5, 0.5]}, "mean is [0.5, 0.5]"),
        ({"mean": [0.5] * 4}, "at most 3 items"),
        ({"mean": [0.5, 0.5, "0.5"]}, "mean.2 is '0.5': should be a valid number"),
        ({"mean": [0.5, 0.5, True]}, "mean.2 is True"),
        ({"mean": [0.5, 0.5, float("nan")]}, "mean.2 is nan: should be a finite number"),
        ({"mean": [0.5, 0.5, 1e300]}, "mean.2 is 1e+300"),
        ({"std": [0.5, 0.5, 0]}, "std.2 is 0"),
        ({"std": [0.5, 0.5, -0.5]}, "std.2 is -0.5"),
        ({"std": [0.5, 0.5, 1e-300]}, "std.2 is 1e-300"),
        ({"std": [0.5, 0.5, float("inf")]}, "std.2 is inf"),
        ({"std": None}, "mean and std should both be there or both be null"),
        ({"mean": None}, "mean and std should both be there or both be null"),
        ({"epoch": True}, "epoch is True: should be a valid integer"),
        ({"epoch": 2.0}, "epoch is 2.0: should be a valid integer"),
        ({"epoch": "2"}, "epoch is '2': should be a valid integer"),
        ({"epoch": -1}, "epoch is -1"),
        ({"epoch": ...}, "epoch is missing"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_metadata_that_do_not_fit_are_named(folder, changes, part):
    describe(folder)
    assert load(folder).epoch == 3
    describe(folder, **changes)
    with pytest.raises(InputError) as caught:
        load(folder)
    message = str(caught.value)
    assert FILE in message and part in message and message.isprintable(), message


def test_the_same_classes_are_accepted():
    check_classes(build(), ["cat", "dog", "cow"], "models/q1")


@pytest.mark.parametrize("classes", [["cat", "dog"], ["dog", "cat", "cow"], ["cat", "dog", "hen"]])
def test_other_classes_are_refused_with_both_sets(classes):
    with pytest.raises(InputError) as caught:
        check_classes(build(), classes, "models/q1")
    message = str(caught.value)
    assert message.startswith("models/q1 was trained on the classes cat, dog, cow")
    assert ", ".join(classes) in message


def softmax(x):
    x = np.exp(x - x.max(axis=1, keepdims=True))
    return x / x.sum(axis=1, keepdims=True)


def test_a_plain_module_gets_images_scaled_to_0_to_1():
    expected = softmax(IMAGES.reshape(5, -1, 3).mean(axis=1) / 255)
    scores = predict(Mean(), IMAGES)
    assert scores.dtype == np.float32 and scores.shape == (5, 3)
    np.testing.assert_allclose(scores, expected, atol=1e-6)


def test_a_models_normalisation_is_applied_to_each_channel():
    mean, std = (0.1, 0.5, 0.2), (0.25, 0.01, 2.0)
    expected = softmax((IMAGES.reshape(5, -1, 3).mean(axis=1) / 255 - mean) / std)
    model = Model(Mean(), CLASSES, mean, std)
    np.testing.assert_allclose(predict(model, IMAGES), expected, atol=1e-5)


def test_input_is_scaled_and_turned_to_channels_first():
    images = np.zeros((1, 2, 3, 3), np.uint8)
    images[0, 1, 2] = 255, 51, 0
    x = to_input(images)
    assert x.shape == (1, 3, 2, 3) and x.dtype == torch.float32
    assert x[0, :, 1, 2].tolist() == [1.0, pytest.approx(0.2), 0.0]
    assert x.sum().item() == pytest.approx(1.2)


def test_scores_of_an_image_sum_to_one():
    scores = predict(build(), IMAGES)
    assert scores.shape == (5, 3) and (scores >= 0).all()
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-6)


def test_images_are_left_as_they_were():
    images = IMAGES.copy()
    predict(Model(Mean(), CLASSES, (0.5,) * 3, (0.5,) * 3), images)
    assert np.array_equal(images, IMAGES)


@pytest.mark.parametrize("batch_size", [1, 2, 5])
@pytest.mark.parametrize("architecture", [ShallowCNN, BetterCNN])
def test_the_batch_size_does_not_change_the_scores(architecture, batch_size):
    model = build(architecture)
    expected = predict(model, IMAGES, batch_size=4)
    np.testing.assert_allclose(predict(model, IMAGES, batch_size), expected, atol=2e-6)


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_is_left_as_it_was_and_the_network_too(training):
    network = BetterCNN(3).train(training)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    scores = predict(network, IMAGES)
    assert network.training is training
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    # batch statistics would make an image's score depend on its neighbours
    np.testing.assert_allclose(predict(network, IMAGES[:2]), scores[:2], atol=2e-6)


def test_a_frozen_part_of_a_network_stays_frozen():
    network = BetterCNN(3).train()
    network.block1.eval()
    predict(network, IMAGES[:1])
    assert network.training and not network.block1.training


def test_no_gradient_is_kept():
    assert not logits(build(), IMAGES[:1]).requires_grad


def test_logits_come_in_the_order_of_the_indices():
    means = IMAGES.reshape(5, -1, 3).mean(axis=1) / 255
    for batch_size in (1, 2, 256):
        given = logits(Mean(), IMAGES, np.array([4, 0, 4, 2]), batch_size)
        np.testing.assert_allclose(given.numpy(), means[[4, 0, 4, 2]], atol=1e-6)


def test_no_images_give_no_scores():
    assert predict(build(), IMAGES[:0]).shape == (0, 3)
    assert logits(build(), IMAGES, np.array([], np.int64)).shape == (0, 3)


def test_images_may_be_mapped_from_disk(tmp_path):
    np.save(tmp_path / "images.npy", IMAGES)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    assert np.array_equal(predict(Mean(), mapped), predict(Mean(), IMAGES))
