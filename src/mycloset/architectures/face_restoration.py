"""What networks that restore faces share: bringing faces to their place, and putting them back.

The places, the grey around a face and the soft edge are those of facexlib's FaceRestoreHelper.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from mycloset.architectures.plans import Forward, normalised
from mycloset.errors import ImageError, OptionError
from mycloset.images import RGB
from mycloset.tasks.pictures import Image

FFHQ_POINTS = np.array(
    [
        [192.98138, 239.94708],
        [318.90277, 240.1936],
        [256.63416, 314.01935],
        [201.26117, 371.41043],
        [313.08905, 371.15118],
    ]
)
"""Left and right eye, nose, left and right corner of the mouth, as seen in the picture, in a face
of 512x512 pixels."""

_BORDER = (132, 133, 135)
"""What is beyond the picture's edge, RGB."""
_UNLIKE = 0.02
"""How much the sides of an aligned face may differ."""


class FaceRestoration:
    """Puts aligned faces through a network that takes and gives RGB of -1..1.

    Args:
        side: of the network's faces, in pixels.
        name: what made a result, for `Image.made_by`.
    """

    def __init__(self, *, side: int, name: str = "") -> None:
        self.side = side
        self.name = name

    def __call__(
        self,
        forward: Forward,
        picture: RGB,
        *,
        landmarks: ArrayLike | None = None,
        scale: float = 1.0,
        background: RGB | None = None,
        random_noise: bool = False,
    ) -> Image:
        """The restored face, or the picture with all its faces restored.

        Args:
            forward: the network.
            picture: (H, W, 3) uint8 RGB: one aligned face, square; or any, with `landmarks`.
            landmarks: (faces, 5, 2) x and y in the picture's pixels: the eyes, the nose and the
                corners of the mouth, each first the left one as seen.
            scale: by how much the picture with its faces put back shall be larger; an aligned face
                comes out as large as the network makes it.
            background: (scale * H, scale * W, 3) uint8: what faces are put back into, say of an
                enlarging network; by default the picture, resized (Lanczos).
            random_noise: fresh noise in the network's generator, as the authors' demo has it; by
                default the file's, so that results are always the same.

        Raises:
            ImageError: the picture is not square, and no landmarks say where its faces are.
            OptionError: an option has a value that it cannot have.
        """
        options: dict[str, Any] = {"random_noise": random_noise}
        height, width = picture.shape[:2]
        if landmarks is None:
            if abs(height - width) > _UNLIKE * max(height, width):
                raise ImageError(
                    f"picture: {width}x{height} pixels are not an aligned face, which is square.",
                    hint="Say where faces are: landmarks=, five points each.",
                )
            face = _restored(forward, _fitted(picture, self.side), options)
            return Image(face, self.side / width, self.name, 1)
        points = _points(landmarks)
        if not 0 < scale <= 32:
            raise OptionError(
                f"scale: {scale} is not possible.", hint="Give more than 0, up to 32."
            )
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        if background is None:
            result = picture.copy()
            if scale != 1:
                made = cv2.resize(picture, size, interpolation=cv2.INTER_LANCZOS4)
                result = np.asarray(made, np.uint8)
        elif background.shape != (size[1], size[0], 3) or background.dtype != np.uint8:
            raise OptionError(
                f"background: it is {background.dtype} of {background.shape}.",
                hint=f"Give uint8 of {(size[1], size[0], 3)}.",
            )
        else:
            result = background.copy()
        for five in points:
            matrix = similarity(five, FFHQ_POINTS * (self.side / 512))
            aligned = cv2.warpAffine(
                picture,
                matrix,
                (self.side, self.side),
                borderMode=cv2.BORDER_CONSTANT,
                borderValue=_BORDER,
            )
            face = _restored(forward, np.asarray(aligned, np.uint8), options)
            _paste(result, face, matrix, scale)
        return Image(result, float(scale), self.name, len(points))


