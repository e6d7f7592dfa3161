"""The person to dress: who it is of those in the picture, and whether enough of them is seen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache

from mycloset.errors import PersonError
from mycloset.hub.embedded import BodyModel
from mycloset.tasks.people import Person
from mycloset.tryon.state import TryOnState

SHOULDER_SURE = 0.5


@cache
def body_model() -> BodyModel:
    """The networks that find people, shared by all engines of this process."""
    return BodyModel(threads=min(4, os.cpu_count() or 1))


def find_person(state: TryOnState) -> tuple[Person, tuple[str, ...]]:
    """The largest person of the photo, and notes; the state's own where it has one already.

    Raises:
        PersonError: nobody is seen, or of the person no shoulder is.
    """
    if state.person is not None:
        return state.person, ()
    picture = state.person_picture
    people = body_model().find_people(picture.rgb)
    if not people:
        raise PersonError(
            f"{picture.name}: nobody is seen in it.",
            hint="Give a photo that shows a person at least from the head to the waist.",
        )
    person = people[0]
    height, width = picture.rgb.shape[:2]
    seen = []
    for side in ("left", "right"):
        x, y = person.pose.point(f"{side}_shoulder")
        inside = 0 <= x < width and 0 <= y < height
        seen.append(inside and person.pose.sure(f"{side}_shoulder") >= SHOULDER_SURE)
    hips = min(float(person.pose.point(f"{side}_hip")[1]) for side in ("left", "right"))
    shoulders = max(float(person.pose.point(f"{side}_shoulder")[1]) for side in ("left", "right"))
    if not any(seen) or shoulders + 0.25 * max(hips - shoulders, 0.0) > height:
        raise PersonError(
            f"{picture.name}: only a face is seen; the shoulders lie outside the picture.",
            hint="Give a photo that shows the person at least from the head to the waist.",
        )
    notes: tuple[str, ...] = ()
    if len(people) > 1:
        notes = (f"{len(people)} people are in the photo; the largest one is dressed.",)
    return person, notes


def people_info() -> Mapping[str, str]:
    """What finds people, for a step's `model_info`."""
    return {
        "kind": "embedded",
        "name": "MediaPipe pose, selfie and face networks",
        "licence": "Apache-2.0",
    }
