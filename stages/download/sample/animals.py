"""Figures of the animal classes of the sample data set, facing right or the viewer."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stages.download.sample.shapes import (
    Part,
    blob,
    ellipse,
    limb,
    mirrored,
    moved,
    polygon,
    repainted,
    rotation,
)

Drawing = Callable[[np.random.Generator], list[Part]]


@dataclass(frozen=True)
class Build:
    """What sets one four-legged class apart; lengths in units of the trunk's length.

    Attributes
    ----------
    leg, girth, leg_width : float
        Length of the legs, half the depth of the trunk, half the thickness of a leg.
    neck, neck_angle, neck_width : float
        Length, slope in radians and half the thickness of the neck.
    head_size, head_angle : float
        Scale of the head's drawing and its slope in radians.
    profile, face, tail : callable
        The head from the side and from the front, and the tail with its root at the origin.
    poses : tuple of str
        Out of stand, walk, run, sit, lie, graze, face, front.
    mane : bool
        Whether hair runs along the neck.
    """

    leg: float
    girth: float
    leg_width: float
    neck: float
    neck_angle: float
    neck_width: float
    head_size: float
    head_angle: float
    profile: Drawing
    face: Drawing
    tail: Drawing
    poses: tuple[str, ...]
    mane: bool = False


def quadruped(rng: np.random.Generator, build: Build) -> list[Part]:
    """Four-legged animal in one of its poses."""
    pose = str(rng.choice(build.poses))
    if pose == "face":
        return _portrait(rng, build)
    if pose == "front":
        return _sitting_front(rng, build)
    leg = build.leg * rng.uniform(0.88, 1.12)
    girth = build.girth * rng.uniform(0.88, 1.15)
    width = build.leg_width * rng.uniform(0.9, 1.15)
    low = 0.8 * girth
    rump, chest = {
        "sit": (np.array([-0.3, low]), np.array([0.22, 0.85 * leg + 0.15])),
        "lie": (np.array([-0.5, low]), np.array([0.45, 1.1 * low])),
    }.get(pose, (np.array([-0.5, leg]), np.array([0.5, leg])))

    far, near = _legs(rng, pose, rump, chest, leg, width)
    spine = [rump, 0.5 * (rump + chest) - (0, 0.1 * girth), chest]
    trunk = limb(spine, [girth, 0.92 * girth, 1.05 * girth], "body")

    slope = build.neck_angle + rng.uniform(-0.2, 0.2)
    if pose == "graze":
        slope = -rng.uniform(0.6, 0.85)
    along = np.array([np.cos(slope), np.sin(slope)])
    root = chest + 0.3 * girth * along
    skull = root + along * build.neck * rng.uniform(0.9, 1.15)
    neck = limb([root, skull], [1.6 * build.neck_width, build.neck_width], "body")
    head_angle = build.head_angle + rng.uniform(-0.2, 0.25) - 0.3 * (pose == "graze")
    size = build.head_size * rng.uniform(0.9, 1.15)
    head = moved(build.profile(rng), skull, size * rotation(head_angle))
    mane = []
    if build.mane:
        back = np.array([-along[1], along[0]]) * build.neck_width
        middle = 0.5 * (root + skull) + 1.3 * back
        mane = [limb([root + 1.5 * back, middle, skull + back], [0.05, 0.09, 0.06], "second")]
    tail_root = rump + (-0.85 * girth, 0.3 * girth)
    tail = moved(build.tail(rng), tail_root)
    return [*far, *tail, neck, trunk, *near, *mane, *head]


def _legs(
    rng: np.random.Generator,
    pose: str,
    rump: np.ndarray,
    chest: np.ndarray,
    leg: float,
    width: float,
) -> tuple[list[Part], list[Part]]:
    """Legs of the far and of the near side."""
    widths = [1.7 * width, 1.1 * width, 0.8 * width, width]
    if pose in ("sit", "lie"):
        reach = 0.12 if pose == "sit" else 0.5 * leg
        elbow = chest - (0.05, 0.5 * chest[1])
        fore = [
            chest - (0, 0.05),
            elbow,
            (chest[0] + 0.5 * reach, width),
            (chest[0] + reach, width),
        ]
        haunch = ellipse(rump[0] + 0.08, rump[1] + 0.02, 0.26, 0.22, "body", angle=0.5)
        hind = limb([(rump[0] + 0.05, width), (rump[0] + 0.38, width)], [width, width], "body")
        near = [haunch, hind, limb(fore, widths, "body")]
        return moved(repainted([limb(fore, widths, "body")], "far"), (0.1, 0.03)), near
    stride = {"stand": 0.1, "graze": 0.15, "walk": 0.4, "run": 0.95}[pose]
    swings = stride * np.array([1, -1, -1, 1]) * rng.uniform(0.5, 1.0, 4)
    limbs = []
    # a knee bends forwards in front, a hock backwards behind
    for swing, hip, bend in zip(swings, (rump, rump, chest, chest), (1, 1, -1, -1), strict=True):
        hip = hip + (0.06 * bend, 0)
        bend = bend * rng.uniform(0.12, 0.3)
        knee = hip + 0.5 * leg * np.array([np.sin(swing + bend), -np.cos(swing + bend)])
        foot = knee + 0.5 * leg * np.array([np.sin(swing - bend), -np.cos(swing - bend)])
        limbs.append(limb([hip, knee, foot, foot + (1.2 * width, 0)], widths, "body"))
    return repainted(limbs[::2], "far"), limbs[1::2]


def _portrait(rng: np.random.Generator, build: Build) -> list[Part]:
    """Head and shoulders from the front, or head and neck from the side."""
    if rng.random() < 0.6:
        wide, low = rng.uniform(0.5, 0.75), -rng.uniform(0.9, 1.2)
        half = [(0, 0), (0.28, 0), (0.32, -0.5), (0.55 * wide, -0.65), (wide, low), (0, low)]
        bust = mirrored([polygon(half, "body")])
        return [*bust, *moved(build.face(rng), matrix=rotation(rng.uniform(-0.25, 0.25)))]
    thick = build.neck_width / build.head_size
    slope = build.neck_angle + rng.uniform(-0.2, 0.2)
    shoulder = -1.1 * np.array([np.cos(slope), np.sin(slope)])
    neck = limb([shoulder, (0, 0)], [1.9 * thick, 1.1 * thick], "body")
    across = np.array([-np.sin(slope), np.cos(slope)]) * thick
    mane = [
        limb([shoulder + 1.5 * across, 0.5 * shoulder + 1.4 * across, across], [0.14], "second")
    ]
    head = moved(build.profile(rng), matrix=rotation(build.head_angle + rng.uniform(-0.2, 0.2)))
    return [neck, *mane * build.mane, *head]


def _sitting_front(rng: np.random.Generator, build: Build) -> list[Part]:
    """The whole animal, sitting and facing the viewer."""
    tall = rng.uniform(1.1, 1.4)
    trunk = limb([(0, 0.3), (0, tall - 0.2)], [0.45, 0.28], "body")
    haunch = mirrored([ellipse(0.34, 0.2, 0.22, 0.26, "far")])
    legs = mirrored([limb([(0.16, 0.8), (0.15, 0.3), (0.17, 0.02)], [0.11, 0.09, 0.1], "body")])
    tail = moved(build.tail(rng), (-0.4, 0.15))
    head = moved(build.face(rng), (rng.uniform(-0.08, 0.08), tall + 0.2), 0.75)
    return [*tail, trunk, *haunch, *legs, *head]


def _eyes(x: float, y: float, size: float) -> list[Part]:
    """Pair of eyes of a face."""
    white = mirrored([ellipse(x, y, size, 0.85 * size, "light")])
    return [*white, *mirrored([ellipse(x, y, 0.55 * size, 0.7 * size, "dark")])]


def _eye(x: float, y: float, size: float) -> list[Part]:
    """Eye of a head from the side."""
    return [ellipse(x, y, size, size, "light"), ellipse(x, y, 0.6 * size, 0.6 * size, "dark")]


# ---- cat -------------------------------------------------------------------------------------


def _cat_profile(rng: np.random.Generator) -> list[Part]:
    ear = polygon([(-0.25, 0.2), (-0.22, rng.uniform(0.65, 0.8)), (0.14, 0.32)], "body")
    whiskers = [limb([(0.4, -0.1), (0.75, y)], [0.015], "light") for y in (-0.22, -0.05)]
    return [
        *moved(repainted([ear], "far"), (0.22, 0.0)),
        ellipse(0.08, 0.0, 0.42, 0.37, "body"),
        ellipse(0.4, -0.1, 0.17, 0.14, "second"),
        ear,
        *_eye(0.28, 0.1, 0.09),
        ellipse(0.54, -0.05, 0.05, 0.04, "dark"),
        *whiskers,
    ]


def _cat_face(rng: np.random.Generator) -> list[Part]:
    tip = rng.uniform(0.75, 0.95)
    ear = polygon([(0.1, 0.35), (0.42, tip), (0.52, 0.12)], "body")
    inner = polygon([(0.22, 0.4), (0.4, tip - 0.15), (0.45, 0.25)], "second")
    whiskers = [limb([(0.15, -0.18), (0.72, y)], [0.014], "light") for y in (-0.32, -0.18, -0.04)]
    pupils = mirrored([ellipse(0.2, 0.08, 0.03, 0.09, "dark")])
    return [
        *mirrored([ear, inner]),
        ellipse(0, 0, 0.55, 0.47, "body"),
        *mirrored([ellipse(0.2, 0.08, 0.11, 0.09, "light")]),
        *pupils,
        *mirrored([ellipse(0.09, -0.2, 0.13, 0.1, "second")]),
        polygon([(-0.06, -0.08), (0.06, -0.08), (0, -0.16)], "dark"),
        *mirrored(whiskers),
    ]


def _cat_tail(rng: np.random.Generator) -> list[Part]:
    up = rng.uniform(-0.2, 0.7)
    line = [(0.05, 0), (-0.25, 0.1 * up), (-0.42, up), (-0.3, up + 0.25), (-0.45, up + 0.38)]
    return [limb(line, [0.055, 0.05, 0.05], "body")]


CAT = Build(
    leg=0.55,
    girth=0.23,
    leg_width=0.06,
    neck=0.16,
    neck_angle=0.7,
    neck_width=0.17,
    head_size=0.5,
    head_angle=0.0,
    profile=_cat_profile,
    face=_cat_face,
    tail=_cat_tail,
    poses=("stand", "walk", "sit", "lie", "face", "front", "sit"),
)

# ---- dog -------------------------------------------------------------------------------------


def _dog_profile(rng: np.random.Generator) -> list[Part]:
    snout = rng.uniform(0.7, 0.9)
    if rng.random() < 0.7:
        ear = blob(
            [(-0.1, 0.25), (0.08, 0.05), (0.0, -0.5), (-0.22, -0.42), (-0.25, 0.1)], "second"
        )
    else:
        ear = polygon([(-0.22, 0.2), (-0.1, 0.62), (0.1, 0.25)], "second")
    tongue = [blob([(0.5, -0.2), (0.62, -0.25), (0.6, -0.5), (0.5, -0.45)], "accent")]
    return [
        *tongue * int(rng.random() < 0.4),
        ellipse(0.03, 0.0, 0.34, 0.32, "body"),
        limb([(0.2, -0.06), (snout, -0.14)], [0.22, 0.14], "body"),
        limb([(0.35, -0.22), (snout - 0.05, -0.24)], [0.015], "dark"),
        ear,
        *_eye(0.22, 0.12, 0.07),
        ellipse(snout + 0.08, -0.06, 0.09, 0.08, "dark"),
    ]


def _dog_face(rng: np.random.Generator) -> list[Part]:
    if rng.random() < 0.7:
        ear = blob([(0.25, 0.42), (0.55, 0.35), (0.66, -0.3), (0.5, -0.42), (0.38, 0.0)], "second")
    else:
        ear = polygon([(0.15, 0.35), (0.5, 0.75), (0.46, 0.1)], "second")
    tongue = [blob([(-0.09, -0.42), (0.09, -0.42), (0.08, -0.72), (-0.08, -0.72)], "accent")]
    return [
        ellipse(0, 0.05, 0.44, 0.45, "body"),
        *mirrored([ear]),
        *tongue * int(rng.random() < 0.5),
        blob([(-0.2, 0.05), (0.2, 0.05), (0.29, -0.35), (0, -0.52), (-0.29, -0.35)], "light"),
        *_eyes(0.2, 0.16, 0.08),
        blob([(-0.14, -0.08), (0.14, -0.08), (0.0, -0.25)], "dark"),
        limb([(0, -0.2), (0, -0.38)], [0.015], "dark"),
    ]


def _dog_tail(rng: np.random.Generator) -> list[Part]:
    up = rng.uniform(0.1, 0.5)
    return [limb([(0.05, 0), (-0.2, 0.4 * up), (-0.3, up)], [0.08, 0.07, 0.03], "body")]


DOG = Build(
    leg=0.66,
    girth=0.22,
    leg_width=0.075,
    neck=0.28,
    neck_angle=0.85,
    neck_width=0.15,
    head_size=0.5,
    head_angle=0.0,
    profile=_dog_profile,
    face=_dog_face,
    tail=_dog_tail,
    poses=("stand", "walk", "run", "sit", "lie", "face", "front"),
)

# ---- horse -----------------------------------------------------------------------------------


def _horse_profile(rng: np.random.Generator) -> list[Part]:
    ear = polygon([(-0.14, 0.15), (-0.1, 0.5), (0.05, 0.2)], "body")
    return [
        *moved(repainted([ear], "far"), (0.1, 0.02)),
        limb([(-0.03, 0.0), (0.3, -0.06), (0.95, -0.08)], [0.25, 0.26, 0.15], "body"),
        limb([(0.85, -0.1), (1.0, -0.1)], [0.15, 0.13], "second"),
        ear,
        limb([(-0.1, 0.24), (0.15, 0.24)], [0.07, 0.03], "second"),
        ellipse(0.3, 0.08, 0.06, 0.05, "dark"),
        ellipse(1.03, -0.06, 0.035, 0.05, "dark"),
    ]


def _horse_face(rng: np.random.Generator) -> list[Part]:
    return [
        *mirrored([polygon([(0.06, 0.5), (0.24, 0.92), (0.28, 0.45)], "body")]),
        limb([(0, 0.35), (0, -0.1), (0, -0.75)], [0.31, 0.27, 0.2], "body"),
        limb([(0, 0.2), (0, -0.4)], [0.07, 0.05], "light"),
        blob([(-0.22, -0.62), (0.22, -0.62), (0.2, -0.92), (-0.2, -0.92)], "second"),
        blob([(-0.18, 0.62), (0.18, 0.62), (rng.uniform(-0.1, 0.1), 0.1)], "second"),
        *mirrored([ellipse(0.26, 0.22, 0.05, 0.08, "dark")]),
        *mirrored([ellipse(0.11, -0.76, 0.04, 0.06, "dark")]),
    ]


def _horse_tail(rng: np.random.Generator) -> list[Part]:
    back = rng.uniform(0.1, 0.4)
    line = [(0.05, 0.05), (-0.5 * back, 0), (-back, -0.35), (-back - 0.05, -0.7)]
    return [limb(line, [0.05, 0.1, 0.1, 0.03], "second")]


HORSE = Build(
    leg=0.82,
    girth=0.25,
    leg_width=0.065,
    neck=0.5,
    neck_angle=0.85,
    neck_width=0.15,
    head_size=0.52,
    head_angle=-0.75,
    profile=_horse_profile,
    face=_horse_face,
    tail=_horse_tail,
    poses=("stand", "walk", "run", "run", "graze", "face"),
    mane=True,
)

# ---- deer ------------------------------------------------------------------------------------


def _antler(rng: np.random.Generator) -> list[Part]:
    tall = rng.uniform(0.8, 1.2)
    beam = [(0.0, 0.0), (0.22, 0.35 * tall), (0.25, 0.7 * tall), (0.1, tall)]
    tines = [
        limb([(0.12, 0.2 * tall), (0.4, 0.4 * tall)], [0.04, 0.02], "second"),
        limb([(0.25, 0.5 * tall), (0.5, 0.8 * tall)], [0.04, 0.02], "second"),
    ]
    return [limb(beam, [0.05, 0.045, 0.025], "second"), *tines]


def _deer_profile(rng: np.random.Generator) -> list[Part]:
    ear = ellipse(-0.3, 0.2, 0.26, 0.1, "body", angle=2.6)
    antler = []
    if rng.random() < 0.8:
        one = moved(_antler(rng), (-0.05, 0.15), rotation(0.5))
        antler = [*moved(one, (0.15, 0.02), np.diag([0.9, 0.9])), *one]
    return [
        *antler,
        limb([(0.0, 0.0), (0.25, -0.02), (0.75, -0.12)], [0.2, 0.2, 0.09], "body"),
        ear,
        *_eye(0.17, 0.07, 0.06),
        ellipse(0.82, -0.1, 0.06, 0.06, "dark"),
    ]


def _deer_face(rng: np.random.Generator) -> list[Part]:
    antlers = mirrored(moved(_antler(rng), (0.12, 0.38))) if rng.random() < 0.75 else []
    ear = ellipse(0.5, 0.38, 0.3, 0.13, "body", angle=0.35)
    inner = ellipse(0.52, 0.38, 0.2, 0.07, "light", angle=0.35)
    return [
        *antlers,
        *mirrored([ear, inner]),
        limb([(0, 0.2), (0, -0.1), (0, -0.5)], [0.3, 0.25, 0.13], "body"),
        *_eyes(0.22, 0.15, 0.07),
        blob([(-0.1, -0.48), (0.1, -0.48), (0.06, -0.6), (-0.06, -0.6)], "dark"),
    ]


def _deer_tail(rng: np.random.Generator) -> list[Part]:
    return [ellipse(-0.02, rng.uniform(-0.06, 0.06), 0.07, 0.11, "light", angle=-0.5)]


DEER = Build(
    leg=0.85,
    girth=0.2,
    leg_width=0.045,
    neck=0.48,
    neck_angle=1.05,
    neck_width=0.095,
    head_size=0.46,
    head_angle=-0.2,
    profile=_deer_profile,
    face=_deer_face,
    tail=_deer_tail,
    poses=("stand", "walk", "run", "lie", "graze", "face"),
)

# ---- monkey ----------------------------------------------------------------------------------


def _monkey_face(rng: np.random.Generator) -> list[Part]:
    ear = ellipse(0.5, rng.uniform(-0.02, 0.1), 0.17, 0.2, "body")
    return [
        *mirrored([ear, ellipse(0.51, 0.03, 0.09, 0.11, "skin")]),
        ellipse(0, 0.06, 0.48, 0.46, "body"),
        *mirrored([ellipse(0.15, 0.12, 0.2, 0.18, "skin")]),
        ellipse(0, -0.2, 0.32, 0.24, "skin"),
        *_eyes(0.15, 0.12, 0.07),
        *mirrored([ellipse(0.05, -0.1, 0.03, 0.025, "dark")]),
        limb([(-0.17, -0.24), (0, -0.3), (0.17, -0.24)], [0.02], "dark"),
    ]


def _monkey_profile(rng: np.random.Generator) -> list[Part]:
    return moved(_monkey_face(rng), (0.1, 0.1), np.diag([0.95, 1.0]))


def _monkey_tail(rng: np.random.Generator) -> list[Part]:
    turn = np.linspace(0, rng.uniform(3.5, 6.0), 9)
    radius = np.linspace(0.26, 0.06, 9)
    curl = np.stack([-0.5 - radius * np.sin(turn), 0.55 - radius * np.cos(turn)], axis=1)
    return [limb([(0.05, 0), (-0.22, 0.08), *curl], [0.05, 0.035], "body")]


MONKEY = Build(
    leg=0.62,
    girth=0.2,
    leg_width=0.07,
    neck=0.12,
    neck_angle=0.7,
    neck_width=0.14,
    head_size=0.5,
    head_angle=0.0,
    profile=_monkey_profile,
    face=_monkey_face,
    tail=_monkey_tail,
    poses=("stand", "walk", "face"),
)


def _monkey_upright(rng: np.random.Generator) -> list[Part]:
    """Sitting, or hanging by one or both arms."""
    hanging = rng.random() < 0.5
    arms, legs = [], []
    for side in (-1, 1):
        shoulder = np.array([side * 0.26, 0.95])
        if hanging and (side > 0 or rng.random() < 0.5):
            hand = (side * rng.uniform(0.25, 0.6), rng.uniform(1.9, 2.2))
            elbow = (side * rng.uniform(0.5, 0.7), 1.45)
        else:
            hand = (side * rng.uniform(0.3, 0.7), rng.uniform(0.0, 0.5))
            elbow = (side * rng.uniform(0.55, 0.75), 0.6)
        arms += [limb([shoulder, elbow, hand], [0.12, 0.09, 0.075], "body")]
        arms += [ellipse(*hand, 0.1, 0.1, "skin")]
        spread = rng.uniform(0.15, 0.4)
        if hanging:
            line = [(side * 0.2, 0.2), (side * (0.3 + spread), -0.15), (side * spread, -0.5)]
        else:
            line = [(side * 0.2, 0.1), (side * 0.62, 0.25), (side * (0.35 + spread), -0.12)]
        legs += [limb(line, [0.14, 0.11, 0.08], "far"), ellipse(*line[-1], 0.12, 0.08, "skin")]
    tail = moved(_monkey_tail(rng), (-0.15, 0.1), 1.2)
    trunk = [limb([(0, 0.2), (0, 0.9)], [0.32, 0.28], "body"), ellipse(0, 0.4, 0.2, 0.3, "skin")]
    head = moved(_monkey_face(rng), (rng.uniform(-0.1, 0.1), 1.3), 0.75)
    return [*tail, *legs, *trunk, *arms, *head]


# ---- bird ------------------------------------------------------------------------------------


def _perched(rng: np.random.Generator) -> list[Part]:
    tilt = rng.uniform(0.3, 0.9)
    beak = rng.uniform(0.25, 0.45)
    tail = rng.uniform(0.5, 0.8)
    trunk = [
        polygon([(-0.3, 0.12), (-0.4 - tail, 0.1), (-0.4 - tail, -0.06), (-0.3, -0.15)], "far"),
        ellipse(0, 0, 0.55, 0.33, "body"),
        blob([(0.25, 0.15), (-0.1, 0.2), (-0.75, 0.04), (-0.2, -0.17), (0.22, -0.05)], "second"),
    ]
    head = np.array([0.52, 0.2]) @ rotation(tilt).T
    legs = [
        limb([(x, -0.2), (x + 0.03, -0.55), (x + 0.15, -0.58)], [0.025, 0.02], "dark")
        for x in (-0.08, 0.08)
    ]
    return [
        *legs,
        *moved(trunk, matrix=rotation(tilt)),
        *moved(_bird_head(beak), head),
    ]


def _bird_head(beak: float) -> list[Part]:
    return [
        polygon([(0.12, 0.1), (0.18 + beak, -0.02), (0.12, -0.1)], "accent"),
        ellipse(0, 0, 0.24, 0.22, "body"),
        *_eye(0.08, 0.05, 0.055),
    ]


def _flying(rng: np.random.Generator) -> list[Part]:
    lift = rng.uniform(0.5, 1.1) * rng.choice([-1, 1])
    back = rng.uniform(0.1, 0.5)

    def wing(paint: str, lean: float) -> Part:
        edge = [(0.25, 0), (0.28 + lean, 0.55 * lift), (lean - back, 1.2 * lift)]
        return blob([*edge, (lean - 0.1 - 0.6 * back, 0.55 * lift), (-0.25, 0)], paint)

    return [
        wing("far", rng.uniform(0.2, 0.4)),
        polygon([(-0.3, 0.05), (-0.95, 0.18), (-0.85, 0), (-0.95, -0.14), (-0.3, -0.08)], "second"),
        limb([(-0.4, 0), (0, 0), (0.4, 0.04)], [0.08, 0.2, 0.13], "body"),
        *moved(_bird_head(rng.uniform(0.15, 0.35)), (0.5, 0.08), 0.8),
        wing("body", 0.0),
    ]


def _soaring(rng: np.random.Generator) -> list[Part]:
    bend, span = rng.uniform(0.1, 0.4), rng.uniform(0.9, 1.2)
    wing = blob(
        [
            (0.2, 0.05),
            (0.28, 0.5 * span),
            (0.2 - bend, span),
            (-0.1 - bend, 0.95 * span),
            (-0.08, 0.5 * span),
            (-0.2, 0.05),
        ],
        "body",
    )
    tip = blob(
        [
            (0.12 - 0.8 * bend, 0.85 * span),
            (0.2 - bend, span),
            (-0.1 - bend, 0.97 * span),
            (-0.05 - 0.8 * bend, 0.82 * span),
        ],
        "second",
    )
    return [
        polygon([(-0.2, 0), (-0.75, 0.22), (-0.8, 0), (-0.75, -0.22)], "second"),
        *mirrored([wing, tip], axis=1),
        limb([(-0.4, 0), (0, 0), (0.35, 0)], [0.06, 0.15, 0.1], "body"),
        *moved([*_bird_head(0.25)], (0.42, 0), 0.6),
    ]


def _swimming(rng: np.random.Generator) -> list[Part]:
    neck = rng.uniform(0.15, 0.75)
    head = np.array([0.62, 0.3 + neck])
    return [
        blob(
            [(0.6, 0.1), (0.3, -0.15), (-0.4, -0.15), (-0.85, 0.28), (-0.3, 0.26), (0.3, 0.3)],
            "body",
        ),
        limb(
            [(0.42, 0.1), (0.58, 0.2 + 0.3 * neck), (0.48, 0.2 + 0.7 * neck), head],
            [0.16, 0.1, 0.1],
            "body",
        ),
        blob([(0.25, 0.15), (-0.1, 0.25), (-0.7, 0.25), (-0.3, 0.0), (0.1, 0.0)], "second"),
        *moved(_bird_head(rng.uniform(0.2, 0.35)), head, 0.8),
    ]


# ---- the classes -----------------------------------------------------------------------------


def bird(rng: np.random.Generator) -> list[Part]:
    """Perched, swimming, beating its wings, or soaring and seen from below."""
    return (_perched, _perched, _flying, _soaring, _swimming)[rng.integers(5)](rng)


def cat(rng: np.random.Generator) -> list[Part]:
    """Pointed ears, short muzzle, whiskers, long thin tail."""
    return quadruped(rng, CAT)


def deer(rng: np.random.Generator) -> list[Part]:
    """Thin legs and neck, leaf-shaped ears, mostly antlers, a stub of a tail."""
    return quadruped(rng, DEER)


def dog(rng: np.random.Generator) -> list[Part]:
    """Long muzzle with a large nose, mostly hanging ears, raised tail."""
    return quadruped(rng, DOG)


def horse(rng: np.random.Generator) -> list[Part]:
    """Long head and legs, mane, tail of hair."""
    return quadruped(rng, HORSE)


def monkey(rng: np.random.Generator) -> list[Part]:
    """Round bare face with ears at its sides, long arms, curled tail."""
    return _monkey_upright(rng) if rng.random() < 0.6 else quadruped(rng, MONKEY)
