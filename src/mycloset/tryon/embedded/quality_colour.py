"""Whether the garment kept its colours: CIEDE2000 between the garment picture and the result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from skimage.color import deltaE_ciede2000

from mycloset.tryon.embedded.views import Floats, Measured, View, ramp

_delta_e: Callable[..., Any] = deltaE_ciede2000  # scikit-image has no types for it

# A median of 5 is what photographs of one garment under two decent lights differ by; beyond 25
# a garment is called by another colour name.
ALL_GOOD, ALL_BAD = 6.0, 28.0
TONE_GOOD, TONE_BAD = 2.5, 14.0


def colour(view: View) -> Measured:
    """Median CIEDE2000 of all sampled pairs: colour and lightness, the light of the photo too."""
    pairs = view.pairs
    if pairs is None:
        return _unseen()
    median = float(np.median(_delta_e(pairs.source, pairs.result)))
    darker = float(np.median(pairs.result[:, 0] - pairs.source[:, 0]))
    score = ramp(median, ALL_GOOD, ALL_BAD)
    way = "lighter" if darker > 0 else "darker"
    advice = (
        f"The garment came out {way} than in its picture (lightness {darker:+.0f} of 100): "
        "take the person's photo in even light."
        if score < 0.6 and abs(darker) > 6
        else ""
    )
    return Measured(
        median,
        "ΔE00",
        score,
        f"Half of the garment's pixels differ by less than this from the garment picture; "
        f"their lightness by {darker:+.1f} of 100 in the median.",
        advice,
    )


def colour_tone(view: View) -> Measured:
    """Median CIEDE2000 of hue and saturation alone.

    Light that is k times stronger multiplies L + 16, a and b of CIELAB by the cube root of k (its
    nonlinearity above the linear toe), so a / (L + 16) and b / (L + 16) do not depend on folds,
    shadow or exposure: both are brought to the source's lightness before they are compared.
    """
    pairs = view.pairs
    if pairs is None:
        return _unseen()
    source, result = pairs
    relight = np.clip((source[:, :1] + 16.0) / (result[:, :1] + 16.0), 0.5, 2.0)
    relit = np.concatenate([source[:, :1], result[:, 1:] * relight], axis=1)
    median = float(np.median(_delta_e(source, relit)))
    score = ramp(median, TONE_GOOD, TONE_BAD)
    cast = np.median(relit[:, 1:] - source[:, 1:], axis=0)
    advice = (
        f"The garment's hue or saturation shifted {_towards(cast)}: give a garment picture and a "
        "photo without a colour cast (neutral white light)."
        if score < 0.6
        else ""
    )
    return Measured(
        median,
        "ΔE00",
        score,
        "Difference in hue and saturation alone, with folds, shadow and exposure taken out.",
        advice,
    )


def _towards(cast: Floats) -> str:
    a, b = float(cast[0]), float(cast[1])
    if abs(a) >= abs(b):
        return "towards red" if a > 0 else "towards green"
    return "towards yellow" if b > 0 else "towards blue"


def _unseen() -> Measured:
    return Measured(
        None, "ΔE00", None, "Not measured: too little of the new garment is seen in the result."
    )
