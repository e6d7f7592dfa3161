"""Pictures of a person without the garment that is to be replaced, as the networks get them.

Sources: sergeywong/cp-vton@fbaf333, cp_dataset.py; minar09/cp-vton-plus@5d7a899, cp_dataset.py;
shadow2496/VITON-HD@02afa4b, datasets.py (get_parse_agnostic, get_img_agnostic).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mycloset.architectures.garment_networks.people import Floats, Labels, Subject
from mycloset.images import RGB

RESERVED = (1, 2, 4, 13)
"""CP-VTON keeps hat, hair, sunglasses, face."""
RESERVED_PLUS_MATCHING = (1, 4, 13)
"""CP-VTON+'s matching module keeps no hair."""
RESERVED_PLUS_FITTING = (1, 2, 4, 9, 12, 13, 16, 17)
"""CP-VTON+'s try-on module keeps also trousers, skirt and legs."""

GREY = 128
HEIGHT = 1024
"""The height that VITON-HD's radii are meant for."""
UPPER, NECK = (5, 6, 7), 10
HEAD, LOWER = (4, 13), (9, 12, 16, 17, 18, 19)
LEFT_ARM, RIGHT_ARM = 14, 15


def cp_vton_person(person: Subject, reserved: Sequence[int]) -> Floats:
    """(22, h, w) float32 -1..1: body shape 1, reserved parts of the picture 3, joints 18."""
    shape = body_shape(person.labels > 0)
    keep = np.isin(person.labels, reserved)
    rgb = person.rgb.transpose(2, 0, 1).astype(np.float32) / np.float32(127.5) - 1
    kept = np.where(keep[None], rgb, np.float32(-1))
    return np.concatenate([shape[None], kept, joint_maps(person)]).astype(np.float32)


def body_shape(inside: NDArray[np.bool_]) -> Floats:
    """(h, w) float32 -1..1: an outline so blurred that it says nothing of the clothes.

    It is made 16 times smaller and large again, both times bilinearly.
    """
    height, width = inside.shape
    whole = Image.fromarray(inside.astype(np.uint8) * 255)
    small = whole.resize((max(1, width // 16), max(1, height // 16)), Image.Resampling.BILINEAR)
    large = small.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(large, np.float32) / np.float32(127.5) - 1


def joint_maps(person: Subject, radius: int = 5) -> Floats:
    """(18, h, w) float32: 1 in a square round each joint that is seen, -1 elsewhere."""
    height, width = person.labels.shape
    maps = np.full((len(person.joints), height, width), -1, np.float32)
    for number, (x, y) in enumerate(person.joints):
        if x > 1 and y > 1:
            rows = slice(max(int(y - radius), 0), max(int(y + radius) + 1, 0))
            columns = slice(max(int(x - radius), 0), max(int(x + radius) + 1, 0))
            maps[number, rows, columns] = 1
    return maps


def viton_hd_labels(person: Subject) -> Labels:
    """(h, w) uint8, `NUMBERS` without the upper garment, the neck, and arms near their joints.

    What is left of an arm, the hand, lies off the lines along the arm that the joints give.
    """
    scale = person.labels.shape[0] / HEIGHT
    found = person.labels.copy()
    found[np.isin(found, (*UPPER, NECK))] = 0
    sides = ((LEFT_ARM, "right", "left"), (RIGHT_ARM, "left", "right"))
    for label, other, side in sides:
        chain = (f"{other}_shoulder", f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist")
        mask = Image.new("L", (found.shape[1], found.shape[0]))
        draw = ImageDraw.Draw(mask)
        before = chain[0]
        for name in chain[1:]:
            if not person.seen(before, name):
                continue
            _line(draw, person.joint(before), person.joint(name), 255, 100 * scale)
            _ellipse(draw, person.joint(name), (40 if name == chain[-1] else 150) * scale)
            before = name
        found[(np.asarray(mask) > 0) & (person.labels == label)] = 0
    return found


def viton_hd_picture(person: Subject) -> RGB:
    """(h, w, 3) uint8: the person with torso, arms and neck painted grey.

    Hips that are not seen are taken to lie a shoulder breadth and a half below the shoulders.
    """
    scale = person.labels.shape[0] / HEIGHT
    picture = Image.fromarray(person.rgb)
    draw = ImageDraw.Draw(picture)
    grey = (GREY,) * 3
    shoulders = person.joint("right_shoulder"), person.joint("left_shoulder")
    hips = _hips(person, shoulders)
    _line(draw, *shoulders, grey, 200 * scale)
    for point in shoulders:
        _ellipse(draw, point, 100 * scale, grey)
    for side in ("right", "left"):
        for before, name in (("shoulder", "elbow"), ("elbow", "wrist")):
            if person.seen(f"{side}_{before}", f"{side}_{name}"):
                end = person.joint(f"{side}_{name}")
                _line(draw, person.joint(f"{side}_{before}"), end, grey, 200 * scale)
                _ellipse(draw, end, 100 * scale, grey)
    for point in hips:
        _ellipse(draw, point, 60 * scale, grey, high=120 * scale)
    for shoulder, hip in zip(shoulders, hips, strict=True):
        _line(draw, shoulder, hip, grey, 120 * scale)
    _line(draw, *hips, grey, 240 * scale)
    corners = (shoulders[0], shoulders[1], hips[1], hips[0])
    draw.polygon([(float(x), float(y)) for x, y in corners], grey, grey)
    neck = person.joint("neck") if person.seen("neck") else (shoulders[0] + shoulders[1]) / 2
    reach = 140 * scale
    x, y = float(neck[0]), float(neck[1])
    draw.rectangle((x - reach, y - reach, x + reach, y + reach), grey, grey)
    keep = np.isin(person.labels, (*HEAD, *LOWER))
    found: RGB = np.where(keep[..., None], person.rgb, np.asarray(picture))
    return found


def _hips(person: Subject, shoulders: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """Both hips, pulled apart to the shoulders' breadth round their middle."""
    across = shoulders[1] - shoulders[0]
    breadth = float(np.linalg.norm(across))
    if person.seen("right_hip", "left_hip"):
        right, left = person.joint("right_hip"), person.joint("left_hip")
        middle, apart = (right + left) / 2, left - right
        length = float(np.linalg.norm(apart))
        if length > 0:
            across = apart / np.float32(length / breadth)
    else:
        middle = (shoulders[0] + shoulders[1]) / 2 + np.array([0, 1.5 * breadth], np.float32)
    half = across / np.float32(2)
    return (middle - half).astype(np.float32), (middle + half).astype(np.float32)


def _line(
    draw: ImageDraw.ImageDraw,
    start: Floats,
    end: Floats,
    color: int | tuple[int, ...],
    width: float,
) -> None:
    places = [(float(start[0]), float(start[1])), (float(end[0]), float(end[1]))]
    draw.line(places, color, width=max(1, round(width)))


def _ellipse(
    draw: ImageDraw.ImageDraw,
    point: Floats,
    wide: float,
    color: int | tuple[int, ...] = 255,
    *,
    high: float | None = None,
) -> None:
    x, y = float(point[0]), float(point[1])
    high = wide if high is None else high
    draw.ellipse((x - wide, y - high, x + wide, y + high), color, color)
