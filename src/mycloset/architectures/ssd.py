"""Single-shot detection as MediaPipe's detectors do it: anchors, decoding, weighted suppression.

Source: the graphs `pose_detection_cpu.pbtxt`, `face_detection_*.pbtxt` and the calculators that
they name (SsdAnchors, TensorsToDetections, NonMaxSuppression).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from mycloset.architectures.layouts import SsdLayout

Floats = NDArray[np.float32]

SCORE_CLIP = 100.0


@dataclass(frozen=True)
class Detection:
    """One detection, in unit coordinates of the square that was looked at.

    Attributes:
        box: (4,) float32, left, top, right, bottom.
        keypoints: (K, 2) float32, x and y.
        score: 0..1.
    """

    box: Floats
    keypoints: Floats
    score: float


@lru_cache(maxsize=8)
def anchors(layout: SsdLayout) -> Floats:
    """(N, 2) centres in unit coordinates; all anchors have the same size, the whole square.

    Layers of the same stride share a grid: the anchors of one place follow each other.
    """
    found = []
    done = 0
    while done < len(layout.strides):
        stride = layout.strides[done]
        same = 0
        while done < len(layout.strides) and layout.strides[done] == stride:
            same, done = same + 1, done + 1
        side = -(-layout.size // stride)
        ticks = (np.arange(side, dtype=np.float32) + np.float32(0.5)) / np.float32(side)
        rows, columns = np.meshgrid(ticks, ticks, indexing="ij")
        grid = np.stack([columns.ravel(), rows.ravel()], axis=1)
        found.append(np.repeat(grid, same * layout.per_layer, axis=0))
    centres: Floats = np.concatenate(found).astype(np.float32)
    centres.setflags(write=False)
    return centres


def decode(
    regressors: Floats,
    logits: Floats,
    layout: SsdLayout,
    *,
    min_score: float = 0.5,
    overlap: float = 0.3,
) -> tuple[Detection, ...]:
    """Detections from a detector's raw output, the surest first.

    Args:
        regressors: (N, 4 + 2K): x, y, width, height, then the key points, in input pixels relative
            to the anchor.
        logits: (N, 1) or (N,) scores before the sigmoid.
        layout: the detector's own.
        min_score: what a detection must reach.
        overlap: boxes that share more (intersection over union) are one.
    """
    clipped = np.clip(logits.reshape(-1), -SCORE_CLIP, SCORE_CLIP)
    scores = np.asarray(expit(clipped), np.float32)
    kept = np.flatnonzero(scores >= min_score)
    if not kept.size:
        return ()
    values = np.asarray(regressors[kept], np.float32) / np.float32(layout.size)
    centres = anchors(layout)[kept]
    middle, half = values[:, :2] + centres, values[:, 2:4] / 2
    boxes = np.concatenate([middle - half, middle + half], axis=1)
    points = values[:, 4 : 4 + 2 * layout.keypoints].reshape(len(kept), -1, 2) + centres[:, None]
    return suppress(boxes, points, scores[kept], overlap=overlap)


def suppress(
    boxes: Floats, keypoints: Floats, scores: Floats, *, overlap: float
) -> tuple[Detection, ...]:
    """Merge boxes that mean the same thing: the mean of each cluster, weighted by score.

    Args:
        boxes: (N, 4) left, top, right, bottom.
        keypoints: (N, K, 2).
        scores: (N,) 0..1.
        overlap: intersection over union above which a box joins the surest one's cluster.
    """
    rest = np.argsort(-scores, kind="stable")
    found = []
    while rest.size:
        best = rest[0]
        joined = _iou(boxes[best], boxes[rest]) > overlap
        joined[0] = True  # a box without area overlaps not even itself
        cluster = rest[joined]
        weights = scores[cluster] / scores[cluster].sum()
        found.append(
            Detection(
                box=np.einsum("n,nc->c", weights, boxes[cluster]).astype(np.float32),
                keypoints=np.einsum("n,nkc->kc", weights, keypoints[cluster]).astype(np.float32),
                score=float(scores[best]),
            )
        )
        rest = rest[~joined]
    return tuple(found)


def _iou(box: Floats, others: Floats) -> Floats:
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[2:], others[:, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(np.clip(others[:, 2:] - others[:, :2], 0, None), axis=1)
    own = float(np.prod(np.clip(box[2:] - box[:2], 0, None)))
    union = own + areas - shared
    found = np.divide(shared, union, out=np.zeros_like(union), where=union > 0)
    return np.asarray(found, np.float32)
