"""What found faces look like: a frame, five points, and the score."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image, ImageDraw

from mycloset.images import RGB
from mycloset.tasks.canvas import PAPER, Color, font, pill, text_size, unit
from mycloset.tasks.faces import Faces

FRAME: Color = (255, 176, 32)
LEFT: Color = (255, 128, 20)
RIGHT: Color = (20, 132, 255)
NOSE: Color = (70, 190, 110)
EDGE: Color = (24, 26, 32)
_COLORS = (LEFT, RIGHT, NOSE, LEFT, RIGHT)
_SHIFT = 4
"""Bits behind the point in cv2's coordinates."""


def draw_faces(picture: RGB, faces: Faces) -> RGB:
    """The faces on their picture, of the picture's size.

    What is left in the picture is orange, what is right blue, the nose green; small faces get thin
    lines and no score.
    """
    drawn = np.ascontiguousarray(picture).copy()
    scale = unit(*picture.shape[:2])
    labels: list[tuple[float, float, str]] = []
    # The surest lie on top.
    for number in range(len(faces) - 1, -1, -1):
        left, top, right, bottom = (float(value) for value in faces.boxes[number])
        side = min(right - left, bottom - top)
        thick = max(1, round(min(3.0 * scale, side / 24)))
        _frame(drawn, (left, top, right, bottom), thick)
        if faces.landmarks is not None:
            radius = max(1.0, min(5.0 * scale, side / 28))
            for (x, y), color in zip(faces.landmarks[number].tolist(), _COLORS, strict=True):
                for grown, paint in ((1.4, EDGE), (1.0, color)):
                    r = radius * grown
                    pill(drawn, (x - r, y - r, x + r, y + r), r, paint)
        if side >= 40 * scale:
            labels.append((left, top, f"{100 * float(faces.scores[number]):.0f} %"))
    return _labelled(drawn, labels, scale)


def _frame(drawn: RGB, box: tuple[float, float, float, float], thick: int) -> None:
    left, top, right, bottom = box
    factor = 1 << _SHIFT
    corners = [
        (round(np.clip(x, -9e3, 9e4) * factor), round(np.clip(y, -9e3, 9e4) * factor))
        for x, y in ((left, top), (right, top), (right, bottom), (left, bottom))
    ]
    outline = np.array(corners, np.int32)
    for color, width in ((EDGE, thick + 2), (FRAME, thick)):
        cv2.polylines(drawn, [outline], True, color, width, cv2.LINE_AA, _SHIFT)


def _labelled(drawn: RGB, labels: list[tuple[float, float, str]], scale: float) -> RGB:
    """Each face's score above its frame, or within where there is no room above."""
    size = round(18 * scale)
    places = []
    for left, top, text in labels:
        width, height = text_size(text, size)
        pad = round(5 * scale)
        x = min(max(0.0, left), max(0.0, drawn.shape[1] - width - 2 * pad))
        y = top - height - pad
        y = y if y >= 0 else max(0.0, top) + pad
        pill(drawn, (x, y, x + width + 2 * pad, y + height), 4 * scale, EDGE)
        places.append((x + pad, y + (height - size) / 2 - 0.05 * size, text))
    canvas = Image.fromarray(drawn)
    draw = ImageDraw.Draw(canvas)
    for x, y, text in places:
        draw.text((x, y), text, fill=PAPER, font=font(size))
    return np.asarray(canvas)
