"""The colours of each class, learned from this very picture, and how well each pixel fits them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mycloset.tryon.embedded.body import SIDES, capsule
from mycloset.tryon.embedded.colour_models import (
    ColourModel,
    colour_costs,
    colour_terms,
    learn,
)
from mycloset.tryon.embedded.parsing_frame import (
    ARM,
    CLASSES,
    FACE,
    HAIR,
    LEG,
    LOWER,
    NECK,
    SHOE,
    UPPER,
    Flags,
    Floats,
    Frame,
)
from mycloset.tryon.embedded.zones import Zones

Labels = NDArray[np.int64]

WORST = 14.0
"""No colour speaks louder than this against a class: lights and prints occur on everything."""
UNKNOWN = 9.0
"""Cost of a garment of which no colour is known."""
SKIN_LIKE = 6.2
"""Below this cost a colour may well be skin."""

CHIN_SHADE = (0.74, 0.91, 0.91)
OTHER_LIGHTS = ((0.80, 0.95, 1.0), (1.14, 0.92, 0.90))
"""Limbs are often a little darker or lighter than the face."""
OTHER_LIGHT_COST, CHIN_SHADE_COST = 1.0, 2.0
LEAST = 24
"""Fewer pixels say nothing of a class's colours."""
NEAR = 11.0
"""Below this cost a garment's colour is too much like something else's to tell them apart."""

CLUSTERS = {UPPER: 5, LOWER: 4, HAIR: 3, SHOE: 3}


@dataclass(frozen=True)
class Skin:
    """The person's skin.

    Attributes:
        model: its colours as they were last learned.
        wide: its colours in all lights in which limbs may be.
        samples: (M, 3) colours that are skin for certain.
        seen: whether the colours come from this picture.
    """

    model: ColourModel
    wide: ColourModel
    samples: Floats
    seen: bool


@dataclass(frozen=True)
class Palette:
    """What has been learned of this picture's colours.

    Attributes:
        skin: of face, neck, arms and legs.
        others: of the other classes, where enough was seen of them.
    """

    skin: Skin
    others: Mapping[int, ColourModel]

    def costs(self, frame: Frame, zones: Zones) -> Floats:
        """(8, N): the cost of each pixel's colour in each class."""
        skin = self.skin.wide
        models = [skin, skin.in_shade(CHIN_SHADE), *self.others.values()]
        bare, shaded, *found = colour_costs(frame.terms, models)
        known = dict(zip(self.others, found, strict=True))
        costs = np.empty((len(CLASSES), len(frame.xs)), np.float32)
        costs[:] = bare
        costs[FACE] *= 0.6
        # In the shade of the chin skin is darker than any that was learned.
        shade = np.where(zones.height < 0.05, shaded + np.float32(CHIN_SHADE_COST), WORST)
        np.minimum(costs[NECK], shade, out=costs[NECK])
        for number in (UPPER, LOWER, SHOE):
            costs[number] = known.get(number, UNKNOWN)
        costs[HAIR] = known.get(HAIR, WORST)
        return np.minimum(costs, WORST, out=costs)


def learn_skin(frame: Frame, zones: Zones) -> Skin:
    """The skin's colours from the face; where none is seen, from hands, neck and calves."""
    found = frame.lab[_face_skin(frame, zones)]
    spread = np.array([22.0, 10.0, 12.0], np.float32)
    if len(found) < 30:
        parts = [_like_skin(part) for part in _bare_parts(frame, zones)]
        found = np.concatenate(parts)
        spread = np.array([28.0, 14.0, 14.0], np.float32)
    if len(found) >= 30:
        middle = np.median(found, axis=0)
        kept = found[(np.abs(found - middle) < spread).all(axis=1)]
        if len(kept) >= 30:
            model = learn(kept, 3, floor=(9.0, 3.2, 4.2))
            return Skin(model, _in_all_lights(model), kept, seen=True)
    means = np.array([[74, 12, 17], [60, 15, 21], [38, 13, 16]], np.float32)
    deviations = np.array([[9, 4, 5]] * 3, np.float32)
    typical = ColourModel(means, deviations, np.full(3, 1 / 3, np.float32))
    return Skin(typical, typical, means, seen=False)


