"""Label maps and pictures as the channels that VITON-HD's networks take and give.

Source: shadow2496/VITON-HD@02afa4b, datasets.py and test.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from mycloset.architectures.garment_networks.people import Floats, Labels


def grouped(labels: Labels, groups: Sequence[Sequence[int]]) -> Labels:
    """The number of the group that holds each label."""
    numbers = np.zeros(256, np.uint8)
    for number, group in enumerate(groups):
        numbers[list(group)] = number
    found: Labels = numbers[labels]
    return found


def one_hot(labels: Labels, classes: int) -> Floats:
    """(classes, h, w) float32, 1 at each pixel's own class."""
    numbers = np.arange(classes, dtype=np.uint8)[:, None, None]
    found: Floats = (labels[None] == numbers).astype(np.float32)
    return found


def likeliest(scores: Floats, size: tuple[int, int]) -> Labels:
    """(h, w) the likeliest label of scores that were enlarged and blurred."""
    large = smooth(scores, size)
    blurred = [
        cv2.GaussianBlur(part, (15, 15), 3, sigmaY=3, borderType=cv2.BORDER_CONSTANT)
        for part in large
    ]
    found: Labels = np.argmax(np.stack(blurred), axis=0).astype(np.uint8)
    return found


def smooth(channels: Floats, size: tuple[int, int]) -> Floats:
    """(C, h, w) resized bilinearly between pixels' centres, without averaging."""
    made = [
        cv2.resize(channel, (size[1], size[0]), interpolation=cv2.INTER_LINEAR)
        for channel in channels
    ]
    return np.stack(made).astype(np.float32)


def nearest(channels: Floats, size: tuple[int, int]) -> Floats:
    """(C, h, w) resized by taking the pixel at or before each place, as PyTorch does."""
    rows = np.arange(size[0]) * channels.shape[1] // size[0]
    columns = np.arange(size[1]) * channels.shape[2] // size[1]
    found: Floats = channels[:, rows[:, None], columns[None]]
    return found
