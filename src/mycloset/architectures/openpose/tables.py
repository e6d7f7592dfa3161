"""Which limbs OpenPose's bodies have, and where in the part affinity fields each of them lies."""

from __future__ import annotations

from typing import NamedTuple

from mycloset.tasks.skeletons import OPENPOSE_18, Skeleton


class Limb(NamedTuple):
    """One limb: two joints by number, and the two channels of the field that joins them.

    Attributes:
        first, second: joints; the field points from the first to the second.
        x, y: channels.
        founds: whether the limb alone may found a person.
    """

    first: int
    second: int
    x: int
    y: int
    founds: bool = True


class Body(NamedTuple):
    """A set of joints with its limbs, in the order in which people are put together."""

    skeleton: Skeleton
    limbs: tuple[Limb, ...]


def _limbs(pairs: tuple[tuple[int, int], ...], starts: tuple[int, ...], silent: int = 0) -> tuple[
    Limb, ...
]:  # fmt: skip
    return tuple(
        Limb(first, second, start, start + 1, place < len(pairs) - silent)
        for place, ((first, second), start) in enumerate(zip(pairs, starts, strict=True))
    )


_COCO = Body(
    OPENPOSE_18,
    _limbs(
        (
            (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11),
            (11, 12), (12, 13), (1, 0), (0, 14), (14, 16), (0, 15), (15, 17), (2, 16), (5, 17),
        ),
        (12, 20, 14, 16, 22, 24, 0, 2, 4, 6, 8, 10, 28, 30, 34, 32, 36, 18, 26),
        silent=2,
    ),
)  # fmt: skip
"""pytorch-openpose, src/body.py; from shoulder to ear nobody begins."""

_MPI_JOINTS = (
    "head_top", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder",
    "left_elbow", "left_wrist", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee",
    "left_ankle", "chest",
)  # fmt: skip
_MPI_PAIRS = (
    (0, 1), (1, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7), (1, 14), (14, 8), (8, 9), (9, 10),
    (14, 11), (11, 12), (12, 13),
)  # fmt: skip

_BODY_25_JOINTS = (
    *OPENPOSE_18.joints[:8], "mid_hip", *OPENPOSE_18.joints[8:], "left_big_toe", "left_small_toe",
    "left_heel", "right_big_toe", "right_small_toe", "right_heel",
)  # fmt: skip
_BODY_25_PAIRS = (
    (1, 8), (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (8, 9), (9, 10), (10, 11), (8, 12),
    (12, 13), (13, 14), (1, 0), (0, 15), (15, 17), (0, 16), (16, 18), (2, 17), (5, 18), (14, 19),
    (19, 20), (14, 21), (11, 22), (22, 23), (11, 24),
)  # fmt: skip
_BODY_25_STARTS = (
    0, 14, 22, 16, 18, 24, 26, 6, 2, 4, 8, 10, 12, 30, 32, 36, 34, 38, 20, 28, 40, 42, 44, 46, 48,
    50,
)  # fmt: skip


def _named(joints: tuple[str, ...], pairs: tuple[tuple[int, int], ...]) -> tuple[
    tuple[str, str], ...
]:  # fmt: skip
    return tuple((joints[first], joints[second]) for first, second in pairs)


BODIES = {
    18: _COCO,
    15: Body(
        Skeleton("OpenPose-MPI-15", _MPI_JOINTS, _named(_MPI_JOINTS, _MPI_PAIRS)),
        _limbs(_MPI_PAIRS, tuple(range(0, 28, 2))),
    ),
    25: Body(
        Skeleton(
            "OpenPose-BODY-25",
            _BODY_25_JOINTS,
            tuple(
                limb
                for limb in _named(_BODY_25_JOINTS, _BODY_25_PAIRS)
                if not ("shoulder" in limb[0] and "ear" in limb[1])
            ),
        ),
        _limbs(_BODY_25_PAIRS, _BODY_25_STARTS),
    ),
}
"""By the number of joints; CMU's openpose, src/openpose/pose/poseParameters.cpp."""


def body_of(pairs: tuple[tuple[int, int], ...], joints: int) -> Body:
    """A body of other joints: its limbs in the order of the fields' channels."""
    names = tuple(f"joint_{number}" for number in range(joints))
    skeleton = Skeleton(f"{joints} joints", names, _named(names, pairs))
    return Body(skeleton, _limbs(pairs, tuple(range(0, 2 * len(pairs), 2))))
