"""Label tables of the data sets on which parsing and segmentation networks are trained."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

from mycloset.tasks.parsing import ATR_18, ATR_18_NECK, Color, LabelTable

__all__ = [
    "ATR_18",
    "ATR_18_NECK",
    "CLOTHES_18",
    "CLOTH_4",
    "FASHN_18",
    "LIP_20",
    "PASCAL_7",
    "TO_ATR",
    "VOC_21",
    "numbered",
]


def _colored(name: str, labels: Sequence[str]) -> LabelTable:
    """A table whose labels have ATR's colours where ATR knows them, others their own."""
    known = dict(zip(ATR_18.labels, ATR_18.colors, strict=True))
    return LabelTable(
        name,
        tuple(labels),
        tuple(
            known.get(TO_ATR.get(label, label), _hue(number, len(labels)))
            if label not in known
            else known[label]
            for number, label in enumerate(labels)
        ),
    )


def _hue(number: int, count: int) -> Color:
    red, green, blue = colorsys.hsv_to_rgb(number * 0.618 % 1.0, 0.55 + 0.3 * (number % 2), 0.85)
    del count
    return round(255 * red), round(255 * green), round(255 * blue)


TO_ATR = {
    "glove": "left-arm",
    "coat": "upper-clothes",
    "socks": "left-leg",
    "jumpsuits": "dress",
    "upper": "upper-clothes",
    "lower": "pants",
    "full-body": "dress",
    "head": "face",
    # Pascal's torso is mostly clothed, FASHN's is bare skin; the try-on treats both as covered.
    "torso": "upper-clothes",
    "upper-arms": "left-arm",
    "lower-arms": "left-arm",
    "upper-legs": "left-leg",
    "lower-legs": "left-leg",
    "top": "upper-clothes",
    "glasses": "sunglasses",
    "arms": "left-arm",
    "hands": "left-arm",
    "legs": "left-leg",
    "feet": "left-shoe",
    "jewelry": "face",
}
"""Labels that ATR lacks -> the ATR label that comes nearest. Sides that a label does not tell are
the person's left until they are told apart by place (`HumanParsing.to_table`)."""

# Order as in the LIP data set, as the SCHP project publishes it.
LIP_20 = _colored(
    "LIP-20",
    (
        "background", "hat", "hair", "glove", "sunglasses", "upper-clothes", "dress", "coat",
        "socks", "pants", "jumpsuits", "scarf", "skirt", "face", "left-arm", "right-arm",
        "left-leg", "right-leg", "left-shoe", "right-shoe",
    ),
)  # fmt: skip

# Pascal-Person-Part, as the SCHP project publishes it.
PASCAL_7 = _colored(
    "Pascal-Person-Part-7",
    ("background", "head", "torso", "upper-arms", "lower-arms", "upper-legs", "lower-legs"),
)

# id2label of the hub's segformer_b2_clothes: ATR's classes in ATR's order.
CLOTHES_18 = LabelTable("Clothes-18", ATR_18.labels, ATR_18.colors)

# levindabhi/cloth-segmentation.
CLOTH_4 = _colored("Cloth-4", ("background", "upper", "lower", "full-body"))

# fashn-ai/fashn-human-parser.
FASHN_18 = _colored(
    "FASHN-18",
    (
        "background", "face", "hair", "top", "dress", "skirt", "pants", "belt", "bag", "hat",
        "scarf", "glasses", "arms", "hands", "legs", "feet", "torso", "jewelry",
    ),
)  # fmt: skip

# PASCAL VOC 2012, the order of torchvision's segmentation weights.
VOC_21 = _colored(
    "VOC-21",
    (
        "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat",
        "chair", "cow", "diningtable", "dog", "horse", "motorbike", "person", "pottedplant",
        "sheep", "sofa", "train", "tvmonitor",
    ),
)  # fmt: skip


def numbered(classes: int, labels: Sequence[str] | None = None) -> LabelTable:
    """A table for classes whose meaning is not known, or with the names that are given."""
    names = tuple(labels) if labels else tuple(f"class-{n}" for n in range(classes))
    return _colored(f"{classes} classes", names)
