"""The kinds of flowers, their palettes and grounds: places in a space, between which everything is a mixture.

Neighbours mix smoothly (a softmax of the distances), so that a way through the space shows flowers that
become one another; far from the borders a flower is wholly of its kind.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields

import numpy as np

from perform.arrays import Doubles
from perform.training import colours


@dataclass(frozen=True, slots=True)
class Form:
    """The shape of a kind. Angles in degrees from the flower's axis, shut and open; lengths in petals."""

    petals: float = 6.0
    spiral: float = 0.0  # 0 whorls of three, 1 the golden angle
    width: float = 0.36  # half of the petal's
    belly: float = 0.62  # power of the outline towards the base: small is broad there
    blunt: float = 2.6  # power towards the tip: large is broad there
    point: float = 0.62  # 0.5 a round tip, 1 a pointed one
    claw: float = 0.12  # width at the base
    base_shut: float = 78.0
    base_open: float = 88.0
    middle_shut: float = 3.0
    middle_open: float = 38.0
    tip_shut: float = -24.0
    tip_open: float = 46.0
    reach: float = 0.17  # how far up the petal its base bends
    cup_shut: float = 0.97
    cup_open: float = 0.72
    layer: float = 0.10  # how much later inner petals open
    inner: float = 0.14  # how much smaller inner petals are
    ruffle: float = 0.05
    waves: float = 2.2
    fringe: float = 0.0
    crease: float = 0.045
    notch: float = 0.0
    overlap: float = 0.09
    radius: float = 0.05
    pistil: float = 0.2
    stamens: float = 6.0
    filament: float = 0.24
    anther: float = 0.085
    stem: float = 0.044
    leaves: float = 1.0
    leaf_width: float = 0.17
    nod: float = 0.42  # radians towards the viewer when open


