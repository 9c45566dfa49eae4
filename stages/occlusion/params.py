"""What may stand in `occlusion`."""

from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, field_validator

from stages.common.base.params import Group
from stages.common.study import NETWORKS

Pixels = Annotated[int, Field(ge=1, le=96)]


def check_fill(value: Any) -> str | float | list[float]:
    """Accept "mean", a grey value, or a colour; one message for all that is wrong."""
    values = value if isinstance(value, list) and len(value) == 3 else [value]
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    if value == "mean" or (numbers and all(0 <= v <= 255 for v in values)):
        return value
    raise ValueError("should be mean, a grey value from 0 to 255, or three such values [r, g, b]")


class Occlusion(Group):
    """Which network is looked at, and what the patch looks like."""

    network: Literal[tuple(NETWORKS)]
    patches: Annotated[list[Pixels], Field(min_length=1, max_length=6)]
    stride: Pixels
    fill: Annotated[str | float | list[float], PlainValidator(check_fill)]

    @field_validator("patches")
    @classmethod
    def each_once(cls, patches: list[int]) -> list[int]:
        if len(set(patches)) < len(patches):
            raise ValueError("should name each size once")
        return patches
