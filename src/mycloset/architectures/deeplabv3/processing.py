"""Pictures into DeepLabv3, VOC's classes out; as torchvision publishes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from mycloset.architectures.plans import Forward, normalised
from mycloset.architectures.segmentation import MEAN, STD, from_logits, resized_matrix
from mycloset.images import RGB
from mycloset.tasks.label_tables import VOC_21, named, numbered
from mycloset.tasks.parsing import HumanParsing, LabelTable

SHORTER, LONGEST = 520, 1560
"""Pixels of the shorter side, and the longer side's limit."""


class DeepLabV3Processing:
    """The shorter side to 520 pixels, proportions kept.

    Args:
        table: names of the classes.
        size: pixels of the shorter side.
        aligned: whether the network's corner points lie on the picture's.
    """

    def __init__(self, table: LabelTable, size: int = SHORTER, *, aligned: bool = False) -> None:
        self.aligned = aligned
        self.table = table
        self.size = size

    def __call__(self, forward: Forward, picture: RGB) -> HumanParsing:
        """The classes of one picture."""
        height, width = picture.shape[:2]
        scale = min(self.size / min(height, width), LONGEST / max(height, width))
        sides = (max(1, int(width * scale)), max(1, int(height * scale)))
        shown = Image.fromarray(picture).resize(sides, Image.Resampling.BILINEAR)
        logits = forward(image=normalised(np.asarray(shown), MEAN, STD))["logits"][0]
        grid = (logits.shape[1], logits.shape[2])
        matrix = resized_matrix(grid, (height, width), aligned=self.aligned)
        return from_logits(logits, matrix, (height, width), self.table)


def processing(variant: str, layout: str, config: Mapping[str, Any]) -> DeepLabV3Processing:
    """How a DeepLabv3 is used; `labels` in the config names classes that are not VOC's.

    Raises:
        OptionError: as many labels as classes are wanted.
    """
    classes, labels = config["num_classes"], config.get("labels")
    usual = VOC_21 if classes == 21 else numbered(classes)
    return DeepLabV3Processing(
        named(classes, labels, config.get("names"), usual), config.get("size", SHORTER)
    )
