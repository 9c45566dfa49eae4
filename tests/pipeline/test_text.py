"""Names that mean something to a table, a page, a formula or a font come out as they went in."""

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from PIL import Image
from pypdf import PdfReader

from stages.common import inference
from stages.common.base import files
from stages.common.tables import evaluation as tables
from tests.pipeline.conftest import once, stages_run
from tests.pipeline.test_page import BROWSER, browse, drawn

# of mathematics, HTML, templates, shells, CSV, Typst; what a reader of tables takes for a number or
# for nothing; and scripts, of which the fonts of the libraries have all but Han and Hangul. As many
# as a table has rows for
CLASSES = [
    *(
        "$\\frac{$ $$ %s",
        "<!--<script>",
        "<img src=x onerror=alert(1)>",
        "cafe\u0301 &amp; it's {{7*7}}",
    ),
    *("{plot_divs} ${x}", "<DVC_METRIC_DATA>", 'a, "b"; c', "back\\slash\\n", "total"),
    *("#typst[code] *b* _i_ @ref", "NaN", "null", "1e5", "007", "cat", "Cat"),
    *("a" * 200, "Иван العربية", "\u2211 \U0001f600", "漢字 한국어"),
]
AUTHOR = "Ada *Lovelace* 王小明 김철수 محمد Иван"
LACKING = set("漢字한국어王小明김철수\U0001f600")  # in the report; pictures have the last one


def photographs(folder: Path) -> None:
    """Write three noisy images of each class."""
    rng = np.random.default_rng(0)
    for name in CLASSES:
        (folder / name).mkdir(parents=True)
        for number in range(3):
            pixels = rng.integers(0, 256, (24, 24, 3), np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")


@pytest.fixture(scope="module")
def named(fresh_clone, tmp_path_factory):
    """A clone in which `dvc repro` has run on classes of such names; `.git/output` is its log."""

    def run(clone) -> None:
        photographs(clone / "photos")
        clone.set_params(
            {
                "download": {"source": "folder", "path": "photos", "per_class": None},
                "split": {"parts": [1, 1, 1]},
                "train": {"epochs": 1},
                "occlusion": {"patches": [96], "stride": 96},
                "report": {"author": AUTHOR},
            }
        )
        (clone / ".git/output").write_text(clone.dvc("repro"), encoding="utf-8")

    return once(tmp_path_factory, "named", run, fresh_clone)


def test_the_log_names_each_script_that_no_font_has_and_nothing_goes_wrong(named):
    output = (named / ".git/output").read_text(encoding="utf-8")
    assert len(stages_run(output)) == 15
    assert "Traceback" not in output and "Warning" not in output
    warnings = [line for line in output.splitlines() if line.startswith("warning: ")]
    # of the split, four evaluations, occlusion and compare, each one
    assert ["pictures" in line for line in warnings] == [True] * 7 + [False]
    for line in warnings:
        assert "Han and Hangul" in line and "'漢字 한국어'" in line
        assert ("symbols" in line) == ("report" in line)


def test_data_models_and_tables_have_the_names(named):
    expected = sorted(CLASSES)
    assert json.loads((named / "data/raw/source.json").read_text())["classes"] == expected
    split = json.loads((named / "data/split/statistics.json").read_text())["images"]
    assert sorted(split["train"]["by_class"]) == expected
    assert inference.load(named / "models/better").classes == expected
    for path in ("q1/classes.csv", "compare/classes.csv"):
        with open(named / "plots" / path, encoding="utf-8", newline="") as file:
            assert {row["class"] for row in csv.DictReader(file)} == set(CLASSES)
        # as docs/data.md says
        frame = pd.read_csv(named / "plots" / path, dtype={"class": str}, keep_default_na=False)
        assert set(frame["class"]) == set(CLASSES)
    for path, types, column in (
        ("q2/confusion_train.csv", tables.CONFUSION, "actual"),
        ("compare/confusion_test.csv", tables.CONFUSION, "predicted"),
        ("better/galleries.csv", tables.GALLERIES, "class"),
    ):
        assert {*files.read_csv(named / "plots" / path, types)[column]} == {*CLASSES}


def lost(clone) -> list[str]:
    """Return the names of classes and author that cannot be read in the report."""
    [path] = (clone / "report").iterdir()
    assert path.name == "report_Ada-Lovelace-王小明-김철수-محمد-Иван.pdf"
    reader = PdfReader(path)
    assert reader.metadata.author == AUTHOR
    words = "".join("".join(page.extract_text().split()) for page in reader.pages)
    names = [*CLASSES, *AUTHOR.split()]
    return [name for name in names if "".join(name.split()) not in words]


def test_the_report_has_the_names_and_the_author_but_what_no_font_has(named):
    assert lost(named) == [name for name in [*CLASSES, *AUTHOR.split()] if LACKING & {*name}]


@pytest.mark.skipif(not BROWSER, reason="no chromium is installed")
def test_the_page_draws_the_names_and_none_of_them_does_anything(named, tmp_path):
    named.dvc("plots", "show", "--out", "page")
    dom, errors = browse(named / "page/index.html", tmp_path)
    assert errors == [] and 'data-broken=""' in dom
    for chart in ("Confusion on test", "Each class by itself, F1 on test"):
        texts = drawn(dom, chart)
        cut = tuple(text[:-1] for text in texts if len(text) > 10 and text.endswith("…"))
        missing = [n for n in CLASSES if n not in texts and not n.startswith(cut)]
        assert missing == []


def font(characters: set[str], path: Path) -> None:
    """Write a font in which each of some characters is a bar."""
    pen = TTGlyphPen(None)
    for place in ((100, 0), (100, 700), (200, 700), (200, 0)):
        (pen.lineTo if pen.points else pen.moveTo)(place)
    pen.closePath()
    # of its own, or a reader of the report could not tell the characters apart
    glyphs = {f"bar{ord(c)}": pen.glyph() for c in sorted(characters)}
    builder = FontBuilder(1000)
    builder.setupGlyphOrder([".notdef", *glyphs])
    builder.setupCharacterMap({int(name[3:]): name for name in glyphs})
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph()} | glyphs)
    builder.setupHorizontalMetrics(dict.fromkeys([".notdef", *glyphs], (300, 100)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupOS2(sTypoAscender=800, sTypoDescender=-200)
    names = {"familyName": "Bars", "styleName": "Regular", "fullName": "Bars", "psName": "Bars"}
    builder.setupNameTable(names)
    builder.setupPost()
    builder.save(path)


def test_a_font_in_the_project_draws_what_the_others_lack(named, tmp_path):
    clone = named.copy(tmp_path / "project")
    font(LACKING, clone / "stages/common/fonts/bars.ttf")
    before = (clone / "plots/split/contact_sheet.png").read_bytes()
    for stage in ("split", "report"):
        output = clone.dvc("repro", "--single-item", stage)
        assert stages_run(output) == [stage]
        assert "warning" not in output
    assert (clone / "plots/split/contact_sheet.png").read_bytes() != before
    assert lost(clone) == []
