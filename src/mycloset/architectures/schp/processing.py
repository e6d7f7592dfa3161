"""Pictures into SCHP, a class for every pixel out; as the published demo has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.architectures.plans import Forward, normalised
from mycloset.architectures.segmentation import from_logits
from mycloset.images import RGB
from mycloset.tasks.label_tables import ATR_18, LIP_20, PASCAL_7, named, numbered
from mycloset.tasks.parsing import HumanParsing, LabelTable

MEAN, STD = (0.406, 0.456, 0.485), (0.225, 0.224, 0.229)
"""BGR, 0..1."""

TABLES = {20: LIP_20, 18: ATR_18, 7: PASCAL_7}

Floats = NDArray[np.float32]


class SchpProcessing:
    """The whole picture, its sides kept in proportion, in the middle of a black square.

    Args:
        table: names of the classes.
        size: side of the square, in pixels.
    """

    def __init__(self, table: LabelTable, size: int) -> None:
        self.table = table
        self.size = size

    def __call__(self, forward: Forward, picture: RGB) -> HumanParsing:
        """The classes of one picture."""
        return self.batch(forward, [picture])[0]

    def batch(self, forward: Forward, pictures: Sequence[RGB]) -> list[HumanParsing]:
        """The classes of several pictures, in one forward."""
        prepared = [self.prepare(picture) for picture in pictures]
        found = forward(image=np.concatenate([values for values, _ in prepared]))
        return [
            self.read(logits, matrix, picture)
            for logits, (_, matrix), picture in zip(
                found["fusion_result"], prepared, pictures, strict=True
            )
        ]

    def prepare(self, picture: RGB) -> tuple[Floats, Floats]:
        """(1, 3, size, size) normalised BGR, and the (2, 3) map from the picture to the square."""
        height, width = picture.shape[:2]
        scale = (self.size - 1) / max(height - 1, width - 1, 1)
        middle = (self.size - 1) / 2
        matrix = np.array(
            [
                [scale, 0, middle - scale * (width - 1) / 2],
                [0, scale, middle - scale * (height - 1) / 2],
            ],
            np.float32,
        )
        square = cv2.warpAffine(picture, matrix, (self.size, self.size), flags=cv2.INTER_LINEAR)
        return normalised(np.asarray(square, np.uint8)[..., ::-1], MEAN, STD), matrix

    def read(self, logits: Floats, matrix: Floats, picture: RGB) -> HumanParsing:
        """The classes at the picture's size of (classes, h, w) logits over the square."""
        # From the logits' grid (corners aligned) to the square, then back to the picture.
        height, width = logits.shape[1:]
        grid = np.diag([(self.size - 1) / (width - 1), (self.size - 1) / (height - 1), 1.0])
        whole = np.linalg.inv(np.vstack([matrix, [0, 0, 1]])) @ grid
        return from_logits(logits, whole[:2].astype(np.float32), picture.shape[:2], self.table)


def processing(variant: str, layout: str, config: Mapping[str, Any]) -> SchpProcessing:
    """How an SCHP network is used.

    `labels` in the config names the classes where they are none of the published sets.

    Raises:
        OptionError: as many labels as classes are wanted.
    """
    classes = config["num_classes"]
    labels = config.get("labels")
    table = named(classes, labels, config.get("names"), TABLES.get(classes, numbered(classes)))
    return SchpProcessing(table, config["input_size"] or 473)
