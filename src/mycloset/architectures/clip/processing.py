"""Pictures and tokens into CLIP, embeddings out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mycloset.architectures.classification import middle_square
from mycloset.architectures.plans import Forward, normalised
from mycloset.errors import OptionError
from mycloset.images import RGB
from mycloset.tasks.embeddings import Embedding

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
"""Of OpenAI's training pictures, RGB, 0..1."""


class ClipProcessing:
    """The shorter side to the tower's size (bicubic), the middle square, OpenAI's normalisation.

    Args:
        space: name of the shared space.
        size: pixels along the tower's picture; None where the model has no picture tower.
        length: longest text in tokens; None where it has no text tower.
    """

    def __init__(self, space: str, size: int | None, length: int | None) -> None:
        self.space = space
        self.size = size
        self.length = length

    def __call__(self, forward: Forward, picture: RGB) -> Embedding:
        """The embedding of one picture."""
        return self.batch(forward, [picture])[0]

    def batch(self, forward: Forward, pictures: Sequence[RGB]) -> list[Embedding]:
        """The embeddings of several pictures, in one forward.

        Raises:
            OptionError: the model has no picture tower.
        """
        if self.size is None:
            raise OptionError(f"{self.space} is a text encoder: it sees no pictures.")
        given = np.concatenate([self.prepare(picture) for picture in pictures])
        found = forward("encode_image", image=given)["output"]
        return [Embedding(vector, self.space) for vector in found]

    def text(self, forward: Forward, tokens: NDArray[np.int64]) -> list[Embedding]:
        """The embeddings of texts.

        Args:
            forward: the network.
            tokens: (N, length) of CLIP's byte-pair encoding, begin and end marks included, zeros
                behind the end.

        Raises:
            OptionError: the model has no text tower, or the texts are too long.
        """
        if self.length is None:
            raise OptionError(f"{self.space} is a picture encoder: it reads no texts.")
        if tokens.ndim != 2 or tokens.shape[1] > self.length:
            raise OptionError(
                f"tokens are {tokens.shape}; a text has at most {self.length} tokens."
            )
        found = forward("encode_text", text=np.asarray(tokens, np.int64))["output"]
        return [Embedding(vector, self.space) for vector in found]

    def prepare(self, picture: RGB) -> NDArray[np.float32]:
        """(1, 3, size, size) float32, normalised."""
        assert self.size is not None
        middle = middle_square(picture, self.size, self.size, Image.Resampling.BICUBIC)
        return normalised(middle, MEAN, STD)


def processing(variant: str, layout: str, config: Mapping[str, Any]) -> ClipProcessing:
    """How a CLIP, or a tower of one, is used."""
    vision = config.get("vision_config") or config
    text = config.get("text_config") or config
    size = vision.get("image_resolution") or vision.get("image_size")
    length = text.get("context_length") or text.get("max_position_embeddings")
    return ClipProcessing(f"CLIP {variant}", size, length)
