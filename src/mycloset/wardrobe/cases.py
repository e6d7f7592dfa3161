"""Cases with a known answer: a person, a garment laid flat, and that person in that garment."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mycloset.wardrobe.body import BROAD_MAN, CURVY_WOMAN, POSES, SLIM_MAN, SLIM_WOMAN
from mycloset.wardrobe.catalogue import demo_garment
from mycloset.wardrobe.curves import to_bytes
from mycloset.wardrobe.figure import (
    FigureSpec,
    Framing,
    Outfit,
    RenderedFigure,
    draw_figure,
)
from mycloset.wardrobe.flat import FlatGarment, draw_garment
from mycloset.wardrobe.garments import GarmentKind, GarmentSpec
from mycloset.wardrobe.grounds import Ground
from mycloset.wardrobe.looks import HairStyle, Looks
from mycloset.wardrobe.scenery import Scenery, backdrop
from mycloset.wardrobe.stage import Light


@dataclass(frozen=True)
class PairedCase:
    """What a try-on is asked, with its answer.

    Attributes:
        name: what is special about it.
        figure: the person.
        before: what the person wears.
        after: what the person should wear then.
        garment: what is tried on; it is part of `after`.
        ground: what the garment lies on in its own picture.
    """

    name: str
    figure: FigureSpec
    before: Outfit
    after: Outfit
    garment: GarmentSpec
    ground: Ground = Ground.PLAIN

    @property
    def category(self) -> str:
        """`upper`, `lower` or `dress`."""
        return self.garment.kind.category

    def draw(self, size: tuple[int, int] = (1024, 768)) -> DrawnCase:
        """The case's pictures, each (H, W) = `size`."""
        return DrawnCase(
            self,
            person=draw_figure(self.figure, self.before, size),
            garment=draw_garment(self.garment, size, ground=self.ground),
            truth=draw_figure(self.figure, self.after, size),
        )


@dataclass(frozen=True)
class DrawnCase:
    """The pictures of a case.

    Attributes:
        case: what was drawn.
        person: the person in the old garment.
        garment: the new garment laid flat.
        truth: the person in the new garment.
    """

    case: PairedCase
    person: RenderedFigure
    garment: FlatGarment
    truth: RenderedFigure

    @property
    def changed(self) -> NDArray[np.bool_]:
        """(H, W) bool: where the old or the new clothes are, which a try-on has to redo."""
        changed = np.zeros(self.truth.labels.shape, bool)
        names = (
            ("upper", "lower", "dress") if self.case.category == "dress" else (self.case.category,)
        )
        for drawn in (self.person, self.truth):
            for name in names:
                if name in drawn.coverage:
                    changed |= drawn.coverage[name] > 0.02
        return changed


def paired_cases() -> tuple[PairedCase, ...]:
    """The benchmark's cases, always the same twelve."""
    return _UPPER + _LOWER + _DRESS


def two_people(size: tuple[int, int] = (1024, 768)) -> NDArray[np.uint8]:
    """(H, W, 3): two people beside each other, the one on the picture's left a little in front."""
    one = FigureSpec(SLIM_WOMAN, POSES["relaxed"], _LOOKS["anna"], seed=71, offset=0.22)
    other = FigureSpec(SLIM_MAN, POSES["relaxed"], _LOOKS["samuel"], seed=71, offset=-0.2)
    behind = draw_figure(one, Outfit(_small("ochre_tank"), demo_garment("blue_jeans")), size)
    front = draw_figure(other, Outfit(demo_garment("striped_tee"), demo_garment("chinos")), size)
    mixed = behind.rgb + (front.rgb.astype(np.float32) - behind.rgb) * front.person[..., None]
    return np.clip(np.round(mixed), 0, 255).astype(np.uint8)


