"""`dvc.yaml` names exactly the modules that a stage imports and the params that it reads."""

import ast
import re
import shutil
from copy import deepcopy
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from stages.common.study import NETWORKS

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
    "compare": {f"metrics/{name}.json" for name in NETWORKS}
    | {f"plots/{name}" for name in NETWORKS},
    "report": SPLIT
    | {path for name in NETWORKS for path in (f"models/{name}", f"metrics/{name}.json")}
    | {f"plots/{name}" for name in (*NETWORKS, "occlusion", "split", "compare")}
    | {"metrics/pairwise.json", "metrics/occlusion.json"},
}
TOOLS = {"tools.classify"}  # on top of the stages: no stage itself, and none imports it
# modules that a stage does not import but prints as they are
PRINTED = {
    "report": {f"stages/train/{name}.py" for name in ("loop", "views", "augmentation", "cutmix")}
}
READER = "stages.common.base.params"
IMPORTERS = {"__import__", "import_module"}
BUILTINS = {"exec", "eval"}  # as names alone: a network has a method `eval`
LOADERS = {"imp", "importlib", "pkgutil", "runpy"}


def modules(root: Path) -> dict[str, ast.Module]:
    """Name and parse all modules of the stages; a package is not one, its modules are."""
    return {
        ".".join(path.relative_to(root).with_suffix("").parts): ast.parse(path.read_bytes())
        for path in sorted((root / "stages").rglob("*.py"))
    }


def imported(tree: ast.Module) -> dict[str, str]:
    """All that a module imports, at its top or anywhere within, and the names it goes by."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name: alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            source = "." * node.level + (f"{node.module}." if node.module else "")
            names |= {f"{source}{alias.name}": alias.asname or alias.name for alias in node.names}
    return names


def module_of(name: str, known: dict[str, ast.Module]) -> str | None:
    """The module that an imported name is, or is defined in."""
    return next((end for end in (name, name.rpartition(".")[0]) if end in known), None)


def imports(known: dict[str, ast.Module]) -> dict[str, set[str]]:
    """For each of the project's modules those that it imports itself."""
    return {
        module: {found for name in imported(tree) if (found := module_of(name, known))}
        for module, tree in known.items()
    }


def closure(start: str, graph: dict[str, set[str]]) -> set[str]:
    """All modules of the project that one imports, directly or through others."""
    found, new = set(), {start}
    while new:
        found |= new
        new = set().union(*(graph[name] for name in new)) - found
    return found


def main(stage: dict) -> str:
    return re.fullmatch(r"python -m (stages\.\w+)( .*)?", stage["cmd"])[1] + ".__main__"


def wrong_imports(root: Path) -> list[str]:
    """Imports that the comparison with `deps` could not follow."""
    known = modules(root)
    found = []
    for module, tree in known.items():
        for name in imported(tree):
            ours = name.startswith(".") or name.split(".")[0] == "stages"
            # metadata tells of packages and loads none
            loads = name.split(".")[0] in LOADERS and name != "importlib.metadata"
            if ours and not module_of(name, known) or loads:
                found.append(f"{module}: import of {name}")
        for node in ast.walk(tree):
            name = getattr(node, "id", None)
            if name in BUILTINS or {name, getattr(node, "attr", None)} & IMPORTERS:
                found.append(f"{module}: {ast.unparse(node)}")
    return found


def wrong_deps(stages: dict[str, dict], root: Path) -> list[str]:
    """Modules that a stage imports and does not declare, or declares and does not import."""
    graph = imports(modules(root))
    found = []
    for name, stage in stages.items():
        own = main(stage).removesuffix(".__main__")
        needed = {own.replace(".", "/")} | {
            module.replace(".", "/") + ".py"
            for module in closure(main(stage), graph)
            if not module.startswith(f"{own}.")
        }
        needed |= PRINTED.get(name, set())
        declared = {dep for dep in stage["deps"] if dep.split("/")[0] == "stages"}
        found += [f"{name}: {path} is not in deps" for path in sorted(needed - declared)]
        found += [f"{name}: {path} is not imported" for path in sorted(declared - needed)]
    return found


def groups_read(tree: ast.Module) -> set[str]:
    """Groups of `params.yaml` that a module reads, as its calls of `read` put them."""
    names = imported(tree)
    readers = {f"{names[READER]}.read"} if READER in names else set()
    readers |= {names[name] for name in names if name == f"{READER}.read"}
    return {
        ast.unparse(argument)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in readers
        for argument in node.args[1:]
    }


def wrong_params(stages: dict[str, dict], root: Path) -> list[str]:
    """Groups of params that a stage reads and does not declare, or declares and does not read."""
    known = modules(root)
    graph = imports(known)
    groups = {module: groups_read(tree) for module, tree in known.items()}
    found = []
    for name, stage in stages.items():
        read = set().union(*(groups[module] for module in closure(main(stage), graph)))
        own_group = NETWORKS.get(stage["cmd"].split()[-1])
        read = {own_group if group == "NETWORKS[name]" else group.strip("'") for group in read}
        declared = set(stage.get("params", []))
        found += [f"{name}: {group} is not in params" for group in sorted(read - declared)]
        found += [f"{name}: {group} is not read" for group in sorted(declared - read)]
    return found


