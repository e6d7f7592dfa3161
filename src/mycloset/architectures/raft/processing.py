"""Two pictures into RAFT, the flow between them out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.architectures.plans import Forward, normalised
from mycloset.errors import OptionError
from mycloset.images import RGB
from mycloset.tasks.flows import Flow

STRIDE, LEAST = 8, 128
"""Sides are multiples of the one and no less than the other."""

LONGEST = 1024
"""Pixels of the longer side; all pairs of places of larger pictures would take gigabytes."""


class RaftProcessing:
    """Pads both pictures alike (half on each side), and cuts the flow back."""

    def __call__(
        self,
        forward: Forward,
        first: RGB,
        second: RGB,
        *,
        iterations: int = 20,
        longest: int = LONGEST,
    ) -> Flow:
        """Where the first picture's pixels are in the second.

        Args:
            forward: the network.
            first, second: (H, W, 3), of one size.
            iterations: corrections; 12 to 32 as published.
            longest: pixels of the longer side to which larger pictures are brought; the flow is
                given for the full size.

        Raises:
            OptionError: the sizes differ, or an option is out of its range.
        """
        if first.shape != second.shape:
            raise OptionError(
                f"the pictures differ in size: {first.shape[:2]} and {second.shape[:2]}."
            )
        if iterations < 1 or longest < LEAST:
            raise OptionError(
                f"iterations is {iterations}, longest {longest}.",
                hint=f"Give 1 or more, and {LEAST} or more.",
            )
        height, width = first.shape[:2]
        shrink = min(1.0, longest / max(height, width))
        size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
        pair = [
            np.asarray(cv2.resize(p, size, interpolation=cv2.INTER_AREA)) if shrink < 1 else p
            for p in (first, second)
        ]
        below = max(-size[1] % STRIDE, LEAST - size[1])
        right = max(-size[0] % STRIDE, LEAST - size[0])
        top, left = below // 2, right // 2
        edges = ((top, below - top), (left, right - left), (0, 0))
        given = [_prepared(np.pad(p, edges, mode="edge")) for p in pair]
        found = forward(first=given[0], second=given[1], iterations=iterations)["flow"][0]
        flow = found[:, top : top + size[1], left : left + size[0]].transpose(1, 2, 0)
        if shrink < 1:
            flow = np.asarray(cv2.resize(np.ascontiguousarray(flow), (width, height)))
            flow = flow * np.array([width / size[0], height / size[1]], np.float32)
        return Flow(np.ascontiguousarray(flow, np.float32))


def processing(variant: str, layout: str, config: Mapping[str, Any]) -> RaftProcessing:
    """How a RAFT is used."""
    return RaftProcessing()


def _prepared(picture: RGB) -> NDArray[np.float32]:
    return normalised(picture, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