def face_only(size: tuple[int, int] = (1024, 768)) -> NDArray[np.uint8]:
    """(H, W, 3): a head that fills the picture; nothing below the neck."""
    figure = FigureSpec(SLIM_WOMAN, POSES["relaxed"], _LOOKS["anna"], Framing.FACE, seed=72)
    return draw_figure(figure, Outfit(_small("plain_tee"), demo_garment("blue_jeans")), size).rgb


def nobody(size: tuple[int, int] = (1024, 768)) -> NDArray[np.uint8]:
    """(H, W, 3): an empty room."""
    return to_bytes(backdrop(Scenery.ROOM, size, 73, size[0] * 0.9))


def _small(name: str) -> GarmentSpec:
    """A garment of the catalogue in a small size."""
    garment = demo_garment(name)
    if garment.kind.category == "upper":
        return replace(garment, width=0.90, length_cm=62.0)
    return replace(garment, width=0.95) if garment.kind is GarmentKind.TROUSERS else garment


def _large(name: str) -> GarmentSpec:
    """A garment of the catalogue in a large size."""
    garment = demo_garment(name)
    if garment.kind.category == "upper":
        return replace(garment, width=1.08, length_cm=73.0)
    return replace(garment, width=1.05, length_cm=103.0)


_LOOKS = {
    "anna": Looks((236, 190, 162), (122, 78, 46), HairStyle.BOB, (72, 96, 84), 0.65, 0.92),
    "maya": Looks((118, 78, 56), (28, 22, 20), HairStyle.BUN, (52, 36, 28), 0.55, 0.93),
    "lena": Looks((244, 204, 180), (196, 154, 92), HairStyle.LONG, (84, 118, 146), 0.6, 0.92),
    "rosa": Looks((200, 146, 112), (48, 32, 26), HairStyle.LONG, (60, 42, 30), 0.65, 0.96),
    "samuel": Looks((142, 96, 68), (28, 24, 22), HairStyle.SHORT, (54, 38, 30), 0.3, 1.06),
    "jonas": Looks((228, 180, 150), (92, 66, 44), HairStyle.SHORT, (78, 104, 120), 0.3, 1.08),
    "ben": Looks((216, 164, 132), (52, 40, 34), HairStyle.SHORT, (70, 54, 40), 0.3, 1.12),
}

_UPPER = (
    PairedCase(
        "relaxed, plain to emblem",
        FigureSpec(SLIM_WOMAN, POSES["relaxed"], _LOOKS["anna"], Framing.THREE_QUARTER, seed=1),
        Outfit(_small("plain_tee"), _small("blue_jeans")),
        Outfit(_small("emblem_tee"), _small("blue_jeans")),
        _small("emblem_tee"),
    ),
    PairedCase(
        "hand on hip, long sleeves to striped short ones",
        FigureSpec(
            SLIM_MAN, POSES["hand_on_hip"], _LOOKS["samuel"], Framing.HALF, Scenery.WARM,
            Light(azimuth=38.0), seed=2,
        ),
        Outfit(demo_garment("sage_sweater"), demo_garment("chinos")),
        Outfit(demo_garment("striped_tee"), demo_garment("chinos")),
        demo_garment("striped_tee"),
    ),
    PairedCase(
        "arms out, short sleeves to checked long ones",
        FigureSpec(
            SLIM_MAN, POSES["arms_out"], _LOOKS["jonas"], Framing.THREE_QUARTER, Scenery.STUDIO,
            seed=3,
        ),
        Outfit(demo_garment("ringer_tee"), demo_garment("black_jeans")),
        Outfit(demo_garment("lumber_shirt"), demo_garment("black_jeans")),
        demo_garment("lumber_shirt"),
    ),
    PairedCase(
        "an arm before the lettering",
        FigureSpec(
            BROAD_MAN, POSES["arm_across"], _LOOKS["ben"], Framing.HALF, Scenery.BRICKS, seed=4
        ),
        Outfit(_large("emblem_sweater"), _large("black_jeans")),
        Outfit(_large("college_sweater"), _large("black_jeans")),
        _large("college_sweater"),
    ),
    PairedCase(
        "long hair before the shoulders, tank top to tee",
        FigureSpec(
            SLIM_WOMAN, POSES["relaxed"], _LOOKS["lena"], Framing.HALF, Scenery.DARK,
            Light(azimuth=-50.0), seed=5,
        ),
        Outfit(_small("ochre_tank"), demo_garment("denim_skirt")),
        Outfit(_small("mountain_tee"), demo_garment("denim_skirt")),
        _small("mountain_tee"),
    ),
    PairedCase(
        "turned, striped to lettering",
        FigureSpec(
            CURVY_WOMAN, POSES["turned"], _LOOKS["rosa"], Framing.THREE_QUARTER, Scenery.ROOM,
            Light(azimuth=30.0), seed=6,
        ),
        Outfit(demo_garment("breton_shirt"), demo_garment("blue_jeans")),
        Outfit(demo_garment("mycloset_tee"), demo_garment("blue_jeans")),
        demo_garment("mycloset_tee"),
    ),
    PairedCase(
        "arms up, tee to striped tank top, tucked in",
        FigureSpec(SLIM_WOMAN, POSES["arms_up"], _LOOKS["maya"], Framing.FULL, seed=7),
        Outfit(_small("hanger_tee"), demo_garment("tartan_skirt"), tucked=True),
        Outfit(_small("striped_tank"), demo_garment("tartan_skirt"), tucked=True),
        _small("striped_tank"),
    ),
)  # fmt: skip

