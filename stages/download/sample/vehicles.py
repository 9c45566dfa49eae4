"""Figures of the vehicle classes of the sample data set, facing right."""

import numpy as np

from stages.download.sample.shapes import (
    Part,
    blob,
    ellipse,
    limb,
    mirrored,
    moved,
    polygon,
    rectangle,
)


def airplane(rng: np.random.Generator) -> list[Part]:
    """Jet or propeller machine from the side, from above or from three quarters."""
    view = rng.choice(["side", "above", "oblique"])
    propeller = rng.random() < 0.4
    girth = rng.uniform(0.09, 0.14) + 0.03 * propeller
    tail = -rng.uniform(0.85, 1.1)
    nose = rng.uniform(0.8, 1.0)
    spin = ellipse(nose + 0.04, 0, 0.025, 0.3, "dark", angle=rng.uniform(-0.2, 0.2))
    fuselage = limb(
        [(tail, 0.03), (-0.3, 0), (0.4, 0), (nose, -0.02)],
        [0.03, girth, girth, 0.5 * girth],
        "body",
    )
    if view == "side":
        fin_top = rng.uniform(0.3, 0.45)
        fin = polygon(
            [(tail, 0.03), (tail - 0.08, fin_top), (tail + 0.1, fin_top), (tail + 0.35, 0.05)],
            "second",
        )
        tip = rng.uniform(-0.5, -0.25)
        wing = [
            polygon([(0.25, 0), (-0.2, tip), (-0.38, tip), (-0.15, 0)], "far"),
            limb([(-0.15, 0.5 * tip - 0.03), (0.1, 0.5 * tip - 0.03)], [0.05, 0.06], "second"),
        ]
        if propeller:
            wing = [limb([(-0.15, girth), (0.25, girth)], [0.03, 0.05], "far"), spin]
            wing += [_wheel(0.3, -girth - 0.12, 0.07), _wheel(tail + 0.1, -0.1, 0.04)]
        tailplane = limb([(tail - 0.05, 0.05), (tail + 0.15, 0.04)], [0.02, 0.04], "far")
        windows = [
            ellipse(x, 0.35 * girth, 0.025, 0.03, "glass") for x in np.arange(-0.4, 0.5, 0.13)
        ]
        cockpit = polygon(
            [(nose - 0.2, 0.9 * girth), (nose - 0.03, 0.4 * girth), (nose - 0.2, 0.3 * girth)],
            "glass",
        )
        return [fin, fuselage, *windows, cockpit, tailplane, *wing]

    span = rng.uniform(0.75, 1.05)
    sweep = rng.uniform(-0.05, 0.1) if propeller else rng.uniform(0.2, 0.55)
    chord = rng.uniform(0.16, 0.24)
    wing = polygon(
        [
            (0.25, 0.03),
            (0.25 - sweep, span),
            (0.2 - sweep - 0.5 * chord, span),
            (0.1 - chord, 0.03),
        ],
        "body",
    )
    tailplane = polygon(
        [(tail + 0.22, 0), (tail, 0.35), (tail - 0.1, 0.35), (tail, 0)],
        "second",
    )
    engine = limb(
        [(0.12 - 0.4 * sweep, 0.4 * span), (0.3 - 0.4 * sweep, 0.4 * span)], [0.045], "far"
    )
    engines = [] if propeller else mirrored([engine], axis=1)
    cockpit = ellipse(nose - 0.12, 0, 0.08, 0.6 * girth, "glass")
    figure = [*engines, *mirrored([wing, tailplane], axis=1), fuselage, cockpit]
    if propeller:
        figure.append(spin)
    if view == "above":
        return [*figure, limb([(tail, 0), (tail + 0.25, 0)], [0.02, 0.02], "second")]
    figure = moved(figure, matrix=np.array([[1.0, 0.35], [0.0, rng.uniform(0.4, 0.6)]]))
    fin = polygon(
        [(tail, 0), (tail - 0.12, 0.35), (tail + 0.05, 0.35), (tail + 0.3, 0.03)], "second"
    )
    return [*figure, fin]


