"""Paper, text and frames for pictures that explain: everything scales with the picture."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from mycloset.images import RGB

Color = tuple[int, int, int]

PAPER: Color = (250, 249, 246)
INK: Color = (34, 36, 42)
FAINT: Color = (120, 122, 130)
RULE: Color = (222, 220, 214)

_LACKING = str.maketrans({"Δ": "d", "–": "-", "—": "-", "×": "x", "≥": ">=", "≤": "<=", "’": "'"})

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def unit(height: int, width: int) -> float:
    """Scale of lines and letters: 1 for a picture of 1024 pixels, never less than a half."""
    return max(0.5, max(height, width) / 1024.0)


@lru_cache(maxsize=64)
def font(size: int) -> Font:
    """Pillow's built-in scalable font; letters `size` pixels high, at least 9."""
    return ImageFont.load_default(size=max(9, size))


def plain(text: str) -> str:
    """The text in signs that the built-in font has."""
    return text.translate(_LACKING)


def text_size(text: str, size: int) -> tuple[int, int]:
    """Width and line height of one line of text, in pixels."""
    return round(font(size).getlength(text)), round(1.25 * max(9, size))


def wrap(text: str, size: int, width: int) -> list[str]:
    """Break text at spaces into lines of at most `width` pixels; a longer word has its own line."""
    lines: list[str] = []
    for word in plain(text).split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_size(longer, size)[0] <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def shorten(text: str, size: int, width: int) -> str:
    """The text, or its beginning and an ellipsis where it is wider than `width` pixels."""
    text = plain(text)
    if text_size(text, size)[0] <= width:
        return text
    while text and text_size(text + "...", size)[0] > width:
        text = text[:-1]
    return text.rstrip() + "..."


def sheet(height: int, width: int) -> RGB:
    """Blank paper of that size."""
    return np.full((height, width, 3), PAPER, np.uint8)


def frame(picture: RGB, title: str, note: str = "", *, scale: float | None = None) -> RGB:
    """Lay a picture on paper with even margins, its title (and a fainter note) above it.

    Args:
        picture: (H, W, 3).
        scale: of margins and letters; by default the picture's own `unit`.
    """
    height, width = picture.shape[:2]
    scale = scale if scale is not None else unit(height, width)
    margin, size = round(20 * scale), round(26 * scale)
    line = text_size(title, size)[1]
    top = margin + line + round(10 * scale)
    paper = sheet(top + height + margin, width + 2 * margin)
    paper[top : top + height, margin : margin + width] = picture
    canvas = Image.fromarray(paper)
    draw = ImageDraw.Draw(canvas)
    draw.text((margin, margin), shorten(title, size, width), fill=INK, font=font(size))
    if note:
        small = round(19 * scale)
        start = margin + text_size(title, size)[0] + round(18 * scale)
        room = margin + width - start
        if room > 6 * small:
            text = shorten(note, small, room)
            place = margin + width - text_size(text, small)[0]
            draw.text((place, margin + (size - small) * 0.75), text, fill=FAINT, font=font(small))
    return np.asarray(canvas)


def checkerboard(height: int, width: int, square: int) -> RGB:
    """Two light greys in squares, the usual sign for nothing there."""
    rows, columns = np.arange(height)[:, None] // square, np.arange(width)[None] // square
    dark = (rows + columns) % 2 == 1
    return np.asarray(np.where(dark[..., None], 214, 240), dtype=np.uint8).repeat(3, axis=2)


def blend(below: RGB, above: RGB | Color, alpha: NDArray[np.floating] | float) -> RGB:
    """Lay a picture or a colour over another, `alpha` (H, W) or one number, 0..1."""
    if isinstance(alpha, float | int) and isinstance(above, np.ndarray):
        return np.asarray(cv2.addWeighted(above, alpha, below, 1.0 - alpha, 0.0))
    share = np.asarray(alpha, dtype=np.float32)
    if share.ndim == 2:
        share = share[..., None]
    top = np.asarray(above, dtype=np.float32)
    mixed = below + (top - below) * share
    return np.asarray(mixed + np.float32(0.5)).clip(0, 255).astype(np.uint8)


def pill(picture: RGB, box: tuple[float, float, float, float], radius: float, color: Color) -> None:
    """Draw a smooth rounded rectangle (left, top, right, bottom) into `picture`; also a circle."""
    height, width = picture.shape[:2]
    left, top, right, bottom = box
    columns = slice(max(0, int(left) - 1), min(width, int(right) + 2))
    rows = slice(max(0, int(top) - 1), min(height, int(bottom) + 2))
    if columns.start >= columns.stop or rows.start >= rows.stop:
        return
    x = np.arange(columns.start, columns.stop, dtype=np.float32)[None] + 0.5
    y = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] + 0.5
    # Signed distance to a box with rounded corners.
    across = np.abs(x - (left + right) / 2) - ((right - left) / 2 - radius)
    down = np.abs(y - (top + bottom) / 2) - ((bottom - top) / 2 - radius)
    outside = np.hypot(np.maximum(across, 0), np.maximum(down, 0))
    away = outside + np.minimum(np.maximum(across, down), 0) - radius
    picture[rows, columns] = blend(picture[rows, columns], color, np.clip(0.5 - away, 0.0, 1.0))


def fade(picture: RGB, share: float) -> RGB:
    """Bring a picture towards white, so that what is drawn on it stands out."""
    table = np.arange(256) + (255.0 - np.arange(256)) * share
    return np.asarray(cv2.LUT(picture, np.round(table).astype(np.uint8)))


def fit(picture: RGB, height: int, width: int) -> RGB:
    """Resize a picture to lie within a box, its proportions kept."""
    scale = min(height / picture.shape[0], width / picture.shape[1])
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, size, interpolation=how))
