"""A user's photographs where the pipeline writes: the real `dvc` refuses them, and they stay."""

import os
import shutil

import pytest
from PIL import Image

from tests.conftest import snapshot

FOLDER = "download.source=folder"


@pytest.mark.parametrize("command", ["repro", "exp"])
@pytest.mark.parametrize(
    ("place", "link", "path"),
    [
        ("data/raw", None, "data/raw"),
        ("data/raw", None, "data"),
        ("data/raw", None, "elsewhere"),
        ("data/raw", ("data/raw", "photos"), "photos"),
        ("models/q1/photos", ("models/q1/photos/cat", "photos/cat"), "photos"),
        ("kept", ("kept", "data/raw"), "kept"),
    ],
    ids=["in", "above", "not named", "link to it", "link of a class", "it is a link"],
)
def test_photographs_in_an_out_are_refused_and_stay(clone, place, link, path, command):
    for folder in (place, "photos"):
        for name in ("cat", "dog"):
            (clone / folder / name).mkdir(parents=True)
            Image.new("RGB", (96, 96)).save(clone / folder / name / "0.png")
    users = [clone / place / name for name in ("cat", "dog")]
    before = snapshot(*users)
    if link:
        target, name = (clone / part for part in link)
        shutil.rmtree(name)
        name.symlink_to(os.path.relpath(target, name.parent))
    if command == "exp":
        output = clone.dvc("exp", "run", "-S", FOLDER, "-S", f"download.path={path}", code=1)
    else:
        clone.set_params({"download": {"source": "folder", "path": path}})
        output = clone.dvc("repro", code=1)
    assert output.count("error: ") == 1 and "Traceback" not in output
    assert "move your files elsewhere" in output
    assert len(before) == 2 and snapshot(*users) == before
