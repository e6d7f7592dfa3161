"""What ImageNet classifiers share: pictures in, an Embedding with classes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mycloset.architectures.plans import Forward, normalised
from mycloset.images import RGB
from mycloset.tasks.embeddings import Embedding

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's pictures, RGB, 0..1; torchvision's documentation of its models."""


def processing(variant: str, layout: str, config: Mapping[str, Any]) -> ImageNetProcessing:
    """ImageNet's way: shorter side to 256, the middle 224 pixels, normalised."""
    return ImageNetProcessing(space=variant)


class ImageNetProcessing:
    """Resizes, crops and normalises as torchvision does for its classifiers.

    The network gives "features" (N, C, H, W), whose mean over places is the vector, and "logits"
    (N, classes) where it has a classifier.

    Args:
        space: name of the network's vectors.
        resize: the shorter side, in pixels.
        crop: side of the square in the middle, in pixels.
    """

    def __init__(self, *, space: str, resize: int = 256, crop: int = 224) -> None:
        self.space = space
        self.resize = resize
        self.crop = crop

    def __call__(self, forward: Forward, picture: RGB, *, features: bool = False) -> Embedding:
        """The embedding of one picture; `features` keeps the feature maps."""
        return self.batch(forward, [picture], features=features)[0]

    def batch(
        self, forward: Forward, pictures: Sequence[RGB], *, features: bool = False
    ) -> list[Embedding]:
        """The embeddings of several pictures, in one forward."""
        found = forward(image=np.concatenate([self.prepare(picture) for picture in pictures]))
        maps, logits = found["features"], found.get("logits")
        return [
            Embedding(
                maps[number].mean(axis=(1, 2)),
                self.space,
                logits[number] if logits is not None else None,
                {"features": maps[number]} if features else None,
            )
            for number in range(len(pictures))
        ]

    def prepare(self, picture: RGB) -> NDArray[np.float32]:
        """(1, 3, crop, crop) float32: the middle of the picture, normalised."""
        middle = middle_square(picture, self.resize, self.crop, Image.Resampling.BILINEAR)
        return normalised(middle, MEAN, STD)


def middle_square(picture: RGB, resize: int, crop: int, how: Image.Resampling) -> RGB:
    """(crop, crop, 3) the middle of a picture whose shorter side is brought to `resize` pixels.

    Of a long strip only what can be seen in the middle is resized: a picture of 64 x 60000 pixels
    would become one of 256 x 240000.
    """
    height, width = picture.shape[:2]
    short, long = min(height, width), max(height, width)
    if long > 8 * short:
        # Even margins at both ends, and enough of them that no filter sees the cut.
        cut = (long - 8 * short) // 2
        inside = slice(cut, long - cut)
        picture = picture[inside] if height > width else picture[:, inside]
        height, width = picture.shape[:2]
    scale = resize / short
    size = (max(crop, int(width * scale)), max(crop, int(height * scale)))
    resized = np.asarray(Image.fromarray(picture).resize(size, how))
    top = round((size[1] - crop) / 2)
    left = round((size[0] - crop) / 2)
    return resized[top : top + crop, left : left + crop]
