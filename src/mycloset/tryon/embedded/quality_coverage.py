"""Whether the new garment is where it ought to be, and the old one is gone."""

from __future__ import annotations

import cv2
import numpy as np

from mycloset.tasks.garments import Category
from mycloset.tasks.parsing import HumanParsing
from mycloset.tryon.embedded.views import Bools, Measured, View, distance, ramp, shrink

OLD = {
    Category.UPPER: ("upper-clothes",),
    Category.LOWER: ("pants", "skirt", "belt"),
    Category.DRESS: ("dress", "upper-clothes", "skirt", "pants", "belt"),
}
IN_FRONT = ("hat", "hair", "sunglasses", "face", "bag", "scarf")
ARMS = ("left-arm", "right-arm")

COVER_GOOD, COVER_BAD = 0.97, 0.75
REMNANT_GOOD, REMNANT_BAD = 0.01, 0.12
UNALTERED = 5.0  # CIELAB distance below which a pixel still shows what the photo showed.
TELLING = 15.0  # How unlike its new surroundings the old garment must be to be recognised.


def old_place(view: View) -> Bools | None:
    """Where the photo shows a garment of the new one's kind, at the whole view's size."""
    parsing, category = view.state.parsing, _category(view)
    if parsing is None or category is None:
        return None
    place = _labelled(view, parsing, OLD[category])
    if category is Category.UPPER and not place.any():
        # A dress is the upper garment too, down to where the new one ends.
        place = _labelled(view, parsing, ("dress",)) & (view.changed >= 0.5)
    return place


def coverage(view: View) -> Measured:
    """Share of what ought to change that did: the old garment's place and the new one's.

    The old garment's place (from the parsing) must show the new garment or have been replaced;
    the warped garment must be seen, except where hair, face, a bag or an arm is in front of it.
    """
    ought = _new_place(view)
    old = old_place(view)
    if old is not None:
        ought = ought | old
    count = int(np.count_nonzero(ought))
    if count < 64:
        return _none("neither the old garment's place nor the new one's is known")
    done = (view.garment >= 0.5) | (view.changed >= 0.5)
    share = float(np.count_nonzero(done & ought)) / count
    score = ramp(share, COVER_GOOD, COVER_BAD)
    return Measured(
        100.0 * share,
        "%",
        score,
        "Share of the old garment's place and the new one's that was covered or replaced.",
        "Part of the body that the garment should cover was left as it was: give a photo in which "
        "nothing (hair, bag, crossed arms) hides the clothes."
        if score < 0.6
        else "",
    )


def remnants(view: View) -> Measured:
    """Share of the old garment's place where the old garment is still to be seen.

    By colour: a pixel that the new garment does not cover and that still has the photo's colour,
    where that colour is not the one of the skin or the background that took its place.
    """
    old = old_place(view)
    if old is None or int(np.count_nonzero(old)) < 64:
        return _none("the photo shows no garment of this kind")
    same = distance(view.final, view.photo) < UNALTERED
    telling = _unlike_surroundings(view, old)
    bare = old & (view.garment < 0.5)
    kept = bare & same & ((view.changed < 0.5) | telling)
    # A line of one pixel is the parsing's own uncertainty, not a remnant.
    kept = cv2.morphologyEx(kept.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0
    share = float(np.count_nonzero(kept)) / float(np.count_nonzero(old))
    score = ramp(share, REMNANT_GOOD, REMNANT_BAD)
    return Measured(
        100.0 * share,
        "%",
        score,
        "Share of the old garment's place where it can still be seen.",
        "The old garment shows beside the new one: give a photo in tighter clothes, or in clothes "
        "that the new garment covers."
        if score < 0.6
        else "",
    )


def _new_place(view: View) -> Bools:
    warped = shrink(view.warped.alpha, view.scale) >= 0.5
    parsing = view.state.parsing
    if parsing is None:
        return warped
    # A top that is worn over the trousers hides their upper end.
    over = ("upper-clothes",) if _category(view) is Category.LOWER else ()
    front = _labelled(view, parsing, (*IN_FRONT, *over))
    arms = _labelled(view, parsing, ARMS)
    for name, alpha in view.warped.parts.items():
        if name.startswith("sleeve_"):
            arms &= shrink(alpha, view.scale) < 0.5
    return warped & ~front & ~arms


def _unlike_surroundings(view: View, old: Bools) -> Bools:
    """Where the photo's colour is unlike both the skin and the background near by."""
    parsing = view.state.parsing
    assert parsing is not None  # old_place gave a place
    unlike = np.ones(old.shape, bool)
    skin = _labelled(view, parsing, ("face", *ARMS, "left-leg", "right-leg"))
    if skin.any():
        typical = np.median(view.photo[skin], axis=0)
        unlike &= distance(view.photo, typical) > TELLING
    ground = _labelled(view, parsing, ("background",)).astype(np.float32)
    if ground.any():
        weight, near = shrink(ground, 0.25), shrink(view.photo * ground[..., None], 0.25)
        weight, near = cv2.blur(weight, (17, 17)), cv2.blur(near, (17, 17))
        near = np.asarray(near) / np.maximum(np.asarray(weight), 1e-3)[..., None]
        around = np.asarray(cv2.resize(near, old.shape[::-1]))
        beside = np.asarray(cv2.resize(weight, old.shape[::-1])) >= 0.02
        unlike &= (distance(view.photo, around) > TELLING) | ~beside
    return unlike


def _labelled(view: View, parsing: HumanParsing, labels: tuple[str, ...]) -> Bools:
    known = [parsing.table.index(label) for label in labels if label in parsing.table.labels]
    height, width = view.changed.shape
    small = cv2.resize(parsing.labels, (width, height), interpolation=cv2.INTER_NEAREST)
    return np.isin(np.asarray(small), known)


def _category(view: View) -> Category | None:
    matching = view.state.matching
    return matching.shape.category if matching is not None else view.state.category


def _none(why: str) -> Measured:
    return Measured(None, "%", None, f"Not measured: {why}.")