TULIP = Form()
FORMS: tuple[Form, ...] = (
    TULIP,  # triumph
    Form(width=0.4, blunt=3.4, point=0.55, middle_shut=6, tip_shut=-34, middle_open=34),  # Darwin
    Form(  # lily-flowered
        width=0.255, belly=0.5, blunt=1.7, point=0.95, middle_shut=8, tip_shut=6, middle_open=34,
        tip_open=96, reach=0.2, ruffle=0.07, cup_shut=0.9, cup_open=0.5,
    ),
    Form(width=0.39, blunt=3.6, point=0.55, fringe=1.0, ruffle=0.05, tip_shut=-14, tip_open=40),  # fringed
    Form(  # parrot
        petals=7.0, width=0.37, belly=0.5, blunt=2.2, point=0.6, ruffle=0.22, waves=2.6,
        fringe=0.55, crease=0.07, middle_shut=10, tip_shut=4, middle_open=46, tip_open=88,
        notch=0.05, cup_open=0.45, layer=0.2,
    ),
    Form(  # double
        petals=17.0, spiral=0.6, width=0.36, blunt=3.2, point=0.55, middle_shut=4, tip_shut=-34,
        middle_open=52, tip_open=40, layer=0.55, inner=0.3, ruffle=0.09, notch=0.03, radius=0.06,
        pistil=0.12, filament=0.16, nod=0.55,
    ),
    Form(width=0.33, blunt=2.1, point=0.75, middle_open=58, tip_open=62, cup_open=0.55, nod=0.6),  # wide
    Form(  # botanical
        width=0.25, belly=0.55, blunt=1.8, point=0.9, middle_open=64, tip_open=74, cup_open=0.35,
        reach=0.13, filament=0.27, nod=0.75, leaf_width=0.1,
    ),
    Form(  # poppy
        petals=6.0, width=0.58, belly=0.85, blunt=4.8, point=0.5, claw=0.1, base_open=84,
        middle_shut=8, middle_open=58, tip_shut=-20, tip_open=70, cup_shut=0.95, cup_open=0.5,
        ruffle=0.13, waves=3.1, crease=0.0, notch=0.06, overlap=0.16, pistil=0.2, stamens=40.0,
        filament=0.27, anther=0.045, stem=0.026, leaves=0.35, leaf_width=0.07, nod=0.75, layer=0.16,
    ),
    Form(  # anemone
        petals=11.0, spiral=0.85, width=0.34, belly=0.75, blunt=3.4, point=0.55, claw=0.1,
        middle_shut=14, middle_open=70, tip_shut=-16, tip_open=62, cup_shut=0.9, cup_open=0.5,
        ruffle=0.06, waves=1.7, crease=0.02, pistil=0.2, stamens=42.0, filament=0.3, anther=0.045,
        stem=0.035, leaves=0.4, leaf_width=0.08, nod=0.8, layer=0.15, inner=0.12, overlap=0.12,
    ),
    Form(  # peony
        petals=34.0, spiral=1.0, width=0.4, belly=0.6, blunt=4.2, point=0.5, middle_shut=2,
        middle_open=58, tip_shut=-48, tip_open=24, cup_shut=1.1, cup_open=0.75, layer=0.75,
        inner=0.42, ruffle=0.12, waves=2.6, notch=0.07, crease=0.01, radius=0.09, pistil=0.06,
        stamens=10.0, filament=0.1, stem=0.05, leaves=0.7, leaf_width=0.16, nod=0.7, overlap=0.15,
    ),
    Form(  # ranunculus
        petals=40.0, spiral=1.0, width=0.44, belly=0.5, blunt=3.6, point=0.5, middle_shut=10,
        middle_open=52, tip_shut=-70, tip_open=-6, cup_shut=1.2, cup_open=1.0, layer=0.9,
        inner=0.55, ruffle=0.05, waves=2.0, notch=0.02, crease=0.0, radius=0.07, pistil=0.05,
        stamens=8.0, filament=0.06, stem=0.04, leaves=0.5, leaf_width=0.08, nod=0.7, overlap=0.12,
    ),
    Form(  # lily
        width=0.19, belly=0.62, blunt=1.6, point=0.9, base_shut=20, base_open=30, middle_shut=12,
        middle_open=52, tip_shut=0, tip_open=128, reach=0.3, cup_shut=0.9, cup_open=0.4,
        ruffle=0.09, waves=2.8, crease=0.08, pistil=0.2, stamens=6.0, filament=0.5, anther=0.075,
        stem=0.035, leaves=0.8, leaf_width=0.09, nod=0.7, radius=0.03,
    ),
    Form(  # magnolia
        petals=9.5, spiral=0.2, width=0.29, belly=0.8, blunt=3.2, point=0.6, claw=0.1, base_open=70,
        middle_shut=6, middle_open=36, tip_shut=-22, tip_open=58, cup_shut=1.0, cup_open=0.7,
        layer=0.35, inner=0.1, ruffle=0.05, crease=0.03, pistil=0.18, stamens=20.0, filament=0.08,
        anther=0.05, stem=0.05, leaves=0.7, leaf_width=0.2, nod=0.35,
    ),
)  # fmt: skip


PETAL_COLOURS = ("body", "tip", "edge", "base", "flame", "blotch", "anther")


@dataclass(frozen=True, slots=True)
class Palette:
    """PETAL_COLOURS of a variety, as sRGB hex; how strong its flames (`flamed`) and star (`blotched`) are."""

    colours: str
    flamed: float
    blotched: float