_LOWER = (
    PairedCase(
        "walking, jeans to checked trousers",
        FigureSpec(
            SLIM_MAN, POSES["walking"], _LOOKS["jonas"], Framing.FULL, Scenery.BRICKS, seed=8
        ),
        Outfit(demo_garment("plain_tee"), demo_garment("blue_jeans")),
        Outfit(demo_garment("plain_tee"), demo_garment("checked_trousers")),
        demo_garment("checked_trousers"),
    ),
    PairedCase(
        "leaning, trousers to skirt",
        FigureSpec(
            SLIM_WOMAN, POSES["leaning"], _LOOKS["anna"], Framing.FULL, Scenery.WARM,
            Light(azimuth=35.0), seed=9,
        ),
        Outfit(_small("lilac_top"), _small("chinos"), tucked=True),
        Outfit(_small("lilac_top"), demo_garment("tartan_skirt"), tucked=True),
        demo_garment("tartan_skirt"),
    ),
)  # fmt: skip

_DRESS = (
    PairedCase(
        "relaxed, plain dress to dotted one",
        FigureSpec(SLIM_WOMAN, POSES["relaxed"], _LOOKS["maya"], Framing.FULL, seed=10),
        Outfit(dress=demo_garment("raspberry_dress")),
        Outfit(dress=demo_garment("dotted_dress")),
        demo_garment("dotted_dress"),
    ),
    PairedCase(
        "leaning, tee and jeans to striped dress",
        FigureSpec(
            CURVY_WOMAN, POSES["leaning"], _LOOKS["rosa"], Framing.FULL, Scenery.ROOM, seed=11
        ),
        Outfit(demo_garment("plain_tee"), demo_garment("blue_jeans")),
        Outfit(dress=demo_garment("sailor_dress")),
        demo_garment("sailor_dress"),
    ),
    PairedCase(
        "hand on hip, long sleeves to gingham without",
        FigureSpec(
            SLIM_WOMAN, POSES["hand_on_hip"], _LOOKS["lena"], Framing.FULL, Scenery.WARM,
            Light(azimuth=-45.0), seed=12,
        ),
        Outfit(dress=demo_garment("plum_dress")),
        Outfit(dress=demo_garment("gingham_dress")),
        demo_garment("gingham_dress"),
        Ground.COLOURED,
    ),
)  # fmt: skip
