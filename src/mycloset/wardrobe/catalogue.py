"""The demo's garments, by name: some of every kind, with patterns that show a bad warp."""

from __future__ import annotations

from mycloset.errors import OptionError
from mycloset.wardrobe.fabrics import Color, Fabric, Pattern, Weave
from mycloset.wardrobe.garments import GarmentKind, GarmentSpec, Neckline
from mycloset.wardrobe.prints import Motif, Print

NAVY, CREAM, WHITE = (32, 46, 78), (247, 240, 226), (247, 246, 243)
RED, RUST, OCHRE = (196, 52, 48), (186, 92, 58), (232, 180, 66)
SAGE, FOREST, TEAL = (140, 164, 138), (42, 78, 64), (38, 122, 128)
BLUSH, PLUM, LILAC = (231, 184, 172), (96, 42, 78), (178, 160, 206)
SKY, CHARCOAL, SAND = (150, 186, 214), (58, 60, 66), (210, 190, 158)


def demo_garment(name: str) -> GarmentSpec:
    """A garment of the catalogue.

    Raises:
        OptionError: the catalogue has no garment of that name.
    """
    for garment in DEMO_GARMENTS:
        if garment.name == name:
            return garment
    raise OptionError(
        f"the wardrobe holds no garment {name!r}.",
        hint=f"It holds {', '.join(garment.name for garment in DEMO_GARMENTS)}.",
    )


def demo_names(category: str | None = None) -> tuple[str, ...]:
    """Names of the catalogue's garments; of one category (`upper`, `lower`, `dress`) if given."""
    return tuple(
        garment.name
        for garment in DEMO_GARMENTS
        if category is None or garment.kind.category == category
    )


def _tee(
    name: str,
    fabric: Fabric,
    seed: int,
    *,
    neckline: Neckline = Neckline.CREW,
    trim: Color | None = None,
) -> GarmentSpec:
    return GarmentSpec(GarmentKind.T_SHIRT, fabric, name, neckline=neckline, trim=trim, seed=seed)


_T_SHIRTS = (
    _tee(
        "striped_tee",
        Fabric(WHITE, Pattern.STRIPES, NAVY, period_cm=4.4, share=0.42),
        11,
        trim=NAVY,
    ),
    _tee(
        "emblem_tee",
        Fabric(
            (44, 66, 92),
            prints=(Print(Motif.EMBLEM, (0, 27), 25, (CREAM, (238, 146, 62), TEAL, NAVY)),),
        ),
        12,
    ),
    _tee(
        "mycloset_tee",
        Fabric(WHITE, prints=(Print(Motif.TEXT, (0, 25), 31, (RED, RUST, NAVY)),)),
        13,
    ),
    _tee(
        "mountain_tee",
        Fabric(
            OCHRE,
            prints=(Print(Motif.MOUNTAINS, (0, 30), 23, ((244, 206, 170), (142, 96, 110), PLUM)),),
        ),
        14,
    ),
    _tee(
        "hanger_tee",
        Fabric(FOREST, prints=(Print(Motif.HANGER, (0, 27), 22, (CREAM, CREAM, RUST)),)),
        15,
    ),
    _tee("plain_tee", Fabric((206, 92, 84)), 16),
    _tee(
        "block_tee",
        Fabric(CREAM, Pattern.COLOUR_BLOCKS, TEAL, third=NAVY, period_cm=24.0),
        17,
    ),
    _tee("ringer_tee", Fabric(BLUSH), 18, trim=PLUM),
    _tee(
        "checked_tee",
        Fabric(SAND, Pattern.CHECKS, CHARCOAL, third=RED, period_cm=8.0, weave=Weave.WOVEN),
        19,
        neckline=Neckline.V,
    ),
)

_LONG_SLEEVES = (
    GarmentSpec(
        GarmentKind.LONG_SLEEVE,
        Fabric(
            RED,
            prints=(Print(Motif.COLLEGE, (0, 27), 30, (CREAM, CREAM, (250, 214, 140))),),
        ),
        "college_sweater",
        seed=21,
    ),
    GarmentSpec(
        GarmentKind.LONG_SLEEVE,
        Fabric(CREAM, Pattern.STRIPES, (48, 86, 132), period_cm=5.2, share=0.38),
        "breton_shirt",
        seed=22,
    ),
    GarmentSpec(
        GarmentKind.LONG_SLEEVE,
        Fabric(
            (206, 208, 204),
            prints=(Print(Motif.EMBLEM, (0, 28), 24, (NAVY, RED, TEAL, CREAM)),),
        ),
        "emblem_sweater",
        seed=23,
        trim=NAVY,
    ),
    GarmentSpec(GarmentKind.LONG_SLEEVE, Fabric(SAGE), "sage_sweater", seed=24),
    GarmentSpec(
        GarmentKind.LONG_SLEEVE,
        Fabric(
            (58, 70, 92), Pattern.CHECKS, RED, third=CREAM, period_cm=10.0, weave=Weave.WOVEN
        ),
        "lumber_shirt",
        seed=25,
    ),
    GarmentSpec(
        GarmentKind.LONG_SLEEVE, Fabric(LILAC), "lilac_top", neckline=Neckline.SCOOP, seed=26,
        width=0.94,
    ),
)  # fmt: skip