PALETTES: tuple[Palette, ...] = (
    Palette("f2e6cf f7eedd d9a7a0 dfe0b0 8c1020 3b4f7a 2a1a2e", 1.00, 0.3),  # Semper Augustus
    Palette("f3ece2 f6eef0 c7a5c4 e3e4c0 561450 5a5a8a 33203c", 1.00, 0.3),  # Viceroy
    Palette("eab02c f3c850 c9641c d8b83a 74150f 3a3410 3a2410", 1.00, 0.5),  # a bizarden
    Palette("2d0a22 44102f 6a2348 1d0a1e 140410 191226 201026", 0.25, 0.3),  # Queen of Night
    Palette("f0a27c f7c9a2 fadcc0 f3d59a e0705a c9b050 6a4a20", 0.35, 0.5),  # Apricot Beauty
    Palette("c3121c dc2a20 e8583a b30f20 f2c648 17100f 1c1216", 0.30, 1.0),  # Red Emperor
    Palette("e57c9f f3b4c6 f9dde2 f4e6dc a81248 c8c8b0 6a4a3a", 0.40, 0.6),  # pink
    Palette("ee5f4c f68a68 fbb592 f2c06a f8d488 d2b040 4a2a1a", 0.35, 0.5),  # coral
    Palette("f4f0e4 f8f5ee eef0e0 cfd8a0 c8324a d8cf70 b08a30", 0.45, 0.4),  # white
    Palette("f1bf2e f7d860 f9e48c e0c040 b81e1a 5a6a20 5a4416", 0.35, 0.5),  # yellow
    Palette("6e2a86 9a52ae b880c6 8a70a8 efe6f0 1c1840 1f1430", 0.40, 0.7),  # purple
    Palette("3f3fa8 5f62c6 8f90de dcdcf0 e8e6f6 10102a 10101f", 0.35, 0.8),  # blue anemone
    Palette("b394d2 d0b8e4 e8dcf2 ece8e0 5a2090 8a88b8 4a3a50", 0.40, 0.5),  # lilac
    Palette("ee7a1c f49a34 f9bc58 f0b83a c22a0c 6a5a1a 4a3214", 0.50, 0.5),  # orange
    Palette("6c0e2a 8e1c3e b2486a 5a1230 ecd6c0 1d0e18 221218", 0.35, 0.6),  # burgundy
    Palette("f5ece2 f6e4e2 e79ab0 eae6c4 cc2f62 8a90a0 4a3040", 0.95, 0.3),  # a rose Rembrandt
    Palette("e0a028 eec052 a8541a d0a840 541610 2f3410 30200e", 1.00, 0.4),  # Absalon
    Palette("c88c7a e2b296 efd0b4 d8be92 9a4e50 a08a50 5a3a2a", 0.50, 0.4),  # La Belle Epoque
    Palette("f4c2b0 f9dccc fcece0 f6dcc0 c84868 e0b080 d0a040", 0.30, 0.4),  # a peach peony
    Palette("b8145f d84a8c ee86b2 dc9ab8 f8e8ec 2a1230 2a1420", 0.40, 0.6),  # magenta
    Palette("dc2a18 ee4a28 f47a48 b81a14 a01010 120810 140c12", 0.25, 1.3),  # a scarlet poppy
    Palette("f6a238 f9c068 fbd894 f2d060 e8701c c8c040 d0a030", 0.25, 0.4),  # an Iceland poppy
    Palette("f1ead0 f5efdc f2e4cc b8c878 6a9038 a0b050 8a7a30", 0.95, 0.3),  # Spring Green
    Palette("f0a486 f4bc9c e88a78 c8b868 6c8a3c 8a9040 6a5a28", 0.90, 0.3),  # Artist
    Palette("8c86b4 aaa4cc ccc8e2 d8d8d8 3c2a6e 3a3a60 2a2a40", 0.50, 0.6),  # smoky blue
    Palette("8a3f22 b5652e d69a54 a06a2a ecb848 2a1c0e 2a180c", 0.60, 0.5),  # bronze
    Palette("f5ead6 f6e2d6 c5284e e4e2b4 d6486c a0a070 5a4030", 0.55, 0.3),  # a raspberry edge
    Palette("200812 3a0d1e 641a34 160810 8c1c34 120a12 1a0e14", 0.40, 0.3),  # Black Parrot
    Palette("7a1418 962020 f0b438 5a1014 f2bc3c 2a1a10 2a160c", 0.50, 0.5),  # Abu Hassan
    Palette("4a0c1e 6a1630 f08a6a 3a0a18 e8766a 1a0c14 1c1014", 0.40, 0.5),  # Slawa
    Palette("8c0c1c a81424 c83a3a 6a0a16 3c040c 120a0c 160c10", 0.30, 0.6),  # Jan Reus
    Palette("3a1858 5a2a7c 9a6ab4 2c1446 e6d8ee 140e22 181024", 0.35, 0.5),  # a deep violet
)

