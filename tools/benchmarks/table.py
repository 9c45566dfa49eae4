"""The table of results: rows, CSV, Markdown."""

from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pandas as pd

from stages.common.base import files


@dataclass(frozen=True)
class Row:
    """One comparison.

    `ours` and `other` are two ways to what is computed, `pairs` what they took, in `unit`, and
    `equality` tells how it was checked that the results are the same.
    """

    case: str
    ours: str
    other: str
    pairs: list[tuple[float, float]]
    equality: str
    note: str = ""
    unit: str = "s"

    @property
    def medians(self) -> tuple[float, float]:
        ours, other = zip(*self.pairs, strict=True)
        return median(ours), median(other)

    @property
    def ratio(self) -> float:
        """How many times as much the other one takes."""
        ours, other = self.medians
        return other / ours


def frame(rows: list[tuple[str, Row]]) -> pd.DataFrame:
    """Lay out rows, each with the name of its benchmark, as the CSV file has them."""
    table = []
    for benchmark, row in rows:
        ratios = [other / ours for ours, other in row.pairs]
        table.append(
            {
                "benchmark": benchmark,
                "case": row.case,
                "ours": row.ours,
                "other": row.other,
                "unit": row.unit,
                "ours_median": row.medians[0],
                "other_median": row.medians[1],
                "ratio": row.ratio,
                "ratio_lowest": min(ratios),
                "ratio_highest": max(ratios),
                "pairs": len(row.pairs),
                "equality": row.equality,
                "note": row.note,
            }
        )
    return pd.DataFrame(table)


def markdown(rows: list[tuple[str, Row]], machine: str, lines: list[str]) -> str:
    """Write the table as Markdown: first the machine, last the lines below the table."""
    cells = [
        {
            "benchmark": benchmark,
            "case": row.case,
            "ours": f"{row.ours}: {row.medians[0]:.3g} {row.unit}",
            "other": f"{row.other}: {row.medians[1]:.3g} {row.unit}",
            "ratio": f"{row.ratio:.2f}",
            "same result": row.equality,
            "note": row.note,
        }
        for benchmark, row in rows
    ]
    table = pd.DataFrame(cells).to_markdown(index=False, disable_numparse=True)
    listed = "\n".join(f"- {line}" for line in lines)
    return "\n\n".join(filter(None, [machine, table, listed])) + "\n"


def write(folder: str | Path, rows: list[tuple[str, Row]], machine: str, lines: list[str]) -> None:
    """Write `results.csv` and `results.md`."""
    files.write_csv(Path(folder) / "results.csv", frame(rows))
    files.write_text(Path(folder) / "results.md", markdown(rows, machine, lines))
