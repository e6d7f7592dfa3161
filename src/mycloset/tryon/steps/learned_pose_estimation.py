"""Step 2 by a pose network: its joints take the place of the embedded ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import numpy as np

from mycloset.hub.loader import ModelLoader
from mycloset.tasks.people import Person
from mycloset.tasks.poses import Pose, Poses
from mycloset.tryon.learned import LearnedWay
from mycloset.tryon.people import find_person
from mycloset.tryon.state import TryOnState
from mycloset.tryon.step import StepOutput

SURE = 0.3
"""Confidence above which a network's joint is believed."""

TOP_DOWN = frozenset({"hrnet_pose", "pose_resnet", "vitpose"})
"""Families whose networks are shown one person's box."""


class LearnedPoseEstimationStep:
    """A network's joints where it is sure of them, the embedded ones elsewhere.

    Args:
        family: whose networks serve.
        models: the user's folders.
    """

    name: ClassVar[str] = "pose_estimation"
    reads: ClassVar[tuple[str, ...]] = ("person_picture", "garment_picture")
    writes: ClassVar[tuple[str, ...]] = ("person", "pose")
    learned: ClassVar[bool] = True

    def __init__(self, *, family: str, models: ModelLoader | None = None) -> None:
        self._way = LearnedWay(self.name, family, models)
        self.ways = (self._way,)

    def run(self, state: TryOnState) -> StepOutput:
        """Raises PersonError where nobody is seen; ModelFileError where no model can be used."""
        model = self._way.model()
        person, notes = find_person(state)
        options = {"boxes": person.box[None]} if model.info.family in TOP_DOWN else {}
        found: Poses = model(state.person_picture.rgb, **options)
        pose, taken = merged(person.pose, closest(found, person))
        more: tuple[str, ...] = ()
        if not taken:
            more = ("The pose network is sure of no joint of the person; the embedded ones stay.",)
        changes = {"person": replace(person, pose=pose), "pose": pose}
        return StepOutput(
            changes,
            f"{self._way.used()}: {taken} joints",
            pose.score,
            (*notes, *self._way.notes(), *more),
        )

    def model_info(self) -> Mapping[str, str]:
        """The pose network."""
        return self._way.info()


def closest(found: Poses, person: Person) -> Pose | None:
    """Of several people, the one whose joints lie in the person's silhouette most."""
    height, width = person.mask.alpha.shape

    def inside(pose: Pose) -> float:
        columns = np.clip(pose.points[:, 0].round().astype(int), 0, width - 1)
        rows = np.clip(pose.points[:, 1].round().astype(int), 0, height - 1)
        return float((person.mask.alpha[rows, columns] * pose.confidence).sum())

    return max(found.people, key=inside, default=None)


def merged(base: Pose, other: Pose | None) -> tuple[Pose, int]:
    """The base pose with the other's joints of the same name where it is sure of them; how many."""
    if other is None:
        return base, 0
    points, confidence = base.points.copy(), base.confidence.copy()
    taken = 0
    for place, joint in enumerate(base.skeleton.joints):
        if joint in other.skeleton.joints and other.sure(joint) >= SURE:
            points[place] = other.point(joint)
            confidence[place] = other.sure(joint)
            taken += 1
    return replace(base, points=points, confidence=confidence), taken
