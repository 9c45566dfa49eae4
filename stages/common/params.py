"""Reading `params.yaml`: each stage brings the schema of its groups, this module reads and checks.

The file is parsed by the YAML 1.2 parser that DVC itself uses, so a stage and `dvc.lock` always see
the same value: `1e-5` is a number, and `on`, `off`, `yes` and `no` are refused rather than guessed.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.tokens import (
    AliasToken,
    FlowMappingEndToken,
    FlowMappingStartToken,
    FlowSequenceEndToken,
    FlowSequenceStartToken,
)

from stages.common.cli import LONGEST, InputError, reason

FILE = "params.yaml"
YAML_1_1_BOOLEANS = {"on", "off", "yes", "no"}
MOST_ALIASES = 20  # a few dozen that build on one another stand for more than the memory holds
DEEPEST = 20  # brackets within brackets: the parser's time grows with their square


Seed = Annotated[int, Field(ge=0, lt=2**32)]


class Group(BaseModel):
    """Base of every schema: no unknown keys, no conversions, no NaN or infinity."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


G = TypeVar("G", bound=Group)


def read(schema: type[G], *groups: str, path: str | Path = FILE) -> G:
    """Read one or several groups of `params.yaml`; a later group overrides keys of an earlier one.

    Parameters
    ----------
    schema : subclass of Group
        What the merged groups must look like.
    groups : str
        Names of top-level keys, as declared under `params` in `dvc.yaml`.

    Raises
    ------
    InputError
        One line: the key, what was given, what is allowed, the nearest known key.
    """
    content = parse(path)
    origin: dict[str, str] = {}
    merged: dict[str, Any] = {}
    for group in groups:
        if group not in content:
            raise InputError(f"{path}: the group {group} is missing{_nearest(group, content)}")
        values = content[group]
        if not isinstance(values, dict):
            raise InputError(
                f"{path}: {group} is {shown(values)}: a group of `key: value` lines is needed"
            )
        merged |= values
        origin |= dict.fromkeys(values, group)
    return check(schema, merged, str(path), origin, groups[0])


def check(
    schema: type[G], values: Any, where: str, origin: Mapping[str, str] = {}, group: str = ""
) -> G:
    """Check values against a schema.

    Parameters
    ----------
    schema : subclass of Group
    values : mapping
    where : str
        Begins the message: the file, and what it is not.
    origin : mapping of str to str, optional
        The group that a key comes from.
    group : str, optional
        That of all other keys.

    Raises
    ------
    InputError
        One line: the key, what was given, what is allowed, the nearest known key.
    """
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field, *rest = first["loc"] or ("",)
        key = ".".join(str(part) for part in (origin.get(field, group), field, *rest) if part != "")
        raise InputError(f"{where}: {_explain(first, key, field, schema)}") from None


def parse(path: str | Path = FILE) -> dict[str, Any]:
    """Parse a YAML 1.2 file whose top level is a mapping."""
    try:
        text = Path(path).read_text(encoding="utf-8")
        _refuse_explosives(text)
        content = YAML(typ="safe", pure=True).load(text)
    except FileNotFoundError:
        raise InputError(
            f"{path} is not there: call the stages from the project's folder"
        ) from None
    except (OSError, MemoryError):
        raise
    except Exception as error:
        # a tag on a value that it does not fit may raise anything
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or reason(error)
        raise InputError(f"{path}{where}: not valid YAML: {problem[:LONGEST]}") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: the top level must be groups such as `train:`")
    try:
        _refuse_yaml_1_1_booleans(content, path)
    except RecursionError:
        raise InputError(f"{path}: a list or a mapping must not contain itself") from None
    return content


def _refuse_explosives(text: str) -> None:
    """Refuse a few lines that would take a parser minutes or gigabytes."""
    aliases = depth = 0
    for token in YAML(typ="safe", pure=True).scan(text):
        aliases += isinstance(token, AliasToken)
        depth += isinstance(token, (FlowMappingStartToken, FlowSequenceStartToken))
        depth -= isinstance(token, (FlowMappingEndToken, FlowSequenceEndToken))
        if aliases > MOST_ALIASES:
            raise ValueError(f"more than {MOST_ALIASES} aliases")
        if depth > DEEPEST:
            raise ValueError(f"more than {DEEPEST} brackets within one another")


def _refuse_yaml_1_1_booleans(value: Any, path: str | Path, key: str = "") -> None:
    children = value.items() if isinstance(value, dict) else enumerate(value)
    for name, child in children:
        child_key = f"{key}.{name}" if key else str(name)
        if isinstance(child, (dict, list)):
            _refuse_yaml_1_1_booleans(child, path, child_key)
        elif isinstance(child, str) and child.lower() in YAML_1_1_BOOLEANS:
            raise InputError(f"{path}: {child_key} is {child}: write true or false")


def _nearest(name: str, known) -> str:
    matches = get_close_matches(str(name)[:LONGEST], list(map(str, known)), n=1, cutoff=0)
    return f"; the nearest known key is {matches[0]}" if matches else ""


def _explain(error: dict[str, Any], key: str, field: str, schema: type[Group]) -> str:
    known = schema.model_fields
    if error["type"] == "extra_forbidden":
        return f"{key} is not a known param{_nearest(field, known)} (known: {', '.join(known)})"
    if error["type"] == "missing":
        return f"{key} is missing"
    message = error["msg"].removeprefix("Value error, ").replace("Input should be", "should be")
    return f"{key} is {shown(error['input'])}: {message}" if field else f"{key}: {message}"


def shown(value: Any) -> str:
    """Write a value as a message shows it: as in Python, cut where it is long."""
    try:
        text = repr(value)
    except ValueError:
        text = "a number of thousands of digits"  # Python writes none of them
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
