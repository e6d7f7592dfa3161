"""What the embedded ways know of a body: axes, outline and skin, read once for all steps."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.images import RGB
from mycloset.tasks.parsing import HumanParsing
from mycloset.tasks.people import Person
from mycloset.tryon.embedded.body import Body, read_body
from mycloset.tryon.embedded.colour_models import to_lab
from mycloset.tryon.embedded.silhouette import Silhouette

TYPICAL_SKIN = (62.0, 14.0, 18.0)
"""Lab of a middling skin, for a picture that shows none of the person's own."""


@dataclass(frozen=True)
class Figure:
    """A person's body as the embedded ways use it.

    Attributes:
        body: joints and axes.
        silhouette: widths below the clothes.
        tone: (3,) float32 Lab, the middle of this person's skin.
        tone_seen: whether any skin was seen; otherwise `tone` is a typical one.
    """

    body: Body
    silhouette: Silhouette
    tone: NDArray[np.float32]
    tone_seen: bool


def read_figure(rgb: RGB, person: Person, parsing: HumanParsing) -> Figure:
    """Measure the body of a parsed person."""
    body = read_body(person)
    cloth = parsing.where("upper-clothes", "dress", "pants", "skirt", "belt", *_neck(parsing))
    arms = parsing.where("left-arm", "right-arm")
    lower = parsing.where("pants", "skirt")
    silhouette = Silhouette(body, person.mask.binary, cloth, arms, lower)
    tone, seen = _tone(rgb, parsing, body.unit)
    return Figure(body, silhouette, tone, seen)


def _neck(parsing: HumanParsing) -> tuple[str, ...]:
    return ("neck",) if "neck" in parsing.table.labels else ()


def _tone(rgb: RGB, parsing: HumanParsing, unit: float) -> tuple[NDArray[np.float32], bool]:
    """The face's colour; where no face is seen, that of arms or legs."""
    shrink = min(1.0, 320 / max(rgb.shape[:2]))
    small = cv2.resize(rgb, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    lab = to_lab(np.asarray(small, np.uint8))
    size = max(1, round(0.04 * unit * shrink)) * 2 + 1
    for labels in (("face",), ("left-arm", "right-arm"), ("left-leg", "right-leg")):
        where = parsing.where(*labels).astype(np.uint8)
        near = cv2.resize(where, (small.shape[1], small.shape[0]), interpolation=cv2.INTER_NEAREST)
        inner = cv2.erode(near, np.ones((size, size), np.uint8)) > 0
        if inner.sum() > 30:
            return np.median(lab[inner], axis=0).astype(np.float32), True
    return np.asarray(TYPICAL_SKIN, np.float32), False
