"""Draws a person who wears known garments, with everything that is true of the picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.errors import OptionError
from mycloset.wardrobe.body import Body, BodyShape, Pose
from mycloset.wardrobe.curves import Floats, blur, floats, to_bytes, to_linear, to_srgb
from mycloset.wardrobe.dressing import put_garment
from mycloset.wardrobe.fabrics import Color, as_float
from mycloset.wardrobe.flesh import put_body
from mycloset.wardrobe.garments import SIDES, GarmentSpec
from mycloset.wardrobe.head import put_head
from mycloset.wardrobe.looks import Looks
from mycloset.wardrobe.patches import Frame
from mycloset.wardrobe.scenery import Scenery, backdrop
from mycloset.wardrobe.stage import LABELS, Light, Stage
from mycloset.wardrobe.worn import waist_height


class Framing(StrEnum):
    """How much of the person is in the picture."""

    FULL = "full"
    THREE_QUARTER = "three-quarter"
    """down to the knees"""
    HALF = "half"
    """down to the hips"""
    FACE = "face"
    """the head alone"""


@dataclass(frozen=True)
class FigureSpec:
    """A person in a place.

    Attributes:
        shape, pose, looks: the person.
        framing: how much is seen.
        scenery: what is behind.
        light: where the light comes from.
        seed: folds, hair and grain.
        offset: where the person stands, as a share of the picture's width; 0 is the middle.
    """

    shape: BodyShape = field(default_factory=BodyShape)
    pose: Pose = field(default_factory=Pose)
    looks: Looks = field(default_factory=Looks)
    framing: Framing = Framing.FULL
    scenery: Scenery = Scenery.STUDIO
    light: Light = field(default_factory=Light)
    seed: int = 0
    offset: float = 0.0


@dataclass(frozen=True)
class Outfit:
    """What a person wears: a top and something below it, or a dress.

    Attributes:
        upper, lower, dress: the garments.
        tucked: whether the top is tucked in.
        shoes: their colour.
    """

    upper: GarmentSpec | None = None
    lower: GarmentSpec | None = None
    dress: GarmentSpec | None = None
    tucked: bool = False
    shoes: Color = (232, 230, 226)

    def __post_init__(self) -> None:
        whole = self.dress is not None and self.upper is None and self.lower is None
        parts = self.dress is None and self.upper is not None and self.lower is not None
        if not whole and not parts:
            raise OptionError(
                "an outfit needs either a dress alone, or an upper and a lower garment."
            )
        for name in ("upper", "lower", "dress"):
            garment = getattr(self, name)
            if garment is not None and garment.kind.category != name:
                raise OptionError(
                    f"a {garment.kind.value} cannot be the {name} part of an outfit.",
                    hint=f"It is worn as {garment.kind.category}.",
                )


@dataclass(frozen=True)
class RenderedFigure:
    """A picture of a person, and what is true of it.

    Attributes:
        rgb: (H, W, 3) uint8.
        labels: (H, W) uint8, which part is seen, as a position in `label_names`.
        label_names: ATR-18's names in their order, then `neck` (skin of neck and chest).
        coverage: (H, W) float32 0..1 of each garment, by `upper`, `lower` or `dress`.
        person: (H, W) float32 0..1, the person's coverage.
        joints: COCO-17 name -> (2,) float32 x, y in pixels; may lie outside the picture.
        cloth_at: for each garment (H, W, 2) float32: x and y in cm of the flat garment that the
            pixel shows (see `FlatGarment.to_pixels`); NaN where its front is not seen.
    """

    rgb: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    label_names: tuple[str, ...]
    coverage: Mapping[str, Floats]
    person: Floats
    joints: Mapping[str, Floats]
    cloth_at: Mapping[str, Floats]

    def where(self, *names: str) -> NDArray[np.bool_]:
        """(H, W) bool: the pixels of any of these parts."""
        numbers = [self.label_names.index(name) for name in names]
        return np.asarray(np.isin(self.labels, numbers), bool)


GARMENT_LABELS = {
    "upper": ("upper-clothes",), "lower": ("pants", "skirt"), "dress": ("dress",),
}  # fmt: skip
"""Which parts each garment's category is."""

_OVERSAMPLE = 2


def draw_figure(
    figure: FigureSpec, outfit: Outfit, size: tuple[int, int] = (1024, 768)
) -> RenderedFigure:
    """Draw a person.

    Args:
        figure: who, how and where.
        outfit: what is worn. With the same figure everything else stays the same, pixel for pixel
            up to the light that garments throw back: pictures of one figure in two outfits are
            paired truth for a try-on.
        size: height and width in pixels.
    """
    body = Body(figure.shape, figure.pose)
    frame = _frame(figure, body, (size[0] * _OVERSAMPLE, size[1] * _OVERSAMPLE))
    stage = Stage(frame)
    skin = to_linear(as_float(figure.looks.skin))
    put_body(stage, body, skin, to_linear(as_float(outfit.shoes)))
    if outfit.lower is not None:
        put_garment(stage, body, outfit.lower, figure.seed)
    if outfit.upper is not None:
        tuck = waist_height(body) if outfit.tucked else None
        put_garment(stage, body, outfit.upper, figure.seed, tuck_at=tuck)
    if outfit.dress is not None:
        put_garment(stage, body, outfit.dress, figure.seed)
    marks = put_head(stage, body, figure.looks, figure.seed)
    return _developed(figure, body, stage, marks, size)


