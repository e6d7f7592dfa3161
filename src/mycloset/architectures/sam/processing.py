"""Pictures and prompts into Segment Anything, masks out; as the published predictor has it."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from mycloset.architectures.plans import Forward, normalised
from mycloset.errors import OptionError
from mycloset.images import RGB
from mycloset.tasks.masks import Mask, Masks

Floats = NDArray[np.float32]

MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
"""RGB, 0..255."""

KEPT = 4
"""Embeddings of pictures that are kept for further prompts (4 MB each)."""

TOGETHER = 64
"""Prompts that are decoded at once."""

SHIFT = 1.0
"""Logits by which the threshold is moved to see how stable a mask is."""


class _Candidate(NamedTuple):
    """A mask that one point of the grid gave.

    Attributes:
        quality: as the network expects it, 0..1.
        box: of the mask in the picture.
        logits: at a quarter of the network's size.
    """

    quality: float
    box: tuple[int, int, int, int]
    logits: Floats


class SamProcessing:
    """The longer side to the network's size, black below and at the right.

    A picture's embedding is kept, by the picture's content, so that more prompts cost little.

    Args:
        size: pixels along the network's picture.
    """

    def __init__(self, size: int = 1024) -> None:
        self.size = size
        self._kept: OrderedDict[bytes, Floats] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(
        self,
        forward: Forward,
        picture: RGB,
        *,
        points: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        boxes: ArrayLike | None = None,
        mask: NDArray[np.floating] | None = None,
        multimask: bool | None = None,
        points_per_side: int = 16,
        least_quality: float = 0.88,
        least_stability: float = 0.95,
        overlap: float = 0.7,
        least_area: int = 0,
    ) -> Masks:
        """Masks of what is prompted; of everything where nothing is.

        Args:
            forward: the network.
            picture: (H, W, 3).
            points: (N, 2) x and y in pixels, all of one thing.
            labels: (N,) 1 for a point inside, 0 outside; all inside by default.
            boxes: (N, 4) left, top, right, bottom, one thing each (one box where points are given).
            mask: (h, w) logits of an earlier answer at a quarter of the network's size.
            multimask: whether each prompt gives three masks; by default where one point is all
                that is said.
            points_per_side: without prompts, points across and down the picture.
            least_quality: without prompts, the least quality that the network expects of a mask.
            least_stability: likewise, how little a mask changes with its threshold, 0..1.
            overlap: of masks whose boxes share more than this, the better stays.
            least_area: without prompts, masks of fewer pixels than this are left out.

        Returns:
            The best first. Confidence is the quality that the network expects, 0..1.

        Raises:
            OptionError: prompts do not fit each other, or an option is out of its range.
        """
        height, width = picture.shape[:2]
        if labels is not None and points is None:
            raise OptionError("labels are given without points.")
        if points is None and boxes is None and mask is None:
            if not 1 <= points_per_side <= 128:
                raise OptionError(f"points_per_side is {points_per_side}.", hint="Give 1 to 128.")
            if least_area < 0:
                raise OptionError(f"least_area is {least_area}.", hint="Give 0 or more pixels.")
            found = self._candidates(
                forward, picture, points_per_side, least_quality, least_stability, least_area
            )
            kept = _without_doubles(found, overlap)
            return Masks(tuple(_mask(self._full(c.logits, height, width), c.quality) for c in kept))
        prompt = self._prompt(picture, points, labels, boxes, mask)
        if multimask is None:
            multimask = boxes is None and mask is None and prompt["points"].shape[1] == 1
        told = forward("decode", embedding=self._embedding(forward, picture), **prompt)
        chosen = slice(1, None) if multimask else slice(0, 1)
        logits = told["masks"][:, chosen].reshape(-1, *told["masks"].shape[2:])
        quality = told["iou"][:, chosen].ravel()
        masks = [
            _mask(self._full(plane, height, width), float(score))
            for plane, score in zip(logits, quality, strict=True)
        ]
        return Masks(tuple(sorted(masks, key=lambda found: -found.confidence)))

    def _prompt(
        self,
        picture: RGB,
        points: ArrayLike | None,
        labels: ArrayLike | None,
        boxes: ArrayLike | None,
        mask: NDArray[np.floating] | None,
    ) -> dict[str, NDArray[Any]]:
        """Prompts in the network's picture."""
        scale = self._scale(picture)
        told: dict[str, NDArray[Any]] = {}
        if points is not None:
            places = np.asarray(points, np.float32)
            if places.ndim != 2 or places.shape[1] != 2 or not len(places):
                raise OptionError(f"points are {places.shape}; give (N, 2), x and y in pixels.")
            kinds = np.ones(len(places)) if labels is None else np.asarray(labels).ravel()
            if len(kinds) != len(places) or not np.isin(kinds, (0, 1)).all():
                raise OptionError("labels: give 1 (inside) or 0 (outside) for each point.")
            told["points"] = (places * scale)[None]
            told["labels"] = kinds.astype(np.int64)[None]
        if boxes is not None:
            corners = np.asarray(boxes, np.float32).reshape(-1, 4)
            if not len(corners) or not (corners[:, 2:] > corners[:, :2]).all():
                raise OptionError("boxes: give left, top, right, bottom in pixels for each.")
            if points is not None and len(corners) > 1:
                raise OptionError("points go with one box at most.")
            told["boxes"] = corners * np.tile(scale, 2)
        if mask is not None:
            side = self.size // 4
            if mask.shape != (side, side):
                raise OptionError(f"mask is {mask.shape}; give logits of {side} by {side}.")
            told["masks"] = np.asarray(mask, np.float32)[None, None]
        return told

    def _candidates(
        self,
        forward: Forward,
        picture: RGB,
        per_side: int,
        least_quality: float,
        least_stability: float,
        least_area: int,
    ) -> list[_Candidate]:
        """What each point of a grid falls on, where it is good enough; the best first."""
        height, width = picture.shape[:2]
        steps = (np.arange(per_side) + 0.5) / per_side
        across, down = np.meshgrid(steps * width, steps * height)
        places = np.stack([across.ravel(), down.ravel()], 1).astype(np.float32)
        places *= self._scale(picture)
        embedding = self._embedding(forward, picture)
        found: list[_Candidate] = []
        for start in range(0, len(places), TOGETHER):
            part = places[start : start + TOGETHER, None]
            ones = np.ones((len(part), 1), np.int64)
            told = forward("decode", embedding=embedding, points=part, labels=ones)
            logits = told["masks"][:, 1:].reshape(-1, *told["masks"].shape[2:])
            quality = told["iou"][:, 1:].ravel()
            for number in np.nonzero(quality >= least_quality)[0]:
                # As published, judged at the picture's size, without what lies beside it.
                full = self._full(logits[number], height, width)
                wide, narrow = np.count_nonzero(full > -SHIFT), np.count_nonzero(full > SHIFT)
                if narrow == 0 or narrow < least_stability * wide:
                    continue
                mask = _mask(full, float(quality[number]))
                if mask.box is not None and np.count_nonzero(full > 0) >= least_area:
                    # Only the small logits are kept: hundreds of full masks would take gigabytes.
                    found.append(_Candidate(mask.confidence, mask.box, logits[number].copy()))
        return sorted(found, key=lambda candidate: -candidate.quality)

    def _scale(self, picture: RGB) -> Floats:
        """(2,) network pixels for one of the picture's, across and down."""
        height, width = picture.shape[:2]
        rows, columns = self._shown(height, width)
        return np.array([columns / width, rows / height], np.float32)

    def _shown(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns that the picture takes in the network's."""
        scale = self.size / max(height, width)
        return max(1, int(height * scale + 0.5)), max(1, int(width * scale + 0.5))

    def _embedding(self, forward: Forward, picture: RGB) -> Floats:
        mark = hashlib.sha256(repr(picture.shape).encode())
        mark.update(np.ascontiguousarray(picture).data)
        key = mark.digest()
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made: Floats = forward("encode", image=self.prepare(picture))["output"]
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return made

    def prepare(self, picture: RGB) -> Floats:
        """(1, 3, size, size) float32, normalised; zeros beside the picture."""
        rows, columns = self._shown(*picture.shape[:2])
        shown = Image.fromarray(picture).resize((columns, rows), Image.Resampling.BILINEAR)
        square = np.zeros((1, 3, self.size, self.size), np.float32)
        square[:, :, :rows, :columns] = normalised(np.asarray(shown), MEAN, STD, scale=1.0)
        return square

    def _full(self, logits: Floats, height: int, width: int) -> Floats:
        """(height, width) logits of a quarter of the network's picture."""
        whole = cv2.resize(logits, (self.size, self.size), interpolation=cv2.INTER_LINEAR)
        rows, columns = self._shown(height, width)
        cut = np.ascontiguousarray(np.asarray(whole)[:rows, :columns])
        found = cv2.resize(cut, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(found, np.float32)


def processing(variant: str, layout: str, config: Mapping[str, Any]) -> SamProcessing:
    """How a Segment Anything is used."""
    return SamProcessing(config.get("image_size") or 1024)


def _mask(logits: Floats, quality: float) -> Mask:
    """What lies above 0."""
    return Mask((logits > 0).astype(np.float32), float(np.clip(quality, 0.0, 1.0)))


def _without_doubles(candidates: Sequence[_Candidate], overlap: float) -> list[_Candidate]:
    """Those whose box does not share too much with a better one's; the best come first."""
    kept: list[_Candidate] = []
    for candidate in candidates:
        if all(_shared(candidate.box, better.box) <= overlap for better in kept):
            kept.append(candidate)
    return kept


def _shared(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> float:
    """Intersection over union of two boxes."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    if across <= 0 or down <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return across * down / (sum(areas) - across * down)
