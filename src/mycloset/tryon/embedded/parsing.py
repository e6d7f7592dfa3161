"""Human parsing without a parsing network: pose says where a part can be, this picture's own
colours say where it is.

Every class has a cost at every pixel: where the pose allows it (zones) plus how well the pixel fits
the class's colours, which are learned from this very picture and learned again from the first
answer. The costs are smoothed along the picture's edges (guided filter), and the cheapest wins.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.filters import guided_filter
from mycloset.images import RGB
from mycloset.tasks.parsing import ATR_18_NECK, HumanParsing
from mycloset.tasks.people import Person
from mycloset.tryon.embedded.body import SIDES, Body, capsule, read_body
from mycloset.tryon.embedded.colour_models import ColourModel, learn, to_lab
from mycloset.tryon.embedded.zones import LimbZone, Zones, read_zones

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

WORKING_SIDE = 448
"""Long side, in pixels, at which classes are decided; borders are then brought to full size."""

FORBIDDEN = 30.0
CLASSES = ("face", "hair", "neck", "upper", "lower", "arm", "leg", "shoe")
FACE, HAIR, NECK, UPPER, LOWER, ARM, LEG, SHOE = range(len(CLASSES))


def parse_person(rgb: RGB, person: Person) -> tuple[HumanParsing, tuple[str, ...]]:
    """Label every pixel of `person` in the (H, W, 3) picture `rgb`.

    Returns:
        The classes (ATR-18 and neck) at the picture's size, and findings in plain language.
    """
    height, width = rgb.shape[:2]
    factor = min(1.0, WORKING_SIDE / max(height, width))
    size = (max(round(width * factor), 1), max(round(height * factor), 1))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(person.mask.alpha, size, interpolation=cv2.INTER_AREA)
    whole = read_body(person)
    body = whole.scaled(factor)
    solver = _Solver(small, mask, body, read_zones(body, size[1], size[0]))
    costs = solver.solve()
    labels, sure = _upsample(costs, solver, person.mask.alpha, whole)
    return HumanParsing(labels, ATR_18_NECK, sure), tuple(solver.notes)


class _Solver:
    """Costs of all classes at working size, refined in a few rounds."""

    def __init__(self, rgb: RGB, mask: Floats, body: Body, zones: Zones) -> None:
        self.guide = rgb.astype(np.float32) / 255.0
        self.lab = cv2.GaussianBlur(to_lab(rgb), (0, 0), 0.8)
        self.mask = mask
        self.inside = mask > 0.5
        self.body = body
        self.zones = zones
        self.notes: list[str] = []
        self.sleeve_end = dict.fromkeys(SIDES, 1.0)
        self.waist = 0.95
        self.dress = False
        self.legs_split = True
        self.arm_hint = {side: zones.arms[side].seen for side in SIDES}
        self.skin = self._learn_skin()
        self.skin_cost = self.skin.cost(self.lab)

    def solve(self) -> Floats:
        """(8, H, W) smoothed costs."""
        labels: NDArray[np.int64] | None = None
        costs = np.zeros((len(CLASSES), *self.mask.shape), np.float32)
        for turn in range(3):
            if labels is not None:
                self._relearn_skin(labels)
            colours = self._colours(labels)
            if labels is not None:
                self._find_sleeves(colours)
                self._find_waist(colours)
            costs = self._geometry(sharp=turn > 0)
            for number, colour in enumerate(colours):
                costs[number] += np.minimum(colour, 14.0)
            costs = self._smooth(np.minimum(costs, FORBIDDEN))
            labels = costs.argmin(axis=0)
        assert labels is not None
        self._name_lower(labels, colours)
        return costs

    # --- colours -------------------------------------------------------------------------

    def _learn_skin(self) -> ColourModel:
        samples = [self.lab[self._face_skin()]]
        if len(samples[0]) < 30:
            samples = [self.lab[self._hand(side)] for side in SIDES]
        found = np.concatenate(samples)
        if len(found) >= 30:
            middle = np.median(found, axis=0)
            near = np.abs(found - middle) < np.array([22.0, 10.0, 12.0], np.float32)
            kept = found[near.all(axis=1)]
            if len(kept) >= 30:
                return learn(kept, 2, floor=(9.0, 3.2, 4.2))
        self.notes.append(
            "Neither face nor hands are seen well enough to learn the skin's colour from; "
            "typical skin colours are used."
        )
        means = np.array([[74, 12, 17], [60, 15, 21], [38, 13, 16]], np.float32)
        deviations = np.array([[9, 4, 5]] * 3, np.float32)
        return ColourModel(means, deviations, np.full(3, 1 / 3, np.float32))

    def _relearn_skin(self, labels: NDArray[np.int64]) -> None:
        """Add what was found on neck, arms and legs: it may lie in other light than the face."""
        bare = np.isin(labels, (NECK, ARM, LEG)) & self.inside
        found = self.lab[bare]
        middle = self.skin.means[np.argmax(self.skin.weights)]
        near = np.abs(found - middle) < np.array([34.0, 9.0, 11.0], np.float32)
        found = found[near.all(axis=1)]
        face = self.lab[self._face_skin()]
        if len(found) >= 60 and len(face) >= 30:
            stride = max(1, len(found) // max(len(face), 1))
            both = np.concatenate([face, found[::stride]])
            self.skin = learn(both, 4, floor=(8.0, 3.0, 4.0))
            self.skin_cost = np.minimum(self.skin_cost, self.skin.cost(self.lab))

    def _face_skin(self) -> Flags:
        if not self.zones.face.any():
            return np.zeros_like(self.inside)
        size = max(3, int(0.05 * self.body.unit)) | 1
        core = cv2.erode(self.zones.face.astype(np.uint8), np.ones((size, size), np.uint8)) > 0
        found: Flags = core & self.inside
        return found

    def _hand(self, side: str) -> Flags:
        zone = self.zones.arms[side]
        if self.body.sure(f"{side}_wrist") < 0.5:
            return np.zeros_like(self.inside)
        near = zone.distance < 0.07 * self.body.unit
        found: Flags = near & (zone.place > 2.15) & (zone.place < 2.8) & self.inside
        return found

    def _colours(self, labels: NDArray[np.int64] | None) -> list[Floats]:
        upper = self._garment_colours(labels, UPPER, self._torso_core())
        lower = self._garment_colours(labels, LOWER, self._thigh_core())
        hair = self._garment_colours(labels, HAIR, self._hair_core())
        shoe = self._garment_colours(labels, SHOE, self._foot_core())
        skin = self.skin_cost
        cloth = np.full_like(skin, 9.0)
        nothing = np.full_like(skin, FORBIDDEN)
        # In the shade of the chin skin is darker than any that was learned.
        shade = np.maximum(self.skin.cost(self.lab * np.float32([1.35, 1.1, 1.1])), 0) + 1.5
        return [
            skin * 0.6,
            nothing if hair is None else hair,
            np.minimum(skin, np.where(self.zones.height < 0.05, shade, FORBIDDEN)),
            cloth if upper is None else upper,
            cloth if lower is None else lower,
            skin,
            skin,
            cloth if shoe is None else shoe,
        ]

    def _garment_colours(
        self, labels: NDArray[np.int64] | None, number: int, core: Flags
    ) -> Floats | None:
        if labels is None:
            where = core & self.inside
        else:
            where = (labels == number) & self.inside
            if number in (UPPER, LOWER):
                size = max(3, int(0.03 * self.body.unit)) | 1
                kernel = np.ones((size, size), np.uint8)
                inner = cv2.erode(where.astype(np.uint8), kernel) > 0
                where = inner if inner.sum() > 60 else where
        if number in (UPPER, LOWER) and where.any():
            # Bare skin (a neckline, bare thighs) must not teach the cloth its colour.
            bare = where & (self.skin_cost < 6.2)
            if bare.sum() < (0.65 if number == UPPER else 0.9) * where.sum():
                where = where & ~bare
        if where.sum() < 24:
            return None
        clusters = {UPPER: 5, LOWER: 4}.get(number, 3)
        return learn(self.lab[where], clusters, floor=(6.0, 2.6, 2.8)).cost(self.lab)

    def _torso_core(self) -> Flags:
        z = self.zones
        core = (z.height > 0.22) & (z.height < 0.75) & (np.abs(z.aside) < 0.36)
        for side in SIDES:
            if z.arms[side].seen:
                core &= ~(
                    (z.arms[side].distance < 0.16 * self.body.unit) & (z.arms[side].place > 1)
                )
        found: Flags = core
        return found

    def _thigh_core(self) -> Flags:
        z = self.zones
        core = (z.height > 1.12) & (z.height < 1.5) & (np.abs(z.aside) < 0.42)
        for side in SIDES:
            if z.arms[side].seen:
                core &= ~(z.arms[side].distance < 0.16 * self.body.unit)
        found: Flags = core
        return found

    def _hair_core(self) -> Flags:
        z = self.zones
        body = self.body
        if body.face is None:
            return np.zeros_like(self.inside)
        grown = cv2.dilate(
            z.face.astype(np.uint8), np.ones((max(3, int(0.07 * body.unit)) | 1,) * 2, np.uint8)
        )
        eyes = (body.joint("left_eye") + body.joint("right_eye")) / 2
        ys = np.arange(self.inside.shape[0], dtype=np.float32)[:, None]
        found: Flags = (grown == 0) & (z.head < 1.7) & (ys < eyes[1]) & (self.skin_cost > 6.0)
        return found

    def _foot_core(self) -> Flags:
        core = np.zeros_like(self.inside)
        for side in SIDES:
            zone = self.zones.legs[side]
            if zone.seen and self.body.sure(f"{side}_ankle") > 0.4:
                core |= (zone.place > 2.1) & (zone.distance < 0.12 * self.body.unit)
        return core

    # --- geometry ------------------------------------------------------------------------

    def _geometry(self, *, sharp: bool) -> Floats:
        z, unit = self.zones, self.body.unit
        costs = np.zeros((len(CLASSES), *self.mask.shape), np.float32)
        arm_in, arm_bare = self._arm_costs(sharp=sharp)
        leg_in, _ = self._leg_costs()
        face_in = cv2.distanceTransform(np.uint8(255) * ~z.face, cv2.DIST_L2, 3) / unit
        costs[FACE] = np.where(z.face, -3.0, 3.0 + 60.0 * face_in)
        costs[HAIR] = self._hair_costs()
        costs[NECK] = self._neck_costs()
        below = 9.0 * (z.height - self.waist) if sharp else 5.0 * (z.height - 1.0)
        slope = 2.6 if sharp else 1.2
        above_shoulder = np.maximum(0, -z.height - 0.16) * 40
        costs[UPPER] = np.clip(slope * below, -1.0, 12.0) + above_shoulder
        costs[LOWER] = np.clip(-slope * below, -1.0, 12.0) + above_shoulder
        # A cloth that lies over an arm is a sleeve, however low the arm hangs.
        sleeve = np.minimum(arm_in, 4.0) - 1.0 + np.where(arm_bare, 1.5, 0.0)
        hanging = arm_in < 0.8
        costs[UPPER] = np.where(hanging, np.minimum(costs[UPPER], sleeve + 2.0), costs[UPPER])
        costs[UPPER] += np.where(z.face, 6.0, 0.0)
        costs[LOWER] += np.where(z.face, 12.0, 0.0)
        costs[ARM] = arm_in + np.where(arm_bare, -1.5, 1.5)
        hands = self._hands()
        costs[ARM] -= np.where(hands, 3.0, 0.0)
        costs[UPPER] += np.where(hands, 3.0, 0.0)
        costs[LEG] = leg_in + np.clip((1.25 - z.height) * 14, 0, 14)
        costs[SHOE] = self._shoe_costs()
        if not self.body.hips_seen:
            costs[LEG] += 8.0
        return costs

    def _arm_costs(self, *, sharp: bool) -> tuple[Floats, Flags]:
        inside = np.full(self.mask.shape, FORBIDDEN, np.float32)
        bare = np.zeros(self.mask.shape, bool)
        for side in SIDES:
            zone = self.zones.arms[side]
            if not zone.seen:
                continue
            limit = self._arm_width(zone)
            cost = np.clip((zone.distance / limit - 1.0) * 14.0, 0, FORBIDDEN)
            cost = cost.astype(np.float32) + np.where(zone.place < 0.02, 3.0, 0.0)
            nearer = cost < inside
            inside = np.where(nearer, cost, inside).astype(np.float32)
            end = self.sleeve_end[side] if sharp else 0.0
            here = zone.place > end
            bare = np.where(nearer, here, bare)
        return inside, bare

    def _arm_width(self, zone: LimbZone) -> Floats:
        """Greatest half-width of an arm, hand included, at each pixel's place along it."""
        widths = np.interp(zone.place, [0, 0.5, 1, 2, 2.2, 3], [0.2, 0.19, 0.16, 0.12, 0.2, 0.22])
        limits: Floats = (widths * self.body.unit).astype(np.float32)
        return limits

    def _hands(self) -> Flags:
        hands = np.zeros(self.mask.shape, bool)
        for side in SIDES:
            zone = self.zones.arms[side]
            if zone.seen and self.body.sure(f"{side}_wrist") > 0.5:
                hands |= (zone.place > 2.1) & (zone.distance < 0.12 * self.body.unit)
        return hands

    def _leg_costs(self) -> tuple[Floats, Flags]:
        inside = np.full(self.mask.shape, FORBIDDEN, np.float32)
        for side in SIDES:
            zone = self.zones.legs[side]
            if zone.seen:
                cost = np.clip((zone.distance / (0.3 * self.body.unit) - 1.0) * 10.0, 0, FORBIDDEN)
                inside = np.minimum(inside, cost.astype(np.float32))
        return inside, inside < 1

    def _hair_costs(self) -> Floats:
        z, body = self.zones, self.body
        if body.face is None and not z.face.any():
            # No face: whatever hangs beside the neck may still be hair, but only above the chest.
            return np.where(z.height < 0.1, 3.0, FORBIDDEN).astype(np.float32)
        fall = np.clip((z.head - 1.75) * 5.0, 0, None)
        # Long hair falls beside the neck onto shoulders and chest, close to the middle.
        long = 2.2 + np.clip((z.height - 0.35) * 14.0, 0, None)
        long += np.clip((np.abs(z.aside) - 0.52) * 30.0, 0, None)
        cost = np.minimum(fall, long) + np.where(z.face, 2.2, 0.0)
        # The throat lies below the chin, where shade makes skin as dark as hair.
        throat, place = capsule(*self._grid(), body.chin, body.neck)
        cost += np.where((throat < 0.13 * body.unit) & (place > 0), 4.0, 0.0)
        found: Floats = np.minimum(cost, FORBIDDEN).astype(np.float32)
        return found

    def _neck_costs(self) -> Floats:
        z, unit = self.zones, self.body.unit
        xs, ys = self._grid()
        top = self.body.chin - self.body.down * (0.12 * unit)
        chest = self.body.neck + self.body.down * (0.30 * unit)
        distance, place = capsule(xs, ys, top, chest)
        limit = np.interp(place, [0, 0.4, 0.75, 1], [0.25, 0.27, 0.50, 0.34]) * unit
        cost = np.clip((distance / limit - 1.0) * 10.0, 0, FORBIDDEN)
        cost += np.where(z.face, 2.5, 0.0) + np.clip((z.height - 0.55) * 8, 0, 4)
        # Bare skin of shoulders (a tank top) and of the midriff is possible, but must be earned.
        torso = (np.abs(z.aside) < 0.6) & (z.height > -0.12) & (z.height < 1.05)
        cost = np.where(torso, np.minimum(cost, 2.6), cost)
        found: Floats = cost.astype(np.float32)
        return found

    def _grid(self) -> tuple[Floats, Floats]:
        ys, xs = np.mgrid[0 : self.mask.shape[0], 0 : self.mask.shape[1]].astype(np.float32)
        return xs, ys

    def _shoe_costs(self) -> Floats:
        cost = np.full(self.mask.shape, FORBIDDEN, np.float32)
        for side in SIDES:
            zone = self.zones.legs[side]
            if zone.seen and self.body.sure(f"{side}_ankle") > 0.4:
                ankle = self.body.joint(f"{side}_ankle")
                rows = np.arange(self.mask.shape[0], dtype=np.float32)[:, None] - ankle[1]
                here = np.clip(-rows / self.body.unit * 30.0, -1.0, FORBIDDEN)
                near = np.clip((zone.distance / (0.3 * self.body.unit) - 1) * 10, 0, FORBIDDEN)
                cost = np.minimum(cost, (here + near).astype(np.float32))
        return cost

    # --- what the first answer teaches -----------------------------------------------------

    def _find_sleeves(self, colours: list[Floats]) -> None:
        """Where along each arm cloth gives way to skin: the cut that explains most pixels."""
        gain = np.clip(colours[ARM] - np.minimum(colours[UPPER], 12.0), -6, 6)
        for side in SIDES:
            zone = self.zones.arms[side]
            width = 0.10 * self.body.unit
            where = self.inside & (zone.distance < width) & (zone.place < 2.0) & (zone.place > 0.12)
            if not zone.seen or where.sum() < 20:
                continue
            bins = np.clip((zone.place[where] / 0.05).astype(int), 0, 39)
            total = np.bincount(bins, gain[where], minlength=40)
            count = np.bincount(bins, minlength=40)
            step = total / np.maximum(count, 1)
            score = np.concatenate([[0.0], np.cumsum(step)])
            # score[i]: cloth up to i, skin beyond; ties go to the longer sleeve
            best = int(np.argmax(score - (score[-1] - score) * 0.0 + 1e-3 * np.arange(41)))
            self.sleeve_end[side] = best * 0.05

    def _find_waist(self, colours: list[Floats]) -> None:
        """Height of the border between upper and lower garment, along the torso's middle."""
        z = self.zones
        middle = self.inside & (np.abs(z.aside) < 0.3) & (z.height > 0.35) & (z.height < 1.55)
        for side in SIDES:
            arm = z.arms[side]
            if arm.seen:
                middle &= ~((arm.distance < 0.13 * self.body.unit) & (arm.place > 1.0))
        if middle.sum() < 50:
            return
        gain = np.clip(colours[LOWER] - colours[UPPER], -5, 5)
        bins = np.clip(((z.height[middle] - 0.35) / 0.03).astype(int), 0, 39)
        count = np.bincount(bins, minlength=40)
        step = np.bincount(bins, gain[middle], minlength=40) / np.maximum(count, 1)
        score = np.concatenate([[0.0], np.cumsum(step)])
        prior = 0.5 * ((0.35 + 0.03 * np.arange(41) - 0.95) / 0.35) ** 2
        self.waist = 0.35 + 0.03 * int(np.argmax(score - prior))

    def _name_lower(self, labels: NDArray[np.int64], colours: list[Floats]) -> None:
        """Is it one dress, a skirt, or trousers: by colour, and by the gap between the legs."""
        z = self.zones
        lower = (labels == LOWER) & self.inside
        if lower.sum() < 50:
            return
        bottom = float(np.quantile(z.height[lower], 0.97))
        near = lower & (z.height > bottom - 0.22) & (z.height < bottom - 0.04)
        between = (np.abs(z.aside) < 0.5) & (z.height > bottom - 0.22) & (z.height < bottom - 0.04)
        rows = [row for row in range(len(near)) if near[row].sum() > 3]
        split = [_runs(near[row] & between[row]) > 1 for row in rows]
        bare = (labels == LEG) & self.inside & (z.height > bottom)
        hemmed = bare.sum() > 0.02 * self.body.unit**2
        self.legs_split = not hemmed or (bool(split) and float(np.mean(split)) > 0.4)
        below = lower & (z.height > self.waist + 0.12) & (z.height < self.waist + 0.8)
        same = colours[UPPER][below] < colours[LOWER][below] + 3.0
        whole = below.sum() > 30 and float(np.mean(same)) > 0.75
        self.dress = bool(whole and not self.legs_split and self.body.hips_seen)

    def _smooth(self, costs: Floats) -> Floats:
        radius = max(2, round(0.035 * self.body.unit))
        return np.stack(
            [guided_filter(self.guide, layer, radius, 4e-4, subsample=2) for layer in costs]
        )