def car(rng: np.random.Generator) -> list[Part]:
    """Hatchback, saloon or coupé from the side, or any of them from the front."""
    if rng.random() < 0.3:
        return _car_front(rng)
    tall = rng.uniform(0.52, 0.68)
    belt = rng.uniform(0.34, 0.4)
    shape = rng.choice(["hatch", "saloon", "coupe"])
    # from the boot forwards: foot and top of the rear window, top and foot of the windscreen
    rear_foot, rear_top, front_top, front_foot = {
        "hatch": (-0.88, -0.68, 0.12, 0.45),
        "saloon": (-0.62, -0.35, 0.15, 0.42),
        "coupe": (-0.8, -0.2, 0.08, 0.45),
    }[str(shape)]
    hood = belt - rng.uniform(0.02, 0.08)
    wheel = rng.uniform(0.15, 0.19)
    shell = blob(
        [
            (-0.95, 0.12),
            (-0.97, belt - 0.05),
            (rear_foot, belt + 0.02),
            (rear_top, tall),
            (front_top, tall),
            (front_foot, belt + 0.02),
            (0.85, hood - 0.03),
            (0.98, 0.2),
            (0.9, 0.1),
            (-0.5, 0.09),
        ],
        "body",
    )
    pillar = 0.5 * (rear_top + front_top)
    top = tall - 0.06
    glass = [
        polygon(
            [
                (rear_foot + 0.1, belt),
                (rear_top + 0.03, top),
                (pillar - 0.03, top),
                (pillar - 0.03, belt),
            ],
            "glass",
        ),
        polygon(
            [
                (pillar + 0.03, belt),
                (pillar + 0.03, top),
                (front_top - 0.02, top),
                (front_foot - 0.12, belt),
            ],
            "glass",
        ),
    ]
    lamps = [ellipse(0.92, 0.27, 0.05, 0.04, "light"), ellipse(-0.93, 0.29, 0.04, 0.04, "second")]
    door = limb([(pillar, 0.14), (pillar, belt)], [0.008], "dark")
    wheels = [*_wheels([-0.55, 0.58], wheel)]
    return [shell, *glass, door, *lamps, *wheels]


def _car_front(rng: np.random.Generator) -> list[Part]:
    tall, wide = rng.uniform(0.8, 1.0), rng.uniform(0.42, 0.5)
    half = [
        rectangle(0.55 * wide + 0.1, 0.0, wide + 0.12, 0.3, "dark"),
        ellipse(wide - 0.02, 0.36, 0.1, 0.06, "light"),
        ellipse(wide + 0.14, 0.56, 0.07, 0.04, "body"),
    ]
    shell = [
        blob(
            [
                (-wide, tall - 0.28),
                (-0.6 * wide, tall),
                (0.6 * wide, tall),
                (wide, tall - 0.28),
                (wide + 0.1, 0.42),
                (wide + 0.08, 0.12),
                (-wide - 0.08, 0.12),
                (-wide - 0.1, 0.42),
            ],
            "body",
        ),
        polygon(
            [
                (-0.88 * wide, 0.55),
                (-0.62 * wide, tall - 0.06),
                (0.62 * wide, tall - 0.06),
                (0.88 * wide, 0.55),
            ],
            "glass",
        ),
        rectangle(-0.5 * wide, 0.25, 0.5 * wide, 0.36, "dark"),
        rectangle(-0.3 * wide, 0.13, 0.3 * wide, 0.2, "light"),
    ]
    tyres, lamps, mirrors = (mirrored([part]) for part in half)
    return [*tyres, *mirrors, *shell, *lamps]


