"""The person to dress: who it is of those in the picture, and whether enough of them is seen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache

import cv2
import numpy as np

from mycloset.errors import PersonError
from mycloset.hub.embedded import BodyModel
from mycloset.images import Picture
from mycloset.tasks.people import Person
from mycloset.tryon.embedded.colour_models import to_lab
from mycloset.tryon.state import TryOnState

WANTED = "Give a photo that shows a person at least from the head to the waist."
SWAP = "Give the person's photo first and the garment's second."


@cache
def body_model() -> BodyModel:
    """The networks that find people, shared by all engines of this process."""
    return BodyModel(threads=min(4, os.cpu_count() or 1))


def find_person(state: TryOnState) -> tuple[Person, tuple[str, ...]]:
    """The largest person of the photo, and notes; the state's own where it has one already.

    Raises:
        PersonError: nobody is seen, or of the person no shoulder is; or what looked like a person
            is a garment, as where the two pictures are swapped.
    """
    if state.person is not None:
        return state.person, ()
    picture = state.person_picture
    people = body_model().find_people(picture.rgb)
    lack = _lacking(people[0], picture) if people else "nobody is seen in it"
    if lack or _faceless(people[0], picture):
        _refuse_swapped(state)
    if lack:
        raise PersonError(f"{picture.name}: {lack}.", hint=WANTED)
    notes: tuple[str, ...] = ()
    if len(people) > 1:
        notes = (f"{len(people)} people are in the photo; the largest one is dressed.",)
    return people[0], notes


def people_info() -> Mapping[str, str]:
    """What finds people, for a step's `model_info`."""
    return {
        "kind": "embedded",
        "name": "MediaPipe pose, selfie and face networks",
        "licence": "Apache-2.0",
    }


def _lacking(person: Person, picture: Picture) -> str:
    """Why this person cannot be dressed; empty where nothing speaks against it."""
    height = picture.rgb.shape[0]
    hips = min(float(person.pose.point(f"{side}_hip")[1]) for side in ("left", "right"))
    shoulders = max(float(person.pose.point(f"{side}_shoulder")[1]) for side in ("left", "right"))
    cut = shoulders + 0.25 * max(hips - shoulders, 0.0) > height
    if person.face_only or cut:
        if person.face is not None:
            return "only a face is seen; the shoulders lie outside the picture"
        if any(person.visible(f"{side}_knee") for side in ("left", "right")):
            return "only legs are seen; the shoulders lie outside the picture"
        return "neither a face nor shoulders are seen in it"
    if _faceless(person, picture) and _plain_ground(picture) and _skin(person, picture) < 0.04:
        return "a garment is seen in it rather than a person: no face, no skin, a plain ground"
    return ""


def _faceless(person: Person, picture: Picture) -> bool:
    """Whether the head ought to be in the picture, but no face is."""
    height = picture.rgb.shape[0]
    return person.face is None and bool(person.pose.point("nose")[1] > 0.03 * height)


def _refuse_swapped(state: TryOnState) -> None:
    """Raise PersonError where the garment's picture shows the person that this one lacks."""
    others = body_model().find_people(state.garment_picture.rgb)
    if others and others[0].face is not None and not _lacking(others[0], state.garment_picture):
        raise PersonError(
            f"{state.person_picture.name}: no person with a face is seen in it, but in "
            f"{state.garment_picture.name} one is; the two pictures may be swapped.",
            hint=SWAP,
        )


def _plain_ground(picture: Picture) -> bool:
    """Whether nearly all of the picture's border has one colour."""
    band = max(4, min(picture.rgb.shape[:2]) // 100)
    rgb = picture.rgb
    sides = (rgb[:band].reshape(-1, 3), rgb[:, :band].reshape(-1, 3), rgb[:, -band:].reshape(-1, 3))
    lab = to_lab(np.concatenate(sides)[None])[0]
    near = np.abs(lab - np.median(lab, axis=0)).max(axis=1) < 6
    return bool(near.mean() > 0.95)


def _skin(person: Person, picture: Picture) -> float:
    """Share of the person's pixels that have any human skin's colour."""
    shrink = min(1.0, 320 / max(picture.rgb.shape[:2]))
    small = cv2.resize(picture.rgb, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    size = (small.shape[1], small.shape[0])
    inside = cv2.resize(person.mask.alpha, size, interpolation=cv2.INTER_AREA) > 0.5
    lightness, red, yellow = cv2.split(to_lab(np.asarray(small, np.uint8)))
    chroma, hue = np.hypot(red, yellow), np.arctan2(yellow, red)
    skin = (lightness > 20) & (lightness < 92) & (chroma > 10) & (chroma < 42)
    skin &= (hue > 0.5) & (hue < 1.35)
    return float((skin & inside).sum()) / max(float(inside.sum()), 1.0)
