"""Reading `params.yaml`: what is refused, in which words, and that DVC reads the same values."""

import re
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from stages.common.base.errors import InputError
from stages.common.base.params import Group, read
from stages.common.reproducible import Compute
from stages.common.study import NETWORKS
from stages.download.params import Download
from stages.evaluate.params import Evaluate
from stages.occlusion.params import Occlusion
from stages.split.params import Split
from stages.train.params import Train
from tests.conftest import ROOT

GOOD = {
    "lr": "0.1",
    "epochs": "3",
    "optimizer": "adamw",
    "flip": "true",
    "parts": "[8, 2, 3]",
    "path": "null",
}


class Toy(Group):
    lr: Annotated[float, Field(gt=0, le=1)]
    epochs: Annotated[int, Field(ge=1, le=100)]
    optimizer: Literal["adamw", "sgd"]
    flip: bool
    parts: list[int]
    path: str | None


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(text) -> None:
    content = text if isinstance(text, bytes) else text.encode()
    Path("params.yaml").write_bytes(content)


def write_group(name="toy", **changes) -> None:
    lines = [f"  {key}: {value}" for key, value in (GOOD | changes).items() if value is not None]
    write("\n".join([f"{name}:", *lines]) + "\n")


def refusal(*groups, schema=Toy) -> str:
    """Return the one line with which the params are refused."""
    with pytest.raises(InputError) as caught:
        read(schema, *groups or ("toy",))
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("params.yaml")
    return message


def test_good_values_arrive_with_their_types():
    write_group()
    values = read(Toy, "toy").model_dump()
    expected = {"lr": 0.1, "epochs": 3, "optimizer": "adamw", "flip": True, "parts": [8, 2, 3]}
    assert values == expected | {"path": None}
    assert type(values["lr"]) is float and type(values["epochs"]) is int


@pytest.mark.parametrize("text", ["1e-5", "1E-5", "1.0e-05", "0.00001"])
def test_exponents_are_numbers(text):
    write_group(lr=text)
    assert read(Toy, "toy").lr == 0.00001


@pytest.mark.parametrize(
    "given, nearest", [("epoch", "epochs"), ("learning_rate", "lr"), ("optimiser", "optimizer")]
)
def test_an_unknown_key_names_the_nearest(given, nearest):
    write_group(**{given: "1"})
    message = refusal()
    assert f"toy.{given} is not a known param" in message
    if given != "learning_rate":  # too far from any key for a meaningful nearest one
        assert f"the nearest known key is {nearest}" in message
    assert "lr, epochs, optimizer, flip, parts, path" in message


@pytest.mark.parametrize(
    "key, text, parts",
    [
        ("epochs", "-1", ["-1", "greater than or equal to 1"]),
        ("epochs", "0", ["0", "greater than or equal to 1"]),
        ("epochs", "101", ["101", "less than or equal to 100"]),
        ("epochs", "three", ["'three'", "integer"]),
        ("epochs", "'3'", ["'3'", "integer"]),
        ("epochs", "3.0", ["3.0", "integer"]),
        ("epochs", "true", ["True", "integer"]),
        ("epochs", "null", ["None", "integer"]),
        ("lr", "0", ["0", "greater than 0"]),
        ("lr", "1.5", ["1.5", "less than or equal to 1"]),
        ("lr", "false", ["False", "number"]),
        ("lr", "'0.1'", ["'0.1'", "number"]),
        ("lr", ".nan", ["nan", "finite"]),
        ("lr", ".inf", ["inf"]),
        ("lr", "1e999", ["inf"]),
        ("lr", "[0.1]", ["[0.1]", "number"]),
        ("flip", "1", ["1", "boolean"]),
        ("flip", "'true'", ["'true'", "boolean"]),
        ("optimizer", "adam", ["'adam'", "'adamw' or 'sgd'"]),
        ("optimizer", "AdamW", ["'AdamW'", "'adamw' or 'sgd'"]),
        ("parts", "8", ["8", "list"]),
        ("path", "3", ["3", "string"]),
    ],
)
def test_a_bad_value_is_named_with_what_is_allowed(key, text, parts):
    write_group(**{key: text})
    message = refusal()
    assert message.startswith(f"params.yaml: toy.{key} is {parts[0]}")
    for part in parts:
        assert part in message


def test_a_missing_group_names_the_nearest():
    write_group("tory")
    assert refusal() == "params.yaml: the group toy is missing; the nearest known key is tory"


@pytest.mark.parametrize("text", ["3", "null", "[1, 2]", "lr"])
def test_a_group_must_be_a_mapping(text):
    write(f"toy: {text}\n")
    message = refusal()
    assert "toy is " in message and "key: value" in message


