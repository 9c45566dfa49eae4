"""Flat shapes that the figures of the sample data set are put together from.

A figure is a list of parts, back to front, in its own units: x to the right, y up. It is made of
outlines alone, so that it can be measured, turned and scaled before a single pixel is set.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

Point = tuple[float, float]


class Part(NamedTuple):
    """Polygons of one paint, drawn as their union.

    Attributes
    ----------
    outlines : tuple of ndarray, each (n, 2), float
        The polygons' corners.
    paint : str
        Name of a colour of the palette.
    """

    outlines: tuple[np.ndarray, ...]
    paint: str


def polygon(points: Sequence[Point], paint: str) -> Part:
    """Straight-edged part through `points`."""
    return Part((np.asarray(points, float),), paint)


def rectangle(left: float, bottom: float, right: float, top: float, paint: str) -> Part:
    """Upright rectangle."""
    return polygon([(left, bottom), (right, bottom), (right, top), (left, top)], paint)


def ellipse(
    x: float, y: float, rx: float, ry: float, paint: str, angle: float = 0.0, corners: int = 24
) -> Part:
    """Ellipse about (x, y), turned by `angle` radians."""
    turn = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    points = np.stack([rx * np.cos(turn), ry * np.sin(turn)], axis=1)
    return Part((points @ rotation(angle).T + (x, y),), paint)


def blob(points: Sequence[Point], paint: str) -> Part:
    """Smooth closed part through `points`."""
    return Part((_spline(np.asarray(points, float), closed=True),), paint)


def limb(points: Sequence[Point], widths: Sequence[float], paint: str) -> Part:
    """Smooth stroke with round ends through `points`.

    `widths` are half the thickness, spread evenly from the first point to the last.
    """
    line = _spline(np.asarray(points, float), closed=False)
    places = np.linspace(0, len(widths) - 1, len(line))
    radii = np.interp(places, np.arange(len(widths)), widths)
    along = np.gradient(line, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
    across = np.stack([-along[:, 1], along[:, 0]], axis=1) * radii[:, None]
    # short quadrilaterals with discs at the joints: one long outline would cross itself in bends
    left, right = line + across, line - across
    quads = [np.stack([left[i], left[i + 1], right[i + 1], right[i]]) for i in range(len(line) - 1)]
    discs = [
        ellipse(*centre, radius, radius, paint, corners=12).outlines[0]
        for centre, radius in zip(line, radii, strict=True)
    ]
    return Part((*quads, *discs), paint)


def _spline(points: np.ndarray, closed: bool, steps: int = 4) -> np.ndarray:
    """Catmull-Rom curve through `points`, `steps` samples a span."""
    ends = (points[-1:], points[:2]) if closed else (points[:1], points[-1:])
    p = np.concatenate([ends[0], points, ends[1]])
    a, b, c, d = (p[i : len(p) - 3 + i, None] for i in range(4))
    t = (np.arange(steps) / steps)[None, :, None]
    curve = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    curve = curve.reshape(-1, 2)
    return curve if closed else np.concatenate([curve, points[-1:]])


def rotation(angle: float) -> np.ndarray:
    """Matrix (2, 2) that turns by `angle` radians, counter-clockwise where y points up."""
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def moved(
    parts: Iterable[Part], offset: Sequence[float] = (0.0, 0.0), matrix: np.ndarray | float = 1.0
) -> list[Part]:
    """The parts with every point p at `matrix` p + `offset`; a number for `matrix` scales."""
    matrix = matrix * np.eye(2) if np.isscalar(matrix) else matrix
    return [
        Part(tuple(points @ matrix.T + offset for points in part.outlines), part.paint)
        for part in parts
    ]


def mirrored(parts: Iterable[Part], axis: int = 0) -> list[Part]:
    """The parts, and behind each its reflection: x (axis 0) or y (axis 1) changes sign."""
    flip = np.diag(np.where(np.arange(2) == axis, -1.0, 1.0))
    return [both for part in parts for both in (*moved([part], matrix=flip), part)]


def repainted(parts: Iterable[Part], paint: str) -> list[Part]:
    """The parts, all in one paint."""
    return [part._replace(paint=paint) for part in parts]


def bounds(parts: Iterable[Part]) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest corner of the box around the parts, each (2,)."""
    points = np.concatenate([outline for part in parts for outline in part.outlines])
    return points.min(axis=0), points.max(axis=0)


def rasterise(parts: Sequence[Part], size: int) -> np.ndarray:
    """Draw the parts, in pixel coordinates with y down, over each other.

    Returns
    -------
    ndarray, (size, size), uint8
        1 + index of the uppermost part at each pixel, 0 where there is none.
    """
    if len(parts) > 255:
        raise ValueError(f"{len(parts)} parts, at most 255")
    image = Image.new("L", (size, size))
    pencil = ImageDraw.Draw(image)
    for number, part in enumerate(parts, start=1):
        for points in part.outlines:
            pencil.polygon(points.ravel().tolist(), fill=number)
    return np.asarray(image)
