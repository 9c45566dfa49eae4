"""The pictures of the study that the documentation shows, taken from what the stages wrote."""

from pathlib import Path

import pypdfium2

from experiments import record

REPORT = Path("report/report.pdf")
SHARPNESS = 1.5  # pixels a point, of 1/72 inch


def keep(networks: list[str]) -> None:
    """Copy the pictures of a finished run, and draw the first page of its report."""
    plots = Path("plots")
    kept = []
    for pattern in ("*_1.png", "fills.png", "patches.png", "insertion_deletion.png"):
        kept += plots.glob(f"occlusion/{pattern}")
    for folder in ("compare", *networks):
        kept += (plots / folder).glob("*.png")
    for file in kept:
        record.keep(file, record.PLOTS / file.relative_to(plots))
    draw_page(REPORT, record.PLOTS / "report.png")


def draw_page(pdf: Path, to: Path) -> None:
    """Draw the first page of a PDF."""
    with pypdfium2.PdfDocument(pdf) as document:
        document[0].render(scale=SHARPNESS).to_pil().save(to)
