"""Pictures into a U²-Net, a soft mask or classes of clothes out; as each is published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mycloset.architectures.plans import Forward, normalised
from mycloset.architectures.segmentation import from_logits, resized_matrix
from mycloset.errors import OptionError
from mycloset.images import RGB
from mycloset.tasks.label_tables import CLOTH_4, named, numbered
from mycloset.tasks.masks import Mask
from mycloset.tasks.parsing import HumanParsing, LabelTable

Floats = NDArray[np.float32]

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class SaliencyProcessing:
    """The picture squashed to a square, its brightest number as 1; the map stretched to 0..1.

    Args:
        size: side of the square.
        mean, std: of the normalisation.
        by_maximum: whether numbers are divided by the picture's largest (else by 255).
        inverted: whether the result is 1 less the map (u2net_portrait draws in black).
    """

    def __init__(
        self,
        *,
        size: int,
        mean: Sequence[float] = MEAN,
        std: Sequence[float] = STD,
        by_maximum: bool = True,
        inverted: bool = False,
    ) -> None:
        self.size = size
        self.mean = mean
        self.std = std
        self.by_maximum = by_maximum
        self.inverted = inverted

    def __call__(self, forward: Forward, picture: RGB) -> Mask:
        """The soft mask of one picture."""
        return self.batch(forward, [picture])[0]

    def batch(self, forward: Forward, pictures: Sequence[RGB]) -> list[Mask]:
        """The soft masks of several pictures, in one forward."""
        given = np.concatenate([self.prepare(picture) for picture in pictures])
        found = forward(image=given)["d0"]
        return [
            self.read(logits[0], picture) for logits, picture in zip(found, pictures, strict=True)
        ]

    def prepare(self, picture: RGB) -> Floats:
        """(1, 3, size, size) float32, normalised."""
        # Pillow's bilinear widens its filter where it shrinks, as skimage's smoothing does.
        square = Image.fromarray(picture).resize((self.size, self.size), Image.Resampling.BILINEAR)
        values = np.asarray(square)
        largest = max(int(values.max()), 1) if self.by_maximum else 255
        return normalised(values, self.mean, self.std, scale=float(largest))

    def read(self, logits: Floats, picture: RGB) -> Mask:
        """The mask at the picture's size of (size, size) logits."""
        soft = 1.0 / (1.0 + np.exp(-logits))
        low, high = float(soft.min()), float(soft.max())
        if high > low:
            soft = (soft - low) / (high - low)
        if self.inverted:
            soft = 1.0 - soft
        height, width = picture.shape[:2]
        alpha = cv2.resize(soft.astype(np.float32), (width, height))
        found = np.asarray(alpha, np.float32).clip(0.0, 1.0)
        sure = float(np.abs(2.0 * soft - 1.0).mean()) if high > low else 0.0
        return Mask(found, sure)


class ClothProcessing:
    """Classes of clothes; the picture at a fixed square, or at its own size.

    Args:
        table: names of the classes.
        size: side of the square to which the picture is brought.
    """

    def __init__(self, table: LabelTable, size: int) -> None:
        self.table = table
        self.size = size

    def __call__(self, forward: Forward, picture: RGB) -> HumanParsing:
        """The classes of one picture."""
        return self.batch(forward, [picture])[0]

    def batch(self, forward: Forward, pictures: Sequence[RGB]) -> list[HumanParsing]:
        """The classes of several pictures, in one forward."""
        given = np.concatenate([self.prepare(picture) for picture in pictures])
        found = forward(image=given)["d0"]
        return [
            from_logits(
                logits,
                resized_matrix((self.size, self.size), picture.shape[:2]),
                picture.shape[:2],
                self.table,
            )
            for logits, picture in zip(found, pictures, strict=True)
        ]

    def prepare(self, picture: RGB) -> Floats:
        """(1, 3, size, size) float32 in -1..1."""
        square = Image.fromarray(picture).resize((self.size, self.size), Image.Resampling.BICUBIC)
        return normalised(np.asarray(square), (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def processing(
    variant: str, layout: str, config: Mapping[str, Any]
) -> SaliencyProcessing | ClothProcessing:
    """How a U²-Net is used.

    The tensors do not tell what a network of one channel was trained for; `config` may say
    `purpose`: "salient" (also people), "portrait", or "general" (IS-Net); and `size`.

    Raises:
        OptionError: another purpose; as many labels as classes are wanted.
    """
    classes = config["out_ch"]
    if classes > 1:
        usual = CLOTH_4 if classes == 4 else numbered(classes)
        table = named(classes, config.get("labels"), config.get("names"), usual)
        return ClothProcessing(table, config.get("size", 768))
    purpose = config.get("purpose", "general" if config["stem"] else "salient")
    if purpose == "salient":
        return SaliencyProcessing(size=config.get("size", 320))
    if purpose == "portrait":
        return SaliencyProcessing(size=config.get("size", 512), inverted=True)
    if purpose == "general":
        # IS-Net: 1024 pixels, mean a half, deviation 1 (xuebinqin/DIS, Inference.py).
        half, one = (0.5, 0.5, 0.5), (1.0, 1.0, 1.0)
        return SaliencyProcessing(
            size=config.get("size", 1024), mean=half, std=one, by_maximum=False
        )
    raise OptionError(f"config: purpose is {purpose!r}.", hint="Use salient, portrait or general.")
