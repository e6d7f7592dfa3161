"""Skeletons: which joints a pose has, in which order, and the limbs between them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Skeleton:
    """An ordered list of joints and the limbs between them.

    "left" and "right" are the person's own.
    """

    name: str
    joints: tuple[str, ...]
    limbs: tuple[tuple[str, str], ...]

    def index(self, joint: str) -> int:
        """Position of `joint`; KeyError where this skeleton has no such joint."""
        try:
            return self.joints.index(joint)
        except ValueError:
            raise KeyError(f"{self.name} has no joint {joint!r}") from None


BLAZEPOSE_33 = Skeleton(
    "BlazePose-33",
    (
        "nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye",
        "right_eye_outer", "left_ear", "right_ear", "mouth_left", "mouth_right", "left_shoulder",
        "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_pinky",
        "right_pinky", "left_index", "right_index", "left_thumb", "right_thumb", "left_hip",
        "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle", "left_heel",
        "right_heel", "left_foot_index", "right_foot_index",
    ),
    (
        ("nose", "left_eye_inner"), ("left_eye_inner", "left_eye"), ("left_eye", "left_eye_outer"),
        ("left_eye_outer", "left_ear"), ("nose", "right_eye_inner"),
        ("right_eye_inner", "right_eye"), ("right_eye", "right_eye_outer"),
        ("right_eye_outer", "right_ear"), ("mouth_left", "mouth_right"),
        ("left_shoulder", "right_shoulder"), ("left_shoulder", "left_elbow"),
        ("left_elbow", "left_wrist"), ("left_wrist", "left_pinky"), ("left_wrist", "left_index"),
        ("left_wrist", "left_thumb"), ("left_pinky", "left_index"),
        ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"),
        ("right_wrist", "right_pinky"), ("right_wrist", "right_index"),
        ("right_wrist", "right_thumb"), ("right_pinky", "right_index"),
        ("left_shoulder", "left_hip"), ("right_shoulder", "right_hip"), ("left_hip", "right_hip"),
        ("left_hip", "left_knee"), ("left_knee", "left_ankle"), ("left_ankle", "left_heel"),
        ("left_heel", "left_foot_index"), ("left_ankle", "left_foot_index"),
        ("right_hip", "right_knee"), ("right_knee", "right_ankle"), ("right_ankle", "right_heel"),
        ("right_heel", "right_foot_index"), ("right_ankle", "right_foot_index"),
    ),
)  # fmt: skip
"""Order as in MediaPipe's pose landmark model card."""

