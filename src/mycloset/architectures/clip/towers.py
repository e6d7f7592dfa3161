"""What the two towers of a CLIP are built of."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

VOCABULARY = 49408
"""Tokens that every published model knows."""

_HEAD_WIDTHS = {1280: 80, 1408: 88, 1664: 104}
"""Picture towers of OpenCLIP's ViT-H, ViT-g and ViT-bigG; every other head has 64 features."""


@dataclass(frozen=True)
class TextTower:
    """A text transformer.

    Attributes:
        width: features of a token.
        hidden: features within a block's feed-forward layer.
        layers: blocks.
        vocabulary: tokens that it knows.
        positions: the longest text.
        projection: features of a projected text; None where the table has no projection.
    """

    width: int
    hidden: int
    layers: int
    vocabulary: int = VOCABULARY
    positions: int = 77
    projection: int | None = None

    @property
    def heads(self) -> int:
        """Attention heads of 64 features, as in every published text tower."""
        return max(1, self.width // 64)


@dataclass(frozen=True)
class VisionTower:
    """A vision transformer.

    Attributes:
        width: features of a patch.
        hidden: features within a block's feed-forward layer.
        layers: blocks.
        patch: pixels along a patch's side.
        positions: patches and the class token.
        channels: of the picture.
        projection: features of a projected picture; None where the table has no projection.
    """

    width: int
    hidden: int
    layers: int
    patch: int
    positions: int
    channels: int = 3
    projection: int | None = None

    @property
    def heads(self) -> int:
        """Attention heads: of 64 features, but for three towers of OpenCLIP."""
        return max(1, self.width // _HEAD_WIDTHS.get(self.width, 64))

    @property
    def image_size(self) -> int:
        """Pixels along the picture's side."""
        return isqrt(max(0, self.positions - 1)) * self.patch

    @property
    def name(self) -> str:
        """Such as "ViT-L/14", from the widths of the published ones."""
        letter = {768: "B", 1024: "L", 1280: "H", 1408: "g", 1664: "bigG"}.get(self.width)
        return f"ViT-{letter}/{self.patch}" if letter else f"ViT-{self.width}/{self.patch}"


@dataclass(frozen=True)
class ResNetTower:
    """OpenAI's changed ResNet, with attention for its last pooling.

    Attributes:
        width: features of the first stage.
        blocks: of the four stages.
        positions: places of the last stage and their mean.
        channels: of the picture.
        projection: features of a projected picture.
    """

    width: int
    blocks: tuple[int, int, int, int]
    positions: int
    projection: int
    channels: int = 3

    @property
    def heads(self) -> int:
        """Attention heads of 64 features in the last pooling."""
        return max(1, self.width * 32 // 64)

    @property
    def image_size(self) -> int:
        """Pixels along the picture's side."""
        return isqrt(max(0, self.positions - 1)) * 32

    @property
    def name(self) -> str:
        """OpenAI's name, such as "RN50x4"."""
        known = {
            ((3, 4, 6, 3), 64): "RN50",
            ((3, 4, 23, 3), 64): "RN101",
            ((4, 6, 10, 6), 80): "RN50x4",
            ((6, 8, 18, 8), 96): "RN50x16",
            ((3, 15, 36, 10), 128): "RN50x64",
        }
        blocks = "-".join(map(str, self.blocks))
        return known.get((self.blocks, self.width), f"ResNet {blocks} of width {self.width}")
