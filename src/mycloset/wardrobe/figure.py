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
from mycloset.wardrobe.curves import Floats, blur, floats, smoothstep, to_bytes, to_linear, to_srgb
from mycloset.wardrobe.dressing import put_garment, waist_height
from mycloset.wardrobe.fabrics import Color, as_float
from mycloset.wardrobe.garments import SIDES, GarmentSpec
from mycloset.wardrobe.head import Looks, put_head
from mycloset.wardrobe.scenery import Scenery, backdrop
from mycloset.wardrobe.solids import Frame, Tube, ellipsoid
from mycloset.wardrobe.stage import LABELS, SHOE, SKIN, Light, Stage


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
    _put_body(stage, body, skin, outfit)
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


def _put_body(stage: Stage, body: Body, skin: Floats, outfit: Outfit) -> None:
    k, frame = body.unit, stage.frame
    trunk = body.trunk(-2.5 * k, 62.0 * k, body.half_width, body.half_depth).seen(frame)
    if trunk is not None:
        side_x = np.abs(trunk.across)
        # Collar bones and the hollow between them.
        bone = np.exp(-0.5 * ((trunk.along - (4.6 + 0.10 * side_x) * k) / (0.55 * k)) ** 2)
        bone = 0.28 * bone * smoothstep(1.0, 2.5, side_x) * smoothstep(14.0, 9.0, side_x)
        hollow = np.exp(-0.5 * ((side_x / 1.2) ** 2 + ((trunk.along - 4.6 * k) / 1.3) ** 2))
        swell = body.shape.bust * 0.8 * k * np.exp(
            -0.5 * (((side_x - 7.0 * k) / (4.4 * k)) ** 2 + ((trunk.along - 21 * k) / (4.8 * k)) ** 2)
        )  # fmt: skip
        trunk.emboss(bone - 0.5 * hollow + swell)
        stage.put(trunk, skin, "neck", material=SKIN, group=1)
    head, neck = body.joints["head"], body.joints["neck"]
    low = neck + floats([0, 5.5 * k, -1.5 * k])
    high = neck + (head - neck) * np.float32(0.62) + floats([0, 0, -1.5 * k])
    radius = body.shape.neck * k
    throat = Tube(np.stack([high, low]), lambda t: floats(radius + 0.02 * t)).seen(frame)
    if throat is not None:
        cords = 0.22 * np.exp(-0.5 * ((np.abs(throat.across) - 0.55 + 0.02 * throat.along) / 0.14) ** 2)
        throat.emboss(cords)
    stage.put(throat, skin * floats([0.96, 0.92, 0.90]), "neck", material=SKIN, group=1, blend=4.0)
    for side, sign in SIDES.items():
        for patch, label in (
            (body.leg(side).seen(frame), f"{side}-leg"),
            (body.arm(side).seen(frame), f"{side}-arm"),
        ):
            if patch is None:
                continue
            melt = 3.0 * smoothstep(13 * k, 2 * k, patch.along)
            if label.endswith("leg"):
                kneecap = np.exp(-0.5 * (((patch.along - 42 * k) / 3.2) ** 2 + (patch.across / 0.6) ** 2))
                patch.emboss(0.35 * kneecap)
            else:
                pit = np.exp(-0.5 * (((patch.along - 29 * k) / 0.8) ** 2 + (patch.across / 0.5) ** 2))
                patch.emboss(-0.12 * pit)
            stage.put(patch, skin, label, material=SKIN, group=1, blend=melt)
        _put_hand(stage, body, side, sign, skin)
        _put_shoe(stage, body, side, sign, to_linear(as_float(outfit.shoes)))


