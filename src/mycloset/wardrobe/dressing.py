"""Puts flat garments on bodies through a known map: where in the flat cloth each pixel is.

The cloth is unwrapped as a tailor would: around the trunk by arc length from the middle line and
down by path length from the collar; along and around each arm and leg. The map stands in
`Stage.cloth_at`, so that what a try-on should show is known at every pixel.
"""

from __future__ import annotations

import numpy as np

from mycloset.wardrobe.body import Body
from mycloset.wardrobe.bottoms import put_skirt, put_trousers
from mycloset.wardrobe.cuts import cut_garment
from mycloset.wardrobe.garments import GarmentKind, GarmentSpec
from mycloset.wardrobe.stage import Stage
from mycloset.wardrobe.tops import put_top
from mycloset.wardrobe.worn import Worn


def put_garment(
    stage: Stage, body: Body, spec: GarmentSpec, seed: int, *, tuck_at: float | None = None
) -> None:
    """Dress a body.

    Args:
        stage: where the body stands.
        body: who wears it.
        spec: what is worn.
        seed: how the folds fall.
        tuck_at: cm below the neck's base at which an upper garment disappears in a lower one.
    """
    worn = Worn(
        stage,
        body,
        spec,
        cut_garment(spec),
        np.random.default_rng([53, seed, list(GarmentKind).index(spec.kind)]),
    )
    if spec.kind is GarmentKind.TROUSERS:
        put_trousers(worn)
    elif spec.kind is GarmentKind.SKIRT:
        put_skirt(worn)
    else:
        put_top(worn, tuck_at)
