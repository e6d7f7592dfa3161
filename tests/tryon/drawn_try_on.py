"""A try-on drawn with numpy: a person in grey gets a striped shirt, by a known affine warp."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from mycloset.images import Picture
from mycloset.tasks.garments import Category, GarmentShape, SleeveLength
from mycloset.tasks.masks import Mask
from mycloset.tasks.parsing import ATR_18, HumanParsing
from mycloset.tasks.people import Person
from mycloset.tasks.poses import Pose, Skeleton
from mycloset.tryon.state import Fitting, Matching, PartMatch, TryOnState, WarpedGarment

HEIGHT, WIDTH = 480, 360
JOINTS: dict[str, tuple[float, float]] = {
    "nose": (180, 62), "left_eye": (190, 52), "right_eye": (170, 52),
    "left_shoulder": (222, 120), "right_shoulder": (138, 120),
    "left_elbow": (268, 185), "right_elbow": (92, 185),
    "left_wrist": (300, 250), "right_wrist": (60, 250),
    "left_hip": (208, 260), "right_hip": (152, 260),
    "left_knee": (210, 350), "right_knee": (150, 350),
    "left_ankle": (212, 440), "right_ankle": (148, 440),
    "left_heel": (212, 450), "right_heel": (148, 450),
    "left_foot_index": (220, 456), "right_foot_index": (140, 456),
}  # fmt: skip
SKELETON = Skeleton(
    "test",
    tuple(JOINTS),
    (
        ("left_shoulder", "right_shoulder"), ("left_hip", "right_hip"),
        ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
        ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"),
        ("left_shoulder", "left_hip"), ("right_shoulder", "right_hip"),
        ("left_hip", "left_knee"), ("left_knee", "left_ankle"),
        ("right_hip", "right_knee"), ("right_knee", "right_ankle"),
    ),
)  # fmt: skip

BODICE = np.array([[134, 108], [226, 108], [230, 262], [130, 262]], np.float32)
SLEEVES = {
    "sleeve_left": np.array([[218, 108], [262, 162], [240, 180], [214, 140]], np.float32),
    "sleeve_right": np.array([[142, 108], [98, 162], [120, 180], [146, 140]], np.float32),
}
SCALE = 1.6  # The garment picture is that much larger than the person.


def pose(**changes: Any) -> Pose:
    points = np.array(list(JOINTS.values()), np.float32)
    made = Pose(SKELETON, points, np.full(len(points), 0.99, np.float32), 0.99)
    return replace(made, **changes)


def area(points: np.ndarray, shape: tuple[int, int] = (HEIGHT, WIDTH)) -> np.ndarray:
    """Anti-aliased polygon, float32 0..1."""
    drawn = np.zeros(shape, np.uint8)
    cv2.fillPoly(drawn, [np.round(points * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return drawn.astype(np.float32) / 255.0


def body_mask() -> np.ndarray:
    drawn = np.zeros((HEIGHT, WIDTH), np.uint8)

    def at(joint: str) -> tuple[int, int]:
        return int(JOINTS[joint][0]), int(JOINTS[joint][1])

    cv2.circle(drawn, (180, 62), 34, 255, -1, cv2.LINE_AA)
    cv2.line(drawn, (180, 62), (180, 120), 255, 26)
    cv2.fillPoly(drawn, [np.array([[132, 108], [228, 108], [222, 270], [138, 270]])], 255)
    for side in ("left", "right"):
        for chain, thick in ((("shoulder", "elbow", "wrist"), 28), (("hip", "knee", "ankle"), 44)):
            for first, second in itertools.pairwise(chain):
                cv2.line(drawn, at(f"{side}_{first}"), at(f"{side}_{second}"), 255, thick)
    return drawn.astype(np.float32) / 255.0


def photo() -> np.ndarray:
    """A grey ground, a person in a plain grey-blue shirt lit from the left, and dark trousers."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    noise = np.random.default_rng(3).normal(0, 1.0, (HEIGHT, WIDTH, 1))
    picture = np.full((HEIGHT, WIDTH, 3), (206, 204, 200), np.float32)
    body = body_mask()[..., None]
    picture += body * (np.array((208, 160, 130), np.float32) - picture)
    legs = body * (y > 262)[..., None]
    picture += legs * (np.array((50, 54, 70), np.float32) - picture)
    light = (1.0 + 0.25 * np.cos((x - 130) / 34.0))[..., None]
    shirt = old_shirt()[..., None]
    picture += shirt * (np.array((96, 110, 150), np.float32) * light - picture)
    for eye in ("left_eye", "right_eye"):
        cv2.circle(picture, tuple(int(v) for v in JOINTS[eye]), 3, (40, 30, 30), -1)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def old_shirt() -> np.ndarray:
    return np.maximum.reduce([area(BODICE), *(area(sleeve) for sleeve in SLEEVES.values())])


