"""Results that are shared: remotes, the run cache, one cache for two clones, a queue."""

import hashlib
import json
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import snapshot
from tests.pipeline.conftest import ENVIRONMENT, Clone, stages_run

# the stages that have all their outs in the cache
CACHED = ("download", "split", "train_q1", "train_q2", "augment", "train_better")
# each changes one file of metrics
STRIDE = ("-S", "occlusion.stride=48")
SMOOTHING = ("-S", "train_better.label_smoothing=0.2")
BETTER = ("better.json", "summary.json")  # the metrics that it changes
MEASURED = ("occlusion", "compare")  # the last stages that write metrics


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    """Run an S3 server with a bucket `study`, give its address and let `dvc` know the keys."""
    folder = tmp_path_factory.mktemp("s3")
    (folder / "study").mkdir()
    keys = {"AWS_ACCESS_KEY_ID": "access-key", "AWS_SECRET_ACCESS_KEY": "secret-key"}
    # neither the user's own account nor a proxy may come between
    own = {"AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": "127.0.0.1"}
    own |= dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), "no-such-file")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delitem(ENVIRONMENT, name, raising=False)
        for name, value in (keys | own).items():
            patch.setitem(ENVIRONMENT, name, value)
        command = ["rclone", "serve", "s3", "--config", os.devnull, "--addr", "127.0.0.1:0"]
        command += ["--auth-key", ",".join(keys.values()), str(folder)]
        with subprocess.Popen(
            command, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True
        ) as server:
            said = (re.search(r"http://127\.0\.0\.1:\d+", line) for line in server.stderr)
            yield next(filter(None, said)).group()
            server.terminate()


def add_s3(clone: Clone, address: str) -> None:
    """Make the S3 server the remote of a clone."""
    clone.dvc("remote", "add", "--default", "storage", "s3://study/results")
    clone.dvc("remote", "modify", "--local", "storage", "endpointurl", address)
    clone.commit("a remote")


@pytest.fixture(scope="module", params=["folder", "s3"])
def shared(request, finished_clone, tmp_path_factory) -> Clone:
    """A clone that has pushed all that it has, the run cache included, to a remote."""
    folder = tmp_path_factory.mktemp("shared")
    clone = finished_clone.copy(folder / "project")
    if request.param == "s3":
        add_s3(clone, request.getfixturevalue("s3"))
    else:
        clone.dvc("remote", "add", "--default", "storage", str(folder / "remote"))
        clone.commit("a remote")
    clone.dvc("push", "--run-cache")
    return clone


@pytest.fixture
def second(shared, tmp_path) -> Clone:
    """Another clone with the same remote, which holds only what Git holds."""
    shared.git("clone", "--quiet", str(shared.folder), str(tmp_path / "second"))
    second = Clone(tmp_path / "second")
    if (local := shared / ".dvc/config.local").exists():
        shutil.copy(local, second / ".dvc")
    assert not (second / "models/q1").exists()
    return second


def contents(clone: Clone, *folders: str) -> dict[str, bytes]:
    """Return the files in some folders of a clone, by their paths within it."""
    files = snapshot(*(clone / folder for folder in folders))
    return {os.path.relpath(path, clone.folder): content for path, content in files.items()}


def test_a_second_clone_pulls_and_reproduces_nothing(shared, second):
    second.dvc("pull")
    assert contents(second, "data", "models") == contents(shared, "data", "models")
    assert stages_run(second.dvc("repro")) == []
    assert json.loads(second.dvc("status", "--json")) == {}


def test_what_a_colleague_has_run_is_restored_instead_of_run(shared, second):
    second.dvc("pull", "--run-cache")
    # now only the run cache knows what comes of these params
    (second / "dvc.lock").unlink()
    for folder in ("data", "models"):
        shutil.rmtree(second / folder)
    output = second.dvc("repro", *CACHED)
    # no run cache where DVC may not remove what is there, nor beside a picture that Git carries
    assert stages_run(output) == ["download", "split"]
    for stage in {*CACHED} - {"download", "split"}:
        assert f"Stage '{stage}' is cached - skipping run" in output
    outs = ("data", *(f"models/{network}" for network in ("q1", "q2", "augment", "better")))
    assert contents(second, *outs) == contents(shared, *outs)


@pytest.fixture(scope="module")
def alone(finished_clone, tmp_path_factory) -> Clone:
    """A clone in which both changes have run, with nothing beside."""
    clone = finished_clone.copy(tmp_path_factory.mktemp("alone") / "project")
    clone.dvc("exp", "run", *STRIDE, *SMOOTHING, *MEASURED)
    return clone


def metrics(clone: Clone) -> dict[str, str]:
    return {path.name: path.read_text() for path in (clone / "metrics").glob("*.json")}


def test_two_clones_run_at_the_same_time_with_one_cache(finished_clone, alone, tmp_path):
    cache = tmp_path / "cache"
    shutil.copytree(finished_clone / ".dvc/cache", cache)
    clones = [finished_clone.copy(tmp_path / name) for name in ("first", "second")]
    for clone in clones:
        shutil.rmtree(clone / ".dvc/cache")
        clone.dvc("cache", "dir", "--local", str(cache))
    # both train the same network: its weights come into the cache from two sides
    changes = [(*STRIDE, *SMOOTHING), SMOOTHING]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda c, of: c.dvc("exp", "run", *of, *MEASURED), clones, changes))
    assert metrics(clones[0]) == metrics(alone)
    only = {name: metrics(alone)[name] for name in BETTER}
    assert metrics(clones[1]) == metrics(finished_clone) | only
    for clone in clones:
        assert json.loads(clone.dvc("status", "--json", "--with-deps", *MEASURED)) == {}
        assert not (clone / ".dvc/cache").exists()
    for path, content in snapshot(cache / "files/md5").items():
        name = "".join(Path(path).parts[-2:]).removesuffix(".dir")
        assert hashlib.md5(content).hexdigest() == name


def test_two_workers_run_a_queue(clone, alone):
    before, changed = metrics(clone), metrics(alone)
    queue = {"stride": STRIDE, "smoothing": SMOOTHING, "nothing": ("-S", "occlusion.stride=32")}
    for name, change in queue.items():
        clone.dvc("exp", "run", "--queue", "--name", name, *change, *MEASURED)
    clone.dvc("exp", "run", "--run-all", "--jobs", "2")
    assert clone.dvc("queue", "status").count("Success") == 3
    found = {}
    for name in queue:
        ref = clone.git("for-each-ref", "--format=%(refname)", f"refs/exps/*/*/{name}").strip()
        found[name] = {file: clone.git("show", f"{ref}:metrics/{file}") for file in before}
    assert found == {
        "stride": before | {"occlusion.json": changed["occlusion.json"]},
        "smoothing": before | {name: changed[name] for name in BETTER},
        "nothing": before,
    }
