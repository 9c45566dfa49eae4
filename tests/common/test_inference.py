"""Saving, loading and applying a network."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
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
    """Return a folder with the weights of a shallow network."""
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


def test_logits_come_in_the_order_of_the_indices():
    means = IMAGES.reshape(5, -1, 3).mean(axis=1) / 255
    for batch_size in (1, 2, 256):
        given = logits(Mean(), IMAGES, np.array([4, 0, 4, 2]), batch_size)
        np.testing.assert_allclose(given.numpy(), means[[4, 0, 4, 2]], atol=1e-6)