def _put_hand(stage: Stage, body: Body, side: str, sign: float, skin: Floats) -> None:
    k, frame, label = body.unit, stage.frame, f"{side}-arm"
    wrist, tip = body.joints[f"wrist_{side}"], body.joints[f"hand_{side}"]
    way = (tip - wrist) / np.float32(np.linalg.norm(tip - wrist))
    flat = float(np.hypot(way[0], way[1])) + 1e-6
    # Across the hand, towards the thumb: forwards and inwards of a hanging arm.
    thumb = floats([-sign * way[1] / flat, sign * way[0] / flat, 0.0])
    turn = 0.80

    def at(down: float, aside: float, forward: float = 0.0) -> Floats:
        place = wrist + way * np.float32(down * k) + thumb * np.float32(aside * turn * k)
        return floats(place + floats([0, 0, forward * k]))

    angle = float(np.rad2deg(np.arctan2(-way[0], way[1])))
    palm = ellipsoid(frame, at(4.6, 0.0), (3.5 * turn * k, 5.3 * k, 1.9 * k), angle)
    wristband = Tube(np.stack([at(-1.0, 0.0), at(3.0, 0.0)]), lambda t: floats(2.35 * k + 0.05 * t)).seen(frame)
    stage.put(wristband, skin, label, material=SKIN, group=1, blend=1.0)
    stage.put(palm, skin, label, material=SKIN, group=1, blend=1.4)
    for place, reach, girth in ((2.5, 7.0, 0.86), (0.85, 7.8, 0.90), (-0.85, 7.2, 0.86), (-2.4, 5.8, 0.76)):
        joints = np.stack([
            at(7.2, place * 0.95), at(7.2 + reach * 0.45, place * 1.04, 0.5), at(7.2 + reach * 0.8, place * 1.0, 0.3),
            at(7.2 + reach * 1.0, place * 0.95, -0.6),
        ])  # fmt: skip
        finger = Tube(joints, lambda t, g=girth: floats(g * k * (1.0 - 0.022 * np.clip(t, 0, 12)))).seen(frame)  # type: ignore[misc]
        stage.put(finger, skin * floats([1.0, 0.95, 0.93]), label, material=SKIN, group=1, blend=0.25)
    joints = np.stack([at(1.6, 2.4, 0.8), at(5.0, 4.3, 1.5), at(8.2, 4.3, 1.4)])
    thumb_tube = Tube(joints, lambda t: floats(1.15 * k - 0.02 * t)).seen(frame)
    stage.put(thumb_tube, skin * floats([1.0, 0.96, 0.94]), label, material=SKIN, group=1, blend=0.6)


def _put_shoe(stage: Stage, body: Body, side: str, sign: float, color: Floats) -> None:
    k, frame, label = body.unit, stage.frame, f"{side}-shoe"
    ankle = body.joints[f"ankle_{side}"]
    out = np.float32(1.6 * sign * k)
    heel = ellipsoid(frame, ankle + floats([0.2 * out, 2.4 * k, 0]), (4.1 * k, 4.4 * k, 5.0 * k))
    toe = ellipsoid(frame, ankle + floats([1.2 * out, 4.7 * k, 9.0 * k]), (4.6 * k, 3.1 * k, 9.0 * k), -6.0 * sign)
    sole = ellipsoid(frame, ankle + floats([1.2 * out, 6.4 * k, 9.2 * k]), (4.9 * k, 1.3 * k, 9.3 * k))
    stage.put(heel, color * 0.9, label, material=SHOE, group=5)
    if toe is not None:
        colors = np.broadcast_to(color, (*toe.z.shape, 3)).copy()
        laces = (np.abs(toe.along + 1.6 * k) < 1.3 * k) & (np.abs(toe.across) < 1.7 * k)
        bars = 0.5 + 0.5 * np.sin(toe.along * 9 / k)
        colors *= 1 - 0.35 * (laces * bars)[..., None]
        stage.put(toe, colors, label, material=SHOE, group=5, blend=1.5)
    stage.put(sole, floats([0.62, 0.60, 0.57]), label, material=SHOE, group=6)


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
            foot = stage.frame.to_pixels([Body(figure.shape, figure.pose).joints[f"ankle_{side}"]])[0]
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
