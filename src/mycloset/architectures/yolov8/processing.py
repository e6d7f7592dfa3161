"""Pictures into a YOLOv8 within a grey frame; boxes, poses and masks out, in the picture's pixels.

As ultralytics has it: letterbox, best class of each place, suppression within classes, and back.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.architectures.classification import ImageNetProcessing
from mycloset.architectures.plans import Forward, Processing
from mycloset.architectures.suppression import suppress
from mycloset.errors import ModelFileError, OptionError
from mycloset.images import RGB
from mycloset.tasks.class_names import class_names
from mycloset.tasks.detections import Detections
from mycloset.tasks.poses import Pose, Poses
from mycloset.tasks.skeletons import COCO_17, Skeleton, numbered

Floats = NDArray[np.float32]

GREY = 114
"""Of the frame around the picture, 0..255."""
CANDIDATES = 30000
"""Places that suppression looks at, the surest ones."""


class Letterbox(NamedTuple):
    """A picture in its frame.

    Attributes:
        image: (1, 3, H, W) float32 RGB, 0..1.
        scale: how many of its pixels are one of the picture.
        left, top: width of the frame there, in pixels.
    """

    image: Floats
    scale: float
    left: int
    top: int

    def back(self, points: Floats, picture: RGB) -> Floats:
        """Points (..., 2) in the frame's pixels to the picture's, moved into the picture."""
        height, width = picture.shape[:2]
        moved = (points - np.array([self.left, self.top], np.float32)) / np.float32(self.scale)
        found: Floats = moved.clip(0, np.array([width, height], np.float32))
        return found


class YoloProcessing:
    """Finds things, people with their joints, or things with their masks.

    Args:
        task: "detect", "pose" or "segment".
        names: of the classes.
        size: longer side of the frame, in pixels.
        stride: its sides are multiples of this.
        points: of a pose, and values of each.
    """

    def __init__(
        self,
        task: str,
        names: tuple[str, ...],
        size: int,
        stride: int,
        points: tuple[int, int] = (0, 0),
    ) -> None:
        self.task = task
        self.names = names
        self.size = size
        self.stride = stride
        self.points = points
        joints = len(COCO_17.joints)
        self.skeleton: Skeleton = COCO_17 if points[0] == joints else numbered(points[0])

    def __call__(
        self,
        forward: Forward,
        picture: RGB,
        *,
        confidence: float = 0.25,
        iou: float = 0.7,
        most: int = 300,
        classes: Collection[str] | None = None,
        size: int | None = None,
    ) -> Detections | Poses:
        """What is in the picture, the surest first.

        Args:
            forward: the network.
            picture: (H, W, 3) RGB.
            confidence: least score, 0..1.
            iou: of two boxes of a class that share more than this of their union, one stays.
            most: so many are told at most.
            classes: names of those that are looked for; all by default.
            size: longer side at which the picture is looked at, in pixels.

        Returns:
            Poses of a pose network, else Detections.

        Raises:
            OptionError: an option has a value that it cannot have.
        """
        wanted = self._wanted(classes)
        for name, value in (("confidence", confidence), ("iou", iou)):
            if not 0.0 <= value <= 1.0:
                raise OptionError(f"{name}: {value} does not lie between 0 and 1.")
        if most < 1:
            raise OptionError(f"most: {most} is not positive.")
        box = letterbox(picture, self._checked(size), self.stride)
        output = forward(image=box.image)
        found = output["predictions"][0]
        boxes, scores, labels, rest = self._kept(found, confidence, iou, most, wanted)
        corners = box.back(boxes.reshape(-1, 2, 2), picture).reshape(-1, 4)
        if self.task == "pose":
            return self._poses(corners, scores, rest, box, picture)
        masks = None
        if self.task == "segment":
            masks = tuple(
                _mask(one, output["prototypes"][0], corner, box)
                for one, corner in zip(rest, corners, strict=True)
            )
        return Detections(corners, scores, labels, self.names, masks)

    def _kept(
        self,
        found: Floats,
        confidence: float,
        iou: float,
        most: int,
        wanted: NDArray[np.bool_] | None,
    ) -> tuple[Floats, Floats, NDArray[np.int64], Floats]:
        """Boxes (left, top, right, bottom), scores, classes, and what else there is of each."""
        number = len(self.names)
        probabilities = found[4 : 4 + number]
        # The rows are long: most places fall away before their classes are compared.
        some = np.flatnonzero(probabilities.max(axis=0) > confidence)
        labels = probabilities[:, some].argmax(axis=0)
        scores = probabilities[labels, some]
        if wanted is not None:
            here = wanted[labels]
            some, labels, scores = some[here], labels[here], scores[here]
        if len(some) > CANDIDATES:
            best = np.argsort(-scores, kind="stable")[:CANDIDATES]
            some, labels, scores = some[best], labels[best], scores[best]
        centre, half = found[:2, some].T, found[2:4, some].T / np.float32(2)
        boxes = np.concatenate([centre - half, centre + half], axis=1)
        kept = suppress(boxes, scores, labels, iou=iou, most=most)
        rest = found[4 + number :, some[kept]].T
        return boxes[kept], scores[kept], labels[kept].astype(np.int64), rest

    def _poses(
        self, boxes: Floats, scores: Floats, rest: Floats, box: Letterbox, picture: RGB
    ) -> Poses:
        number, values = self.points
        points = rest.reshape(-1, number, values)
        places = box.back(points[..., :2], picture)
        # Without a visibility a point is as sure as its person.
        sure = (
            points[..., 2]
            if values == 3
            else np.broadcast_to(scores[:, None], (len(scores), number))
        )
        people = zip(places, sure, scores, boxes, strict=True)
        return Poses(
            tuple(
                Pose(
                    self.skeleton,
                    np.ascontiguousarray(place),
                    np.ascontiguousarray(seen, np.float32),
                    float(score),
                    box=corner,
                )
                for place, seen, score, corner in people
            )
        )

    def _wanted(self, classes: Collection[str] | None) -> NDArray[np.bool_] | None:
        if classes is None:
            return None
        unknown = sorted(set(classes) - set(self.names))
        if isinstance(classes, str) or unknown:
            raise OptionError(
                f"classes: {classes if isinstance(classes, str) else unknown} is not known.",
                hint=f"A list of some of: {', '.join(self.names[:20])}.",
            )
        return np.array([name in classes for name in self.names])

    def _checked(self, size: int | None) -> int:
        side = self.size if size is None else size
        if not self.stride <= side <= 8192:
            raise OptionError(f"size: {side} does not lie between {self.stride} and 8192 pixels.")
        return -(-side // self.stride) * self.stride


class YoloClassification(ImageNetProcessing):
    """The middle of the picture, 0..1, without ImageNet's mean."""

    def prepare(self, picture: RGB) -> Floats:
        """(1, 3, crop, crop) float32, 0..1."""
        height, width = picture.shape[:2]
        scale = self.crop / min(height, width)
        side = (max(self.crop, round(width * scale)), max(self.crop, round(height * scale)))
        resized = cv2.resize(picture, side, interpolation=cv2.INTER_LINEAR).astype(np.uint8)
        top, left = (side[1] - self.crop) // 2, (side[0] - self.crop) // 2
        return _planes(resized[top : top + self.crop, left : left + self.crop])


