"""Reading `params.yaml`: each stage brings the schema of its groups, this module reads and checks.

The file is parsed by the YAML 1.2 parser that DVC itself uses, so a stage and `dvc.lock` always see
the same value: `1e-5` is a number.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from stages.common.base.errors import LONGEST, InputError, shown

FILE = "params.yaml"

Seed = Annotated[int, Field(ge=0, lt=2**32)]


class Group(BaseModel):
    """Base of every schema: no unknown keys, no conversions, no NaN or infinity."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


G = TypeVar("G", bound=Group)


def read(schema: type[G], *groups: str, path: str | Path = FILE) -> G:
    """Read one or several groups of `params.yaml`; a later group overrides keys of an earlier one.

    Null in a later group leaves the value of the earlier one in force.

    Parameters
    ----------
    schema : subclass of Group
        What the merged groups must look like.
    groups : str
        Names of top-level keys, as declared under `params` in `dvc.yaml`.

    Raises
    ------
    InputError
        One line: the key, what was given, what is allowed, the nearest known key. A wrong value is
        told also where a later group overrides it.
    """
    content = parse(path)
    merged: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for group in groups:
        values = overriding(_group(content, group, path), merged)
        merged |= values
        origin |= dict.fromkeys(values, group)
    for group in groups[:-1]:
        _check_fields(schema, merged | content[group], path, group, content[group])
    return check(schema, merged, str(path), origin, groups[0])


def overriding(own: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a group that override or add to shared ones: null stands for theirs."""
    return {key: value for key, value in own.items() if value is not None or key not in shared}


def _group(content: dict[str, Any], group: str, path: str | Path) -> dict[str, Any]:
    if group not in content:
        raise InputError(f"{path}: the group {group} is missing{_nearest(group, content)}")
    if not isinstance(content[group], dict):
        given = shown(content[group])
        raise InputError(f"{path}: {group} is {given}: a group of `key: value` lines is needed")
    return content[group]


def _check_fields(schema: type[G], values: Any, path: str | Path, group: str, own: Any) -> None:
    """Check a group's own values one by one, whatever they are together with those of another."""
    try:
        schema.model_validate(values)
    except ValidationError as error:
        for first in error.errors():
            field, *_ = first["loc"] or ("",)
            if field in own:
                raise InputError(f"{path}: {_told(first, {}, group, schema)}") from None


def check(
    schema: type[G], values: Any, where: str, origin: Mapping[str, str] = {}, group: str = ""
) -> G:
    """Check values against a schema.

    `where` begins the message; `origin` has the group that each key comes from, `group` that of all
    others.

    Raises
    ------
    InputError
        One line: the key, what was given, what is allowed, the nearest known key.
    """
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        told = _told(error.errors()[0], origin, group, schema)
        raise InputError(f"{where}: {told}") from None


def parse(path: str | Path = FILE) -> dict[str, Any]:
    """Parse a YAML 1.2 file whose top level is a mapping; InputError where it is not one."""
    try:
        content = YAML(typ="safe", pure=True).load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{path} is not there: call the stages from the project's folder"
        ) from None
    except (YAMLError, ValueError) as error:  # a tag on a value that it does not fit
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise InputError(f"{path}{where}: not valid YAML: {problem[:LONGEST]}") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: the top level must be groups such as `train:`")
    return content


def _nearest(name: str, known) -> str:
    matches = get_close_matches(str(name)[:LONGEST], list(map(str, known)), n=1, cutoff=0)
    return f"; the nearest known key is {matches[0]}" if matches else ""


def _told(error: dict[str, Any], origin: Mapping[str, str], group: str, schema: type[Group]) -> str:
    """Return what pydantic found as one line that begins with the full name of the key."""
    field, *rest = error["loc"] or ("",)
    key = ".".join(str(part) for part in (origin.get(field, group), field, *rest) if part != "")
    known = schema.model_fields
    if error["type"] == "extra_forbidden":
        return f"{key} is not a known param{_nearest(field, known)} (known: {', '.join(known)})"
    if error["type"] == "missing":
        return f"{key} is missing"
    message = error["msg"].removeprefix("Value error, ").replace("Input should be", "should be")
    return f"{key} is {shown(error['input'])}: {message}" if field else f"{key}: {message}"
