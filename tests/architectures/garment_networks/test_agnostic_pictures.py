from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import try_on_files
from mycloset.architectures.garment_networks import agnostic
from mycloset.architectures.garment_networks.frames import frame_of
from mycloset.architectures.garment_networks.people import Subject, numbered_labels, subject
from mycloset.architectures.garment_networks.skeletons import skeleton_picture
from mycloset.errors import PersonError
from mycloset.tasks.label_tables import ATR_18_NECK, LIP_20, PASCAL_7
from mycloset.tasks.parsing import HumanParsing
from mycloset.tasks.poses import OPENPOSE_18


def _subject(height: int = 1024, width: int = 768) -> Subject:
    rgb, parsing, pose = try_on_files.person(height, width)
    return subject(rgb, parsing, pose, (height, width))


def test_cp_vtons_person_has_shape_head_and_joints() -> None:
    found = agnostic.cp_vton_person(_subject(256, 192), agnostic.RESERVED)
    assert found.shape == (22, 256, 192)
    assert found.min() >= -1
    assert found.max() <= 1
    body, head, joints = found[0], found[1:4], found[4:]
    assert body[120, 96] > 0.9
    assert body[5, 5] < -0.9
    # The face's own red, in RGB order; nothing of the shirt.
    assert head[:, 50, 96] == pytest.approx(np.array([230, 190, 160]) / 127.5 - 1, abs=0.02)
    assert (head[:, 120, 96] == -1).all()
    assert set(np.unique(joints)) == {-1.0, 1.0}
    assert (joints[OPENPOSE_18.index("nose")] == 1).sum() == 11 * 11


def test_the_shape_says_nothing_of_details() -> None:
    thin = np.zeros((256, 192), bool)
    thin[:, 96:98] = True
    assert agnostic.body_shape(thin).max() < -0.5


def test_a_joint_that_is_not_seen_has_an_empty_map() -> None:
    rgb, parsing, pose = try_on_files.person(256, 192)
    unsure = pose.confidence.copy()
    unsure[OPENPOSE_18.index("left_wrist")] = 0.0
    found = subject(rgb, parsing, replace(pose, confidence=unsure), (256, 192))
    maps = agnostic.joint_maps(found)
    assert (maps[OPENPOSE_18.index("left_wrist")] == -1).all()
    assert not found.seen("left_wrist")


def test_viton_hds_picture_hides_the_shirt_and_keeps_face_and_trousers() -> None:
    person = _subject()
    found = agnostic.viton_hd_picture(person)
    shirt = person.labels == LIP_20.index("upper-clothes")
    assert (found[shirt] == agnostic.GREY).all()
    for label in ("face", "pants"):
        kept = person.labels == LIP_20.index(label)
        assert (found[kept] == person.rgb[kept]).all()


def test_viton_hds_labels_lose_the_shirt_and_the_arms_but_the_hands() -> None:
    rgb, parsing, pose = try_on_files.person(1024, 768)
    labels = parsing.labels.copy()
    labels[700:760, 160:220] = LIP_20.index("right-arm")
    person = subject(rgb, HumanParsing(labels, LIP_20), pose, (1024, 768))
    found = agnostic.viton_hd_labels(person)
    assert not np.isin(found, (5, 6, 7, 10)).any()
    assert not (found[400:500] == 15).any()
    assert (found[720:760] == 15).any()
    assert (found == 13).sum() == (person.labels == 13).sum()


def test_hips_that_are_not_seen_are_taken_below_the_shoulders() -> None:
    rgb, parsing, pose = try_on_files.person(1024, 768)
    unsure = pose.confidence.copy()
    unsure[[8, 9, 10, 11, 12, 13]] = 0.0
    person = subject(rgb, parsing, replace(pose, confidence=unsure), (1024, 768))
    assert (agnostic.viton_hd_picture(person)[500, 384] == agnostic.GREY).all()


def test_the_skeleton_has_openposes_colours_on_black() -> None:
    person = _subject()
    found = skeleton_picture(person)
    x, y = ((person.joint("right_elbow") + person.joint("right_wrist")) / 2).astype(int)
    assert found[y, x] == pytest.approx(np.array([255, 255, 0]) * 0.6, abs=3)
    x, y = ((person.joint("left_elbow") + person.joint("left_wrist")) / 2).astype(int)
    assert found[y, x] == pytest.approx(np.array([0, 255, 0]) * 0.6, abs=3)
    assert (found[0] == 0).all()


def test_any_table_comes_to_the_same_numbers() -> None:
    labels = np.array([[ATR_18_NECK.index(name) for name in ("face", "neck", "belt", "skirt")]])
    assert numbered_labels(HumanParsing(labels.astype(np.uint8), ATR_18_NECK)).tolist() == [
        [13, 10, 9, 12]
    ]
    parts = np.array([[PASCAL_7.index("head"), PASCAL_7.index("torso")]], np.uint8)
    assert numbered_labels(HumanParsing(parts, PASCAL_7)).tolist() == [[13, 5]]


def test_a_person_without_shoulders_or_parsing_is_refused() -> None:
    rgb, parsing, pose = try_on_files.person()
    with pytest.raises(PersonError, match="shoulders"):
        subject(rgb, parsing, replace(pose, confidence=pose.confidence * 0), (256, 192))
    nobody = HumanParsing(np.zeros_like(parsing.labels), LIP_20)
    with pytest.raises(PersonError, match="nobody"):
        subject(rgb, nobody, pose, (256, 192))


@given(
    height=st.integers(64, 900),
    width=st.integers(64, 900),
    share=st.tuples(*[st.floats(0, 1)] * 4),
)
def test_a_frame_holds_its_box_and_finds_back(
    height: int, width: int, share: tuple[float, float, float, float]
) -> None:
    left, right = sorted((share[0] * width, share[1] * width))
    top, bottom = sorted((share[2] * height, share[3] * height))
    frame = frame_of((height, width), (256, 192), (left, top, right, bottom))
    assert frame.left - 1 <= left
    assert frame.right + 1 >= right
    assert frame.top - 1 <= top
    assert frame.bottom + 1 >= bottom
    points = np.array([[left, top], [right, bottom]], np.float32)
    assert np.allclose(frame.outward(frame.inward(points)), points, atol=0.01)


def test_a_photo_of_the_published_proportions_is_taken_whole() -> None:
    assert frame_of((400, 300), (1024, 768), (100, 100, 120, 120)).box == (0, 0, 300, 400)


def test_what_is_laid_back_lies_where_it_was_taken() -> None:
    frame = frame_of((300, 500), (256, 192), (100, 20, 250, 280))
    photo = np.zeros((300, 500), np.float32)
    frame.lay(np.ones((256, 192), np.float32), photo)
    rows, columns = frame.inside(photo.shape)
    assert (photo[rows, columns] == 1).all()
    assert photo.sum() == photo[rows, columns].sum()