# The ground's far colour, and its light, both at the middle of its lightness.
GROUNDS: tuple[tuple[str, str], ...] = (
    ("0d0a07", "4a3520"),  # umber
    ("080c0a", "2a3d2e"),  # bottle green
    ("070a11", "24344e"),  # night blue
    ("0f0709", "4a1f28"),  # oxblood
    ("0b090d", "352c42"),  # aubergine
    ("0a0b0b", "3a3d3c"),  # slate
    ("0c0b06", "46421e"),  # olive
    ("050c0e", "1c4148"),  # petrol
)


def mixture(place: Doubles, anchors: Doubles, softness: float) -> Doubles:
    """Weights [n], together 1, of the anchors [n, k] seen from a place [k]."""
    nearness = -np.square(anchors - place).sum(-1) / softness
    weights = np.exp(nearness - nearness.max())
    return np.asarray(weights / weights.sum())


def sphere(count: int, radius: float) -> Doubles:
    """`count` places evenly on a sphere [count, 3] (Fibonacci's lattice)."""
    number = np.arange(count) + 0.5
    height, turn = 1 - 2 * number / count, number * np.pi * (1 + 5**0.5)
    ring = np.sqrt(1 - height**2)
    return radius * np.stack([ring * np.cos(turn), ring * np.sin(turn), height], -1)


def _scattered(count: int, seed: int, dimensions: int = 3) -> Doubles:
    """Places that are spread like a normal distribution, and apart from each other (Lloyd's iteration)."""
    chance = np.random.default_rng(seed)
    cloud, places = chance.standard_normal((4000, dimensions)), chance.standard_normal((count, dimensions))
    for _ in range(12):
        nearest = np.square(cloud[:, None] - places).sum(-1).argmin(1)
        places = np.stack([cloud[nearest == one].mean(0) for one in range(count)])
    return places


_KINDS = np.concatenate([np.zeros((1, 3)), sphere(len(FORMS) - 1, 1.7)])
_SHAPES = np.array([astuple(form) for form in FORMS])
_PLACES = _scattered(len(PALETTES), 5)
_GROUND_PLACES = _scattered(len(GROUNDS), 7, 2)


def form_at(place: Doubles) -> Form:
    """The kind at a place [3]."""
    weights = mixture(place, _KINDS, 0.4)
    mixed = dict(zip((one.name for one in fields(Form)), weights @ _SHAPES, strict=True))
    # Petals are counted in ratios: a tulip with a little of a peony has seven, not ten.
    return Form(**mixed | {"petals": float(np.exp(weights @ np.log(_SHAPES[:, 0])))})


def palette_at(place: Doubles) -> dict[str, Doubles]:
    """Palette at a place [3]: OKLab colours [3] by name, and `flamed`, `blotched` [1]."""
    weights = mixture(place, _PLACES, 0.16)
    mixed = {name: weights @ _LABS[:, at] for at, name in enumerate(PETAL_COLOURS)}
    return mixed | {"strengths": weights @ np.array([[one.flamed, one.blotched] for one in PALETTES])}


def ground_at(place: Doubles) -> tuple[Doubles, Doubles]:
    """Far colour and light of a background, OKLab [3], at a place [2]."""
    weights = mixture(place, _GROUND_PLACES, 0.4)
    far, light = weights @ _GROUND_LABS[:, 0], weights @ _GROUND_LABS[:, 1]
    return far, light


_LABS = np.array([[colours.lab_of(text) for text in one.colours.split()] for one in PALETTES])
_GROUND_LABS = np.array([[colours.lab_of(text) for text in pair] for pair in GROUNDS])