def _developed(
    figure: FigureSpec, body: Body, stage: Stage, marks: Mapping[str, Floats], size: tuple[int, int]
) -> RenderedFigure:
    """The picture of a finished scene, and its truth."""
    there = _shrink(stage.there.astype(np.float32), size)
    lit = _shrink(stage.lit(figure.light), size)
    floor = max(float(body.joints[f"ankle_{side}"][1]) for side in SIDES) + 7.0 * body.unit
    floor_y: float | None = float(stage.frame.to_pixels([[0.0, floor]])[0, 1]) / _OVERSAMPLE
    if floor_y is not None and floor_y > size[0] * 1.05:
        floor_y = None
    scene = to_linear(backdrop(figure.scenery, size, figure.seed, floor_y))
    scene = scene * _fall_shadow(stage, figure, size, floor_y)[..., None]
    picture = to_srgb(lit + scene * (1 - there)[..., None])
    rng = np.random.default_rng([91, figure.seed])
    picture = picture + rng.normal(0, 0.006, (*size, 1)).astype(np.float32)
    half = _OVERSAMPLE // 2
    labels = stage.label[half::_OVERSAMPLE, half::_OVERSAMPLE]
    cloth = stage.cloth_at[half::_OVERSAMPLE, half::_OVERSAMPLE]
    coverage, cloth_at = {}, {}
    for name, parts in GARMENT_LABELS.items():
        numbers = [LABELS.index(part) for part in parts]
        seen = np.isin(stage.label, numbers)
        if seen.any():
            coverage[name] = _shrink(seen.astype(np.float32), size)
            inside = np.isin(labels, numbers)[..., None]
            cloth_at[name] = np.where(inside, cloth, np.float32(np.nan))
    return RenderedFigure(
        rgb=to_bytes(picture),
        labels=labels.copy(),
        label_names=LABELS,
        coverage=coverage,
        person=there,
        joints=_coco(body, stage.frame, marks),
        cloth_at=cloth_at,
    )


def _shrink(picture: Floats, size: tuple[int, int]) -> Floats:
    return floats(cv2.resize(picture, size[::-1], interpolation=cv2.INTER_AREA))


def _frame(figure: FigureSpec, body: Body, size: tuple[int, int]) -> Frame:
    """The camera that shows as much of the body as the framing says."""
    height, width = size
    k = body.unit
    neck = body.joints["neck"]
    top = float(neck[1]) - 29.0 * k
    bottom = {
        Framing.FULL: max(float(body.joints[f"ankle_{s}"][1]) for s in SIDES) + 8.0 * k,
        Framing.THREE_QUARTER: 44.0 * k,
        Framing.HALF: 16.0 * k,
        Framing.FACE: float(neck[1]) + 1.0 * k,
    }[figure.framing]
    hands = [body.joints[f"hand_{s}"] for s in SIDES] + [body.joints[f"wrist_{s}"] for s in SIDES]
    if figure.framing is not Framing.FACE:
        top = min(top, *(float(hand[1]) - 4.0 for hand in hands))
    margin = 0.05 if figure.framing is Framing.FULL else 0.07
    scale = height * (1 - margin * (2 if figure.framing is Framing.FULL else 1)) / (bottom - top)
    middle = 0.5 * float(neck[0])
    if figure.framing is not Framing.FACE:
        reach = max(abs(float(hand[0]) - middle) for hand in hands) + 4.0
        scale = min(scale, width * 0.48 / reach)
    y0 = height * margin - top * scale
    if figure.framing is Framing.FULL:
        y0 = height * (1 - margin) - bottom * scale
    return Frame(size, scale, (width * (0.5 + figure.offset) - middle * scale, y0))


def _fall_shadow(
    stage: Stage, figure: FigureSpec, size: tuple[int, int], floor_y: float | None
) -> Floats:
    """(H, W) factor: the person's shadow on the wall behind and on the floor."""
    mask = _shrink(stage.there.astype(np.float32), size)
    scale = stage.frame.scale / _OVERSAMPLE
    lamp = figure.light.direction
    move = np.array([[1, 0, -lamp[0] * 26 * scale], [0, 1, -lamp[1] * 18 * scale]], np.float32)
    wall = blur(cv2.warpAffine(mask, move, size[::-1]), 9.0 * scale)
    factor = 1 - 0.16 * wall
    if floor_y is not None:
        columns, rows = np.meshgrid(np.arange(size[1]), np.arange(size[0]))
        for side in SIDES:
            foot = stage.frame.to_pixels([Body(figure.shape, figure.pose).joints[f"ankle_{side}"]])[
                0
            ]
            dx = (columns - foot[0] / _OVERSAMPLE + lamp[0] * 8 * scale) / (13.0 * scale)
            dy = (rows - floor_y + 1.2 * scale) / (2.6 * scale)
            factor = factor * (1 - 0.42 * np.exp(-0.5 * (dx**2 + dy**2)))
    return floats(factor)


def _coco(body: Body, frame: Frame, marks: Mapping[str, Floats]) -> dict[str, Floats]:
    found = dict(marks)
    for side in SIDES:
        for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle"):
            found[f"{side}_{joint}"] = body.joints[f"{joint}_{side}"]
    return {
        name: floats((frame.to_pixels(point[None, :])[0] + 0.5) / _OVERSAMPLE - 0.5)
        for name, point in found.items()
    }