def test_every_import_can_be_followed():
    assert wrong_imports(ROOT) == []


def test_deps_are_the_modules_that_the_stage_imports():
    assert wrong_deps(STAGES, ROOT) == []


def test_params_are_the_groups_that_the_stage_reads():
    assert wrong_params(STAGES, ROOT) == []


@pytest.mark.parametrize("name", STAGES)
def test_all_other_deps_are_the_data_that_the_stage_reads(name):
    assert {dep for dep in STAGES[name]["deps"] if dep.split("/")[0] != "stages"} == DATA[name]


def test_arrows_run_from_a_stage_to_common_alone():
    wrong = [
        f"{module} imports {name}"
        for module, names in imports(modules(ROOT)).items()
        for name in names
        if module not in TOOLS and name.split(".")[1] not in {module.split(".")[1], "common"}
    ]
    assert wrong == []


def test_packages_are_empty_so_that_they_need_not_be_named_in_deps():
    packages = list((ROOT / "stages").rglob("__init__.py"))
    assert packages
    assert [path for path in packages if path.read_bytes()] == []


def test_every_group_of_params_belongs_to_a_stage():
    params = YAML(typ="safe").load(ROOT / "params.yaml")
    assert set(params) == set().union(*(stage.get("params", []) for stage in STAGES.values()))


def test_outs_are_ignored_by_git_unless_they_are_committed():
    ignored = {
        f"{folder}{line}".removeprefix("/")
        for folder in ("", "data", "models")
        for line in (ROOT / folder / ".gitignore").read_text().split()
    }
    cached = {out for stage in STAGES.values() for out in stage["outs"] if isinstance(out, str)}
    assert cached <= ignored


# what follows shows that the checks above catch what they are for


@pytest.fixture
def house(tmp_path) -> Path:
    """A copy of the stages, to be spoilt."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "stages", tmp_path / "stages", ignore=ignore)
    return tmp_path


def append(path: Path, code: str) -> None:
    path.write_text(path.read_text() + code)


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("split/__main__.py", "from stages.common import networks\n"),
        ("split/__main__.py", "import stages.common.networks as f\n"),
        ("split/__main__.py", "from stages.common.networks import move\n"),
        ("split/assign.py", "def late():\n    from stages.common import networks\n"),
        ("common/dataset.py", "from stages.common import networks\n"),
    ],
    ids=["direct", "renamed", "one name", "in a function of another module", "through common"],
)
def test_an_import_that_is_not_declared_is_found(house, file, code):
    append(house / "stages" / file, code)
    assert "split: stages/common/networks.py is not in deps" in wrong_deps(STAGES, house)


def test_a_dep_that_is_not_imported_any_more_is_found(house):
    stages = deepcopy(STAGES)
    stages["split"]["deps"].append("stages/common/networks.py")
    assert wrong_deps(stages, house) == ["split: stages/common/networks.py is not imported"]


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("evaluate/__main__.py", 'params.read(None, "split")\n'),
        (
            "evaluate/draw.py",
            'from stages.common.base.params import read as get\nget(0, "split")\n',
        ),
        (
            "common/figures.py",
            'import stages.common.base.params\nstages.common.base.params.read(0, "split")',
        ),
    ],
    ids=["direct", "renamed in another module", "in common"],
)
def test_params_that_are_read_and_not_declared_are_found(house, file, code):
    append(house / "stages" / file, code)
    assert "evaluate: split is not in params" in wrong_params(STAGES, house)


def test_params_that_are_named_at_run_time_are_found(house):
    append(house / "stages/evaluate/__main__.py", "params.read(None, name)\n")
    assert wrong_params(STAGES, house) == ["evaluate: name is not in params"]


def test_params_that_are_declared_and_not_read_are_found(house):
    stages = deepcopy(STAGES)
    stages["evaluate"]["params"].append("split")
    assert wrong_params(stages, house) == ["evaluate: split is not read"]


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("import importlib\n", "import of importlib"),
        ("from importlib import import_module\n", "import of importlib.import_module"),
        ("import importlib.util as u\n", "import of importlib.util"),
        ("import runpy\n", "import of runpy"),
        ("module = __import__('stages.common.figures')\n", "__import__"),
        ("from .assign import by_parts\n", "import of .assign.by_parts"),
        ("def f(name):\n    return __import__(name)\n", "__import__"),
        ("import builtins\nload = builtins.__import__\n", "builtins.__import__"),
        ("exec('import stages.common.figures')\n", "exec"),
        ("from . import assign\n", "import of .assign"),
        ("from stages import common\n", "import of stages.common"),
        ("import stages.common\n", "import of stages.common"),
        ("from stages.common import *\n", "import of stages.common.*"),
    ],
)
def test_an_import_that_cannot_be_followed_is_found(house, code, problem):
    append(house / "stages/split/statistics.py", code)
    assert wrong_imports(house) == [f"stages.split.statistics: {problem}"]