@pytest.mark.parametrize(
    "text, parts",
    [
        ("toy: {lr: 1, lr: 2}\n", ["line 1", "duplicate key", "lr"]),
        ("toy: {}\ntoy: {}\n", ["line 2", "duplicate key", "toy"]),
        ("toy: [1\n", ["line 2", "not valid YAML"]),
        ("toy:\n\tlr: 1\n", ["line 2", "not valid YAML"]),
        ("toy: {}\n---\ntoy: {}\n", ["line 2", "another document"]),
        ("toy: !!python/object:os.system {}\n", ["line 1", "not valid YAML"]),
        ("toy: 2024-13-45\n", ["not valid YAML"]),
        ("toy: !!int three\n", ["not valid YAML"]),
        (b"toy: \xff\n", ["not valid YAML", "utf-8"]),
        ("", ["top level"]),
        ("# nothing\n", ["top level"]),
        ("- toy\n", ["top level"]),
        ("toy\n", ["top level"]),
    ],
)
def test_a_broken_file_ends_in_one_line(text, parts):
    write(text)
    message = refusal()
    for part in parts:
        assert part in message


def test_a_missing_file_is_named():
    assert "params.yaml is not there" in refusal()


def test_a_later_group_overrides_an_earlier_one():
    write_group("train")
    write(Path("params.yaml").read_text() + "q1:\n  lr: 0.5\n  path: here\n")
    settings = read(Toy, "train", "q1")
    assert (settings.lr, settings.path, settings.epochs) == (0.5, "here", 3)
    assert read(Toy, "train").lr == 0.1


def test_an_error_names_the_group_that_the_value_comes_from():
    write_group("train", epochs="-1")
    write(Path("params.yaml").read_text() + "q1:\n  lr: 5\n")
    assert refusal("train").startswith("params.yaml: train.epochs is -1")
    write_group("train")
    write(Path("params.yaml").read_text() + "q1:\n  lr: 5\n")
    assert refusal("train", "q1").startswith("params.yaml: q1.lr is 5")


def test_a_wrong_value_is_told_also_where_a_later_group_overrides_it():
    write_group("train", epochs="-1")
    write(Path("params.yaml").read_text() + "q1:\n  epochs: 5\n")
    assert refusal("train", "q1").startswith("params.yaml: train.epochs is -1")


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_a_wrong_epoch_of_all_is_told_for_every_network(network):
    params = (ROOT / "params.yaml").read_text()
    write(re.sub(r"^  epochs: 14", "  epochs: -1", params, flags=re.M))
    message = refusal("train", network.stage, schema=Train)
    assert message.startswith("params.yaml: train.epochs is -1: should be greater than or equal")


def test_what_fits_together_is_checked_of_the_merged_values_alone():
    params = (ROOT / "params.yaml").read_text()
    write(params.replace("  sizes: [96]", "  sizes: [64, 96]"))
    read(Train, "train", "train_q2")
    assert "ShallowCNN" in refusal("train", "train_q1", schema=Train)
    text = Path("params.yaml").read_text()
    write(text.replace("architecture: ShallowCNN\n", "architecture: ShallowCNN\n  sizes: [96]\n"))
    read(Train, "train", "train_q1")


@pytest.mark.parametrize(
    "schema, groups",
    [
        (Download, ["download"]),
        (Split, ["split"]),
        (Compute, ["compute"]),
        (Evaluate, ["evaluate"]),
        (Occlusion, ["occlusion"]),
        *((Train, ["train", network.stage]) for network in NETWORKS.values()),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_the_projects_own_params_are_good(schema, groups):
    read(schema, *groups, path=ROOT / "params.yaml")


def write_occlusion(**changes) -> None:
    values = {"network": "q1", "patches": "[8, 16]", "stride": "4", "fill": "mean"}
    values |= {"other_fills": "[gray, black]"} | changes
    write("occlusion:\n" + "".join(f"  {key}: {value}\n" for key, value in values.items()))


@pytest.mark.parametrize("text, value", [("mean", "mean"), ("128", 128.0), ("[1, 2.5, 3]", None)])
def test_a_fill_is_a_word_a_grey_or_a_colour(text, value):
    write_occlusion(fill=text)
    assert read(Occlusion, "occlusion").fill == (value or [1.0, 2.5, 3.0])


@pytest.mark.parametrize("text", ["300", "-1", "[1, 2]", "[1, 2, 300]", "median", "true", ".nan"])
def test_a_bad_fill_is_named_by_its_key_and_every_form_is_told(text):
    write_occlusion(fill=text)
    message = refusal("occlusion", schema=Occlusion)
    assert message.startswith("params.yaml: occlusion.fill is "), message
    assert "mean" in message and "255" in message


@pytest.mark.parametrize(
    "text, names",
    [
        ("[]", ["mean"]),
        ("[gray, mean, 128, [255, 0, 10.5]]", ["mean", "gray", "128", "255-0-10.5"]),
    ],
)
def test_the_leading_fill_is_the_first_and_none_comes_twice(text, names):
    write_occlusion(other_fills=text)
    assert list(read(Occlusion, "occlusion").fills) == names


@pytest.mark.parametrize("text", ["[blue]", "[gray, gray]", "[128, 128.0]", "blur", "[300]"])
def test_bad_other_fills_are_refused(text):
    write_occlusion(other_fills=text)
    assert "occlusion.other_fills" in refusal("occlusion", schema=Occlusion)


@pytest.mark.parametrize("text", ["[]", "[0]", "[97]", "[8, 8]", "8", "[1, 2, 3, 4, 5, 6, 7]"])
def test_bad_patches_are_refused(text):
    write_occlusion(patches=text)
    assert "occlusion.patches" in refusal("occlusion", schema=Occlusion)
