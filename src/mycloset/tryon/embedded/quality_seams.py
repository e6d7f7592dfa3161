"""Whether one sees where the picture was changed: identity outside, and steps across the border."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from mycloset.images import RGB
from mycloset.tryon.embedded.views import Floats, Measured, View, distance, ramp, sample, to_lab

POINTS = 1200
SEAM_GOOD, SEAM_BAD = 1.0, 9.0
MARGIN = 8.5  # Pixels of a picture of 1024, the farthest sample from the border.
JUST_NOTICEABLE = 2.3  # In CIELAB's Euclidean distance (Mahy et al. 1994).


def identity(view: View) -> Measured:
    """Share of the pixels outside the changed region that equal the photo's, in every channel."""
    photo, final = view.state.person_picture.rgb, view.result
    outside = view.fitted.changed <= 0.0
    count = int(np.count_nonzero(outside))
    if count == 0:
        return Measured(None, "%", None, "Not measured: the whole picture was changed.")
    red, green, blue = cv2.split(cv2.absdiff(photo, final))
    unlike = np.asarray(cv2.max(cv2.max(red, green), blue)) * outside
    wrong = int(np.count_nonzero(unlike))
    largest = int(unlike.max())
    share = 1.0 - wrong / count
    # One pixel in ten thousand costs a tenth; one in a hundred, or worse, leaves nothing unless
    # the difference is too small to be seen (2 of 255).
    score = 1.0 if wrong == 0 else ramp(wrong / count, 0.0, 0.01) * 0.9
    if largest <= 2:
        score = max(score, 0.8)
    return Measured(
        100.0 * share,
        "%",
        score,
        "Every pixel outside the changed region is the photo's own."
        if wrong == 0
        else f"{wrong} pixels outside the changed region differ from the photo, by up to "
        f"{largest} of 255.",
        ""
        if wrong == 0
        else "The picture differs from the photo where nothing should change: this is a fault of "
        "a step (fitting or post-processing), please report it.",
    )


def seams(view: View) -> Measured:
    """Visible colour steps where there should be none (root mean square, CIELAB distance).

    The result is sampled along normals of two lines. Along the changed region's border, away from
    the new garment's outline, the step across the border is compared with the photo's own step
    there and with the steps beside it: what exceeds them is a seam. Along the garment's outline,
    where an edge belongs, the rim is compared with the colours on its two sides: what lies off
    the line between these two is a fringe.
    """
    unit = max(0.6, max(view.result.shape[:2]) / 1024.0)
    border = _line_of(view.fitted.changed, view.changed, view.scale, unit)
    outline = _line_of(view.fitted.garment, view.garment, view.scale, unit)
    if border is not None:
        border = _away_from(border, view, 8.0 * unit)
    seam = _seam(view, border, unit) if border is not None else np.zeros(0, np.float32)
    fringe = _fringe(view, outline, unit) if outline is not None else np.zeros(0, np.float32)
    count = len(seam) + len(fringe)
    if count < 50:
        return Measured(
            None, "ΔE", None, "Not measured: the changed region has no border inside the picture."
        )
    parts = float((seam**2).sum()), float((fringe**2).sum())
    value = float(np.sqrt(sum(parts) / count))
    score = ramp(value, SEAM_GOOD, SEAM_BAD)
    advice = ""
    if score < 0.6:
        advice = (
            "A rim of another colour is seen along the garment's outline (a rest of the old "
            "garment, or of the garment picture's ground): a photo in tighter or plainer clothes, "
            "or a garment picture on a plain ground, helps."
            if parts[1] > parts[0]
            else "The border of the changed region can be seen: a photo with an even background "
            "and light helps."
        )
    return Measured(
        value,
        "ΔE",
        score,
        f"Colour steps that the change adds along its borders, at {count} points of them; below "
        "2 they are hard to see.",
        advice,
    )