def processing(variant: str, layout: str, config: Mapping[str, Any]) -> Processing:
    """How a YOLOv8 is used; `names` and `input_size` of the config as in `network.plan`.

    Raises:
        OptionError: there are not as many names as classes.
        ModelFileError: the network finds oriented boxes, of which there is no result.
    """
    task, classes = config["head"]["task"], config["nc"]
    given = config.get("names")
    names = class_names(classes) if given is None else tuple(str(name) for name in given)
    if given is None and task == "pose" and classes == 1:
        names = ("person",)
    if len(names) != classes:
        raise OptionError(f"names: {len(names)} of them, but the network has {classes} classes.")
    if task == "classify":
        side = config.get("input_size") or 224
        return YoloClassification(space=variant, resize=side, crop=side)
    if task == "obb":
        return _Oriented()
    points = config.get("kpt_shape", (0, 0))
    return YoloProcessing(
        task,
        names,
        config.get("input_size") or 640,
        max(config["strides"]),
        (int(points[0]), int(points[1])),
    )


class _Oriented:
    """Oriented boxes have no typed result; the network itself runs."""

    def __call__(self, forward: Forward, *pictures: RGB, **options: Any) -> Any:
        raise ModelFileError(
            "A YOLOv8 of oriented boxes has no result for pictures.",
            hint="Call model.network: its predictions are centre, size, classes and angle.",
        )


def letterbox(picture: RGB, size: int, stride: int) -> Letterbox:
    """A picture scaled to `size` on its longer side, in a grey frame to multiples of `stride`."""
    height, width = picture.shape[:2]
    scale = min(size / height, size / width)
    inner = (max(1, round(height * scale)), max(1, round(width * scale)))
    if inner != (height, width):
        picture = np.asarray(cv2.resize(picture, inner[::-1], interpolation=cv2.INTER_LINEAR))
    # The frame's halves, rounded as the authors do.
    spare = [(-side % stride) / 2 for side in inner]
    top, left = (round(half - 0.1) for half in spare)
    framed = np.full(
        (inner[0] + int(2 * spare[0]), inner[1] + int(2 * spare[1]), 3), GREY, np.uint8
    )
    framed[top : top + inner[0], left : left + inner[1]] = picture
    return Letterbox(_planes(framed), scale, left, top)


def _planes(picture: RGB) -> Floats:
    """(1, 3, H, W) float32, 0..1."""
    values = np.ascontiguousarray(picture.transpose(2, 0, 1)).astype(np.float32)
    values *= np.float32(1 / 255)
    return values[None]


def _mask(coefficients: Floats, prototypes: Floats, box: Floats, frame: Letterbox) -> Any:
    """A thing's mask on the whole pixels that its box touches."""
    number, height, width = prototypes.shape
    weighted = (coefficients @ prototypes.reshape(number, -1)).reshape(height, width)
    left, top = math.floor(float(box[0])), math.floor(float(box[1]))
    right, bottom = math.ceil(float(box[2])), math.ceil(float(box[3]))
    if right <= left or bottom <= top:
        return np.zeros((max(0, bottom - top), max(0, right - left)), bool)
    # From the box's pixels to the prototypes', which are a share of the frame's.
    x, y = (side / full for side, full in zip(
        (width, height), frame.image.shape[:1:-1], strict=True))  # fmt: skip
    matrix = np.array(
        [
            [frame.scale * x, 0, ((left + 0.5) * frame.scale + frame.left) * x - 0.5],
            [0, frame.scale * y, ((top + 0.5) * frame.scale + frame.top) * y - 0.5],
        ]
    )
    values = cv2.warpAffine(
        weighted,
        matrix,
        (right - left, bottom - top),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(values) > 0
