"""Which pixels of a shop photo are the garment: told from the ground, whatever the ground is.

A plain ground is modelled as a smooth sheet of colour, fitted to the picture's border; what can be
reached from the border without leaving that sheet, or a soft shadow on it, is ground. Any other
ground is separated by GrabCut. The better of the hypotheses is taken, by how well it separates.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mycloset.errors import GarmentError
from mycloset.images import RGB, Picture
from mycloset.tasks.masks import Mask
from mycloset.tryon.embedded.cloth_clutter import cut_from_clutter
from mycloset.tryon.embedded.cloth_edges import soft_edges
from mycloset.tryon.embedded.cloth_fringe import open_holes, strip_halo, strip_shadows
from mycloset.tryon.embedded.cloth_ground import (
    Floats,
    Ground,
    Marks,
    fit_ground,
    reach_ground,
    refit_ground,
)

WORK_SIDE = 448
"""Long side, in pixels, of the picture that the garment is looked for in."""


SPREAD = 2.0
"""Range of a Lab channel below which a picture shows one colour only, and so no garment."""

_HINT = "Give a photo of one garment that differs from its ground, or a PNG with transparency."


def segment_cloth(picture: Picture) -> tuple[Mask, tuple[str, ...]]:
    """Tell the garment from its ground.

    A picture with transparency says itself what the garment is. Holes through which the ground is
    seen (between straps, between sleeve and body) are kept, light prints are filled.

    Returns:
        The soft mask in the picture's size, and findings for the user. The mask's confidence is
        0..1, from how far the garment differs from the ground on both sides of its outline.

    Raises:
        GarmentError: nothing differs from the ground, or no ground is left.
    """
    if picture.alpha is not None and (picture.alpha < 128).mean() > 0.01:
        alpha = np.asarray(picture.alpha, np.float32) / np.float32(255.0)
        _check_area(float((alpha >= 0.5).mean()), picture.name)
        return Mask(alpha, 1.0), (
            "The garment picture's own transparency says what the garment is.",
        )

    lab = _reduce(picture.rgb)
    if float(np.ptp(lab, axis=(0, 1)).max()) < SPREAD:
        _check_area(0.0, picture.name)
    ground = refit_ground(lab, fit_ground(lab))
    candidates = []
    if ground.plain:
        # A ground with noise or shadows of its own may need a wider berth.
        for limit in (2.5,) if ground.exact else (2.5, 4.5, 8.0):
            marks = _plain_cut(lab, ground, limit)
            candidates.append(_judge(marks, lab, ground, "plain ground"))
            if candidates[-1].score > 0.8:
                break
    if not ground.plain or max(c.score for c in candidates) < 0.45:
        candidates.append(
            _judge(_garment_of(cut_from_clutter(lab, ground)), lab, ground, "GrabCut")
        )
    best = _best(candidates)
    _check_area(float(best.marks.mean()), picture.name)

    notes = []
    if best.way == "GrabCut":
        notes.append("The ground is not plain; the garment was cut out by colour (GrabCut).")
    if best.score < 0.35:
        notes.append(
            "The garment hardly differs from its ground; check the cloth mask, or give a PNG with "
            "transparency."
        )
    touching = _touching_sides(best.marks)
    if touching:
        notes.append(f"The garment runs out of the picture ({', '.join(touching)}).")
    alpha = soft_edges(picture.rgb, best.marks, ground.noise)
    return Mask(alpha, best.score), tuple(notes)


@dataclass(frozen=True)
class _Cut:
    """One hypothesis: what is garment, how it was found, and how good it looks (0..1)."""

    marks: Marks
    way: str
    score: float


def _best(candidates: list[_Cut]) -> _Cut:
    """The highest score; half of it where another hypothesis, hardly worse, holds far more.

    A print on a white garment stands out better than the garment does.
    """
    best = max(candidates, key=lambda c: c.score)
    for other in sorted(candidates, key=lambda c: -c.score):
        if other.score > 0.5 * best.score and other.marks.sum() > 1.6 * best.marks.sum():
            best = other
    return best


def _reduce(rgb: RGB) -> Floats:
    """The picture at working size, as CIE Lab (L 0..100)."""
    height, width = rgb.shape[:2]
    scale = min(1.0, WORK_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    work = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    lab = cv2.cvtColor(work.astype(np.float32) / np.float32(255.0), cv2.COLOR_RGB2LAB)
    return np.asarray(lab, np.float32)


def _plain_cut(lab: Floats, ground: Ground, limit: float) -> Marks:
    """Garment on a plain ground: what the ground, entering from the border, does not reach.

    Where the outline of the garment is as light as the ground, the ground would leak in. So it is
    made to enter through gaps of at least 2 r + 1 pixels only; the smallest r is taken from which
    on the garment does not grow any more.
    """
    # On a ground without any noise one grey level is enough to be something else.
    limits = (limit, 1.3) if ground.exact else (limit,)

    def cut(radius: int, level: float) -> Marks:
        return ~reach_ground(ground, (ground.distance < level) | ground.frame, radius)

    largest = max(np.count_nonzero(cut(radius, limits[-1])) for radius in (4, 7))
    for radius in (0, 1, 2, 4, 7):
        cuts = [cut(radius, level) for level in limits]
        enough = [c for c in cuts if np.count_nonzero(c) >= 0.985 * largest]
        if enough:
            break
    garment = _garment_of(enough[0])
    garment = _solid(_tidy(garment), ground)
    if not ground.exact or _contrast(garment, ground) > 10.0:
        garment = _garment_of(strip_shadows(garment, lab, ground))
    garment = _garment_of(strip_halo(garment, lab, ground))
    return open_holes(garment, ground, _contrast(garment, ground))


def _solid(garment: Marks, ground: Ground) -> Marks:
    """The garment by a far higher threshold, where it is one solid thing even so.

    That leaves out halos, faint shadows and patches of a second, similar ground at once. A garment
    with stripes or sleeves of nearly the ground's colour would fall apart, and is left as it was.
    """
    contrast = _contrast(garment, ground)
    if contrast < 12.0:
        return garment
    high = garment & (ground.distance * np.float32(ground.noise) > min(8.0, 0.3 * contrast))
    solid = _garment_of(high)
    area, filled = np.count_nonzero(high), np.count_nonzero(solid)
    if filled < 0.4 * np.count_nonzero(garment) or area < 0.9 * filled:
        return garment
    whole = np.count_nonzero(high & solid) > 0.97 * area
    return solid if whole and _rim(solid) < 1.8 * _rim(garment) else garment


def _rim(marks: Marks) -> int:
    """Number of pixels on the outline."""
    inner = cv2.erode(marks.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return int(np.count_nonzero(marks & ~inner))


def _tidy(marks: Marks) -> Marks:
    """Without whiskers and notches of up to two pixels: what compression does to a weak outline."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    closed = cv2.morphologyEx(marks.astype(np.uint8), cv2.MORPH_CLOSE, disc)
    tidy: Marks = cv2.morphologyEx(closed, cv2.MORPH_OPEN, disc) > 0
    return tidy


