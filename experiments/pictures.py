"""The pictures of the study that the documentation shows, taken from what the stages wrote."""

from pathlib import Path

import pypdfium2
from playwright.sync_api import Error, sync_playwright

from experiments import record
from stages.common.base.progress import log
from tools import browser

REPORT, EXPLORER = Path("report/report.pdf"), Path("explore/index.html")
SHARPNESS = 1.5  # pixels a point, of 1/72 inch
VIEW = {"width": 1240, "height": 960}


def keep(networks: list[str]) -> None:
    """Copy the pictures of a finished run; draw its report's first page and the explorer."""
    plots = Path("plots")
    kept = []
    for pattern in ("*_1.png", "fills.png", "patches.png", "insertion_deletion.png"):
        kept += plots.glob(f"occlusion/{pattern}")
    for folder in ("compare", *networks):
        kept += (plots / folder).glob("*.png")
    for file in kept:
        record.keep(file, record.PLOTS / file.relative_to(plots))
    draw_page(REPORT, record.PLOTS / "report.png")
    take_screenshot(EXPLORER, record.PLOTS / "explorer.png")


def draw_page(pdf: Path, to: Path) -> None:
    """Draw the first page of a PDF."""
    with pypdfium2.PdfDocument(pdf) as document:
        document[0].render(scale=SHARPNESS).to_pil().save(to)


def take_screenshot(page: Path, to: Path) -> None:
    """Take a picture of the explorer's first view; without a browser, say that there is none."""
    path = browser.find()
    if not path:
        log(f"{to.name} is not taken anew: none of {', '.join(browser.NAMES)} is installed")
        return
    try:
        with sync_playwright() as started:
            opened = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
            tab = opened.new_page(viewport=VIEW)
            tab.goto(page.resolve().as_uri())
            tab.wait_for_selector(".strip img[src]")
            tab.wait_for_timeout(200)  # until the photographs are decoded
            tab.screenshot(path=to)
    except Error as error:  # the measurements go on
        log(f"{to.name} is not taken anew: {error}")
