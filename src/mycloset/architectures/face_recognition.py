"""What face recognition networks share: a face cut out and straightened, an Embedding out."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from mycloset.architectures.plans import Forward, normalised
from mycloset.errors import OptionError
from mycloset.images import RGB
from mycloset.tasks.embeddings import Embedding

TEMPLATE = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)
"""Where the eyes, the nose and the mouth's corners (left to right in the picture) lie in a face of
112 x 112 pixels; deepinsight/insightface, python-package/insightface/utils/face_align.py."""


def template(size: int) -> NDArray[np.float64]:
    """(5, 2) x and y of the five points in a face of `size` x `size` pixels.

    Sizes that are no multiple of 112 have the face of 112 pixels in the middle of 128.
    """
    points = np.asarray(TEMPLATE, np.float64)
    if size % 112 == 0:
        return points * (size / 112)
    found: NDArray[np.float64] = points * (size / 128) + (8 * size / 128, 0)
    return found


def similarity_transform(
    source: NDArray[np.float64], target: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(2, 3) the rotation, scale and shift that bring points nearest to others (least squares).

    Args:
        source, target: (N, 2), of which `source` do not all lie in one place.

    Raises:
        OptionError: all source points are one.
    """
    # A similarity without reflection is the complex a z + b.
    here = source[:, 0] + 1j * source[:, 1]
    there = target[:, 0] + 1j * target[:, 1]
    middle = here.mean()
    spread = float((np.abs(here - middle) ** 2).sum())
    if not spread > 0:
        raise OptionError("landmarks: the five points are one.", hint="Give x and y in pixels.")
    turn = ((there - there.mean()) * np.conj(here - middle)).sum() / spread
    shift = there.mean() - turn * middle
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def aligned_face(picture: RGB, landmarks: ArrayLike, size: int = 112) -> RGB:
    """(size, size, 3) the face, turned and scaled so that its points lie on the template.

    Args:
        picture: (H, W, 3).
        landmarks: (5, 2) x and y in pixels: left eye, right eye, nose, left and right corner of
            the mouth, left and right as in the picture.
        size: side of the result.

    Raises:
        OptionError: the landmarks are not five finite points.
    """
    points = np.asarray(landmarks, np.float64)
    if points.shape != (5, 2) or not np.isfinite(points).all():
        raise OptionError(
            f"landmarks: five points (5, 2) are wanted, not {points.shape}.",
            hint="Give the eyes, the nose and the mouth's corners, x and y in pixels.",
        )
    matrix = similarity_transform(points, template(size))
    return np.asarray(cv2.warpAffine(picture, matrix, (size, size), flags=cv2.INTER_LINEAR))


class FaceRecognitionProcessing:
    """A straightened face of fixed size into the network, its embedding out.

    The network gives "embedding" (N, D), and "logits" (N, identities) where it has a classifier.

    Args:
        space: name of the network's vectors.
        size: side of the network's picture.
        mean, scale: a channel's values (0..255) are reduced by the mean and divided by the scale.
    """

    def __init__(self, *, space: str, size: int, mean: float = 127.5, scale: float = 127.5) -> None:
        self.space = space
        self.size = size
        self.mean = mean
        self.scale = scale

    def __call__(
        self,
        forward: Forward,
        picture: RGB,
        *,
        landmarks: ArrayLike | None = None,
        box: ArrayLike | None = None,
        flip: bool = False,
    ) -> Embedding:
        """The embedding of one face.

        Args:
            forward: the network.
            picture: RGB.
            landmarks: (5, 2) x and y in pixels (eyes, nose, mouth's corners): the face is
                straightened by them. Without them and a box the whole picture is taken for a
                face that is straight already.
            box: left, top, right, bottom in pixels: the face is cut out there.
            flip: whether the mirrored face's embedding is added (as in the tests on IJB).

        Raises:
            OptionError: landmarks or box cannot be used, or both are given.
        """
        face = self._face(picture, landmarks, box)
        faces = [face, face[:, ::-1]] if flip else [face]
        found = self._run(forward, faces)
        if not flip:
            return found[0]
        return Embedding(found[0].vector + found[1].vector, self.space, found[0].logits)

    def batch(self, forward: Forward, pictures: Sequence[RGB]) -> list[Embedding]:
        """The embeddings of several pictures, each a face, in one forward."""
        return self._run(forward, [self._face(picture, None, None) for picture in pictures])

    def prepare(self, face: RGB) -> NDArray[np.float32]:
        """(1, 3, size, size) float32 of a face of that size."""
        return normalised(face, (self.mean,) * 3, (self.scale,) * 3, scale=1.0)

    def _run(self, forward: Forward, faces: Sequence[RGB]) -> list[Embedding]:
        found = forward(image=np.concatenate([self.prepare(face) for face in faces]))
        logits = found.get("logits")
        return [
            Embedding(vector, self.space, None if logits is None else logits[number])
            for number, vector in enumerate(found["embedding"])
        ]

    def _face(self, picture: RGB, landmarks: ArrayLike | None, box: ArrayLike | None) -> RGB:
        if landmarks is not None and box is not None:
            raise OptionError("landmarks and box are given; a face is cut out by one of them.")
        if landmarks is not None:
            return aligned_face(picture, landmarks, self.size)
        if box is not None:
            picture = _cut(picture, box)
        smaller = picture.shape[0] > self.size or picture.shape[1] > self.size
        how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(picture, (self.size, self.size), interpolation=how))


def _cut(picture: RGB, box: ArrayLike) -> RGB:
    """The part of a picture within a box.

    Raises:
        OptionError: there is none.
    """
    corners = np.asarray(box, np.float64)
    height, width = picture.shape[:2]
    if corners.shape != (4,) or not np.isfinite(corners).all():
        raise OptionError("box: left, top, right and bottom in pixels are wanted.")
    left, top, right, bottom = (int(value) for value in corners)
    left, top, right, bottom = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    if left >= right or top >= bottom:
        raise OptionError(f"box: nothing of the picture of {width} x {height} lies in it.")
    return picture[top:bottom, left:right]
