"""What `dvc.lock` says of a pipeline: its order, and the hash of everything."""

from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

Lock = dict[str, dict[str, Any]]  # a stage's name and its entry in dvc.lock


def read(path: str | Path) -> Lock:
    """Read the stages of a `dvc.lock`; none where there is no such file."""
    path = Path(path)
    if not path.exists():
        return {}
    return (YAML(typ="safe").load(path) or {}).get("stages") or {}


def hashes(lock: Lock, stage: str, kind: str) -> dict[str, str]:
    """Give path and hash of each of a stage's "deps" or "outs"; none for an unknown stage."""
    return {item["path"]: item["md5"] for item in lock.get(stage, {}).get(kind, [])}


def producer(lock: Lock, path: str) -> str | None:
    """Name the stage whose out a path is, or lies in."""
    for stage in lock:
        for out in hashes(lock, stage, "outs"):
            if path == out or path.startswith(f"{out}/"):
                return stage
    return None


def upstream(lock: Lock) -> dict[str, list[str]]:
    """List for each stage the stages whose outs it reads."""
    names = {stage: [producer(lock, dep) for dep in hashes(lock, stage, "deps")] for stage in lock}
    return {stage: list(dict.fromkeys(filter(None, names[stage]))) for stage in lock}


def downstream(lock: Lock) -> dict[str, list[str]]:
    """List for each stage the stages that read its outs."""
    parents = upstream(lock)
    return {stage: [name for name in lock if stage in parents[name]] for stage in lock}


def order(lock: Lock) -> list[str]:
    """List the stages so that each comes after those that it reads from."""
    return list(TopologicalSorter(upstream(lock)).static_order())


def reach(neighbours: dict[str, list[str]], stage: str) -> set[str]:
    """Collect a stage and all that are reached from it."""
    found, new = set(), {stage}
    while new:
        found |= new
        new = {name for stage in new for name in neighbours[stage]} - found
    return found


def changed_outs(before: Lock, after: Lock) -> list[tuple[str, str]]:
    """List stage and path of each out of `after` that `before` lacks or has with another hash."""
    return [
        (stage, out)
        for stage in order(after)
        for out, md5 in hashes(after, stage, "outs").items()
        if hashes(before, stage, "outs").get(out) != md5
    ]


def changed_inputs(before: Lock, after: Lock, stage: str) -> list[str]:
    """List what a stage was given that differs, apart from other stages' outs."""
    old, new = before.get(stage, {}), after.get(stage, {})
    changed = [key for key in ("cmd", "params") if old.get(key) != new.get(key)]
    deps = [
        {dep: md5 for dep, md5 in hashes(lock, stage, "deps").items() if not producer(lock, dep)}
        for lock in (before, after)
    ]
    paths = deps[0] | deps[1]
    return changed + [dep for dep in paths if deps[0].get(dep) != deps[1].get(dep)]
