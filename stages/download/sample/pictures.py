"""The sample data set: the ten STL-10 classes, drawn by seed.

It lets the pipeline run where there is no data set. A class shows in the shape of its figure
alone: palette, texture, scene, light, size and place are drawn alike for all ten classes.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np
from PIL import Image, ImageFilter

from stages.common.base import processes
from stages.common.study import SIDE, STL10_CLASSES
from stages.download.sample import animals, vehicles
from stages.download.sample.shapes import (
    Part,
    bounds,
    ellipse,
    limb,
    moved,
    polygon,
    rasterise,
    rectangle,
    rotation,
)

PER_CLASS = 130

_FINE = 3 * SIDE  # side of the canvas in pixels before it is reduced
_FIGURES = (
    vehicles.airplane,
    animals.bird,
    vehicles.car,
    animals.cat,
    animals.deer,
    animals.dog,
    animals.horse,
    animals.monkey,
    vehicles.ship,
    vehicles.truck,
)
_AREA = (0.15, 0.32)  # share of the picture that the figure covers, before cuts
_REACH = 1.0  # longest side of a figure, in sides of the picture
_LEAST_VISIBLE = 0.6  # share of the figure that must stay in sight
_DARKER = 0.85  # share of figures that are darker than a bright scene
_CONTRAST = 0.4  # least distance of the figure's main colour from the scene's, of sqrt(3)


def labels(per_class: int) -> np.ndarray:
    """Class of each image that `draw` yields.

    Indices into the classes: uint8 (10 * per_class,).
    """
    return (np.arange(len(STL10_CLASSES) * per_class) % len(STL10_CLASSES)).astype(np.uint8)


def draw(per_class: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Draw the data set, image after image.

    An image depends on the seed, its class and its number within the class alone, so that a
    smaller set is the beginning of a larger one.

    Yields
    ------
    image : ndarray, (96, 96, 3), uint8
        RGB. Image i is of class i % 10.
    mask : ndarray, (96, 96), bool
        Where the figure is in sight.
    """
    count = len(STL10_CLASSES) * per_class
    return processes.in_order(partial(_numbered, seed), range(count))


def _numbered(seed: int, index: int) -> tuple[np.ndarray, np.ndarray]:
    number, label = divmod(index, len(STL10_CLASSES))
    return _picture(np.random.default_rng([seed, label, number]), label)


def _picture(rng: np.random.Generator, label: int) -> tuple[np.ndarray, np.ndarray]:
    light = _direction(rng.uniform(0.2, 0.8) * np.pi)
    canvas = _scene(rng)
    parts = _placed(rng, _FIGURES[label](rng))
    numbers = rasterise(parts, _FINE)
    _paint_figure(rng, canvas, parts, numbers, light)
    mask = _cover(rng, canvas, numbers > 0)
    return _photograph(rng, canvas), _reduced(mask) > 0.5


# ---- place -----------------------------------------------------------------------------------


def _placed(rng: np.random.Generator, parts: list[Part]) -> list[Part]:
    """Turn, scale and shift a figure on to the canvas.

    Size means area and place means centre of mass, since both would tell the classes apart if
    boxes were aligned instead: a deer fills less of its box than a truck.
    """
    flip = np.diag([rng.choice([-1.0, 1.0]), -1.0])
    parts = moved(parts, matrix=rotation(rng.normal(0, 0.05)) @ flip)
    low, high = bounds(parts)
    side = (high - low).max()
    coarse = 64
    ys, xs = np.nonzero(rasterise(moved(parts, -low * coarse / side, coarse / side), coarse))
    share = len(xs) / coarse**2
    area = np.exp(rng.uniform(*np.log(_AREA)))
    scale = min(np.sqrt(area / share), _REACH) * _FINE
    centre = np.array([xs.mean(), ys.mean()]) / coarse
    target = rng.normal(0.5, 0.025, 2) * _FINE
    return moved(parts, target - scale * (low / side + centre), scale / side)


# ---- colour ----------------------------------------------------------------------------------


