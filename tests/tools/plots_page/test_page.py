"""The page of `dvc plots` is the one that its template and the scripts give."""

import json

import pytest
from ruamel.yaml import YAML

from stages.common.figures import LINES
from stages.common.study import NETWORKS
from tests.conftest import ROOT
from tools.plots_page.__main__ import PAGE, TEMPLATE, page

TEMPLATES = sorted((ROOT / ".dvc/plots").glob("*.json"))


def test_the_page_is_what_make_page_writes():
    pytest.importorskip(
        "vl_convert", reason="vl-convert-python, which carries the scripts, is missing"
    )
    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_page_fetches_nothing():
    text = PAGE.read_text(encoding="utf-8")
    # what DVC puts there fetches scripts from the network
    assert "{scripts}" not in text and "<script src" not in text and "<link" not in text
    assert text.count("{plot_divs}") == 1
    before, after = TEMPLATE.read_text(encoding="utf-8").split("{vega}")
    assert text.startswith(before) and text.endswith(after)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_a_template_names_the_networks_as_the_pictures_do_and_in_their_colours(template):
    text = template.read_text(encoding="utf-8")
    for name, network in NETWORKS.items():
        assert f"'{name}'" in text or network.title == "Better CNN"
        assert network.title in text
    colour = json.loads(text)["spec"].get("encoding", {}).get("color")
    if colour:
        titles, colours = zip(*((of.title, of.color) for of in NETWORKS.values()), strict=True)
        assert colour["scale"] == {"domain": list(titles), "range": list(colours)}


def test_every_template_is_used_and_every_used_one_is_there():
    plots = YAML(typ="safe").load(ROOT / "dvc.yaml")["plots"]
    used = {
        value["template"]
        for plot in plots
        if isinstance(plot, dict)
        for value in plot.values()
        if "template" in value
    }
    assert used == {path.stem for path in TEMPLATES}
    curves = json.loads((ROOT / ".dvc/plots/curves.json").read_text())
    assert curves["spec"]["encoding"]["strokeDash"]["scale"]["domain"] == list(LINES)
