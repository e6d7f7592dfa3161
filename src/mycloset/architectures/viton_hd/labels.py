"""VITON-HD's own label tables.

Source: shadow2496/VITON-HD@02afa4b, datasets.py and test.py.
"""

from __future__ import annotations

from mycloset.tasks.parsing import LabelTable

VITON_HD_13 = LabelTable(
    "VITON-HD-13",
    (
        "background", "hair", "face", "upper-clothes", "pants", "left-arm", "right-arm",
        "left-leg", "right-leg", "left-shoe", "right-shoe", "socks", "noise",
    ),
    (
        (32, 32, 36), (122, 78, 48), (246, 190, 150), (214, 69, 65), (52, 110, 190),
        (250, 150, 70), (245, 120, 40), (120, 190, 90), (70, 150, 60), (30, 150, 130),
        (60, 190, 170), (200, 180, 90), (150, 110, 170),
    ),
)  # fmt: skip
"""What the segmentation generator gives; "pants" is all that is worn below."""

GROUPS_13: tuple[tuple[int, ...], ...] = (
    (0, 10), (1, 2), (4, 13), (5, 6, 7), (9, 12), (14,), (15,), (16,), (17,), (18,), (19,), (8,),
    (3, 11),
)  # fmt: skip
"""Labels of the person's parsing (garment_networks.people.NUMBERS) in each of the 13."""

GROUPS_7: tuple[tuple[int, ...], ...] = (
    (0,),
    (2, 4, 7, 8, 9, 10, 11),
    (3,),
    (1,),
    (5,),
    (6,),
    (12,),
)
"""Labels of the 13 in each of the generator's 7: background, what is pasted, upper garment, hair,
left arm, right arm, noise."""

UPPER = 2
"""The upper garment's place among the 7."""
