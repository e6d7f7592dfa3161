"""Step 1, human parsing: which pixel of the person is hair, face, arm, garment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mycloset.tryon.embedded.parsing import parse_person
from mycloset.tryon.people import find_person, people_info
from mycloset.tryon.state import TryOnState
from mycloset.tryon.step import StepOutput


class HumanParsingStep:
    """Embedded way: the person by MediaPipe's networks, the classes by pose and colour."""

    name: ClassVar[str] = "human_parsing"
    reads: ClassVar[tuple[str, ...]] = ("person_picture", "garment_picture")
    writes: ClassVar[tuple[str, ...]] = ("person", "parsing")

    def run(self, state: TryOnState) -> StepOutput:
        """Raises PersonError where nobody is seen, or too little of the person."""
        person, notes = find_person(state)
        parsing, more = parse_person(state.person_picture.rgb, person)
        return StepOutput(
            {"person": person, "parsing": parsing},
            "classes by pose, colour and edges",
            parsing.confidence,
            (*notes, *more),
        )

    def model_info(self) -> Mapping[str, str]:
        """The networks that find the person."""
        return people_info()
