"""Step 2, pose estimation: the joints of the person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mycloset.tryon.people import find_person, people_info
from mycloset.tryon.state import TryOnState
from mycloset.tryon.step import StepOutput


class PoseEstimationStep:
    """Embedded way: BlazePose, 33 joints.

    Where human parsing went the embedded way, the same networks have already read this person;
    their reading is used, not made again.
    """

    name: ClassVar[str] = "pose_estimation"
    reads: ClassVar[tuple[str, ...]] = ("person_picture", "garment_picture")
    writes: ClassVar[tuple[str, ...]] = ("person", "pose")

    def run(self, state: TryOnState) -> StepOutput:
        """Raises PersonError where nobody is seen, or too little of the person."""
        known = state.person is not None
        person, notes = find_person(state)
        used = "BlazePose, read in human parsing" if known else "BlazePose"
        changes = {"person": person, "pose": person.pose}
        return StepOutput(changes, used, person.pose.score, notes)

    def model_info(self) -> Mapping[str, str]:
        """The networks that find the person."""
        return people_info()
