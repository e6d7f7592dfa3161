"""How much of a garment's look is left when it is worn, by the features of a network."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.hub.model import Model
from mycloset.images import RGB
from mycloset.tasks.embeddings import Embedding

SIDE = 256
"""Pixels of the square in which a garment is shown to a network."""

PAPER = 255


def shown(picture: RGB, alpha: NDArray[np.float32]) -> RGB | None:
    """(SIDE, SIDE, 3): what `alpha` covers, on white, its proportions kept; None for nothing."""
    rows = np.nonzero((alpha > 0.5).any(axis=1))[0]
    columns = np.nonzero((alpha > 0.5).any(axis=0))[0]
    if rows.size < 2 or columns.size < 2:
        return None
    part = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    share = alpha[part][..., None]
    cut = picture[part] * share + PAPER * (1 - share)
    height, width = cut.shape[:2]
    scale = SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(cv2.resize(cut.astype(np.float32), size, interpolation=cv2.INTER_AREA))
    square = np.full((SIDE, SIDE, 3), PAPER, np.float32)
    top, left = (SIDE - size[1]) // 2, (SIDE - size[0]) // 2
    square[top : top + size[1], left : left + size[0]] = small
    return square.round().clip(0, 255).astype(np.uint8)


def likeness(model: Model, one: RGB, other: RGB) -> float:
    """Cosine of the features that a network sees in two pictures, -1..1."""
    first: Embedding = model(one)
    second: Embedding = model(other)
    return first.similarity(second)
