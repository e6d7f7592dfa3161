"""The bare limb as it is seen: how far its skin reaches to either side of the pose's axis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mycloset.tryon.embedded.contours import Points
from mycloset.tryon.embedded.limbs import LimbFrame

Flags = NDArray[np.bool_]
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class LimbProfile:
    """A limb's middle line and half-width by place along it.

    Attributes:
        shares: (N,) places, 0 at the root, 1 at the end.
        offsets: (N,) pixels from the pose's axis to the limb's middle, outward positive.
        widths: (N,) half-widths in pixels.
    """

    shares: Numbers
    offsets: Numbers
    widths: Numbers


def read_profile(
    frame: LimbFrame, shares: Numbers, usual: Numbers, skin: Flags, corner: Points
) -> LimbProfile:
    """Measure a limb where its skin is seen, and continue that to where it is covered.

    A pose's axis lies within some pixels of the limb's middle, and people differ: a limb that is
    continued under cloth must meet the part that is seen without a step.

    Args:
        frame: coordinates of the limb.
        shares: places to measure at.
        usual: half-widths in pixels that an average limb has there.
        skin: (h, w) bool, bare skin of this limb in a window of the picture.
        corner: (2,) x and y of the window's first pixel.
    """
    height, width = skin.shape
    ratio = np.full(len(shares), np.nan)
    shift = np.full(len(shares), np.nan)
    for number, (share, half) in enumerate(zip(shares, usual, strict=True)):
        reach = np.arange(-2.0 * half, 2.0 * half + 1, 1.0)
        points = frame.place(np.full(len(reach), share), reach) - corner
        xs, ys = np.round(points[:, 0]).astype(int), np.round(points[:, 1]).astype(int)
        inside = (xs >= 0) & (xs < width) & (ys >= 0) & (ys < height)
        seen = np.zeros(len(reach), bool)
        seen[inside] = skin[ys[inside], xs[inside]]
        hit = np.flatnonzero(seen)
        # Both edges must be seen, and one piece between them.
        if len(hit) < 4 or hit[0] == 0 or hit[-1] == len(reach) - 1 or not inside.all():
            continue
        if len(hit) < 0.9 * (hit[-1] - hit[0] + 1):
            continue
        wide = (reach[hit[-1]] - reach[hit[0]] + 1) / 2
        if 0.55 * half < wide < 1.7 * half:
            ratio[number] = wide / half
            shift[number] = (reach[hit[-1]] + reach[hit[0]]) / 2
    known = np.isfinite(ratio)
    if np.count_nonzero(known) < 2:
        return LimbProfile(shares, np.zeros(len(shares)), usual)
    # Single rows err; their neighbours do not all err alike.
    rows = np.flatnonzero(known)
    smooth_ratio = _median3(ratio[rows])
    smooth_shift = _median3(shift[rows])
    widths = usual * np.interp(shares, shares[rows], smooth_ratio)
    offsets = np.interp(shares, shares[rows], smooth_shift)
    # Towards the root the offset is forgotten: the joint itself is well placed.
    first = shares[rows[0]]
    offsets = offsets * np.where(shares < first, np.clip(shares / max(first, 1e-6), 0, 1), 1.0)
    return LimbProfile(shares, offsets, widths)


def _median3(values: Numbers) -> Numbers:
    padded = np.concatenate([values[:1], values, values[-1:]])
    middle: Numbers = np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0)
    return middle
