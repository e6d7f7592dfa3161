"""What a network takes and gives: named tensors and their shapes; the anchors of detectors."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TensorSpec:
    """One tensor at the border of a network, float32.

    Attributes:
        role: what it is, in our words ("landmarks").
        name: what the file calls it.
        shape: its shape, with the batch.
    """

    role: str
    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class NetworkLayout:
    """The borders of one published network.

    Attributes:
        name: which network it is, for messages.
        input: the one tensor that it takes.
        outputs: the tensors that it gives.
    """

    name: str
    input: TensorSpec
    outputs: tuple[TensorSpec, ...]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the input picture."""
        return self.input.shape[1], self.input.shape[2]


@dataclass(frozen=True)
class SsdLayout:
    """How a detector's numbers are laid out.

    Attributes:
        size: side of its square input.
        strides: pixels between anchors, a layer each.
        per_layer: anchors that a layer puts on one place.
        keypoints: key points that a detection has.
    """

    size: int
    strides: tuple[int, ...]
    per_layer: int
    keypoints: int