def parsing() -> HumanParsing:
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    body = body_mask() >= 0.5
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    labels[body & (y < 110)] = ATR_18.index("face")
    labels[body & (y >= 110) & (x < 150)] = ATR_18.index("right-arm")
    labels[body & (y >= 110) & (x > 210)] = ATR_18.index("left-arm")
    labels[body & (y > 262)] = ATR_18.index("pants")
    labels[old_shirt() >= 0.5] = ATR_18.index("upper-clothes")
    return HumanParsing(labels, ATR_18, 0.9)


def garment_picture(*, plain: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """The shirt flat on white, and its alpha."""
    shape = (round(HEIGHT * SCALE), round(WIDTH * SCALE))
    parts = [area(points * SCALE, shape) for points in (BODICE, *SLEEVES.values())]
    alpha = np.maximum.reduce(parts)
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    cloth = np.full((*shape, 3), (190, 40, 50), np.float32)
    if not plain:
        stripes = 0.5 + 0.5 * np.tanh(4 * np.sin(y * 2 * np.pi / 26))
        cloth += stripes[..., None] * (np.array((240, 236, 225), np.float32) - cloth)
        logo = (np.hypot(x - 288, y - 290) < 34)[..., None]
        cloth += logo * (np.array((20, 60, 120), np.float32) - cloth)
    picture = 255.0 + alpha[..., None] * (cloth - 255.0)
    return picture.astype(np.uint8), alpha


def warp(
    garment: np.ndarray, alpha: np.ndarray, shift: tuple[float, float] = (0, 0)
) -> WarpedGarment:
    """Bring the garment onto the person by the known scale, moved by `shift` pixels."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    grid = np.stack([(x - shift[0]) * SCALE, (y - shift[1]) * SCALE], axis=-1)
    soft = cv2.GaussianBlur(garment, (0, 0), 0.6)
    rgb = cv2.remap(soft, grid[..., 0], grid[..., 1], cv2.INTER_CUBIC)
    cover = cv2.remap(alpha, grid[..., 0], grid[..., 1], cv2.INTER_LINEAR)
    move = np.array(shift, np.float32)
    parts = {"torso": area(BODICE + move)}
    parts |= {name: area(points + move) for name, points in SLEEVES.items()}
    grid[cover <= 0] = np.nan
    return WarpedGarment(rgb, cover, parts, grid)


def compose(person: np.ndarray, warped: WarpedGarment, *, shaded: bool = True) -> Fitting:
    """Lay the warped garment over the photo, with the light of the old shirt."""
    changed = cv2.GaussianBlur(cv2.dilate(np.maximum(warped.alpha, old_shirt()),
                                          np.ones((5, 5))), (0, 0), 1.0)  # fmt: skip
    changed[changed < 0.02] = 0.0
    ground = np.full_like(person, (206, 204, 200)).astype(np.float32)
    skin = (body_mask() >= 0.5)[..., None]
    low = (np.arange(HEIGHT) > 262)[:, None, None]
    body = np.where(low, np.array((50, 54, 70), np.float32), np.array((208, 160, 130), np.float32))
    fill = np.where(skin, body, ground)
    x = np.arange(WIDTH, dtype=np.float32)[None, :, None]
    light = 1.0 + 0.25 * np.cos((x - 130) / 34.0) if shaded else np.float32(1.0)
    share = changed[..., None]
    under = person + share * (fill - person)
    rgb = under + warped.alpha[..., None] * (warped.rgb * light - under)
    out = np.clip(rgb + 0.5, 0, 255).astype(np.uint8)
    out[changed == 0] = person[changed == 0]
    return Fitting(out, changed, warped.alpha)


def made_state(
    *,
    plain: bool = False,
    shift: tuple[float, float] = (0, 0),
    shaded: bool = True,
    sleeves: SleeveLength = SleeveLength.SHORT,
) -> TryOnState:
    """A finished try-on without its quality."""
    person = photo()
    garment, alpha = garment_picture(plain=plain)
    warped = warp(garment, alpha, shift)
    fitted = compose(person, warped, shaded=shaded)
    move = np.array(shift, np.float32)
    points = {"hem_left": BODICE[2] * SCALE, "hem_right": BODICE[3] * SCALE}
    shape = GarmentShape(Category.UPPER, points, sleeves, False, 0.9)
    matches = tuple(
        PartMatch(name, (corners * SCALE).astype(np.float32), corners + move, alpha > 0.5)
        for name, corners in {"torso": BODICE, **SLEEVES}.items()
    )
    found = pose()
    return TryOnState(
        person_picture=Picture(person, None, "person"),
        garment_picture=Picture(garment, None, "garment"),
        category=Category.UPPER,
        person=Person(found, Mask(body_mask()), None, np.array([40, 20, 320, 460], np.float32)),
        parsing=parsing(),
        pose=found,
        cloth_mask=Mask(alpha),
        matching=Matching(shape, matches, alpha),
        warped=warped,
        fitted=fitted,
        final=fitted.rgb,
    )


def with_final(state: TryOnState, final: np.ndarray) -> TryOnState:
    """The same try-on with other pixels in the end."""
    return replace(state, final=final)
