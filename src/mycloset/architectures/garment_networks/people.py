"""A person as try-on networks are told of them: labels by number, joints, and their frame."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mycloset.architectures.garment_networks.frames import Frame, frame_of
from mycloset.errors import PersonError
from mycloset.images import RGB
from mycloset.tasks.label_tables import LIP_20
from mycloset.tasks.parsing import HumanParsing
from mycloset.tasks.poses import OPENPOSE_18, Pose, convert

Floats = NDArray[np.float32]
Labels = NDArray[np.uint8]

LEAST_SURE = 0.05
"""Joints that are less sure count as not seen, as OpenPose has it."""
MARGIN = 0.05

NUMBERS = {label: number for number, label in enumerate(LIP_20.labels)} | {
    "jumpsuits": 6,
    "neck": 10,
    "torso-skin": 10,
    "belt": 9,
    "bag": 0,
}
"""Label -> its number in the parsings that VITON-HD and CP-VTON were trained with: LIP's order; 10
is the bare skin of the torso (CIHP), so that LIP's jumpsuits count as a dress."""


class Subject(NamedTuple):
    """A person in a network's frame.

    Attributes:
        frame: which part of the photo it is.
        rgb: (h, w, 3) uint8.
        labels: (h, w) uint8, numbers of `NUMBERS`.
        joints: (18, 2) float32, OpenPose's 18 joints in the frame's pixels; (0, 0) where not seen.
    """

    frame: Frame
    rgb: RGB
    labels: Labels
    joints: Floats

    def seen(self, *joints: str) -> bool:
        """Whether all of these joints are seen."""
        return all(self.joint(name).any() for name in joints)

    def joint(self, name: str) -> Floats:
        """(2,) x and y of a joint."""
        found: Floats = self.joints[OPENPOSE_18.index(name)]
        return found


def subject(rgb: RGB, parsing: HumanParsing, pose: Pose, size: tuple[int, int]) -> Subject:
    """A person as a network of this size sees them.

    A photo of the network's proportions is taken whole, as published. Of any other the frame is
    cut round the person, from the top of the head down to the knees, which is about what the
    networks' data sets show.

    Args:
        rgb: (H, W, 3) the photo.
        parsing: of the photo's size.
        pose: with at least OpenPose's 18 joints.
        size: the network's height and width.

    Raises:
        PersonError: no person is seen, or no shoulders.
    """
    labels = numbered_labels(parsing)
    if labels.shape != rgb.shape[:2]:
        raise PersonError(
            f"the parsing is of a picture of {labels.shape[1]} x {labels.shape[0]} pixels, the"
            f" person's has {rgb.shape[1]} x {rgb.shape[0]}.",
            hint="Parse the picture that is given.",
        )
    known = convert(pose, OPENPOSE_18)
    sure = known.confidence >= LEAST_SURE
    if not sure[[2, 5]].all():
        raise PersonError(
            "the shoulders are not seen.", hint="Give a photo that shows the upper body."
        )
    frame = frame_of((rgb.shape[0], rgb.shape[1]), size, _box(labels, known, sure))
    joints = np.where(sure[:, None], frame.inward(known.points), np.float32(0))
    return Subject(frame, frame.take(rgb), frame.take_labels(labels), joints.astype(np.float32))


def numbered_labels(parsing: HumanParsing) -> Labels:
    """(H, W) uint8: a parsing in the numbers of `NUMBERS`, whatever its table."""
    if not all(label in NUMBERS for label in parsing.table.labels):
        parsing = parsing.to_table(LIP_20)
    numbers = np.array([NUMBERS[label] for label in parsing.table.labels], np.uint8)
    found: Labels = numbers[parsing.labels]
    return found


def _box(labels: Labels, pose: Pose, sure: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    """The person from the top of the head to the knees, with a little room.

    Raises:
        PersonError: the parsing holds nobody.
    """
    rows = np.flatnonzero((labels > 0).any(axis=1))
    if not rows.size:
        raise PersonError("the parsing shows nobody.", hint="Give a photo of a person.")
    top, bottom = float(rows[0]), float(rows[-1] + 1)
    knees = [float(pose.points[joint, 1]) for joint in (9, 12) if sure[joint]]
    if knees and top < max(knees) < bottom:
        bottom = max(knees)
    columns = np.flatnonzero((labels[round(top) : round(bottom)] > 0).any(axis=0))
    left, right = float(columns[0]), float(columns[-1] + 1)
    room = MARGIN * (bottom - top)
    return left - room, top - room, right + room, bottom