def _contrast(garment: Marks, ground: Ground) -> float:
    """How far the inside of the garment typically is from the ground, in units of Lab."""
    inside = cv2.erode(garment.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    values = ground.distance[inside if inside.any() else garment]
    return float(np.median(values)) * ground.noise if values.size else 0.0


def _garment_of(marks: Marks) -> Marks:
    """Largest piece and the pieces that lie close to it, without their holes."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        marks.astype(np.uint8), connectivity=8
    )
    if count <= 1:
        return np.zeros_like(marks)
    areas = stats[1:, cv2.CC_STAT_AREA]
    main = 1 + int(np.argmax(areas))
    keep = labels == main
    near = np.asarray(
        cv2.distanceTransform((~keep).astype(np.uint8), cv2.DIST_L2, 3), np.float32
    ) < 0.04 * max(marks.shape)
    for label in range(1, count):
        area = int(stats[label, cv2.CC_STAT_AREA])
        # What lies at the picture's border beside the garment is something else, cut off there.
        left, top, width, height = (int(v) for v in stats[label, :4])
        inside = (
            min(left, top) > 0 and left + width < marks.shape[1] and top + height < marks.shape[0]
        )
        if label != main and inside and area > 0.004 * areas.max():
            piece = labels == label
            if area > 0.25 * areas.max() or (piece & near).any():
                keep |= piece
    return _filled(keep)


def _filled(marks: Marks) -> Marks:
    """The same with every hole closed."""
    padded = np.pad((~marks).astype(np.uint8), 1, constant_values=1)
    _, labels = cv2.connectedComponents(padded, connectivity=4)
    filled: Marks = (labels != labels[0, 0])[1:-1, 1:-1]
    return filled


def _judge(marks: Marks, lab: Floats, ground: Ground, way: str) -> _Cut:
    """Score a hypothesis by what lies on both sides of its outline.

    Along the outline the colours just inside and just outside must differ, seen against the
    ground's own variation; and an outline that follows the picture's border is no outline.
    """
    share = float(marks.mean())
    if share < 0.005 or share > 0.985:
        return _Cut(marks, way, 0.0)
    byte = marks.astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
    ring_in = marks & (cv2.erode(byte, disc) == 0)
    ring_out = ~marks & (cv2.dilate(byte, disc) > 0)
    if not ring_out.any():
        return _Cut(marks, way, 0.0)
    inner, outer = _local_mean(lab, ring_in), _local_mean(lab, ring_out)
    edge = marks & (cv2.erode(byte, np.ones((3, 3), np.uint8)) == 0)
    contrast = np.linalg.norm(inner - outer, axis=2)[edge]
    # Just noticeable (about 1 unit of Lab, or 3 sigma of the ground) is half sure.
    unit = max(1.0, 3.0 * ground.noise)
    sure = float(np.mean(contrast / (contrast + unit)))
    frame = np.ones_like(marks)
    frame[2:-2, 2:-2] = False
    rim = float(marks[frame].mean())
    smooth = min(1.0, 1.6 * float(np.sqrt(share * marks.size)) * 4.0 / max(float(edge.sum()), 1.0))
    return _Cut(marks, way, float(np.clip(sure * (1.0 - 0.7 * rim) * (0.5 + 0.5 * smooth), 0, 1)))


def _local_mean(lab: Floats, where: Marks) -> Floats:
    """Mean colour of the marked pixels in a window of 13 pixels around each pixel."""
    weight = np.asarray(cv2.boxFilter(where.astype(np.float32), -1, (13, 13)), np.float32)
    total = np.asarray(cv2.boxFilter(lab * where[..., None], -1, (13, 13)), np.float32)
    mean: Floats = total / np.maximum(weight, 1e-6).astype(np.float32)[..., None]
    return mean


def _touching_sides(marks: Marks) -> list[str]:
    """Sides of the picture that cut the garment off: more than a tenth of the side is garment."""
    sides = {
        "top": marks[0],
        "bottom": marks[-1],
        "left": marks[:, 0],
        "right": marks[:, -1],
    }
    return [name for name, line in sides.items() if line.mean() > 0.1]


def _check_area(share: float, name: str) -> None:
    if share < 0.005:
        raise GarmentError(
            f"{name}: no garment was found; {100 * share:.1f} % of it differ from the ground.",
            hint=_HINT,
        )
    if share > 0.985:
        raise GarmentError(
            f"{name}: no ground was found; {100 * share:.1f} % of it would be garment.",
            hint=_HINT,
        )
