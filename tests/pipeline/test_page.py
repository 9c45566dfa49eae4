"""The page of `dvc plots` in a real browser, from a local file and without a network."""

import csv
import html
import re
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from stages.common.study import NETWORKS
from tools import browser

BROWSER = browser.find()
# the page is asked, once all is drawn, which of its pictures did not load
ASK = """<script>
addEventListener("load", () => {
  const broken = [...document.images].filter(image => !image.naturalWidth);
  document.body.dataset.broken = broken.map(image => image.src).join();
});
</script></body>"""

TITLES = [network.title for network in NETWORKS.values()]
pytestmark = pytest.mark.skipif(not BROWSER, reason="no chromium is installed")


def browse(page: Path, tmp_path: Path) -> tuple[str, list[str]]:
    """Open a page; give what stands in it in the end, and what its scripts complained of."""
    asking = page.with_name("asking.html")
    # the last one: the scripts have the word in them too
    head, _, tail = page.read_text(encoding="utf-8").rpartition("</body>")
    asking.write_text(head + ASK + tail, encoding="utf-8")
    done = subprocess.run(
        [
            BROWSER,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--host-resolver-rules=MAP * ~NOTFOUND",  # there is no network
            f"--user-data-dir={tmp_path / 'browser'}",
            "--enable-logging=stderr",
            "--virtual-time-budget=20000",
            "--dump-dom",
            asking.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if ":CONSOLE:" in line]
    # of a newer Vega the templates' own generation is worth a remark, no more
    return done.stdout, [line for line in said if "compiled spec uses Vega" not in line]


def declared(clone) -> tuple[list[str], list[str]]:
    """Return the titles of the charts and the paths of the pictures, those of folders too."""
    plots = YAML(typ="safe").load(clone / "dvc.yaml")["plots"]
    charts = [title for plot in plots if isinstance(plot, dict) for title in plot]
    paths = [clone / plot for plot in plots if isinstance(plot, str)]
    found = [one for path in paths for one in (sorted(path.iterdir()) if path.is_dir() else [path])]
    return charts, [path.relative_to(clone.folder).as_posix() for path in found]


def drawn(dom: str, title: str) -> list[str]:
    """Return the texts of a chart, in the order in which they are drawn."""
    charts = re.findall(r'<svg [^>]*class="marks".*?</svg>', dom, flags=re.S)
    texts = [[html.unescape(t) for t in re.findall(r"<text[^>]*>([^<]*)<", c)] for c in charts]
    (found,) = (chart for chart in texts if title in chart)
    return found


def counts(clone, split: str) -> list[str]:
    with open(clone / f"plots/compare/confusion_{split}.csv") as file:
        return [row["images"] for row in csv.DictReader(file) if row["images"] != "0"]


def test_the_page_shows_every_plot_without_a_network_and_without_an_error(clone, tmp_path):
    clone.dvc("plots", "show", "--out", "page")
    dom, errors = browse(clone / "page/index.html", tmp_path)
    assert errors == []
    charts, pictures = declared(clone)
    assert len(charts) >= 6 and len(pictures) >= 20
    for chart in charts:
        assert len(drawn(dom, chart)) > 10, chart
    for picture in pictures:
        assert f"<p>{picture}</p>" in dom
        assert f"static/workspace_{picture.replace('/', '_')}" in dom
    assert 'data-broken=""' in dom
    for chart in ("Loss of the four networks", "Each class by itself, F1 on test"):
        assert set(TITLES) <= set(drawn(dom, chart))


def test_the_confusion_matrices_show_their_counts_each_under_its_network(clone, tmp_path):
    clone.dvc("plots", "show", "--out", "page")
    dom, _ = browse(clone / "page/index.html", tmp_path)
    for split, word in (("train", "train"), ("val", "validation"), ("test", "test")):
        texts = drawn(dom, f"Confusion on {word}")
        assert [text for text in texts if text.isdigit()] == counts(clone, split)
        headings = [text for text in texts if text.endswith(", workspace")]
        assert headings == [f"{title}, workspace" for title in TITLES]


def test_two_commits_stand_side_by_side(finished_clone, second_run, tmp_path):
    second_run.dvc("plots", "diff", "HEAD~1", "HEAD", "--out", "page")
    dom, errors = browse(second_run / "page/index.html", tmp_path)
    assert errors == [] and 'data-broken=""' in dom
    for split, word in (("val", "validation"), ("test", "test")):
        texts = drawn(dom, f"Confusion on {word}")
        before, now = counts(finished_clone, split), counts(second_run, split)
        assert before != now
        assert [text for text in texts if text.isdigit()] == before + now
        headings = [text for text in texts if ", HEAD" in text]
        assert headings == [
            f"{title}, {revision}" for revision in ("HEAD~1", "HEAD") for title in TITLES
        ]
    for picture in declared(second_run)[1]:
        name = picture.replace("/", "_")
        assert f"static/HEAD~1_{name}" in dom and f"static/HEAD_{name}" in dom
