"""The table of results as CSV and Markdown."""

from tools.benchmarks import table
from tools.benchmarks.table import Row

ROWS = [
    ("occlusion", Row("one", "quick", "slow", [(1.0, 4.0), (2.0, 6.0), (9.0, 5.0)], "same")),
    ("download", Row("two", "less", "more", [(0.125, 1.0)], "equal", "noted", unit="MB")),
]


def test_ratios_are_those_of_the_medians():
    assert ROWS[0][1].medians == (2.0, 5.0)
    assert ROWS[0][1].ratio == 2.5


def test_the_markdown_file_says_machine_table_and_lines(tmp_path):
    table.write(tmp_path, ROWS, "a machine: `a command`", ["where time goes", "and more"])
    machine, rows, lines = (tmp_path / "results.md").read_text().split("\n\n")
    assert machine == "a machine: `a command`"
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows.splitlines()]
    assert cells[0] == ["benchmark", "case", "ours", "other", "ratio", "same result", "note"]
    assert set("".join(cells[1])) <= set(":-")
    assert cells[2] == ["occlusion", "one", "quick: 2 s", "slow: 5 s", "2.50", "same", ""]
    assert cells[3] == [
        "download", "two", "less: 0.125 MB", "more: 1 MB", "8.00", "equal", "noted"
    ]  # fmt: skip
    assert lines == "- where time goes\n- and more\n"