class Line(NamedTuple):
    """Points on the border of a region: (N, 2) x, y in picture pixels, and outward unit normals."""

    points: Floats
    normals: Floats

    def colours(self, picture: RGB, outwards: float) -> Floats:
        """(N, 3) CIELAB `outwards` pixels outside of the border."""
        if len(self.points) == 0:
            return np.zeros((0, 3), np.float32)
        place = self.points + self.normals * outwards
        found = cv2.remap(
            picture,
            place[:, :1],
            place[:, 1:],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return to_lab(np.asarray(found))[:, 0]


def _seam(view: View, line: Line, unit: float) -> Floats:
    photo = view.state.person_picture.rgb
    near_in, near_out = (line.colours(view.result, d * unit) for d in (-2.0, 2.0))
    far_in, far_out = (line.colours(view.result, d * unit) for d in (-5.5, 5.5))
    natural = np.maximum.reduce(
        [
            distance(line.colours(photo, -2.0 * unit), line.colours(photo, 2.0 * unit)),
            distance(far_in, near_in),
            distance(near_out, far_out),
        ]
    )
    found = distance(near_in, near_out) - natural - JUST_NOTICEABLE
    return np.asarray(np.maximum(found, 0.0), dtype=np.float32)


def _fringe(view: View, line: Line, unit: float) -> Floats:
    inner = line.colours(view.result, -4.0 * unit)
    outer = line.colours(view.result, 6.0 * unit)
    off = [_off_line(line.colours(view.result, d * unit), inner, outer) for d in (1.0, 2.0, 3.0)]
    restless = distance(outer, line.colours(view.result, MARGIN * unit))
    found = np.median(off, axis=0) - restless - 2.0 * JUST_NOTICEABLE
    return np.asarray(np.maximum(found, 0.0), dtype=np.float32)


def _line_of(region: Floats, small: Floats, scale: float, unit: float) -> Line | None:
    """Up to POINTS points of the border of a soft region; None where it has none to speak of."""
    height, width = region.shape
    inside = (region >= 0.5).astype(np.uint8)
    contours, _ = cv2.findContours(inside, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    found = [contour[:, 0, :] for contour in contours if len(contour) >= 24]
    if not found:
        return None
    spots = np.concatenate(found).astype(np.float32)
    margin = MARGIN * unit
    last = np.array([width, height], np.float32) - 1.0 - margin
    spots = spots[((spots > margin) & (spots < last)).all(axis=1)]
    if len(spots) < 50:
        return None
    spots = spots[:: max(1, len(spots) // POINTS)]
    smooth = cv2.GaussianBlur(small, (0, 0), 1.5)
    x, y = ((spots + 0.5) * scale - 0.5).T
    slope = np.concatenate(
        [
            sample(np.asarray(cv2.Sobel(smooth, cv2.CV_32F, *order)), x[:, None], y[:, None])
            for order in ((1, 0), (0, 1))
        ],
        axis=1,
    )
    length = np.linalg.norm(slope, axis=1)
    clear = length > 1e-3
    return Line(spots[clear], np.asarray(-slope[clear] / length[clear, None]))


def _away_from(line: Line, view: View, reach: float) -> Line:
    """The points of a line that lie at least `reach` pixels from the seen garment."""
    away = cv2.distanceTransform((view.garment < 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    x, y = (line.points * view.scale).astype(int).T
    kept = np.asarray(away)[y.clip(0, away.shape[0] - 1), x.clip(0, away.shape[1] - 1)]
    clear = kept >= reach * view.scale
    return Line(line.points[clear], line.normals[clear])


def _off_line(point: Floats, start: Floats, end: Floats) -> Floats:
    """Distance of each colour from the line segment between two others."""
    along = end - start
    share = (point - start) * along
    position = np.clip(share.sum(axis=1) / np.maximum((along * along).sum(axis=1), 1e-6), 0.0, 1.0)
    return distance(point, start + position[:, None] * along)