_TANK_TOPS = (
    GarmentSpec(
        GarmentKind.TANK_TOP, Fabric(OCHRE), "ochre_tank", neckline=Neckline.SCOOP, seed=31
    ),
    GarmentSpec(
        GarmentKind.TANK_TOP,
        Fabric(WHITE, Pattern.STRIPES, RED, period_cm=3.6, share=0.4),
        "striped_tank",
        neckline=Neckline.SCOOP,
        seed=32,
        trim=RED,
    ),
    GarmentSpec(
        GarmentKind.TANK_TOP,
        Fabric(CHARCOAL, prints=(Print(Motif.HANGER, (0, 31), 20, (OCHRE, OCHRE, CHARCOAL)),)),
        "hanger_tank",
        neckline=Neckline.SCOOP,
        seed=33,
    ),
)

_DRESSES = (
    GarmentSpec(
        GarmentKind.DRESS,
        Fabric(FOREST, Pattern.DOTS, CREAM, period_cm=6.0, share=0.30, weave=Weave.WOVEN),
        "dotted_dress",
        neckline=Neckline.SCOOP,
        flare_cm=9.0,
        seed=41,
    ),
    GarmentSpec(
        GarmentKind.DRESS,
        Fabric((172, 54, 84), weave=Weave.WOVEN),
        "raspberry_dress",
        neckline=Neckline.V,
        sleeve_cm=20.0,
        flare_cm=6.0,
        seed=42,
    ),
    GarmentSpec(
        GarmentKind.DRESS,
        Fabric(WHITE, Pattern.STRIPES, NAVY, period_cm=6.0, share=0.4),
        "sailor_dress",
        sleeve_cm=22.0,
        flare_cm=2.0,
        seed=43,
    ),
    GarmentSpec(
        GarmentKind.DRESS,
        Fabric(SKY, Pattern.CHECKS, (64, 96, 150), third=WHITE, period_cm=7.0, weave=Weave.WOVEN),
        "gingham_dress",
        neckline=Neckline.SCOOP,
        flare_cm=7.0,
        length_cm=104.0,
        seed=44,
    ),
    GarmentSpec(
        GarmentKind.DRESS, Fabric(PLUM), "plum_dress", sleeve_cm=58.0, length_cm=100.0, seed=45
    ),
)

_TROUSERS = (
    GarmentSpec(
        GarmentKind.TROUSERS, Fabric((70, 98, 142), weave=Weave.DENIM), "blue_jeans", seed=51
    ),
    GarmentSpec(
        GarmentKind.TROUSERS, Fabric((46, 48, 54), weave=Weave.DENIM), "black_jeans", seed=52
    ),
    GarmentSpec(
        GarmentKind.TROUSERS, Fabric((192, 168, 130), weave=Weave.WOVEN), "chinos", seed=53
    ),
    GarmentSpec(
        GarmentKind.TROUSERS,
        Fabric(
            (96, 92, 88), Pattern.CHECKS, (62, 60, 62), third=OCHRE, period_cm=8.0,
            weave=Weave.WOVEN,
        ),
        "checked_trousers",
        seed=54,
    ),
    GarmentSpec(
        GarmentKind.TROUSERS,
        Fabric((38, 60, 84), Pattern.PINSTRIPES, (176, 190, 204), period_cm=3.2, share=0.1,
               weave=Weave.WOVEN),
        "pinstripe_trousers",
        flare_cm=5.0,
        seed=55,
    ),
)  # fmt: skip

_SKIRTS = (
    GarmentSpec(
        GarmentKind.SKIRT,
        Fabric((190, 54, 52), Pattern.CHECKS, (30, 40, 72), third=(238, 214, 130), period_cm=9.0,
               weave=Weave.WOVEN),
        "tartan_skirt",
        flare_cm=7.0,
        seed=61,
    ),
    GarmentSpec(
        GarmentKind.SKIRT,
        Fabric((66, 92, 132), weave=Weave.DENIM),
        "denim_skirt",
        length_cm=46.0,
        flare_cm=1.5,
        seed=62,
    ),
    GarmentSpec(
        GarmentKind.SKIRT,
        Fabric(BLUSH, Pattern.DOTS, (156, 60, 76), period_cm=5.0, share=0.3, weave=Weave.WOVEN),
        "dotted_skirt",
        flare_cm=11.0,
        length_cm=62.0,
        seed=63,
    ),
    GarmentSpec(
        GarmentKind.SKIRT,
        Fabric(CREAM, Pattern.STRIPES, TEAL, period_cm=7.0, share=0.45, weave=Weave.WOVEN),
        "striped_skirt",
        flare_cm=5.0,
        seed=64,
    ),
)  # fmt: skip

DEMO_GARMENTS: tuple[GarmentSpec, ...] = (
    *_T_SHIRTS,
    *_LONG_SLEEVES,
    *_TANK_TOPS,
    *_DRESSES,
    *_TROUSERS,
    *_SKIRTS,
)
