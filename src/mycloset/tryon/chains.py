"""What the steps share that try-on networks serve: their results in the state's terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from mycloset.images import RGB
from mycloset.tasks.garments import Category, GarmentShape
from mycloset.tasks.parsing import ATR_18_NECK, HumanParsing
from mycloset.tasks.warps import DressedParsing, Rendering, Warp
from mycloset.tryon.embedded.figure import Figure, read_figure
from mycloset.tryon.embedded.garment_shape import read_shape
from mycloset.tryon.learned import UnsuitedError
from mycloset.tryon.state import Fitting, Matching, PartMatch, TryOnState, WarpedGarment

MATCHING = {"cp_vton": ("gmm", "gmm-plus"), "viton_hd": ("gmm",)}
FITTING = {"cp_vton": ("tom", "tom-plus"), "viton_hd": ("alias",)}
SEGMENTATION = {"viton_hd": ("seg",)}
"""Which variants of each family serve for what."""

REPLACED = (
    "upper-clothes", "dress", "coat", "jumpsuits", "scarf", "belt", "neck", "torso-skin",
    "left-arm", "right-arm", "glove",
)  # fmt: skip
"""What is not kept of the photo: the old garment, and the skin that it lets be seen."""
KEPT = ("face", "hat", "sunglasses")
DRESSED = ("upper-clothes", "left-arm", "right-arm")
ROOM = 0.015
"""How far beyond the changed parts a network's picture is taken, as a share of its frame."""


def shape_of(state: TryOnState, title: str) -> GarmentShape:
    """The garment's shape, which must be one that the network of that title dresses.

    Raises:
        UnsuitedError: it is worn below the waist.
    """
    assert state.cloth_mask
    shape = read_shape(state.cloth_mask, state.garment_picture, state.category)
    if shape.category is not Category.UPPER:
        raise UnsuitedError(f"{title} dresses tops, and the garment is {shape.category}.")
    return shape


def matching_of(
    state: TryOnState,
    shape: GarmentShape,
    warp: Warp,
    network: Mapping[str, str],
    dressed: DressedParsing | None = None,
) -> Matching:
    """A network's warp as a matching of one part, the torso, with the spline's control points."""
    assert state.cloth_mask
    torso = PartMatch("torso", warp.source, warp.target, state.cloth_mask.binary)
    return Matching(shape, (torso,), state.cloth_mask.alpha, warp, dressed, network)


def warped_of(warp: Warp) -> WarpedGarment:
    """A network's warp as the garment brought onto the person."""
    return WarpedGarment(warp.picture, warp.alpha, {"torso": warp.alpha}, warp.grid)


def warp_in(state: TryOnState) -> Warp:
    """The warp that the state holds, whichever way made it."""
    assert state.warped
    if state.matching is not None and state.matching.warp is not None:
        return state.matching.warp
    none = np.zeros((0, 2), np.float32)
    warped = state.warped
    return Warp(warped.grid, warped.rgb, warped.alpha, none, none)


def figure_of(state: TryOnState) -> Figure | None:
    """The body below the clothes, for the embedded ways behind; None where no person was found."""
    if state.person is None or state.parsing is None:
        return None
    parsing = state.parsing
    if parsing.table != ATR_18_NECK:
        parsing = parsing.to_table(ATR_18_NECK)
    return read_figure(state.person_picture.rgb, state.person, parsing)


def fitting_of(state: TryOnState, rendering: Rendering, warp: Warp, *, repaint: bool) -> Fitting:
    """A network's picture as the garment on the person.

    Args:
        state: the photo and what is known of it.
        rendering: the network's picture, laid into the photo.
        warp: of the garment.
        repaint: keep the photo's own pixels but where the old garment, neck and arms were or the
            new ones come; else the whole of the network's frame is taken, as published.
    """
    assert state.parsing
    photo = state.person_picture.rgb
    dressed = state.matching.dressed if state.matching is not None else None
    share = np.zeros(photo.shape[:2], np.float32)
    left, top, right, bottom = rendering.box
    rows, columns = slice(max(top, 0), max(bottom, 0)), slice(max(left, 0), max(right, 0))
    if repaint:
        size = min(bottom - top, right - left)
        share[rows, columns] = _changing(state.parsing, dressed, warp, size)[rows, columns]
    else:
        share[rows, columns] = 1.0
    mixed = photo + (rendering.picture.astype(np.float32) - photo) * share[..., None]
    rgb: RGB = np.clip(mixed + 0.5, 0, 255).astype(np.uint8)
    rgb[share == 0] = photo[share == 0]
    changed = (rgb != photo).any(axis=2).astype(np.float32)
    return Fitting(rgb, changed, rendering.garment * share)


def given_of(state: TryOnState) -> dict[str, Any]:
    """What every one of the networks is told of the person."""
    return {"parsing": state.parsing, "pose": state.pose}


def _changing(
    parsing: HumanParsing, dressed: DressedParsing | None, warp: Warp, size: int
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """(H, W) 0..1: where the picture changes, with a soft edge."""
    where = parsing.having(REPLACED)
    where = where | (dressed.having(DRESSED) if dressed is not None else warp.alpha >= 0.5)
    room = max(1, round(ROOM * size))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * room + 1, 2 * room + 1))
    grown = cv2.dilate(where.astype(np.float32), kernel)
    soft = cv2.GaussianBlur(grown, (0, 0), max(0.5, room / 2))
    face = parsing.having(KEPT).astype(np.float32)
    soft = soft * (1 - face * cv2.GaussianBlur(face, (0, 0), max(0.5, room / 4)))
    # What is less than half a level even of the strongest change stays the photo's own.
    return np.where(soft < 1 / 512, np.float32(0), np.asarray(soft, np.float32))
