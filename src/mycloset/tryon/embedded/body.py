"""The body below the clothes: lengths, axes and zones read from a pose, in one common scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mycloset.tasks.people import Person
from mycloset.tasks.poses import Pose

Points = NDArray[np.float32]

SIDES = ("left", "right")

# Vertices of the 468-point face mesh along the face's outline, from the top of the forehead
# clockwise in the picture (MediaPipe face mesh topology).
FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
CHIN = 152


@dataclass(frozen=True)
class Body:
    """Body geometry in picture pixels; "left" is the person's own.

    Attributes:
        pose: BlazePose-33 joints.
        unit: breadth between the shoulder joints as it would be seen from the front, in pixels.
        neck: (2,) base of the neck: the middle of the shoulder joints.
        hips: (2,) middle of the hip joints (estimated where they are not seen).
        down: (2,) unit vector along the torso, neck to hips.
        across: (2,) unit vector from the person's right shoulder to the left one.
        chin: (2,) lowest point of the face, estimated from the shoulders where no face is seen.
        face: (N, 2) outline of the face, or None.
        turn: yaw of the shoulders in radians, 0 facing the camera, positive when the person's left
            shoulder is farther away.
        hips_seen: whether the hip joints are inside the picture and believed.
    """

    pose: Pose
    unit: float
    neck: Points
    hips: Points
    down: Points
    across: Points
    chin: Points
    face: Points | None
    turn: float
    hips_seen: bool

    def joint(self, name: str) -> Points:
        """(2,) position of a joint."""
        return self.pose.point(name)

    def arm(self, side: str) -> Points:
        """(3, 2) shoulder, elbow, wrist."""
        return np.stack([self.joint(f"{side}_{name}") for name in ("shoulder", "elbow", "wrist")])

    def hand(self, side: str) -> Points:
        """(2,) middle of the hand: between its three known fingers."""
        names = [f"{side}_{finger}" for finger in ("pinky", "index", "thumb")]
        middle: Points = np.mean([self.joint(name) for name in names], axis=0)
        return middle

    def leg(self, side: str) -> Points:
        """(3, 2) hip, knee, ankle."""
        return np.stack([self.joint(f"{side}_{name}") for name in ("hip", "knee", "ankle")])

    def sure(self, joint: str) -> float:
        """How visible a joint is, 0..1."""
        return self.pose.sure(joint)

    def scaled(self, factor: float) -> Body:
        """The same body in a picture `factor` times as large."""
        pose = Pose(
            self.pose.skeleton,
            (self.pose.points * factor).astype(np.float32),
            self.pose.confidence,
            self.pose.score,
            None if self.pose.depth is None else self.pose.depth * np.float32(factor),
            self.pose.world,
        )
        return Body(
            pose,
            self.unit * factor,
            self.neck * factor,
            self.hips * factor,
            self.down,
            self.across,
            self.chin * factor,
            None if self.face is None else self.face * factor,
            self.turn,
            self.hips_seen,
        )


def read_body(person: Person) -> Body:
    """Measure the body of a person in its picture."""
    pose = person.pose
    height, width = person.mask.alpha.shape
    left, right = pose.point("left_shoulder"), pose.point("right_shoulder")
    neck = (left + right) / 2
    turn = _turn(pose)
    seen = float(np.linalg.norm(left - right))
    face = None
    if person.face is not None and person.face.mesh is not None:
        face = person.face.mesh[list(FACE_OVAL)].astype(np.float32)
    hips = (pose.point("left_hip") + pose.point("right_hip")) / 2
    hips_seen = (
        bool((hips[1] < height) & (hips[0] > 0) & (hips[0] < width))
        and min(pose.sure("left_hip"), pose.sure("right_hip")) > 0.3
    )
    torso = float(np.linalg.norm(hips - neck))
    # Frontal shoulder breadth: what is seen, undone for the turn, and no less than the torso's
    # length implies (shoulder joints are 0.62..0.75 of the neck-hip distance apart).
    unit = max(seen / max(np.cos(turn), 0.5), 0.5 * torso if hips_seen else 0.0, 1.0)
    across = _direction(left - right, np.array([1.0, 0.0], np.float32))
    down = _direction(hips - neck, np.array([-across[1], across[0]], np.float32))
    if down[1] < 0:
        down = np.array([0.0, 1.0], np.float32)
    chin = face[FACE_OVAL.index(CHIN)] if face is not None else neck - down * (0.42 * unit)
    return Body(
        pose,
        unit,
        neck.astype(np.float32),
        hips.astype(np.float32),
        down,
        across,
        np.asarray(chin, np.float32),
        face,
        turn,
        hips_seen,
    )


def capsule(
    xs: Points, ys: Points, start: Points, end: Points
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Distance (pixels) of every pixel from a segment, and its place along it (0 start .. 1 end).

    The place is not clipped: below 0 is before the start, above 1 beyond the end.
    """
    axis = np.asarray(end, np.float32) - np.asarray(start, np.float32)
    length2 = max(float(axis @ axis), 1e-6)
    dx, dy = xs - start[0], ys - start[1]
    place = (dx * axis[0] + dy * axis[1]) / length2
    t = np.clip(place, 0, 1)
    # Not np.hypot: it guards against overflow, which pixels cannot reach, at ten times the time.
    distance = np.sqrt((dx - t * axis[0]) ** 2 + (dy - t * axis[1]) ** 2)
    return distance.astype(np.float32), place.astype(np.float32)


def _turn(pose: Pose) -> float:
    if pose.world is None:
        return 0.0
    across = (
        pose.world[pose.skeleton.index("left_shoulder")]
        - (pose.world[pose.skeleton.index("right_shoulder")])
    )
    return float(np.clip(np.arctan2(across[2], abs(across[0]) + 1e-6), -1.2, 1.2))


def _direction(vector: NDArray[np.floating], fallback: Points) -> Points:
    length = float(np.linalg.norm(vector))
    return (vector / length).astype(np.float32) if length > 1e-3 else fallback
