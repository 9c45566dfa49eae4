"""The params of this stage: which images to take."""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from stages.common.base.params import Group, Seed

NEEDED_PATH = {"npz": "the path of the .npz file", "folder": "the path of the folder of images"}


class Download(Group):
    """Group `download`: where the images come from and how many are kept."""

    source: Literal["sample", "stl10", "npz", "folder"]
    # npz: the file · folder: the folder · stl10: URL or file of the archive, or the folder that it
    # was unpacked into, null for the official URL · sample: null
    path: Annotated[str, Field(min_length=1)] | None
    per_class: Annotated[int, Field(ge=1, le=1_000_000)] | None
    seed: Seed  # of the drawing; only `sample` draws

    @field_validator("path")
    @classmethod
    def fits_the_source(cls, path: str | None, info: ValidationInfo) -> str | None:
        if path and "\0" in path:
            raise ValueError("should be a path without a NUL character")
        source = info.data.get("source")
        if path is None and source in NEEDED_PATH:
            raise ValueError(f"download.source {source} needs {NEEDED_PATH[source]}")
        # a path that is silently left out would be taken for the data set that was drawn instead
        if path is not None and source == "sample":
            raise ValueError(
                "download.source sample reads no file: set path to null, or source to stl10, npz "
                "or folder"
            )
        return path
