"""A picture before and after, laid side by side in one."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image as PilImage
from PIL import ImageDraw

from mycloset.images import RGB
from mycloset.tasks.canvas import INK, PAPER, Color, font, pill, text_size, unit
from mycloset.tasks.pictures import Image

_LINE: Color = (255, 255, 255)


def draw_comparison(picture: RGB, image: Image) -> RGB:
    """The left half before, the right half after, of the result's size.

    Args:
        picture: (h, w, 3) uint8, what the result was made of.
        image: the result.

    Returns:
        (H, W, 3) uint8, as large as the result.
    """
    height, width = image.size
    how = cv2.INTER_NEAREST if width >= picture.shape[1] else cv2.INTER_AREA
    drawn = np.array(cv2.resize(picture, (width, height), interpolation=how), np.uint8)
    half = width // 2
    drawn[:, half:] = image.rgb[:, half:]
    scale = unit(height, width)
    thick = max(1, round(2 * scale))
    drawn[:, max(0, half - thick // 2) : half - thick // 2 + thick] = _LINE
    size, pad = round(19 * scale), round(10 * scale)
    for name, right in (("before", False), ("after", True)):
        room = text_size(name, size)[0] + 2 * pad
        if room + 2 * pad > half or size + 4 * pad > height:
            return drawn
        left = width - pad - room if right else pad
        top = height - 3 * pad - size
        pill(drawn, (left, top, left + room, top + size + 2 * pad), pad * 0.7, PAPER)
        canvas = PilImage.fromarray(drawn)
        place = (left + pad, top + pad + size / 2)
        ImageDraw.Draw(canvas).text(place, name, fill=INK, font=font(size), anchor="lm")
        drawn = np.array(canvas, np.uint8)
    return drawn
