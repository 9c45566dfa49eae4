"""A training that is watched while it runs, by the real `dvc`."""

import json
import os
import shutil
import signal
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pandas as pd

CHARTS = ("Loss while training", "Accuracy while training")


def shown(clone) -> dict[str, int]:
    """Return the last epoch of q1 that each of DVC's commands shows; 0 where it shows none."""
    metrics = json.loads(clone.dvc("metrics", "show", "--json"))[""]["data"]
    [workspace] = [
        each["data"]["metrics"]
        for each in json.loads(clone.dvc("exp", "show", "--json"))
        if each["rev"] == "workspace"
    ]
    plots = json.loads(clone.dvc("plots", "show", "--json"))["data"]
    epochs = {
        command: values.get("live/q1/metrics.json", {}).get("data", {}).get("step", 0)
        for command, values in {"metrics": metrics, "exp": workspace}.items()
    }
    for chart in CHARTS:
        rows = [row for each in plots.get(chart, []) for row in each["content"]["data"]["values"]]
        epochs[chart] = max([0, *(int(row["epoch"]) for row in rows if row["network"] == "q1")])
    return epochs


def test_each_epoch_is_shown_as_long_as_the_training_runs(clone):
    before = clone.dvc("metrics", "show")
    clone.set_params({"train": {"epochs": 40}})
    process = clone.start("dvc", "exp", "run", "train_q1")
    deadline = time.monotonic() + 200
    while min((seen := shown(clone)).values()) < 2:
        assert process.poll() is None and time.monotonic() < deadline, seen
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)

    # it goes on where it was killed, and each epoch has one row
    assert "going on after its epoch" in clone.dvc("repro", "train_q1")
    history = pd.read_csv(clone / "models/q1/history.csv")
    assert len(history) == 40
    for column in history.columns.drop(["epoch", "lr"]):
        rows = pd.read_csv(clone / f"live/q1/plots/metrics/{column}.tsv", sep="\t")
        assert rows["step"].tolist() == history["epoch"].tolist()
        assert (rows[column] - history[column]).abs().max() < 1e-6

    # what is over is neither compared with other runs nor part of a commit
    assert clone.dvc("metrics", "show") == before
    assert set(shown(clone).values()) == {0}
    assert "live" not in clone.git("status", "--porcelain")
    assert "up to date" in clone.dvc("repro", "--dry", "train_q1")


def test_nothing_is_sent_where_a_token_is_at_hand(clone):
    class Studio(BaseHTTPRequestHandler):
        requests = 0

        def do_POST(self):
            Studio.requests += 1
            self.send_error(500)

    with HTTPServer(("127.0.0.1", 0), Studio) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        token = {"DVC_STUDIO_TOKEN": "a-token", "NO_PROXY": "127.0.0.1"}
        token |= {"DVC_STUDIO_URL": f"http://127.0.0.1:{server.server_port}"}
        token |= {"DVC_STUDIO_REPO_URL": "https://localhost/a/study"}
        process = clone.start("python", "-m", "stages.train", "q1", environment=token)
        output, _ = process.communicate(timeout=200)
        server.shutdown()
    assert process.returncode == 0, output
    assert (clone / "live/q1/metrics.json").is_file()
    assert Studio.requests == 0


def test_a_repository_without_a_commit_will_do(clone):
    shutil.rmtree(clone / ".git")
    clone.git("init", "--quiet")
    shutil.rmtree(clone / "models/q1")
    clone.call("python", "-m", "stages.train", "q1")
    assert (clone / "models/q1/history.csv").is_file()
