"""Label tables of the data sets on which parsing and segmentation networks are trained."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

from mycloset.errors import OptionError
from mycloset.tasks.parsing import ATR_18, ATR_18_NECK, Color, LabelTable

__all__ = [
    "ATR_18",
    "ATR_18_NECK",
    "CELEBAMASK_19",
    "CLOTHES_18",
    "CLOTH_4",
    "FASHN_18",
    "LIP_20",
    "PASCAL_7",
    "TO_ATR",
    "VOC_21",
    "named",
    "numbered",
]


def _colored(name: str, labels: Sequence[str]) -> LabelTable:
    """A table whose labels have ATR's colours where ATR knows them, others their own."""
    known = dict(zip(ATR_18_NECK.labels, ATR_18_NECK.colors, strict=True))
    taken = {known[label] for label in labels if label in known}
    colors = []
    for number, label in enumerate(labels):
        color = known.get(label) or known.get(TO_ATR.get(label, ""), _hue(number))
        turn = number
        while label not in known and color in taken:
            turn += 1
            color = _hue(turn)
        taken.add(color)
        colors.append(color)
    return LabelTable(name, tuple(labels), tuple(colors))


def _hue(number: int) -> Color:
    red, green, blue = colorsys.hsv_to_rgb(number * 0.618 % 1.0, 0.55 + 0.3 * (number % 2), 0.85)
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


# CelebAMask-HQ, as zllrunning/face-parsing.PyTorch numbers it (prepropess_data.py).
CELEBAMASK_19 = _colored(
    "CelebAMask-19",
    (
        "background", "skin", "l_brow", "r_brow", "l_eye", "r_eye", "eye_g", "l_ear", "r_ear",
        "ear_r", "nose", "mouth", "u_lip", "l_lip", "neck", "neck_l", "cloth", "hair", "hat",
    ),
)  # fmt: skip


def named(
    classes: int, labels: Sequence[str] | None, names: Sequence[str] | None, usual: LabelTable
) -> LabelTable:
    """The table of a network.

    Args:
        classes: of the network.
        labels: what the caller calls them; goes before all else.
        names: what the file calls them; written as the tables here are ("Left shoe" is
            "left-shoe").
        usual: the table where neither says anything.

    Raises:
        OptionError: there are not as many as classes.
    """
    given = labels or [name.strip().lower().replace(" ", "-") for name in names or ()]
    if not given:
        return usual
    if len(given) != classes:
        raise OptionError(
            f"config: {len(given)} labels, but the network has {classes} classes.",
            hint='Name all of them: load(..., config={"labels": [...]}).',
        )
    return usual if tuple(given) == usual.labels else numbered(classes, given)


def numbered(classes: int, labels: Sequence[str] | None = None) -> LabelTable:
    """A table for classes whose meaning is not known, or with the names that are given."""
    names = tuple(labels) if labels else tuple(f"class-{n}" for n in range(classes))
    return _colored(f"{classes} classes", names)