def learn_skin_again(frame: Frame, skin: Skin, labels: Labels) -> Skin:
    """Add what was found on neck, arms and legs: it may lie in other light than the face."""
    found = frame.lab[np.isin(labels, (NECK, ARM, LEG)) & frame.inside]
    middle = skin.model.means[np.argmax(skin.model.weights)]
    near = np.abs(found - middle) < np.array([34.0, 9.0, 11.0], np.float32)
    found = found[near.all(axis=1)]
    if len(found) < 60 or not skin.seen:
        return skin
    stride = max(1, len(found) // len(skin.samples))
    both = np.concatenate([skin.samples, found[::stride]])
    again = learn(both, 4, floor=(8.0, 3.0, 4.0))
    return replace(skin, model=again, wide=skin.wide.beside(_in_all_lights(again)))


def learn_palette(frame: Frame, zones: Zones, skin: Skin, labels: Labels | None) -> Palette:
    """The colours of all classes.

    Args:
        labels: (N,) the last answer; None in the first round, when the pose alone says where a
            class is surest.
    """
    bare = colour_costs(frame.terms, [skin.wide])[0]
    models: dict[int, ColourModel] = {}
    for number in (UPPER, LOWER, HAIR, SHOE):
        samples = _samples(frame, zones, bare, labels, number)
        if len(samples) >= LEAST:
            models[number] = learn(samples, CLUSTERS[number], floor=(6.0, 2.6, 2.8))
    for number in (UPPER, LOWER):
        if number in models:
            models[number] = _without(models[number], skin.wide, 0.35)
    if labels is None and UPPER in models and LOWER in models:
        upper, lower = models[UPPER], models[LOWER]
        models[UPPER] = _without(upper, lower, 0.6, rival=True)
        models[LOWER] = _without(lower, upper, 0.6, rival=True)
    return Palette(skin, models)


def _without(
    model: ColourModel, other: ColourModel, least: float, *, rival: bool = False
) -> ColourModel:
    """The garment's colours without those of something else, where it clearly has its own.

    Args:
        least: share of the garment that must be unlike `other`.
        rival: the colours must be far commoner in `other` to be taken away.
    """
    costs = colour_costs(colour_terms(model.means), [other])[0]
    like, unlike = costs < NEAR, costs > NEAR + 3.0
    if not like.any() or model.weights[unlike].sum() < least:
        return model
    if rival:
        shared = replace(
            model,
            means=model.means[like],
            deviations=model.deviations[like],
            weights=model.weights[like],
        )
        theirs = colour_costs(colour_terms(other.means), [shared])[0] < NEAR
        if shared.weights.sum() > 0.5 * other.weights[theirs].sum():
            return model
    weights = model.weights[~like]
    return ColourModel(model.means[~like], model.deviations[~like], weights / weights.sum())


def _in_all_lights(model: ColourModel) -> ColourModel:
    wide = model
    for light in OTHER_LIGHTS:
        wide = wide.beside(model.in_shade(light), cost=OTHER_LIGHT_COST)
    return wide


def _face_skin(frame: Frame, zones: Zones) -> Flags:
    if not zones.face.any():
        return np.zeros_like(frame.inside)
    return frame.eroded(zones.face, 0.05) & frame.inside


def _bare_parts(frame: Frame, zones: Zones) -> list[Floats]:
    """(M, 3) colours of hands, throat and calves: mostly bare."""
    body, unit = frame.body, frame.body.unit
    throat, place = capsule(frame.xs, frame.ys, body.chin, body.neck)
    parts = [(throat < 0.08 * unit) & (place > -0.2) & (place < 0.8)]
    for side in SIDES:
        arm, leg = zones.arms[side], zones.legs[side]
        if body.sure(f"{side}_wrist") >= 0.5:
            parts.append((arm.distance < 0.07 * unit) & (arm.place > 2.15) & (arm.place < 2.8))
        if leg.seen and body.sure(f"{side}_ankle") >= 0.5:
            parts.append((leg.distance < 0.05 * unit) & (leg.place > 1.4) & (leg.place < 1.8))
    return [frame.lab[part & frame.inside] for part in parts]


def _like_skin(colours: Floats) -> Floats:
    """Those colours that some human skin has in white light."""
    light, a, b = colours.T
    hue, chroma = np.arctan2(b, a), np.hypot(a, b)
    kept = (light > 15) & (light < 95) & (hue > 0.3) & (hue < 1.35) & (chroma > 7) & (chroma < 50)
    return colours[kept] if kept.mean() > 0.5 else colours[:0]


def _samples(
    frame: Frame, zones: Zones, bare: Floats, labels: Labels | None, number: int
) -> Floats:
    """(M, 3) colours that belong to a class for certain; may be none."""
    garment = number in (UPPER, LOWER)
    if labels is not None:
        where = (labels == number) & frame.inside
        if garment:
            inner = frame.eroded(where, 0.03)
            where = inner if inner.sum() > 60 else where
    elif number == LOWER:
        where = _first_lower(frame, zones, bare) & frame.inside
    else:
        core = {UPPER: _torso, HAIR: _scalp, SHOE: _feet}[number]
        where = core(frame, zones, bare) & frame.inside
    if garment and where.any():
        # Bare skin (a neckline, bare thighs) must not teach the cloth its colour.
        skin = where & (bare < SKIN_LIKE)
        if skin.sum() < (0.65 if number == UPPER else 0.9) * where.sum():
            where = where & ~skin
    samples: Floats = frame.lab[where]
    return samples


def _first_lower(frame: Frame, zones: Zones, bare: Floats) -> Flags:
    """Thighs, or where these are bare, the hips."""
    thighs = _between(frame, zones, 1.12, 1.5) & frame.inside
    skin = thighs & (bare < SKIN_LIKE + 3)
    if skin.sum() < 0.7 * thighs.sum():
        return thighs
    return _between(frame, zones, 0.98, 1.15)


def _torso(frame: Frame, zones: Zones, bare: Floats) -> Flags:
    core = (zones.height > 0.22) & (zones.height < 0.75) & (np.abs(zones.aside) < 0.36)
    for arm in zones.arms.values():
        if arm.seen:
            core &= ~((arm.distance < 0.16 * frame.body.unit) & (arm.place > 1))
    found: Flags = core
    return found


def _between(frame: Frame, zones: Zones, low: float, high: float) -> Flags:
    core = (zones.height > low) & (zones.height < high) & (np.abs(zones.aside) < 0.42)
    for arm in zones.arms.values():
        if arm.seen:
            core &= ~(arm.distance < 0.16 * frame.body.unit)
    found: Flags = core
    return found


def _scalp(frame: Frame, zones: Zones, bare: Floats) -> Flags:
    body = frame.body
    if body.face is None:
        return np.zeros_like(frame.inside)
    eyes = (body.joint("left_eye") + body.joint("right_eye")) / 2
    beside = ~frame.dilated(zones.face, 0.07)
    found: Flags = beside & (zones.head < 1.7) & (frame.ys < eyes[1]) & (bare > 6.0)
    return found


def _feet(frame: Frame, zones: Zones, bare: Floats) -> Flags:
    core = np.zeros_like(frame.inside)
    for side, leg in zones.legs.items():
        if leg.seen and frame.body.sure(f"{side}_ankle") > 0.4:
            core |= (leg.place > 2.1) & (leg.distance < 0.12 * frame.body.unit)
    return core
