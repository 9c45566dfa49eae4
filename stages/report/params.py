"""What may stand in `report`, and the groups of other stages as this one shows them."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from stages.common.base.params import Group

LONGEST_NAME = 100  # characters: it becomes a part of a file's name


def _as_text(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        raise ValueError(f'should stand in quotes, "{value}": a number loses its leading zeros')
    return value


def _printable(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise ValueError("should be printable text without spaces at its ends, or empty")
    return text


def _address(text: str) -> str:
    name, at, host = text.partition("@")
    if text and not (name and at and host and "@" not in host and " " not in text):
        raise ValueError("should be an address such as name@example.org, or empty")
    return text


Text = Annotated[str, Field(max_length=LONGEST_NAME), AfterValidator(_printable)]


class Report(Group):
    """Who hands the study in; empty is left out."""

    author: Text
    student_number: Annotated[Text, BeforeValidator(_as_text)]
    email: Annotated[Text, AfterValidator(_address)]


class Shown(Group):
    """A group of another stage, which has checked it; here it is only shown."""

    model_config = ConfigDict(extra="allow")
