"""What may stand in `occlusion`."""

from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, field_validator

from stages.common.base.params import Group
from stages.common.study import NETWORKS

Pixels = Annotated[int, Field(ge=1, le=96)]


NAMED = ("mean", "gray", "black", "blur", "noise")


def check_fill(value: Any) -> str | float | list[float]:
    """Accept a named fill, a grey value, or a colour; one message for all that is wrong."""
    values = value if isinstance(value, list) and len(value) == 3 else [value]
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    if value in NAMED or (numbers and all(0 <= v <= 255 for v in values)):
        return value
    raise ValueError(
        f"should be {', '.join(NAMED)}, a grey value from 0 to 255, or three such values [r, g, b]"
    )


Fill = Annotated[str | float | list[float], PlainValidator(check_fill)]


def fill_name(fill: str | float | list[float]) -> str:
    """Return what files and tables call a fill, such as "blur", "128" or "255-0-10"."""
    if isinstance(fill, str):
        return fill
    return "-".join(f"{value:g}" for value in (fill if isinstance(fill, list) else [fill]))


class Occlusion(Group):
    """Which network is looked at, and what the patch looks like."""

    network: Literal[tuple(NETWORKS)]
    patches: Annotated[list[Pixels], Field(min_length=1, max_length=6)]
    stride: Pixels
    fill: Fill
    other_fills: Annotated[list[Fill], Field(max_length=6)]

    @field_validator("patches")
    @classmethod
    def each_size_once(cls, patches: list[int]) -> list[int]:
        if len(set(patches)) < len(patches):
            raise ValueError("should name each size once")
        return patches

    @field_validator("other_fills")
    @classmethod
    def each_fill_once(cls, fills: list) -> list:
        if len(set(map(fill_name, fills))) < len(fills):
            raise ValueError("should name each fill once")
        return fills

    @property
    def fills(self) -> dict[str, str | float | list[float]]:
        """All fills by their names, the leading one first."""
        return {fill_name(fill): fill for fill in [self.fill, *self.other_fills]}
