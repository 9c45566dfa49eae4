"""Check that code, params and data belong to `dvc.lock`: `python -m tools.verify.gate`.

To `dvc status` and `dvc repro --dry` a clone without cache is as stale as one whose code has
changed. Here what only the cache would bring back may be missing, and nothing else may differ.
"""

import argparse
import sys

from dvc.dependency import ParamsDependency
from dvc.exceptions import DvcException
from dvc.output import Output
from dvc.repo import Repo
from dvc.stage import PipelineStage, Stage
from dvc.utils.flatten import flatten
from ruamel.yaml.error import YAMLError

from stages.common.base import process
from stages.common.base.errors import InputError
from stages.common.base.progress import log
from tools.verify import locks
from tools.verify.locks import Lock


def main() -> None:
    argparse.ArgumentParser(prog="python -m tools.verify.gate", description=__doc__).parse_args()
    try:
        with Repo(".") as repo:
            stages = repo.index.stages
            problems = stale(stages, locks.read("dvc.lock"))
    except (DvcException, YAMLError) as error:
        raise InputError(" ".join(str(error).split())) from None
    for stage, lines in problems.items():
        log(f"stale: {stage}: {'; '.join(lines)}")
    if problems:
        sys.exit(
            f"error: stages that do not belong to dvc.lock: {len(problems)} of {len(stages)}; "
            "`dvc repro`, then commit what it writes"
        )
    log(f"dvc.lock belongs to the code, the params and the data: {len(stages)} stages")


def stale(stages: list[Stage], lock: Lock) -> dict[str, list[str]]:
    """Say for each stale stage what does not belong to the lock.

    Parameters
    ----------
    stages : list of Stage
        As `dvc.yaml` has them, with the hashes of the lock.
    lock : dict
        The stages of `dvc.lock`.

    Returns
    -------
    dict of str to list of str
        Only stages that are stale; empty if all is well, whatever the cache holds.
    """
    outs = [out for stage in stages for out in stage.outs]
    problems = {
        stage.addressing: [
            line
            for kind, entries in (("dep", stage.deps), ("out", stage.outs))
            for entry in entries
            for line in changed(kind, entry, outs)
        ]
        for stage in stages
    }
    declared = {stage.name: stage for stage in stages if isinstance(stage, PipelineStage)}
    for name, stage in declared.items():
        if name in lock:
            problems[name] += left_over(stage, lock[name])
        else:
            problems[name] = ["not in dvc.lock"]
    problems |= {name: ["not in dvc.yaml"] for name in lock if name not in declared}
    return {name: lines for name, lines in problems.items() if lines}


def changed(kind: str, entry: Output, outs: list[Output]) -> list[str]:
    """Compare a dep or an out with the lock: as it is here, and as its own stage has it there."""
    if isinstance(entry, ParamsDependency):
        return changed_params(entry)
    if not entry.hash_info:
        return [f"{kind} {entry} is not in dvc.lock"]
    if kind == "dep" and any(_contradicts(entry, out) for out in outs):
        return [f"dep {entry} is not what dvc.lock has as the out of its stage"]
    restored = any(out.use_cache and _holds(out, entry) for out in outs)
    return [
        f"{kind} {path} is {state}"
        for path, state in entry.workspace_status().items()
        if not (state == "deleted" and restored)
    ]


def changed_params(entry: ParamsDependency) -> list[str]:
    """Name the values of declared params that are not those of the lock."""
    if not entry.status():
        return []
    now, then = flatten(entry.read_params()), flatten(entry.hash_info.value or {})
    return [
        f"param {key} is {now.get(key, 'missing')}, was {then.get(key, 'missing')}"
        for key in now | then
        if key not in now or key not in then or now[key] != then[key]
    ] or [f"{entry} is changed"]


def left_over(stage: PipelineStage, entry: dict) -> list[str]:
    """List what the lock has of a stage that `dvc.yaml` has in other words or not at all."""
    lines = []
    if stage.cmd_changed:
        lines.append(f"cmd is {stage.cmd!r}, was {entry.get('cmd')!r}")
    for kind, entries in (("deps", stage.deps), ("outs", stage.outs)):
        declared = {item.def_path for item in entries}
        paths = (item["path"] for item in entry.get(kind, []))
        lines += [
            f"{kind[:-1]} {path} is not in dvc.yaml" for path in paths if path not in declared
        ]
    declared = {(params.def_path, name) for params in stage.params for name in params.params}
    return lines + [
        f"param {name} is not in dvc.yaml"
        for path, values in entry.get("params", {}).items()
        for name in values
        if (path, name) not in declared
    ]


def _holds(out: Output, entry: Output) -> bool:
    return out.fs.isin_or_eq(entry.fs_path, out.fs_path)


def _contradicts(dep: Output, out: Output) -> bool:
    """Whether the lock has a dep with another hash than the out that it is, or is a file of."""
    if not _holds(out, dep) or not out.hash_info:
        return False
    if dep.fs_path == out.fs_path:
        return dep.hash_info != out.hash_info
    folder = out.get_obj()  # only the cache knows what files a folder had
    if folder is None:
        return False
    _, file = folder.get(out.fs.relparts(dep.fs_path, out.fs_path)) or (None, None)
    return dep.hash_info != file


if __name__ == "__main__":
    process.run_main(main)
