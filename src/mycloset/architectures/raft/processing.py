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

STRIDE = 8
"""Sides are multiples of it."""

LONGEST = 1024
"""Pixels of the longer side; all pairs of places of larger pictures would take gigabytes."""


class RaftProcessing:
    """Pads both pictures alike (half on each side), and cuts the flow back.

    Args:
        levels: of the network's pyramid; its coarsest must be two cells wide, which sets the
            least side of a picture (128 pixels for the published four).
    """

    def __init__(self, levels: int = 4) -> None:
        self.least = STRIDE * 2**levels

    def __call__(
        self,
        forward: Forward,
        first: RGB,
        second: RGB,
        *,
        iterations: int = 20,
        longest: int = LONGEST,
        flow_init: Flow | None = None,
    ) -> Flow:
        """Where the first picture's pixels are in the second.

        Args:
            forward: the network.
            first, second: (H, W, 3), of one size.
            iterations: corrections; 12 to 32 as published.
            longest: pixels of the longer side to which larger pictures are brought; the flow is
                given for the full size.
            flow_init: what to begin with, of the pictures' size, such as the flow of the frame
                before; nothing moves by default.

        Raises:
            OptionError: the sizes differ, or an option is out of its range.
        """
        if first.shape != second.shape:
            raise OptionError(
                f"the pictures differ in size: {first.shape[:2]} and {second.shape[:2]}."
            )
        if iterations < 1 or longest < self.least:
            raise OptionError(
                f"iterations is {iterations}, longest {longest}.",
                hint=f"Give 1 or more, and {self.least} or more.",
            )
        height, width = first.shape[:2]
        if flow_init is not None and flow_init.pixels.shape != (height, width, 2):
            raise OptionError(
                f"flow_init is {flow_init.pixels.shape}; give {(height, width, 2)},"
                " as the pictures are."
            )
        shrink = min(1.0, longest / max(height, width))
        size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
        pair = [
            np.asarray(cv2.resize(p, size, interpolation=cv2.INTER_AREA)) if shrink < 1 else p
            for p in (first, second)
        ]
        below = max(-size[1] % STRIDE, self.least - size[1])
        right = max(-size[0] % STRIDE, self.least - size[0])
        top, left = below // 2, right // 2
        edges = ((top, below - top), (left, right - left), (0, 0))
        given = [_prepared(np.pad(p, edges, mode="edge")) for p in pair]
        start: dict[str, NDArray[np.float32]] = {}
        if flow_init is not None:
            start["flow_init"] = _eighth(flow_init, size, edges)
        told = forward(first=given[0], second=given[1], iterations=iterations, **start)
        found = told["flow"][0]
        flow = found[:, top : top + size[1], left : left + size[0]].transpose(1, 2, 0)
        if shrink < 1:
            flow = np.asarray(cv2.resize(np.ascontiguousarray(flow), (width, height)))
            flow = flow * np.array([width / size[0], height / size[1]], np.float32)
        return Flow(np.ascontiguousarray(flow, np.float32))


def processing(variant: str, layout: str, config: Mapping[str, Any]) -> RaftProcessing:
    """How a RAFT is used."""
    return RaftProcessing(config["corr_levels"])


def _prepared(picture: RGB) -> NDArray[np.float32]:
    return normalised(picture, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def _eighth(
    flow: Flow, size: tuple[int, int], edges: tuple[tuple[int, int], ...]
) -> NDArray[np.float32]:
    """(1, 2, H/8, W/8) in the network's cells, of a flow in the picture's pixels.

    Args:
        flow: at the picture's size.
        size: width and height that the picture has in the network's, without its padding.
        edges: the padding, as NumPy takes it.
    """
    height, width = flow.pixels.shape[:2]
    shown = np.asarray(cv2.resize(flow.pixels, size, interpolation=cv2.INTER_AREA))
    shown = shown * np.array([size[0] / width, size[1] / height], np.float32)
    padded = np.pad(shown, edges, mode="edge")
    cells = (padded.shape[1] // STRIDE, padded.shape[0] // STRIDE)
    small = np.asarray(cv2.resize(padded, cells, interpolation=cv2.INTER_AREA))
    return np.ascontiguousarray(small.transpose(2, 0, 1)[None] / STRIDE, np.float32)