def _upsample(
    costs: Floats, solver: _Solver, alpha: Floats, body: Body
) -> tuple[NDArray[np.uint8], float]:
    """Full-size ATR labels, and the mean margin by which they were won (0..1)."""
    height, width = alpha.shape
    ordered = np.sort(costs[:, solver.inside], axis=0)
    margin = ordered[1] - ordered[0] if ordered.size else np.zeros(1)
    sure = float(np.mean(1 - np.exp(-margin / 2.0)))
    best = np.full(alpha.shape, np.inf, np.float32)
    labels = np.zeros(alpha.shape, np.uint8)
    for number in range(len(CLASSES)):
        layer = cv2.resize(costs[number], (width, height), interpolation=cv2.INTER_CUBIC)
        won = layer < best
        best[won] = layer[won]
        labels[won] = number
    table = ATR_18_NECK
    cloth = "dress" if solver.dress else "upper-clothes"
    lower = "dress" if solver.dress else "pants" if solver.legs_split else "skirt"
    names = ["face", "hair", "neck", cloth, lower, "arm", "leg", "shoe"]
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    split = (xs - body.neck[0]) * body.across[0] + (ys - body.neck[1]) * body.across[1] > 0
    out = np.zeros_like(labels)
    for number, name in enumerate(names):
        here = labels == number
        if name in ("arm", "leg", "shoe"):
            left, right = table.index(f"left-{name}"), table.index(f"right-{name}")
            out[here] = np.where(split[here], left, right)
        else:
            out[here] = table.index(name)
    out[alpha < 0.5] = 0
    return out, sure


def _runs(row: Flags) -> int:
    """How many separate stretches of True a row has."""
    return int(np.count_nonzero(np.diff(np.concatenate([[0], row.astype(np.int8)])) == 1))
