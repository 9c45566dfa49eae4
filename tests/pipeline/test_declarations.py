"""`dvc.yaml` names exactly the modules that a stage imports and the params that it reads."""

import ast
import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
STAGES = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]
SPLIT = {"data/raw", "data/split"}
OCCLUDED = "${occlusion.network}"
DATA = {
    "download": set(),
    "split": {"data/raw"},
    **dict.fromkeys(("train_q1", "train_q2", "augment", "train_better"), SPLIT),
    "evaluate": SPLIT | {"models/${item.network}"},
    "occlusion": SPLIT | {f"models/{OCCLUDED}", f"plots/{OCCLUDED}/galleries.csv"},
}
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): path
    for path in (ROOT / "stages").rglob("*.py")
}


def imports(path: Path) -> set[str]:
    """Names of the project's modules that a file imports, at its top or anywhere within."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports escape this test"
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names & MODULES.keys()


def closure(start: str) -> set[str]:
    """All modules of the project that one module imports, directly or through others."""
    found, new = set(), {start}
    while new:
        found |= new
        new = set().union(*(imports(MODULES[name]) for name in new)) - found
    return found


def main_module(stage: dict) -> str:
    return re.fullmatch(r"python -m (stages\.\w+)( .*)?", stage["cmd"])[1] + ".__main__"


@pytest.mark.parametrize("name", STAGES)
def test_deps_are_the_modules_that_the_stage_imports(name):
    stage = STAGES[name]
    package = main_module(stage).rsplit(".", 1)[0]
    needed = {package.replace(".", "/")}
    for module in closure(main_module(stage)):
        if not module.startswith(f"{package}."):
            needed.add(MODULES[module].relative_to(ROOT).as_posix())
    assert set(stage["deps"]) == needed | DATA[name]


@pytest.mark.parametrize("module", sorted(MODULES))
def test_arrows_run_from_a_stage_to_common_alone(module):
    room = module.split(".")[1]
    for imported in imports(MODULES[module]):
        assert imported.split(".")[1] in {room, "common"}, f"{module} imports {imported}"


def test_packages_are_empty_so_that_they_need_not_be_named_in_deps():
    packages = [path for path in MODULES.values() if path.name == "__init__.py"]
    assert packages
    assert [path for path in packages if path.read_bytes()] == []


def groups_read(stage: dict) -> set[str]:
    """Groups of params.yaml that the stage's main reads: the literals in its calls of `read`."""
    from stages.train.params import NETWORKS

    source = MODULES[main_module(stage)].read_text(encoding="utf-8")
    groups = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("read", "params.read"):
            for argument in node.args[1:]:
                if isinstance(argument, ast.Constant):
                    groups.add(argument.value)
                else:
                    assert ast.unparse(argument) == "NETWORKS[name]"
                    groups.add(NETWORKS[stage["cmd"].split()[-1]])
    return groups


@pytest.mark.parametrize("name", STAGES)
def test_params_are_the_groups_that_the_stage_reads(name):
    assert set(STAGES[name]["params"]) == groups_read(STAGES[name])


def test_every_group_of_params_belongs_to_a_stage():
    params = YAML(typ="safe").load(ROOT / "params.yaml")
    assert set(params) == set().union(*(stage["params"] for stage in STAGES.values()))


def test_outs_are_ignored_by_git_unless_they_are_committed():
    ignored = {
        f"{folder}{line}"
        for folder in ("data", "models")
        for line in (ROOT / folder / ".gitignore").read_text().split()
    }
    cached = {out for stage in STAGES.values() for out in stage["outs"] if isinstance(out, str)}
    assert cached <= ignored