def truck(rng: np.random.Generator) -> list[Part]:
    """Box lorry, tipper, tanker or flatbed from the side, or a cab from the front."""
    if rng.random() < 0.25:
        return _truck_front(rng)
    kind = rng.choice(["box", "tipper", "tanker", "flatbed"])
    wheel = rng.uniform(0.12, 0.15)
    tail = -rng.uniform(0.8, 1.3)
    tall = rng.uniform(0.72, 0.95)
    cab_top = rng.uniform(0.6, 0.75)
    bonnet = rng.uniform(0.15, 0.3) * (rng.random() < 0.4)
    cab = blob if rng.random() < 0.3 else polygon
    parts = [
        rectangle(tail, 0.13, 0.75, 0.22, "dark"),
        cab([(0.33, 0.14), (0.33, cab_top), (0.68, cab_top), (0.78, 0.42), (0.8, 0.14)], "second"),
        polygon(
            [(0.5, 0.42), (0.5, cab_top - 0.07), (0.65, cab_top - 0.07), (0.73, 0.42)], "glass"
        ),
        ellipse(0.78 + bonnet, 0.22, 0.035, 0.04, "light"),
    ]
    if bonnet:
        parts.insert(1, rectangle(0.7, 0.14, 0.8 + bonnet, 0.4, "second"))
    match str(kind):
        case "box":
            parts.append(rectangle(tail, 0.22, 0.28, tall, "body"))
            seams = np.linspace(tail, 0.28, 5)[1:-1]
            parts += [limb([(x, 0.24), (x, tall - 0.02)], [0.008], "far") for x in seams]
        case "tipper":
            tilt = rng.uniform(0, 0.35) * (rng.random() < 0.6)
            bed = [(tail - 0.05, 0.24), (tail - 0.12, 0.58), (0.3, 0.62), (0.24, 0.24)]
            heap = [(tail + 0.05, 0.55), (0.5 * tail, 0.8), (0.2, 0.55)]
            load = [blob(heap, "far"), polygon(bed, "body")]
            ribs = np.linspace(tail, 0.2, 5)[1:-1]
            load += [limb([(x, 0.26), (x, 0.58)], [0.015], "far") for x in ribs]
            turn = np.array([[np.cos(tilt), np.sin(tilt)], [-np.sin(tilt), np.cos(tilt)]])
            pivot = np.array([tail, 0.24])
            parts += moved(load, pivot - turn @ pivot, turn)
        case "tanker":
            radius = 0.5 * (tall - 0.25)
            middle = 0.22 + radius
            parts.append(limb([(tail + radius, middle), (0.28 - radius, middle)], [radius], "body"))
            parts += [
                rectangle(x, 0.24, x + 0.03, tall - 0.04, "far") for x in (0.7 * tail, 0.3 * tail)
            ]
            parts.append(limb([(0.4 * tail, tall), (0.2 * tail, tall)], [0.03], "dark"))
        case "flatbed":
            logs = [(x, y) for y in (0.32, 0.5) for x in np.arange(tail + 0.15, 0.2, 0.22)]
            parts += [ellipse(x, y, 0.1, 0.1, "body") for x, y in logs]
            parts += [rectangle(x, 0.2, x + 0.03, 0.62, "dark") for x in (tail, 0.22)]
    axles = [0.58, *np.arange(tail + 0.18, -0.1, 0.29)[:3]]
    return [*parts, *_wheels(axles, wheel)]


def _truck_front(rng: np.random.Generator) -> list[Part]:
    tall, wide = rng.uniform(1.25, 1.6), rng.uniform(0.4, 0.48)
    sill = rng.uniform(0.6, 0.7)
    cargo = rectangle(-wide - 0.06, 0.4, wide + 0.06, tall + rng.uniform(0, 0.25), "body")
    cab = rectangle(-wide, 0.14, wide, tall, "second")
    screen = polygon(
        [
            (-0.9 * wide, sill),
            (-0.85 * wide, tall - 0.2),
            (0.85 * wide, tall - 0.2),
            (0.9 * wide, sill),
        ],
        "glass",
    )
    grille = [rectangle(-0.6 * wide, y, 0.6 * wide, y + 0.035, "dark") for y in (0.34, 0.42, 0.5)]
    tyres = mirrored([rectangle(0.5 * wide, -0.06, wide, 0.2, "dark")])
    lamps = mirrored([rectangle(0.62 * wide, 0.2, 0.95 * wide, 0.29, "light")])
    mirrors = mirrored([rectangle(wide + 0.04, sill + 0.05, wide + 0.14, sill + 0.4, "dark")])
    return [*tyres, cargo, *mirrors, cab, screen, *grille, *lamps]


def ship(rng: np.random.Generator) -> list[Part]:
    """Sailing boat, square-rigger, cargo ship, liner or tug, or a bow from the front."""
    kinds = {
        "sloop": _sloop,
        "rigger": _rigger,
        "cargo": _cargo_ship,
        "liner": _liner,
        "tug": _tug,
        "bow": _bow,
    }
    return kinds[str(rng.choice(list(kinds)))](rng)


def _hull(rng: np.random.Generator, length: float, depth: float) -> list[Part]:
    bow, stern = rng.uniform(0.1, 0.25), rng.uniform(0.02, 0.1)
    keel = rng.uniform(0.6, 0.85)
    side = [
        (-length, depth),
        (-length + stern, 0),
        (length * keel, 0),
        (length + bow, 1.15 * depth),
    ]
    band = [
        (-length, depth),
        (-length + 0.3 * stern, 0.7 * depth),
        (length + 0.5 * bow, 0.8 * depth),
        (length + bow, 1.15 * depth),
    ]
    return [polygon(side, "body"), polygon(band, "second")]


def _sloop(rng: np.random.Generator) -> list[Part]:
    tall = rng.uniform(1.2, 1.6)
    mast = rng.uniform(-0.05, 0.15)
    hull = _hull(rng, 0.65, 0.2)
    main = blob if rng.random() < 0.5 else polygon
    return [
        limb([(mast, 0.15), (mast, tall)], [0.02], "dark"),
        main([(mast - 0.03, tall - 0.05), (mast - 0.03, 0.3), (-0.6, 0.3)], "light"),
        polygon([(mast + 0.05, tall - 0.2), (mast + 0.05, 0.3), (0.72, 0.27)], "second"),
        *hull,
    ]


