"""Step 1 by a parsing network: its classes, brought to the labels that the other steps read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from mycloset.hub.loader import ModelLoader
from mycloset.tasks.parsing import ATR_18_NECK, HumanParsing
from mycloset.tasks.people import Person
from mycloset.tryon.learned import LearnedWay
from mycloset.tryon.people import find_person
from mycloset.tryon.state import TryOnState
from mycloset.tryon.step import StepOutput

CHIN = 0.45
"""Where the chin lies between nose and shoulders; what is of the face below it is neck."""


class LearnedHumanParsingStep:
    """A network's classes, within the silhouette of the person that is dressed.

    Args:
        family: whose networks serve.
        models: the user's folders.
    """

    name: ClassVar[str] = "human_parsing"
    reads: ClassVar[tuple[str, ...]] = ("person_picture", "garment_picture")
    writes: ClassVar[tuple[str, ...]] = ("person", "parsing")
    learned: ClassVar[bool] = True

    def __init__(self, *, family: str, models: ModelLoader | None = None) -> None:
        self._way = LearnedWay(self.name, family, models)
        self.ways = (self._way,)

    def run(self, state: TryOnState) -> StepOutput:
        """Raises PersonError where nobody is seen; ModelFileError where no model can be used."""
        model = self._way.model()
        person, notes = find_person(state)
        found: HumanParsing = model(state.person_picture.rgb)
        parsing = with_neck(found.to_table(ATR_18_NECK), person)
        agreed, more = _agreement(parsing, person)
        return StepOutput(
            {"person": person, "parsing": parsing},
            self._way.used(),
            agreed,
            (*notes, *self._way.notes(), *more),
        )

    def model_info(self) -> Mapping[str, str]:
        """The parsing network."""
        return self._way.info()


def with_neck(parsing: HumanParsing, person: Person) -> HumanParsing:
    """The person's own classes, the bare skin below the chin called neck.

    Data sets of parsing have no class for the neck: they call it face, or leave it out.
    """
    labels = np.where(person.mask.binary, parsing.labels, 0).astype(np.uint8)
    nose = person.pose.point("nose")
    shoulders = (person.pose.point("left_shoulder") + person.pose.point("right_shoulder")) / 2
    chin = nose + CHIN * (shoulders - nose)
    down = shoulders - nose
    rows, columns = np.indices(labels.shape, dtype=np.float32)
    below = (columns - chin[0]) * down[0] + (rows - chin[1]) * down[1] > 0
    table = parsing.table
    labels[(labels == table.index("face")) & below] = table.index("neck")
    return HumanParsing(labels, table, parsing.confidence)


def _agreement(parsing: HumanParsing, person: Person) -> tuple[float, tuple[str, ...]]:
    """Share of the person's silhouette that the network gives a class, 0..1."""
    inside = person.mask.binary
    share = float((parsing.labels[inside] > 0).mean()) if inside.any() else 0.0
    notes: tuple[str, ...] = ()
    if share < 0.5:
        notes = (f"The parsing leaves {1 - share:.0%} of the person without a class.",)
    return share * parsing.confidence, notes