# families of colours: their dark end, their light end, how freely the channels vary between them
_EARTH = ((0.16, 0.10, 0.07), (0.85, 0.70, 0.50), 0.08)
_GREY = ((0.08, 0.08, 0.10), (0.95, 0.95, 0.93), 0.03)
_LEAF = ((0.10, 0.22, 0.08), (0.62, 0.75, 0.38), 0.10)
_SKY = ((0.25, 0.42, 0.68), (0.85, 0.92, 0.98), 0.08)
_DUSK = ((0.45, 0.25, 0.35), (0.98, 0.82, 0.62), 0.10)
_VIVID = ((0.08, 0.08, 0.08), (0.92, 0.90, 0.88), 0.30)
_ANY = (_EARTH, _EARTH, _EARTH, _GREY, _GREY, _LEAF, _SKY, _DUSK, _VIVID, _VIVID)


def _colour(rng: np.random.Generator, families: tuple = _ANY, least: float = 0.0) -> np.ndarray:
    """A colour of one of the families, (3,) in 0..1; `least` 0..1 leaves out their dark part."""
    dark, bright, freedom = families[rng.integers(len(families))]
    share = (rng.uniform(least, 1) + freedom * rng.normal(size=3)).clip(0, 1)
    return dark + (np.array(bright) - dark) * share


def _palette(rng: np.random.Generator, avoid: np.ndarray) -> dict[str, np.ndarray]:
    """Colours of a figure, its main one apart from `avoid`."""
    # by day most things stand out dark against what is behind them
    darker = rng.random() < _DARKER and avoid.mean() > 0.55
    body = _colour(rng)
    # this ends: of the two ends of grey, one is at least 0.43 sqrt(3) from any colour, and the dark
    # one is so far from a scene of more than 0.55
    while np.linalg.norm(body - avoid) < _CONTRAST * np.sqrt(3) or (
        darker and body.mean() > avoid.mean()
    ):
        body = _colour(rng)
    return {
        "body": body,
        "far": body * rng.uniform(0.6, 0.8),
        "second": _colour(rng),
        "accent": _colour(rng),
        "skin": 0.5 * (_colour(rng) + 1 - body),
        "dark": np.full(3, rng.uniform(0.05, 0.2)),
        "light": np.full(3, rng.uniform(0.8, 0.95)),
        "glass": rng.uniform(0.2, 0.75) * rng.uniform(0.85, 1.1, 3),
    }


def _paint_figure(
    rng: np.random.Generator,
    canvas: np.ndarray,
    parts: list[Part],
    numbers: np.ndarray,
    light: np.ndarray,
) -> None:
    """Paint the figure and its shadow into `canvas`, (n, n, 3) float, in place."""
    inside = numbers > 0
    palette = _palette(rng, canvas[inside].mean(axis=0))
    _cast_shadow(rng, canvas, inside, light)
    index = numbers[inside]
    colours = np.array([palette["dark"], *(palette[part.paint] for part in parts)], np.float32)
    layer = colours[index]
    textured = np.array([False, *(part.paint in ("body", "far") for part in parts)])[index]
    share = _texture(rng)[inside] * textured
    layer += share[:, None] * (palette["second"] - palette["body"]).astype(np.float32)
    # a thin line where one part meets another, and light that falls from one side
    edge = np.zeros(inside.shape, bool)
    edge[1:] = numbers[1:] != numbers[:-1]
    edge[:, 1:] |= numbers[:, 1:] != numbers[:, :-1]
    shade = 1 - rng.uniform(0.0, 0.5) * edge[inside]
    shade += rng.uniform(1.0, 4.0) * _relief(inside, light)[inside]
    canvas[inside] = layer * shade[:, None]


def _texture(rng: np.random.Generator) -> np.ndarray:
    """Share of the second colour over the canvas, (n, n) in 0..1: none, stripes, spots, cloud."""
    kind = rng.choice(["none", "stripes", "spots", "cloud"], p=[0.6, 0.12, 0.12, 0.16])
    strength = rng.uniform(0.3, 0.7)
    if kind == "none":
        return np.zeros((_FINE, _FINE), np.float32)
    if kind == "cloud":
        return strength * _noise(rng, rng.integers(4, 12))
    across, along = _plane(rng), _plane(rng)
    step = rng.uniform(18, 50)
    wave = np.sin(2 * np.pi * across / step)
    if kind == "spots":
        wave = wave * np.sin(2 * np.pi * along / step) - 0.1
    return (strength * (wave > 0.2)).astype(np.float32)


def _plane(rng: np.random.Generator) -> np.ndarray:
    """Distance of each pixel along a random direction, (n, n)."""
    x, y = _direction(rng.uniform(0, 2 * np.pi)).astype(np.float32)
    steps = np.arange(_FINE, dtype=np.float32)
    return x * steps + y * steps[:, None]


