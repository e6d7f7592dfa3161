"""Bodies and their poses: measures, joints in space, and the solids that a body is made of.

Lengths are centimetres in the camera's frame (x right, y down, z to the viewer); the middle between
the hip joints is the origin. "left" is the person's own, which is the picture's right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mycloset.wardrobe.curves import Floats, floats
from mycloset.wardrobe.garments import SIDES
from mycloset.wardrobe.solids import Stack, Tube

Profile = Callable[[Floats], Floats]


@dataclass(frozen=True)
class BodyShape:
    """Measures of a body; lengths in cm for a height of 172 cm, scaled with the height.

    Attributes:
        height_cm: from sole to crown.
        shoulders: half the distance between the shoulder joints.
        chest, waist, hips: half-widths of the trunk.
        depth: factor on the trunk's depth.
        bust: how far the breasts stand out.
        limbs: factor on the thickness of arms and legs.
        neck: radius of the neck.
    """

    height_cm: float = 172.0
    shoulders: float = 16.6
    chest: float = 14.6
    waist: float = 12.2
    hips: float = 16.8
    depth: float = 1.0
    bust: float = 1.8
    limbs: float = 1.0
    neck: float = 4.7


SLIM_WOMAN = BodyShape(170.0, 16.2, 14.2, 11.6, 16.2, 0.95, 1.5, 0.95, 4.6)
CURVY_WOMAN = BodyShape(166.0, 16.9, 16.0, 14.2, 19.0, 1.15, 2.8, 1.14, 5.1)
SLIM_MAN = BodyShape(180.0, 18.4, 16.2, 14.0, 15.6, 1.0, 0.3, 1.05, 5.4)
BROAD_MAN = BodyShape(178.0, 19.6, 18.2, 17.0, 17.6, 1.2, 0.6, 1.2, 6.1)


@dataclass(frozen=True)
class Reach:
    """Where a limb's bones point, each as (outwards, forwards) in degrees from hanging down.

    Attributes:
        upper, lower: the two long bones.
        hand: the hand; None where it follows the forearm.
    """

    upper: tuple[float, float]
    lower: tuple[float, float]
    hand: tuple[float, float] | None = None


@dataclass(frozen=True)
class Pose:
    """How a body stands.

    Attributes:
        arm_left, arm_right, leg_left, leg_right: the limbs.
        lean: degrees; positive leans the trunk to the picture's right.
        yaw: degrees; positive turns the trunk to the picture's right.
        shoulder_tilt, hip_tilt: degrees; positive sinks the picture's right side.
        head_yaw, head_roll: degrees, on top of the trunk's.
        bow: cm by which the trunk's middle lies to the picture's right.
    """

    arm_left: Reach = Reach((14.0, 2.0), (8.0, 12.0))
    arm_right: Reach = Reach((14.0, 2.0), (8.0, 12.0))
    leg_left: Reach = Reach((4.0, 0.0), (2.0, -3.0))
    leg_right: Reach = Reach((4.0, 0.0), (2.0, -3.0))
    lean: float = 0.0
    yaw: float = 0.0
    shoulder_tilt: float = 0.0
    hip_tilt: float = 0.0
    head_yaw: float = 0.0
    head_roll: float = 0.0
    bow: float = 0.0


POSES: Mapping[str, Pose] = {
    "relaxed": Pose(),
    "hand_on_hip": Pose(
        arm_left=Reach((50.0, -8.0), (-50.0, 20.0), (-34.0, 16.0)),
        arm_right=Reach((15.0, 0.0), (9.0, 14.0)),
        shoulder_tilt=-2.0,
        hip_tilt=3.0,
        bow=-1.0,
        head_roll=3.0,
    ),
    "arms_out": Pose(
        arm_left=Reach((68.0, 2.0), (74.0, 6.0)), arm_right=Reach((62.0, 2.0), (70.0, 6.0))
    ),
    "arms_up": Pose(
        arm_left=Reach((104.0, 4.0), (146.0, 8.0)), arm_right=Reach((98.0, 4.0), (138.0, 8.0))
    ),
    "arm_across": Pose(
        arm_left=Reach((16.0, 2.0), (10.0, 12.0)),
        arm_right=Reach((12.0, 16.0), (-98.0, 24.0)),
        yaw=-4.0,
    ),
    "arms_crossed": Pose(
        arm_left=Reach((14.0, 18.0), (-96.0, 14.0)), arm_right=Reach((14.0, 20.0), (-90.0, 32.0))
    ),
    "turned": Pose(
        arm_left=Reach((16.0, -4.0), (12.0, 14.0)),
        arm_right=Reach((14.0, 6.0), (6.0, 18.0)),
        yaw=20.0,
        head_yaw=-8.0,
        lean=1.5,
    ),
    "leaning": Pose(
        arm_left=Reach((20.0, 2.0), (12.0, 14.0)),
        arm_right=Reach((10.0, 2.0), (4.0, 16.0)),
        lean=5.0,
        shoulder_tilt=3.0,
        hip_tilt=-3.0,
        yaw=-8.0,
        head_roll=-5.0,
    ),
    "walking": Pose(
        arm_left=Reach((14.0, 14.0), (8.0, 26.0)),
        arm_right=Reach((16.0, -12.0), (10.0, 4.0)),
        leg_left=Reach((2.0, -8.0), (1.0, -18.0)),
        leg_right=Reach((3.0, 10.0), (1.0, 2.0)),
        hip_tilt=-2.0,
        shoulder_tilt=1.5,
        yaw=6.0,
    ),
}
"""Poses by name."""


def profile(places: tuple[float, ...], values: tuple[float, ...]) -> Profile:
    """A smooth curve through the values that does not overshoot; constant outside."""
    # Imported here: drawing a flat garment needs no body, and this is slow to import.
    from scipy.interpolate import PchipInterpolator

    curve = PchipInterpolator(np.asarray(places, float), np.asarray(values, float))
    low, high = places[0], places[-1]
    return lambda at: floats(curve(np.clip(at, low, high)))


@dataclass(frozen=True)
class Body:
    """A body in a pose."""

    shape: BodyShape
    pose: Pose

    @cached_property
    def unit(self) -> float:
        """Factor on lengths that are given for 172 cm."""
        return self.shape.height_cm / 172.0

    @cached_property
    def trunk_length(self) -> float:
        """From the neck's base to the hip joints."""
        return 54.0 * self.unit

    @cached_property
    def half_width(self) -> Profile:
        """Half-width of the trunk at cm below the neck's base."""
        s, k = self.shape, self.unit
        places = (-3, 0, 2, 3, 4, 6, 11, 14, 18, 22, 27, 32, 38, 44, 50, 55, 60, 64)
        w, ch, hip = s.waist, s.chest, s.hips
        sh = s.shoulders
        widths = (
            s.neck - 1.0, s.neck + 1.4, s.neck + 5.0, sh * 0.78, sh * 0.93, sh, sh * 0.99,
            sh * 0.45 + ch * 0.56, ch * 1.03, ch, ch * 0.62 + w * 0.38, w * 0.82 + ch * 0.18, w,
            w * 0.62 + hip * 0.38, hip * 0.92, hip, hip, hip * 0.97,
        )  # fmt: skip
        return profile(tuple(v * k for v in places), tuple(v * k for v in widths))

    @cached_property
    def half_depth(self) -> Profile:
        """Half-depth of the trunk at cm below the neck's base."""
        s, k = self.shape, self.unit * self.shape.depth
        places = (-3, 0, 3, 7, 11, 16, 20, 26, 32, 38, 45, 52, 58, 64)
        belly = max(0.0, s.waist - 13.0) * 0.7
        depths = (
            2.0, s.neck - 0.6, 7.0, 8.8, 9.9, 10.8, 11.0, 10.6 + belly * 0.5, 9.7 + belly,
            9.4 + belly, 10.0 + belly * 0.7, 10.8, 11.0, 10.6,
        )  # fmt: skip
        return profile(tuple(v * self.unit for v in places), tuple(v * k for v in depths))

    @cached_property
    def neck_base(self) -> Floats:
        """(3,) the trunk's upper end."""
        lean = np.deg2rad(self.pose.lean)
        length = self.trunk_length
        return floats([length * np.sin(lean), -length * np.cos(lean), 0.0])

    def trunk(self, start: float, stop: float, half_width: Profile, half_depth: Profile) -> Stack:
        """A stack on the trunk's axis, between cm below the neck's base."""
        length = self.trunk_length
        pose = self.pose
        # The tilt runs from the shoulders' at the top to the hips' at the hips, and stays there.
        tilt_at = pose.hip_tilt - pose.shoulder_tilt
        tilt = (
            pose.shoulder_tilt + tilt_at * np.clip(start / length, 0, 1),
            pose.shoulder_tilt + tilt_at * np.clip(stop / length, 0, 1),
        )
        return Stack(
            origin=(float(self.neck_base[0]), float(self.neck_base[1]), 0.0),
            lean=pose.lean,
            yaw=pose.yaw,
            start=start,
            stop=stop,
            half_width=half_width,
            half_depth=half_depth,
            tilt=(float(tilt[0]), float(tilt[1])),
            bow=0.0,
        )

    def on_trunk(self, across: float, along: float, depth: float = 0.0) -> Floats:
        """(3,) camera position of a point in the trunk's own frame."""
        stack = self.trunk(0.0, self.trunk_length, self.half_width, self.half_depth)
        return stack.place(across, along, depth)

    @cached_property
    def joints(self) -> Mapping[str, Floats]:
        """(3,) cm of shoulders, elbows, wrists, fingertips, hips, knees, ankles, neck and head."""
        k, pose = self.unit, self.pose
        found: dict[str, Floats] = {"neck": self.neck_base}
        for side, sign in SIDES.items():
            arm: Reach = getattr(pose, f"arm_{side}")
            leg: Reach = getattr(pose, f"leg_{side}")
            raised = max(0.0, arm.upper[0] - 40.0) / 60.0
            shoulder = self.on_trunk(
                sign * (self.shape.shoulders - 0.5 - 0.6 * raised) * k,
                (9.4 - 3.6 * raised) * k,
                -0.5,
            )
            elbow = shoulder + _toward(sign, arm.upper) * np.float32(29.0 * k)
            wrist = elbow + _toward(sign, arm.lower) * np.float32(25.0 * k)
            hip = self.on_trunk(sign * 9.0 * k * (self.shape.hips / 16.8) ** 0.5, 54.0 * k)
            knee = hip + _toward(sign, leg.upper) * np.float32(42.5 * k)
            ankle = knee + _toward(sign, leg.lower) * np.float32(40.5 * k)
            hand = wrist + _toward(sign, arm.hand or _loose(arm.lower)) * np.float32(17.0 * k)
            found |= {
                f"shoulder_{side}": shoulder, f"elbow_{side}": elbow, f"wrist_{side}": wrist,
                f"hand_{side}": hand, f"hip_{side}": hip, f"knee_{side}": knee,
                f"ankle_{side}": ankle,
            }  # fmt: skip
        up = np.deg2rad(pose.lean * 0.6 + pose.head_roll)
        found["head"] = self.neck_base + floats(
            [15.3 * k * np.sin(up), -15.3 * k * np.cos(up), 2.4 * k]
        )
        return found

    def arm_radius(self, along: Floats) -> Floats:
        """Radius of an arm at cm from the shoulder joint."""
        k, s = self.unit, self.shape.limbs
        places = (-6, 0, 6, 14, 22, 29, 35, 44, 54, 58)
        radii = (4.3, 4.6, 4.8, 4.3, 3.9, 3.6, 3.9, 3.2, 2.5, 2.4)
        return profile(tuple(v * k for v in places), tuple(v * k * s for v in radii))(along)

    def leg_radius(self, along: Floats) -> Floats:
        """Radius of a leg at cm from the hip joint."""
        k, s = self.unit, self.shape.limbs
        hips = self.shape.hips
        hip = hips + 0.4 - 9.0 * (hips / 16.8) ** 0.5
        places = (-4, 0, 10, 22, 34, 42, 50, 56, 68, 78, 84)
        thigh = (hip, hip, hip * 1.02, hip * 0.5 + 3.6 * s)
        lower = tuple(r * s for r in (6.2, 5.5, 5.4, 5.5, 4.4, 3.5, 3.5))
        return profile(tuple(v * k for v in places), tuple(v * k for v in thigh + lower))(along)

    def arm(self, side: str, radius: Profile | None = None, upto: str = "wrist") -> Tube:
        """The arm as a tube from the shoulder joint."""
        names = ("shoulder", "elbow", "wrist") if upto == "wrist" else ("shoulder", "elbow")
        joints = np.stack([self.joints[f"{name}_{side}"] for name in names])
        return Tube(_rounded(joints), radius or self.arm_radius, SIDES[side])

    def leg(self, side: str, radius: Profile | None = None) -> Tube:
        """The leg as a tube from the hip joint."""
        joints = np.stack([self.joints[f"{name}_{side}"] for name in ("hip", "knee", "ankle")])
        return Tube(joints, radius or self.leg_radius, SIDES[side])


def _toward(sign: float, angles: tuple[float, float]) -> Floats:
    out, forward = np.deg2rad(angles)
    return floats(
        [sign * np.sin(out) * np.cos(forward), np.cos(out) * np.cos(forward), np.sin(forward)]
    )


def _loose(angles: tuple[float, float]) -> tuple[float, float]:
    """A hand follows its forearm, a little less far out."""
    return angles[0] * 0.96 - 3.0, angles[1] + 6.0


def _rounded(joints: Floats) -> Floats:
    """The line with its inner corner cut a little, so that an elbow bends and does not break."""
    if len(joints) < 3:
        return joints
    first, corner, last = joints
    before = corner + (first - corner) * np.float32(0.10)
    after = corner + (last - corner) * np.float32(0.12)
    middle = (before + after) * np.float32(0.25) + corner * np.float32(0.5)
    return np.stack([first, before, middle, after, last])