def _rigger(rng: np.random.Generator) -> list[Part]:
    parts = []
    for x in (-0.5, 0.0, 0.5)[: rng.integers(2, 4)]:
        tall = rng.uniform(1.1, 1.3)
        parts.append(limb([(x, 0.2), (x, tall)], [0.02], "dark"))
        for low, half in ((0.35, 0.23), (0.65, 0.2), (0.92, 0.15)):
            sail = [
                (x - half, low),
                (x - 0.85 * half, low + 0.24),
                (x + 0.85 * half, low + 0.24),
                (x + half, low),
                (x + 0.05, low + 0.05),
            ]
            parts.append(polygon(sail, "light"))
    return [*parts, limb([(0.75, 0.3), (1.15, 0.5)], [0.02], "dark"), *_hull(rng, 0.8, 0.26)]


def _cargo_ship(rng: np.random.Generator) -> list[Part]:
    parts = [
        rectangle(-0.95, 0.2, -0.62, 0.7, "light"),
        rectangle(-0.98, 0.58, -0.58, 0.66, "glass"),
        rectangle(-0.85, 0.7, -0.75, 0.9, "second"),
    ]
    for x in np.arange(-0.52, 0.8, 0.2):
        for level in range(rng.integers(1, 4)):
            low = 0.26 + 0.13 * level
            paint = str(rng.choice(["body", "second", "far", "light"]))
            parts.append(rectangle(x, low, x + 0.18, low + 0.12, paint))
    return [*parts, *_hull(rng, 1.05, 0.28)]


def _liner(rng: np.random.Generator) -> list[Part]:
    parts = []
    for x in np.linspace(-0.35, 0.35, rng.integers(1, 4)):
        parts += [
            polygon([(x, 0.5), (x - 0.04, 0.9), (x + 0.1, 0.9), (x + 0.14, 0.5)], "second"),
            rectangle(x - 0.04, 0.82, x + 0.1, 0.9, "dark"),
        ]
    for level, reach in enumerate((0.85, 0.72, 0.55)):
        low = 0.24 + 0.14 * level
        parts.append(rectangle(-reach, low, reach, low + 0.14, "light"))
        ports = np.arange(-reach + 0.06, reach - 0.05, 0.13)
        parts += [rectangle(x, low + 0.04, x + 0.06, low + 0.1, "glass") for x in ports]
    return [*parts, *_hull(rng, 1.0, 0.27)]


def _tug(rng: np.random.Generator) -> list[Part]:
    funnel = -rng.uniform(0.15, 0.3)
    return [
        polygon(
            [(funnel - 0.07, 0.3), (funnel - 0.1, 0.9), (funnel + 0.08, 0.9), (funnel + 0.08, 0.3)],
            "second",
        ),
        rectangle(funnel - 0.1, 0.78, funnel + 0.09, 0.9, "dark"),
        limb([(0.4, 0.3), (0.4, rng.uniform(0.9, 1.15))], [0.015], "dark"),
        rectangle(-0.35, 0.25, 0.4, 0.48, "light"),
        rectangle(0.0, 0.48, 0.32, 0.74, "light"),
        rectangle(0.05, 0.56, 0.36, 0.68, "glass"),
        *_hull(rng, 0.75, 0.3),
    ]


def _bow(rng: np.random.Generator) -> list[Part]:
    flare, tall = rng.uniform(0.42, 0.55), rng.uniform(0.7, 0.95)
    half = blob(
        [(0, 0), (0.22, 0.1), (0.8 * flare, 0.5 * tall), (flare, tall), (0, 1.08 * tall)], "body"
    )
    return [
        limb([(0, tall), (0, tall + 0.65)], [0.02], "dark"),
        rectangle(-0.7 * flare, tall - 0.1, 0.7 * flare, tall + 0.25, "light"),
        rectangle(-0.6 * flare, tall + 0.1, 0.6 * flare, tall + 0.2, "glass"),
        rectangle(-0.4 * flare, tall + 0.25, 0.4 * flare, tall + 0.4, "light"),
        *mirrored([half]),
        polygon([(-0.2, 0.03), (-0.27, 0.2), (0.27, 0.2), (0.2, 0.03)], "second"),
    ]


def _wheel(x: float, y: float, radius: float) -> Part:
    return ellipse(x, y, radius, radius, "dark")


def _wheels(places: list[float], radius: float) -> list[Part]:
    tyres = [_wheel(x, 0.1, radius) for x in places]
    return [*tyres, *(ellipse(x, 0.1, 0.5 * radius, 0.5 * radius, "light") for x in places)]
