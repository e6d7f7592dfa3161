"""Skeletons name every joint once, join only joints that they have, and know their mirror image."""

from __future__ import annotations

import pytest

from mycloset.architectures.openpose.tables import BODIES
from mycloset.tasks import skeletons
from mycloset.tasks.skeletons import Skeleton, mirrored

EVERY = [
    *(value for value in vars(skeletons).values() if isinstance(value, Skeleton)),
    *(body.skeleton for body in BODIES.values()),
    skeletons.numbered(4),
]


@pytest.mark.parametrize("skeleton", EVERY, ids=lambda skeleton: skeleton.name)
def test_limbs_join_joints_of_their_skeleton(skeleton: Skeleton) -> None:
    assert len(set(skeleton.joints)) == len(skeleton.joints)
    assert {joint for limb in skeleton.limbs for joint in limb} <= set(skeleton.joints)


@pytest.mark.parametrize("skeleton", EVERY, ids=lambda skeleton: skeleton.name)
def test_mirroring_twice_changes_nothing(skeleton: Skeleton) -> None:
    places = mirrored(skeleton)
    assert [places[place] for place in places] == list(range(len(skeleton.joints)))


def test_the_whole_body_has_its_parts_where_the_annotations_have_them() -> None:
    whole = skeletons.COCO_WHOLEBODY_133
    assert len(whole.joints) == 133
    assert whole.joints[:17] == skeletons.COCO_17.joints
    assert whole.joints[17] == "left_big_toe"
    assert whole.joints[23] == "face_0"
    assert whole.joints[91] == "left_hand_wrist"
    assert whole.joints[112] == "right_hand_wrist"


@pytest.mark.parametrize(
    ("joint", "other"),
    [("face_0", "face_16"), ("face_21", "face_22"), ("face_36", "face_45"), ("face_30", "face_30"),
     ("left_thumb_1", "right_thumb_1"), ("left_big_toe", "right_big_toe")],
)  # fmt: skip
def test_a_mirrored_joint_is_that_of_the_other_side(joint: str, other: str) -> None:
    whole = skeletons.COCO_WHOLEBODY_133
    assert whole.joints[mirrored(whole)[whole.index(joint)]] == other


@pytest.mark.parametrize("body", BODIES.values(), ids=lambda body: body.skeleton.name)
def test_each_limb_of_a_body_has_channels_of_its_own(body: object) -> None:
    limbs = body.limbs  # type: ignore[attr-defined]
    channels = sorted(channel for limb in limbs for channel in (limb.x, limb.y))
    assert channels == list(range(2 * len(limbs)))