def similarity(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, 3): the turn, scale and shift that bring points nearest to others (least squares).

    Args:
        source, target: (N, 2).

    Raises:
        OptionError: all points of the source are one.
    """
    centre, aim = source.mean(0), target.mean(0)
    first, second = source - centre, target - aim
    spread = float((first**2).sum())
    if not spread > 1e-9:
        raise OptionError("landmarks: all five points are one.")
    along = float((first * second).sum()) / spread
    across = float((first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]).sum()) / spread
    turn = np.array([[along, -across], [across, along]])
    return np.concatenate([turn, (aim - turn @ centre)[:, None]], axis=1)


def _points(landmarks: ArrayLike) -> NDArray[np.float64]:
    """(faces, 5, 2), checked."""
    points = np.asarray(landmarks, np.float64)
    if points.shape == (5, 2):
        points = points[None]
    if points.size == 0:
        return np.empty((0, 5, 2))
    if points.ndim != 3 or points.shape[1:] != (5, 2) or not np.isfinite(points).all():
        raise OptionError(
            f"landmarks: they have shape {points.shape}.",
            hint="Give (faces, 5, 2): eyes, nose, corners of the mouth, x and y each.",
        )
    return points


def _fitted(picture: RGB, side: int) -> RGB:
    if picture.shape[:2] == (side, side):
        return picture
    return np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)


def _restored(forward: Forward, face: RGB, options: dict[str, Any]) -> RGB:
    """(side, side, 3) uint8 of what the network makes of a face."""
    found = forward(image=normalised(face, (0.5,) * 3, (0.5,) * 3), **options)["output"][0]
    planes = np.clip(found, -1, 1)
    planes += np.float32(1)
    planes *= np.float32(127.5)
    np.rint(planes, out=planes)
    return np.asarray(cv2.merge([*planes.astype(np.uint8)]), np.uint8)


def _paste(result: RGB, face: RGB, matrix: NDArray[np.float64], scale: float) -> None:
    """Put a face back where it was, with a soft edge; `result` is changed."""
    side = face.shape[0]
    turn = np.linalg.inv(matrix[:, :2])
    # From the face to the enlarged picture, pixels' middles kept.
    back = np.empty((2, 3))
    back[:, :2] = scale * turn
    back[:, 2] = 0.5 * scale - 0.5 - scale * (turn @ matrix[:, 2])
    corners = np.array([[0, 0], [side, 0], [0, side], [side, side]], np.float64)
    reach = corners @ back[:, :2].T + back[:, 2]
    low = np.maximum(np.floor(reach.min(0)).astype(int) - 2, 0)
    high = np.minimum(np.ceil(reach.max(0)).astype(int) + 3, (result.shape[1], result.shape[0]))
    if (high <= low).any():
        return
    back[:, 2] -= low
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    shrunk = float(np.sqrt(abs(np.linalg.det(back[:, :2]))))
    whole = back.copy()
    if shrunk < 0.75:
        # Interpolation alone would skip pixels.
        few = max(1, round(side * shrunk))
        face = np.asarray(cv2.resize(face, (few, few), interpolation=cv2.INTER_AREA), np.uint8)
        ratio = side / few
        whole[:, 2] += back[:, :2] @ np.full(2, 0.5 * ratio - 0.5)
        whole[:, :2] *= ratio
    warped = cv2.warpAffine(face, whole, size, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.warpAffine(np.ones((side, side), np.float32), back, size)
    edge = int(np.sqrt(float(mask.sum()))) // 20
    mask = cv2.erode(mask, np.ones((max(1, int(2 * scale)),) * 2, np.uint8))
    if edge:
        kernel = np.ones((2 * edge, 2 * edge), np.uint8)
        border = cv2.BORDER_REPLICATE  # What the picture's edge cuts off has no edge there.
        mask = cv2.erode(mask, kernel, borderType=border)
        mask = cv2.GaussianBlur(mask, (2 * edge + 1, 2 * edge + 1), 0, borderType=border)
    part = result[low[1] : high[1], low[0] : high[0]]
    share = np.asarray(mask, np.float32)[..., None]
    mixed = part + (np.asarray(warped, np.float32) - part) * share
    part[:] = np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
