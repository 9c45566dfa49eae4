"""The command `python -m stages.report`, and what stands in its PDF."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pypdf import PdfReader

from stages.common.base.errors import InputError
from stages.common.study import GALLERIES, NETWORKS, PER_CLASS, SPLITS
from stages.report.__main__ import main
from stages.report.run import CODE, PICTURES
from stages.report.typeset import LARGEST
from tests.conftest import ROOT, assert_one_line, snapshot

PAIR = {"only_first": 1, "only_second": 9, "p": 0.012, "p_holm": 0.071}
QUESTIONS = ("1.1", "1.2", "1.3", "1.4", "2.1", "2.2", "2.3", "3")


def process(*command: str, **environment) -> subprocess.CompletedProcess:
    """Call Python in this folder, in another process."""
    return subprocess.run(
        [sys.executable, *command],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def set_params(**changes) -> None:
    params = json.loads(Path("params.yaml").read_text())  # JSON is YAML
    for group, values in changes.items():
        params[group] |= values
    Path("params.yaml").write_text(json.dumps(params))


def text(path: str = "report/report.pdf") -> str:
    """All words of a PDF, with single spaces."""
    pages = [page.extract_text() for page in PdfReader(path).pages]
    return " ".join(" ".join(pages).split())


def headings(path: str = "report/report.pdf") -> list[str]:
    def flat(items):
        for item in items:
            if isinstance(item, list):
                yield from flat(item)
            else:
                yield item.title

    return list(flat(PdfReader(path).outline))


def test_every_question_has_a_heading_and_an_answer(finished):
    before = snapshot("data", "models", "metrics", "plots")
    main()
    assert snapshot("data", "models", "metrics", "plots") == before
    assert sorted(os.listdir("report")) == ["report.pdf"]
    assert Path("report/report.pdf").stat().st_size < LARGEST
    titles = headings()
    for question in QUESTIONS:
        assert sum(title.split()[0] == question for title in titles) == 1, titles
    words = text()
    assert words.count("Answer.") == len(QUESTIONS)
    for name in NETWORKS:
        metrics = json.loads(Path(f"metrics/{name}.json").read_text())
        interval = metrics["test"]["accuracy_interval"]
        shown = (
            f"{metrics['test']['accuracy']:.1%} ({interval['low']:.1%} to {interval['high']:.1%})"
        )
        assert shown in words
        assert f"{metrics['test']['tta_accuracy']:.1%}" in words
    for gallery in GALLERIES:
        of = json.loads(Path("metrics/occlusion.json").read_text())[gallery]["patch_48"]
        assert of["pointing_game_by_chance"] == 0.5
        assert f"{of['largest_rise_of_actual']:.3f} {of['pointing_game']:.1%} 50.0%" in words
    assert "Author, student number and e-mail are not set" in words
    # the code as it is, to its last line
    assert "class DeepCNN(nn.Module):" in words
    for path in CODE:
        assert (ROOT / path).read_text().splitlines()[-1].strip() in words
    assert "389,570" in words  # the shallow network with two classes


def test_every_picture_that_is_read_stands_in_the_report(finished):
    main()
    objects = [
        value
        for page in PdfReader("report/report.pdf").pages
        for value in page["/Resources"].get("/XObject", {}).values()
    ]
    images = {o.idnum for o in objects if o.get_object()["/Subtype"] == "/Image"}
    of_a_network = 1 + len(SPLITS) + len(GALLERIES)
    heatmaps = len(GALLERIES) * PER_CLASS
    assert len(images) == len(NETWORKS) * of_a_network + heatmaps + len(PICTURES)
    drawn = {path.relative_to("plots").as_posix() for path in Path("plots").rglob("*.png")}
    assert {f"{name}.png" for name in PICTURES} >= {
        path for path in drawn if path.startswith(("compare/", "split/"))
    }


def test_without_test_time_augmentation_its_column_is_left_out(finished):
    for name in NETWORKS:
        path = Path(f"metrics/{name}.json")
        metrics = json.loads(path.read_text())
        for split in SPLITS:
            del metrics[split]["tta_accuracy"]
        path.write_text(json.dumps(metrics))
    main()
    assert "TTA" not in text()


def test_the_report_states_the_leaks_of_the_split_and_the_p_corrected_for_all_pairs(finished):
    for path, changes in (
        ("data/split/statistics.json", {"duplicates": {"images": 5432, "across_splits": 1234}}),
        ("metrics/pairwise.json", {"q1_q2": PAIR, "q2_augment": PAIR}),
    ):
        content = json.loads(Path(path).read_text())
        Path(path).write_text(json.dumps(content | changes))
    main()
    words = text()
    assert "5,432" in words and "1,234" in words
    # p alone stands in the table of all pairs, the corrected one there and where it decides
    assert words.count("p = 0.012") == 2 and words.count("p = 0.071") >= 4


def test_the_same_results_give_the_same_bytes(finished):
    main()
    first = Path("report/report.pdf").read_bytes()
    (finished / "report/report.pdf").unlink()
    other = {"TZ": "Pacific/Chatham", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
    result = process("-m", "stages.report", **other, SOURCE_DATE_EPOCH="9")
    assert result.returncode == 0, result.stderr
    assert Path("report/report.pdf").read_bytes() == first


def test_the_author_stands_on_the_page_and_in_the_name_and_is_no_markup(finished):
    author = "#panic() *Ada* [Lovelace] $x$"
    set_params(report={"author": author, "student_number": "0012345", "email": "ada@example.org"})
    main()
    [name] = os.listdir("report")
    assert name == "report_panic-Ada-Lovelace-x_0012345.pdf"
    words = text(f"report/{name}")
    assert author in words and "0012345" in words and "ada@example.org" in words
    assert "not set" not in words


@pytest.mark.parametrize("source", ["sample", "folder"])
def test_what_is_not_stl_10_is_not_called_so(finished, source):
    description = json.loads(Path("data/raw/source.json").read_text())
    Path("data/raw/source.json").write_text(json.dumps(description | {"source": source}))
    main()
    words = text().replace("of the ten classes of STL-10 (they are not STL-10)", "")
    assert "STL-10" not in words


def test_the_folder_in_which_the_data_lie_stays_private(finished):
    set_params(download={"path": "/home/ada/secret/photos"})
    main()
    assert "photos" in text() and "secret" not in text()


def test_a_network_without_errors_is_told_of(finished):
    for split in ("train", "val", "test"):
        path = Path(f"plots/q1/confusion_{split}.csv")
        lines = path.read_text().split()
        path.write_text("\n".join([lines[0]] + [f"{i.split(',')[0]}," * 2 for i in lines[1:]]))
        path.write_text(path.read_text().replace(",\n", "\n").rstrip(",") + "\n")
    table = Path("plots/q1/galleries.csv").read_text().splitlines(keepends=True)
    kept = [line for line in table if not line.startswith("misclassified")]
    Path("plots/q1/galleries.csv").write_text("".join(kept))
    main()
    words = text()
    assert "No validation image is misclassified: the gallery is empty." in words


def test_a_bad_param_ends_in_one_line_before_anything_heavy(finished):
    set_params(report={"email": "nowhere"})
    command = "import sys, runpy\ntry: runpy.run_module('stages.report', run_name='__main__')\n"
    command += "finally: print('torch' in sys.modules or 'matplotlib' in sys.modules)"
    result = process("-c", command)
    assert_one_line(result, "report.email is 'nowhere': should be an address")
    assert result.stdout == "False\n"
    assert not Path("report").exists()


@pytest.mark.parametrize(
    ("path", "content", "words"),
    [
        ("plots/q2/curves.png", None, "plots/q2/curves.png"),
        ("plots/q1/galleries.csv", None, "plots/q1/galleries.csv is not there: run `dvc repro`"),
        ("plots/q1/curves.csv", "epoch\n1\n", "plots/q1/curves.csv is damaged"),
        ("metrics/better.json", "{}", "lack 'agreement'"),
        ("metrics/pairwise.json", "{}", "lack 'q1_q2'"),
        ("data/split/statistics.json", "{}", "lack 'protocol'"),
    ],
)
def test_what_is_missing_is_named_and_the_old_report_stays(finished, path, content, words):
    Path("report").mkdir()
    Path("report/report.pdf").write_bytes(b"the last one")
    Path(path).unlink()
    if content is not None:
        Path(path).write_text(content)
    with pytest.raises((InputError, FileNotFoundError)) as error:
        main()
    assert words in str(error.value)
    assert Path("report/report.pdf").read_bytes() == b"the last one"
    assert os.listdir("report") == ["report.pdf"]
