"""A garment as try-on networks get it, and the warp that a matching module makes of it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mycloset.architectures.garment_networks.frames import Frame, frame_of
from mycloset.architectures.garment_networks.people import Subject
from mycloset.errors import GarmentError, OptionError
from mycloset.images import RGB
from mycloset.tasks.masks import Mask
from mycloset.tasks.warps import Warp, remap

Floats = NDArray[np.float32]
MARGIN = 0.06
WHITE = 255


class Garment(NamedTuple):
    """A garment in a network's frame, on white ground.

    Attributes:
        frame: which part of its picture it is.
        rgb: (h, w, 3) uint8.
        mask: (h, w) float32, 0 or 1.
    """

    frame: Frame
    rgb: RGB
    mask: Floats


def garment_of(rgb: RGB, mask: Mask, size: tuple[int, int]) -> Garment:
    """A garment as a network of this size sees it.

    A picture of the network's proportions is taken whole, of any other what the garment takes up
    with a little room. The ground becomes white, as in the networks' data sets.

    Raises:
        GarmentError: the mask is of another size than the picture, or empty.
    """
    if mask.alpha.shape != rgb.shape[:2]:
        raise GarmentError(
            f"the cloth mask is of a picture of {mask.alpha.shape[1]} x {mask.alpha.shape[0]}"
            f" pixels, the garment's has {rgb.shape[1]} x {rgb.shape[0]}."
        )
    rows, columns = (np.flatnonzero(mask.binary.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        raise GarmentError("the cloth mask is empty.", hint="Give a picture of a garment.")
    room = MARGIN * (rows[-1] - rows[0] + 1)
    box = (columns[0] - room, rows[0] - room, columns[-1] + 1 + room, rows[-1] + 1 + room)
    frame = frame_of((rgb.shape[0], rgb.shape[1]), size, box)
    alpha = mask.alpha[..., None]
    white = (rgb * alpha + np.float32(WHITE) * (1 - alpha) + np.float32(0.5)).astype(np.uint8)
    inside = frame.take_labels(mask.binary.astype(np.uint8))
    return Garment(frame, frame.take(white, WHITE), inside.astype(np.float32))


def warp_of(
    found: dict[str, NDArray[Any]],
    person: Subject,
    garment: Garment,
    rgb: RGB,
    mask: Mask,
    *,
    photo: tuple[int, int],
    cloth: Floats,
    span: float,
    align_corners: bool,
) -> Warp:
    """The warp at the photo's size that a matching module's grid says.

    Args:
        found: `theta` and `grid` as the module gives them, for one person.
        person, garment: in their frames.
        rgb, mask: the garment's picture and mask, whole.
        photo: height and width of the person's.
        cloth: (4, h, w), what the module's own warp gives, for the networks behind it.
        span, align_corners: as the module is built.
    """
    own = garment.frame.from_unit(found["grid"][0], align_corners)
    grid = np.full((*photo, 2), np.nan, np.float32)
    person.frame.lay(own, grid)
    side = round((found["theta"].size / 2) ** 0.5)
    axis = np.linspace(-span, span, side, dtype=np.float32)
    base = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    moved = base + found["theta"].reshape(2, -1).T
    height, width = own.shape[:2]
    places = (base / np.float32(span) + 1) / 2 * np.array([width - 1, height - 1], np.float32)
    outer = person.frame._replace(height=height, width=width)
    return Warp(
        grid,
        np.asarray(remap(rgb, grid, fill=WHITE), np.uint8),
        np.asarray(remap(mask.alpha, grid), np.float32),
        garment.frame.from_unit(moved, align_corners),
        outer.outward(places.astype(np.float32)),
        cloth,
    )


def cloth_in_frame(warp: Warp, frame: Frame) -> Floats:
    """(4, h, w) the warped garment -1..1 and its mask 0..1, in a frame of the photo.

    It is the network's own where a matching module of the same size has made the warp; else the
    warped picture, resized.
    """
    size = (frame.height, frame.width)
    if warp.cloth is not None and warp.cloth.shape[1:] == size:
        return warp.cloth
    picture = unit_range(frame.take(warp.picture, 255))
    mask = frame.take_labels((warp.alpha * 255 + 0.5).astype(np.uint8)).astype(np.float32) / 255
    return np.concatenate([picture * mask + (1 - mask), mask[None]]).astype(np.float32)


def unit_range(rgb: RGB) -> Floats:
    """(3, h, w) float32 -1..1 of a picture."""
    found: Floats = rgb.transpose(2, 0, 1).astype(np.float32) / np.float32(127.5) - 1
    return found


def bytes_of(picture: Floats) -> RGB:
    """(h, w, 3) uint8 of (3, h, w) -1..1, truncated as the published code does."""
    scaled = np.clip((picture + 1) * np.float32(127.5), 0, 255)
    return np.ascontiguousarray(scaled.astype(np.uint8).transpose(1, 2, 0))


def given(**values: Any) -> None:
    """Raise OptionError for what is None."""
    for name, value in values.items():
        if value is None:
            raise OptionError(
                f"{name} is missing.",
                hint=f"Give {name}=, as the model of the step before it returns it.",
            )
