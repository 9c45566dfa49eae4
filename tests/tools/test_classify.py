"""The tool `python -m tools.classify`, on real files."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stages.common.base.errors import InputError
from stages.common.inference import predict
from tests.conftest import CLASSES, assert_one_line, snapshot
from tools.classify import main


@pytest.fixture
def photos(study):
    """Write a model, and two images of each class in every format that is common."""
    model = study.write_model()
    for index, name in enumerate(["a.png", "b.bmp", "deep/c.tiff", "deep/d.webp"]):
        path = Path("photos", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        options = {"lossless": True} if name.endswith("webp") else {}
        Image.fromarray(study.images[index * 6]).save(path, **options)
    return model


@pytest.fixture
def classify(monkeypatch, capsys):
    """Return the tool as a function of its arguments, which returns the lines that it prints."""

    def call(*arguments):
        monkeypatch.setattr("sys.argv", ["classify", *map(str, arguments)])
        main()
        return capsys.readouterr().out.splitlines()

    return call


def test_scores_are_those_of_the_network_best_first(study, photos, classify):
    lines = classify("models/q1", "photos")
    names = ["a.png", "b.bmp", "deep/c.tiff", "deep/d.webp"]
    expected = predict(photos.network, study.images[[0, 6, 12, 18]])
    assert len(lines) == 4
    for line, name, scores in zip(lines, names, expected, strict=True):
        best, other = np.argsort(-scores)
        assert line == (
            f"photos/{name}: {CLASSES[best]} {scores[best]:.3f}, "
            f"{CLASSES[other]} {scores[other]:.3f}"
        )


def test_an_image_of_any_size_is_cut_and_resized_as_the_folder_source_does(study, photos, classify):
    pixels = np.asarray(Image.fromarray(study.images[3]).resize((288, 288), Image.NEAREST))
    wide = np.pad(pixels, ((0, 0), (60, 60), (0, 0)))
    Image.fromarray(wide).save("photos/wide.png")
    Image.fromarray(pixels).save("photos/square.png")
    wide, square = classify("models/q1", "photos/wide.png", "photos/square.png")
    assert wide.split(": ")[1] == square.split(": ")[1]


def test_more_images_than_fit_into_a_batch(study, photos, classify):
    Path("many").mkdir()
    for index in range(70):
        Image.fromarray(study.images[index % 26]).save(f"many/{index:02}.png")
    lines = classify("models/q1", "many")
    assert len(lines) == 70
    assert lines[0].split(": ")[1] == lines[26].split(": ")[1] == lines[52].split(": ")[1]
    assert lines[0].split(": ")[1] != lines[13].split(": ")[1]


def test_a_sheet_of_heatmaps_is_drawn_the_same_each_time(study, photos, classify):
    lines = classify("models/q1", "photos/a.png", "photos/b.bmp", "--occlusion", "new/out.png")
    assert len(lines) == 3 and lines[2] == "where the network looks: new/out.png"
    with Image.open("new/out.png") as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    # the two images are on it, and colours of the scale
    assert pixels.shape[0] > 2 * 96 and pixels.shape[1] > 7 * 96
    first = Path("new/out.png").read_bytes()
    classify("models/q1", "photos/a.png", "photos/b.bmp", "--occlusion", "new/again.png")
    assert Path("new/again.png").read_bytes() == first


def test_a_file_may_have_any_name(study, photos):
    # of mathematics, of control characters, of no text, of a script that matplotlib's fonts lack
    names = {"$\\frac{$.png": None, "\x1b[2J\n.png": "\\x1b[2J\\n.png", "漢.png": None}
    names[os.fsdecode(b"\xff.png")] = "\\udcff.png"
    Path("named").mkdir()
    for name in names:
        Image.fromarray(study.images[0]).save(Path("named", name), "png")
    paths = [f"named/{name}" for name in names]
    result = study.run("tools.classify", "models/q1", *paths, "--occlusion", "out.png")
    assert result.returncode == 0 and result.stderr == "", result.stderr
    warning, *lines, _ = result.stdout.splitlines()
    assert "Han" in warning and "'漢.png'" in warning
    expected = [f"named/{shown or name}" for name, shown in names.items()]
    assert [line.split(": ")[0] for line in lines] == expected


def test_the_tool_needs_nothing_but_the_model_and_the_images(study, photos):
    for file in ("params.yaml", "data/raw/images.npy", "data/split/split.csv"):
        Path(file).unlink()
    before = snapshot(".")
    result = study.run("tools.classify", "models/q1", "photos/a.png")
    assert result.returncode == 0 and result.stderr == "", result.stderr
    assert result.stdout.startswith("photos/a.png: ")
    assert snapshot(".") == before


def test_damaged_files_are_named_and_the_others_classified(study, photos):
    Path("photos/notes").write_text("no image, and not named like one")
    expected = study.run("tools.classify", "models/q1", "photos", "--top", "1").stdout.splitlines()
    for name in ("b.bmp", "deep/c.tiff"):
        Path("photos", name).write_bytes(b"no image")
    command = ("tools.classify", "models/q1", "photos", "--top", "1", "--occlusion", "out.png")
    result = study.run(*command)
    assert_one_line(result, "2 images", "photos/b.bmp is not", "photos/deep/c.tiff is not")
    left_out, first, *_, last = expected
    assert left_out == "left out: 1 other file"
    drawn = "where the network looks: out.png"
    assert result.stdout.splitlines() == [left_out, first, last, drawn]
    for name in ("a.png", "deep/d.webp"):
        Path("photos", name).write_bytes(b"")
    Path("out.png").unlink()
    result = study.run(*command)
    assert_one_line(result, "4 images")
    assert result.stdout.splitlines() == [left_out] and not Path("out.png").exists()


@pytest.mark.parametrize("link", [False, True])
def test_a_sheet_takes_the_place_of_no_file(study, photos, classify, link):
    sheet = "photos/a.png"
    if link:
        sheet = "sheet.png"
        Path(sheet).symlink_to("nowhere.png")
    before = snapshot("photos")
    with pytest.raises(InputError, match=f"--occlusion: {sheet} is there already"):
        classify("models/q1", "photos/b.bmp", "--occlusion", sheet)
    assert snapshot("photos") == before and Path(sheet).is_symlink() == link


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["models/q1", "nowhere.jpg"], "nowhere.jpg is not there: an image or a folder"),
        (["models/q1", ""], "an empty path is not there"),
        (["models/q1", "models"], "models holds no image, only 3 other files"),
        (["models/none", "photos"], "models/none/weights.safetensors is not there"),
        (["models/q1", "photos", "--top", "0"], "--top is 0: 1 or more"),
        (["models/q1", "photos", "--occlusion", "out.pdf"], "out.pdf: the name of a PNG"),
        (["models/q1", *["photos"] * 13, "--occlusion", "o.png"], "52 images are too many .* 50"),
    ],
)
def test_a_mistake_is_named(study, photos, classify, arguments, message):
    with pytest.raises(InputError, match=message):
        classify(*arguments)
    assert not list(Path().glob("o*.p*"))