def _noise(rng: np.random.Generator, cells: int) -> np.ndarray:
    """Smooth noise over the canvas, (n, n) in 0..1, with `cells` bumps a side."""
    grid = rng.random((cells, cells)).astype(np.float32)
    return np.asarray(Image.fromarray(grid).resize((_FINE, _FINE), Image.Resampling.BICUBIC))


def _direction(angle: float) -> np.ndarray:
    return np.array([np.cos(angle), np.sin(angle)])


def _relief(inside: np.ndarray, light: np.ndarray) -> np.ndarray:
    """How far the figure's rim turns to the light, as if it were a cushion, (n, n)."""
    soft = Image.fromarray(np.float32(_reduced(inside) * 255).astype(np.uint8))
    height = np.asarray(soft.filter(ImageFilter.GaussianBlur(3)), np.float32) / 255
    down, right = np.gradient(height)
    return _enlarged(down * light[1] - right * light[0])


def _cast_shadow(
    rng: np.random.Generator, canvas: np.ndarray, inside: np.ndarray, light: np.ndarray
) -> None:
    depth = rng.uniform(0.0, 0.5)
    right, down = np.round(light * rng.uniform(4, 18) * (-1, 1)).astype(int)
    soft = _enlarged(_reduced(np.roll(inside, (down, right), axis=(0, 1))))
    canvas *= 1 - depth * soft[..., None]


# ---- scene -----------------------------------------------------------------------------------


# what may lie above and below the horizon: the open, the sea, a street, a room, anything
_PLACES = (
    ((_SKY, _SKY, _GREY, _DUSK), (_LEAF, _LEAF, _EARTH, _GREY)),
    ((_SKY, _SKY, _GREY, _DUSK), (_SKY,)),
    ((_SKY, _GREY, _EARTH), (_GREY,)),
    ((_EARTH, _GREY, _DUSK, _SKY), (_EARTH, _GREY)),
    (_ANY, _ANY),
)


def _scene(rng: np.random.Generator) -> np.ndarray:
    """Background with clutter, (n, n, 3) float32 in 0..1."""
    horizon = rng.uniform(0.2, 0.9) * _FINE
    rows = np.arange(_FINE, dtype=np.float32)[:, None, None]
    upper, lower = (
        _blend(_colour(rng, families, 0.4), _colour(rng, families, 0.4), rows / _FINE)
        for families in _PLACES[rng.integers(len(_PLACES))]
    )
    canvas = np.repeat(np.where(rows < horizon, upper, lower).astype(np.float32), _FINE, axis=1)
    if rng.random() < 0.15:
        canvas = _blend(canvas, _colour(rng), 0.4 * _texture(rng)[..., None])
    canvas += rng.uniform(0, 0.15) * (_noise(rng, rng.integers(3, 24)) - 0.5)[..., None]
    for depth in np.sort(rng.random(rng.integers(0, 5))):
        # things grow from the horizon towards the viewer
        foot = horizon + depth * (_FINE - horizon)
        _paint_clutter(rng, canvas, rng.uniform(0, _FINE), foot, 20 + 40 * depth)
    return canvas


def _blend(one: np.ndarray, other: np.ndarray, share: np.ndarray) -> np.ndarray:
    return one + (other - one) * share


def _paint_clutter(
    rng: np.random.Generator, canvas: np.ndarray, x: float, y: float, size: float
) -> np.ndarray:
    """Paint one thing of no class with its foot at (x, y); return where it is, (n, n) bool."""
    turn = rotation(rng.normal(0, 0.1)) @ np.diag([size, -size])
    kinds = (_tree, _house, _pole, _rock, _cloud, _fence, _board)
    parts = moved(kinds[rng.integers(len(kinds))](rng), (x, y), turn)
    numbers = rasterise(parts, _FINE)
    colours = {"body": _colour(rng), "second": _colour(rng), "dark": np.full(3, 0.15)}
    inside = numbers > 0
    layer = np.array([colours["dark"], *(colours[part.paint] for part in parts)], np.float32)
    canvas[inside] = layer[numbers[inside]]
    return inside


