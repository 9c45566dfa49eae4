"""The page as a file: self-contained, within its size, and no class name breaks it."""

import base64
import hashlib
import json
import re

import numpy as np
import pytest

from stages.explore import choose
from stages.explore.page import FOLDER, SCRIPTS, embedded
from stages.explore.run import compose
from tests.explore.conftest import Known

EVIL = ["</script><img src=x onerror=alert(1)>", "<!--<script>", "{{scores}}", "é\u2028&amp;"]


def block(html: str, name: str) -> str:
    return re.search(rf'<script type="[^"]*" id="{name}">(.*?)</script>', html, re.DOTALL)[1]


def test_the_names_of_classes_come_back_whole_and_end_no_element():
    html, held = compose(*Known(EVIL).parts)
    study = json.loads(block(html, "study"))
    assert study["classes"] == EVIL and held == len(study["images"]) == 100
    assert "<" not in embedded(EVIL)
    assert html.count("<script") == html.count("</script>") == 5


def test_the_policy_allows_the_pages_own_script_and_style_alone(known):
    html, _ = compose(*known.parts)
    for tag in ("script", "style"):
        (inside,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}';" in html
    assert "default-src 'none'; img-src data:;" in html
    assert not re.search(r'(?:src|href)="https?:', html)


def test_the_same_study_gives_the_same_page(known):
    assert compose(*known.parts) == compose(*Known(known.data.classes).parts)


def test_every_script_of_the_folder_is_in_the_page():
    assert sorted(SCRIPTS) == sorted(path.name for path in FOLDER.glob("*.js"))


@pytest.mark.parametrize("limit", [{"MOST_IMAGES": 70}, {"MOST_OF_IMAGES": 100_000}], ids=str)
def test_what_has_no_room_is_left_out_and_counts_are_of_all(monkeypatch, known, limit):
    for name, value in limit.items():
        monkeypatch.setattr(choose, name, value)
    html, held = compose(*known.parts)
    assert 20 < held < 100
    study = json.loads(block(html, "study"))
    assert len(block(html, "images").splitlines()) == len(study["images"]) == held
    scores = np.frombuffer(base64.b64decode(block(html, "scores")), "<u2")
    assert scores.shape == (4 * held * 3,)
    counts = [sum(count for *_, count in split["confusion"]["q1"]) for split in study["splits"]]
    assert counts == [40, 60]
    assert [split["images"] for split in study["splits"]] == [40, 60]
    assert {image[0] for image in study["images"] if image[3]} == set(range(14))


def test_maps_that_have_no_room_are_left_out(monkeypatch, known):
    monkeypatch.setattr(choose, "MOST_OF_MAPS", 30_000)
    html, _ = compose(*known.parts)
    lines = block(html, "maps").splitlines()
    mapped = sum(len(image[3]) for image in json.loads(block(html, "study"))["images"])
    assert 0 < len(lines) == mapped < 16
