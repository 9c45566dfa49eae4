"""Take the picture of the explorer that README.md shows: `make explore-page`."""

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "explore/index.html"
PICTURE = ROOT / "docs/explorer.png"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
VIEW = {"width": 1240, "height": 960}


def take() -> None:
    """Take it of the first view, in a browser that is installed.

    Raises
    ------
    SystemExit
        There is no page, or no browser.
    """
    if not PAGE.exists():
        raise SystemExit(f"error: {PAGE} is not there: run `dvc repro explore`")
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not browser:
        raise SystemExit(f"error: none of {', '.join(BROWSERS)} is installed")
    with sync_playwright() as started:
        opened = started.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        tab = opened.new_page(viewport=VIEW)
        tab.goto(PAGE.as_uri())
        tab.wait_for_selector(".strip img[src]")
        tab.wait_for_timeout(200)  # until the photographs are decoded
        tab.screenshot(path=PICTURE)


if __name__ == "__main__":
    take()
