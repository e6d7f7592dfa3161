"""The eighth step's judgement: every aspect of a finished try-on that can be measured, weighed."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from mycloset.tasks.quality import QualityPart, QualityReport, weigh
from mycloset.tryon.embedded.quality_colour import colour, colour_tone
from mycloset.tryon.embedded.quality_coverage import coverage, remnants
from mycloset.tryon.embedded.quality_fit import body_fit, hem, sleeves
from mycloset.tryon.embedded.quality_light import light
from mycloset.tryon.embedded.quality_seams import identity, seams
from mycloset.tryon.embedded.quality_texture import sharpness, sharpness_photo, texture
from mycloset.tryon.embedded.quality_warp import proportions, warp_regularity
from mycloset.tryon.embedded.views import Measured, View, look
from mycloset.tryon.state import TryOnState


class Measure(NamedTuple):
    """One part of the judgement: its name, share of the whole, and how it is measured."""

    name: str
    weight: float
    vital: bool
    measure: Callable[[View], Measured]


MEASURES = (
    Measure("identity", 0.10, True, identity),
    Measure("coverage", 0.10, True, coverage),
    Measure("remnants", 0.08, True, remnants),
    Measure("colour", 0.07, False, colour),
    Measure("colour_tone", 0.10, True, colour_tone),
    Measure("texture", 0.12, True, texture),
    Measure("sharpness", 0.05, False, sharpness),
    Measure("sharpness_photo", 0.03, False, sharpness_photo),
    Measure("seams", 0.08, False, seams),
    Measure("light", 0.04, False, light),
    Measure("body_fit", 0.08, True, body_fit),
    Measure("sleeves", 0.06, False, sleeves),
    Measure("hem", 0.03, False, hem),
    Measure("proportions", 0.03, False, proportions),
    Measure("warp_regularity", 0.03, False, warp_regularity),
)


def assess(state: TryOnState) -> QualityReport:
    """Judge a finished try-on by its own pictures.

    What each part measures, and how its value becomes a score, stands with its function. A part
    that cannot be measured on these pictures has no value, says why, and does not count.

    Args:
        state: with `cloth_mask`, `warped`, `fitted` and `final`; `parsing`, `pose`, `matching`
            and `person` allow for more parts.

    Raises:
        StepError: a needed field is missing, or the pictures differ in size.
    """
    view = look(state)
    found = [(measure, measure.measure(view)) for measure in MEASURES]
    parts = tuple(
        QualityPart(
            measure.name,
            result.value,
            result.unit,
            result.score,
            measure.weight,
            result.meaning,
            measure.vital,
        )
        for measure, result in found
    )
    loss = {m.name: m.weight * (1.0 - (r.score or 0.0)) for m, r in found if r.advice}
    advice = {m.name: r.advice for m, r in found if r.advice}
    ordered = sorted(advice, key=lambda name: -loss[name])
    return weigh(parts, dict.fromkeys(advice[name] for name in ordered))
