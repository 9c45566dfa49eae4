"""What may stand in `occlusion`."""

from typing import Annotated, Literal

from pydantic import Field

from stages.common.params import Group

Pixels = Annotated[int, Field(ge=1, le=96)]
Value = Annotated[float, Field(ge=0, le=255)]
Color = Annotated[list[Value], Field(min_length=3, max_length=3)]


class Occlusion(Group):
    """Which network is looked at, and what the patch looks like."""

    network: Literal["q1", "q2", "augment", "better"]
    patches: Annotated[list[Pixels], Field(min_length=1, max_length=6)]
    stride: Pixels
    fill: Literal["mean"] | Value | Color
