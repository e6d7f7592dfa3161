"""What detections look like: a box, a name and a score for each thing, a colour for each class."""

from __future__ import annotations

import colorsys
import math

import cv2
import numpy as np
from PIL import Image, ImageDraw

from mycloset.images import RGB
from mycloset.tasks.canvas import PAPER, Color, blend, fade, font, pill, shorten, text_size, unit
from mycloset.tasks.detections import Detections

_TURN = 0.618034
"""Share of the colour circle between neighbouring classes: neighbours differ most."""


def draw_detections(picture: RGB, found: Detections) -> RGB:
    """Boxes on a slightly faded picture, of the picture's size; the surest lie on top."""
    height, width = picture.shape[:2]
    scale = unit(height, width)
    drawn = np.ascontiguousarray(fade(picture, 0.12))
    order = range(len(found) - 1, -1, -1)
    for place in order:
        if found.masks is not None:
            _veil(drawn, found, place)
    thick = max(1, round(2.5 * scale))
    for place in order:
        left, top, right, bottom = (round(float(side)) for side in found.boxes[place])
        color = class_color(int(found.labels[place]))
        corners = (left, top), (max(left, right - 1), max(top, bottom - 1))
        cv2.rectangle(drawn, *corners, color, thick, cv2.LINE_AA)
    tags = [_tag(drawn, found, place, scale) for place in order]
    image = Image.fromarray(drawn)
    draw = ImageDraw.Draw(image)
    for x, y, text, size in tags:
        draw.text((x, y), text, fill=PAPER, font=font(size), anchor="lm")
    return np.asarray(image)


def class_color(label: int) -> Color:
    """A class's own colour, dark enough for white letters."""
    red, green, blue = colorsys.hsv_to_rgb((0.58 + label * _TURN) % 1.0, 0.78, 0.78)
    return round(255 * red), round(255 * green), round(255 * blue)


def _veil(drawn: RGB, found: Detections, place: int) -> None:
    """Lay a thing's mask over the picture."""
    assert found.masks is not None
    mask = found.masks[place]
    left, top = (math.floor(float(side)) for side in found.boxes[place][:2])
    part = drawn[top : top + mask.shape[0], left : left + mask.shape[1]]
    part[:] = blend(part, class_color(int(found.labels[place])), 0.45 * mask)


def _tag(drawn: RGB, found: Detections, place: int, scale: float) -> tuple[float, float, str, int]:
    """Draw the ground of a name into `drawn`; where its letters go, and how large they are."""
    height, width = drawn.shape[:2]
    size = max(9, round(17 * scale))
    pad = max(2, round(5 * scale))
    text = f"{found.name(place)} {100 * float(found.scores[place]):.0f} %"
    text = shorten(text, size, max(1, width - 2 * pad))
    wide, line = text_size(text, size)
    left, top = float(found.boxes[place][0]), float(found.boxes[place][1])
    x = min(max(0.0, left), max(0.0, width - wide - 2.0 * pad))
    y = top - line if top >= line else top
    y = min(y, max(0.0, float(height - line)))
    color = class_color(int(found.labels[place]))
    pill(drawn, (x, y, x + wide + 2 * pad, y + line), 0.25 * line, color)
    return x + pad, y + line / 2, text, size
