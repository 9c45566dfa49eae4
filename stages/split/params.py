"""What may stand in `split`."""

from typing import Annotated, Literal

from pydantic import Field

from stages.common.base.params import Group, Seed

Parts = Annotated[int, Field(ge=1, le=1_000_000)]


class Split(Group):
    """How the images are divided into train, val and test."""

    protocol: Literal["auto", "parts", "source"]
    parts: Annotated[list[Parts], Field(min_length=3, max_length=3)]
    # stl10 by its own split: the published fold of 1,000 images to train on; null: all that it has
    fold: Annotated[int, Field(ge=0, le=9)] | None
    seed: Seed
