from __future__ import annotations

import numpy as np
import pytest

from mycloset.tasks.masks import Mask
from mycloset.tasks.people import Person
from mycloset.tasks.poses import (
    BLAZEPOSE_33,
    COCO_17,
    OPENPOSE_18,
    Pose,
    Skeleton,
    convert,
)


def numbered(skeleton: Skeleton) -> Pose:
    count = len(skeleton.joints)
    points = np.stack([np.arange(count), 100 + np.arange(count)], axis=1).astype(np.float32)
    return Pose(
        skeleton,
        points,
        np.linspace(0.2, 0.9, count, dtype=np.float32),
        0.8,
        depth=np.arange(count, dtype=np.float32),
        world=np.repeat(points[:, :1], 3, axis=1),
    )


@pytest.mark.parametrize(
    ("skeleton", "count"), [(BLAZEPOSE_33, 33), (COCO_17, 17), (OPENPOSE_18, 18)]
)
def test_skeletons_are_complete_and_their_limbs_join_their_joints(
    skeleton: Skeleton, count: int
) -> None:
    assert len(set(skeleton.joints)) == len(skeleton.joints) == count
    assert {joint for limb in skeleton.limbs for joint in limb} <= set(skeleton.joints)
    lefts = {joint.replace("left", "right") for joint in skeleton.joints if "left" in joint}
    assert lefts == {joint for joint in skeleton.joints if "right" in joint}


def test_blazepose_to_coco_takes_the_published_numbers() -> None:
    found = convert(numbered(BLAZEPOSE_33), COCO_17)
    expected = [0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28]
    assert found.points[:, 0].tolist() == expected
    assert found.depth is not None
    assert found.depth.tolist() == expected
    assert found.score == 0.8


def test_coco_and_openpose_agree_on_every_joint() -> None:
    coco = convert(numbered(BLAZEPOSE_33), COCO_17)
    openpose = convert(numbered(BLAZEPOSE_33), OPENPOSE_18)
    for joint in COCO_17.joints:
        assert np.array_equal(coco.point(joint), openpose.point(joint))
    order = [0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10]
    assert np.array_equal(coco.points, openpose.points[order])


def test_the_neck_is_between_the_shoulders_and_no_surer_than_they_are() -> None:
    pose = numbered(BLAZEPOSE_33)
    found = convert(pose, OPENPOSE_18)
    assert found.point("neck").tolist() == [11.5, 111.5]
    assert found.sure("neck") == pytest.approx(pose.sure("left_shoulder"))
    again = convert(convert(pose, COCO_17), OPENPOSE_18)
    assert np.array_equal(again.points, found.points)


def test_a_joint_that_cannot_be_made_is_named() -> None:
    with pytest.raises(KeyError, match="left_eye_inner"):
        convert(numbered(COCO_17), BLAZEPOSE_33)


def test_a_joint_is_visible_only_inside_the_picture() -> None:
    pose = numbered(BLAZEPOSE_33)
    confidence = np.ones(33, np.float32)
    points = np.full((33, 2), 20, np.float32)
    points[11] = (200, 20)
    confidence[12] = 0.3
    person = Person(
        Pose(BLAZEPOSE_33, points, confidence, pose.score),
        Mask(np.ones((64, 64), np.float32)),
        None,
        np.array([0, 0, 63, 63], np.float32),
    )
    assert person.visible("nose")
    assert not person.visible("left_shoulder")
    assert not person.visible("right_shoulder")
    assert person.visible("right_shoulder", least=0.2)
    assert person.face_only
