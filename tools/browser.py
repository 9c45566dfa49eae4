"""The browser that is installed, if there is one."""

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")


def find() -> str:
    """Return the path of the browser, or "" where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), "")