COCO_17 = Skeleton(
    "COCO-17",
    (
        "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder",
        "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip",
        "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    ),
    (
        ("nose", "left_eye"), ("nose", "right_eye"), ("left_eye", "right_eye"),
        ("left_eye", "left_ear"), ("right_eye", "right_ear"), ("left_ear", "left_shoulder"),
        ("right_ear", "right_shoulder"), ("left_shoulder", "right_shoulder"),
        ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
        ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"),
        ("left_shoulder", "left_hip"), ("right_shoulder", "right_hip"), ("left_hip", "right_hip"),
        ("left_hip", "left_knee"), ("left_knee", "left_ankle"), ("right_hip", "right_knee"),
        ("right_knee", "right_ankle"),
    ),
)  # fmt: skip
"""Order as in the COCO key point annotations."""

OPENPOSE_18 = Skeleton(
    "OpenPose-18",
    (
        "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder",
        "left_elbow", "left_wrist", "right_hip", "right_knee", "right_ankle", "left_hip",
        "left_knee", "left_ankle", "right_eye", "left_eye", "right_ear", "left_ear",
    ),
    (
        ("neck", "right_shoulder"), ("neck", "left_shoulder"), ("right_shoulder", "right_elbow"),
        ("right_elbow", "right_wrist"), ("left_shoulder", "left_elbow"),
        ("left_elbow", "left_wrist"), ("neck", "right_hip"), ("right_hip", "right_knee"),
        ("right_knee", "right_ankle"), ("neck", "left_hip"), ("left_hip", "left_knee"),
        ("left_knee", "left_ankle"), ("neck", "nose"), ("nose", "right_eye"),
        ("right_eye", "right_ear"), ("nose", "left_eye"), ("left_eye", "left_ear"),
    ),
)  # fmt: skip
"""Order as in OpenPose's COCO body model."""

OPENPOSE_HAND_21 = Skeleton(
    "OpenPose-hand-21",
    (
        "wrist",
        *(f"{finger}_{number}" for finger in ("thumb", "index", "middle", "ring", "little")
          for number in range(1, 5)),
    ),
    tuple(
        ("wrist" if number == 1 else f"{finger}_{number - 1}", f"{finger}_{number}")
        for finger in ("thumb", "index", "middle", "ring", "little")
        for number in range(1, 5)
    ),
)  # fmt: skip
"""Order as in OpenPose's hand model: each finger from its root to its tip."""


def _hand_joint(side: str, joint: str) -> str:
    """A joint of one of two hands; its root is no second wrist of the body."""
    return f"{side}_hand_wrist" if joint == "wrist" else f"{side}_{joint}"


_HANDS = tuple(
    tuple(_hand_joint(side, joint) for joint in OPENPOSE_HAND_21.joints)
    for side in ("left", "right")
)
_FEET = tuple(
    f"{side}_{part}" for side in ("left", "right") for part in ("big_toe", "small_toe", "heel")
)
_FACE = tuple(f"face_{number}" for number in range(68))
_FACE_LINES = (
    range(17), range(17, 22), range(22, 27), range(27, 31), range(31, 36), (*range(36, 42), 36),
    (*range(42, 48), 42), (*range(48, 60), 48), (*range(60, 68), 60),
)  # fmt: skip
"""Jaw, brows, bridge and wings of the nose, eyes, outer and inner lips."""

COCO_WHOLEBODY_133 = Skeleton(
    "COCO-WholeBody-133",
    (*COCO_17.joints, *_FEET, *_FACE, *_HANDS[0], *_HANDS[1]),
    (
        *COCO_17.limbs,
        *(
            (f"{side}_ankle", f"{side}_{part}")
            for side in ("left", "right")
            for part in ("big_toe", "small_toe", "heel")
        ),
        *(
            (f"face_{first}", f"face_{second}")
            for line in _FACE_LINES
            for first, second in pairwise(line)
        ),
        *((f"{side}_wrist", f"{side}_hand_wrist") for side in ("left", "right")),
        *(
            (_hand_joint(side, first), _hand_joint(side, second))
            for side in ("left", "right")
            for first, second in OPENPOSE_HAND_21.limbs
        ),
    ),
)
"""Order as in the COCO-WholeBody annotations (Jin et al. 2020): body, feet, face, both hands."""

MPII_16 = Skeleton(
    "MPII-16",
    (
        "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "pelvis",
        "thorax", "upper_neck", "head_top", "right_wrist", "right_elbow", "right_shoulder",
        "left_shoulder", "left_elbow", "left_wrist",
    ),
    (
        ("right_ankle", "right_knee"), ("right_knee", "right_hip"), ("right_hip", "pelvis"),
        ("pelvis", "left_hip"), ("left_hip", "left_knee"), ("left_knee", "left_ankle"),
        ("pelvis", "thorax"), ("thorax", "upper_neck"), ("upper_neck", "head_top"),
        ("right_wrist", "right_elbow"), ("right_elbow", "right_shoulder"),
        ("right_shoulder", "thorax"), ("thorax", "left_shoulder"),
        ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
    ),
)  # fmt: skip
"""Order as in the MPII Human Pose annotations."""

CROWDPOSE_14 = Skeleton(
    "CrowdPose-14",
    (
        "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist",
        "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
        "right_ankle", "head_top", "neck",
    ),
    (
        ("head_top", "neck"), ("neck", "left_shoulder"), ("neck", "right_shoulder"),
        ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
        ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"),
        ("left_shoulder", "left_hip"), ("right_shoulder", "right_hip"), ("left_hip", "right_hip"),
        ("left_hip", "left_knee"), ("left_knee", "left_ankle"), ("right_hip", "right_knee"),
        ("right_knee", "right_ankle"),
    ),
)  # fmt: skip
"""Order as in the CrowdPose annotations."""


def numbered(joints: int) -> Skeleton:
    """Joints that nothing is known of: "joint_0", "joint_1", ..., without limbs."""
    return Skeleton(f"{joints} joints", tuple(f"joint_{number}" for number in range(joints)), ())


def mirrored(skeleton: Skeleton) -> tuple[int, ...]:
    """For each joint the one that it becomes in a mirrored picture (its own place: none)."""
    places = {joint: place for place, joint in enumerate(skeleton.joints)}
    return tuple(places.get(_other_side(joint), place) for joint, place in places.items())


_FACE_PAIRS = {
    **{number: 16 - number for number in range(17)},
    **{number: 43 - number for number in range(17, 27)},
    **{number: 66 - number for number in range(31, 36)},
    36: 45, 37: 44, 38: 43, 39: 42, 40: 47, 41: 46,
    48: 54, 49: 53, 50: 52, 55: 59, 56: 58, 60: 64, 61: 63, 65: 67,
}  # fmt: skip
"""Points of the 68-point face that lie opposite each other."""
_OPPOSITE = _FACE_PAIRS | {second: first for first, second in _FACE_PAIRS.items()}


def _other_side(joint: str) -> str:
    if joint.startswith("face_"):
        number = int(joint.removeprefix("face_"))
        return f"face_{_OPPOSITE.get(number, number)}"
    words = joint.split("_")
    swap = {"left": "right", "right": "left"}
    return "_".join(swap.get(word, word) for word in words)