def _tree(rng: np.random.Generator) -> list[Part]:
    crown = [
        ellipse(*rng.uniform((-0.25, 0.7), (0.25, 1.2)), 0.3, 0.3, "body", corners=14)
        for _ in range(4)
    ]
    return [limb([(0, 0), (0, 0.7)], [0.08, 0.06], "second"), *crown]


def _house(rng: np.random.Generator) -> list[Part]:
    wide, tall = rng.uniform(0.3, 0.7), rng.uniform(0.5, 1.1)
    windows = [
        rectangle(x - 0.07, y, x + 0.07, y + 0.16, "dark")
        for x in (-0.5 * wide, 0.5 * wide)
        for y in np.arange(0.15, tall - 0.2, 0.3)
    ]
    roof = polygon([(-wide - 0.1, tall), (0, tall + 0.35), (wide + 0.1, tall)], "second")
    return [rectangle(-wide, 0, wide, tall, "body"), roof, *windows]


def _pole(rng: np.random.Generator) -> list[Part]:
    wide = rng.uniform(0.03, 0.1)
    return [rectangle(-wide, -0.5, wide, rng.uniform(1.2, 2.5), "body")]


def _rock(rng: np.random.Generator) -> list[Part]:
    turn = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    radius = rng.uniform(0.25, 0.5, 8)
    return [polygon(np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1), "body")]


def _cloud(rng: np.random.Generator) -> list[Part]:
    return [
        ellipse(x, rng.uniform(-0.1, 0.1), 0.35, rng.uniform(0.15, 0.28), "body", corners=14)
        for x in (-0.35, 0.0, 0.4)
    ]


def _fence(rng: np.random.Generator) -> list[Part]:
    rails = [rectangle(-1.0, y, 1.0, y + 0.06, "body") for y in (0.12, 0.32)]
    return rails + [rectangle(x, 0, x + 0.08, 0.5, "body") for x in np.arange(-1, 1, 0.3)]


def _board(rng: np.random.Generator) -> list[Part]:
    wide, tall = rng.uniform(0.2, 0.8, 2)
    frame = rectangle(-wide, -tall, wide, tall, "body")
    return [frame, rectangle(0.1 - wide, 0.1 - tall, wide - 0.1, tall - 0.1, "second")]


def _cover(rng: np.random.Generator, canvas: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Put things in front of the figure, as long as enough of it stays in sight."""
    visible = inside
    for _ in range(rng.integers(0, 2)):
        trial = canvas.copy()
        x, y = rng.uniform(0, 1, 2) * _FINE
        left = visible & ~_paint_clutter(rng, trial, x, y, rng.uniform(15, 45))
        if left.sum() >= _LEAST_VISIBLE * inside.sum():
            canvas[:], visible = trial, left
    return visible


# ---- camera ----------------------------------------------------------------------------------


def _photograph(rng: np.random.Generator, canvas: np.ndarray) -> np.ndarray:
    """Light, exposure, lens and sensor: canvas to picture, (96, 96, 3) uint8."""
    slant = _plane(rng) / _FINE
    lamp = 1 + rng.uniform(0, 0.6) * (slant - slant.mean())
    canvas = canvas * lamp.astype(np.float32)[..., None]
    canvas *= rng.uniform(0.9, 1.1, 3).astype(np.float32)
    contrast, brightness = rng.uniform(0.65, 1.15), rng.uniform(-0.1, 0.12)
    canvas = 0.5 + contrast * (canvas - 0.5) + brightness
    image = Image.fromarray((255 * canvas.clip(0, 1)).astype(np.uint8))
    image = image.resize((SIDE, SIDE), Image.Resampling.HAMMING)
    image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0, 0.9)))
    grain = rng.normal(0, rng.uniform(1, 7), (SIDE, SIDE, 3))
    return (np.asarray(image) + grain).round().clip(0, 255).astype(np.uint8)


def _reduced(mask: np.ndarray) -> np.ndarray:
    """Share of each picture's pixel that a mask of the canvas covers, (96, 96)."""
    step = _FINE // SIDE
    return mask.reshape(SIDE, step, SIDE, step).mean(axis=(1, 3), dtype=np.float32)


def _enlarged(field: np.ndarray) -> np.ndarray:
    """A field of the picture's size, smoothly brought to the canvas's, (n, n) float32."""
    image = Image.fromarray(field.astype(np.float32))
    return np.asarray(image.resize((_FINE, _FINE), Image.Resampling.BILINEAR))
