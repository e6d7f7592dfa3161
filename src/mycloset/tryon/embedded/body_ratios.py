"""Proportions of adults, for what a single photo does not show.

Means and standard deviations over the individuals of ANSUR II (Gordon et al., "2012 Anthropometric
Survey of U.S. Army Personnel", Natick, NATICK/TR-15/007; public data of 4082 men and 1986 women),
computed from the two tables with both sexes weighted alike: a population of young, fit adults.
Each mean is the middle between the sexes', each deviation that of the mixture.
"""

from __future__ import annotations

from typing import NamedTuple


class Ratio(NamedTuple):
    """Mean and standard deviation."""

    mean: float
    sd: float


# To stature.
EYE_TO_EYE = Ratio(0.0372, 0.0024)  # interpupillarybreadth
TRUNK = Ratio(0.304, 0.015)  # acromialheight - trochanterionheight

# In centimetres, whatever the stature: they vary less than stature does.
EYE_TO_EYE_CM = Ratio(6.29, 0.37)  # interpupillarybreadth
STATURE_CM = Ratio(169.2, 9.2)


class Girth(NamedTuple):
    """A section of the trunk as an ellipse, and what weight alone says of it.

    Attributes:
        at: height between the acromion (0) and the trochanterion (1).
        depth: depth over breadth of the section.
        girth: circumference over that of the ellipse with this breadth and depth (it is more
            than 1 since a body is no ellipse, and the chest's breadth is taken without the
            muscles beside it).
        error: relative standard deviation of the circumference over the breadth.
        by_weight: circumference over the square root of weight over stature (cm, kg/cm): the
            girth of a cylinder of that weight and height goes like this root.
        weight_error: relative standard deviation of `by_weight`.
    """

    at: float
    depth: float
    girth: float
    error: float
    by_weight: float
    weight_error: float


GIRTHS = {
    "chest": Girth(0.305, 0.898, 1.202, 0.058, 149.8, 0.041),
    "waist": Girth(0.719, 0.718, 1.058, 0.035, 134.3, 0.060),
    "hip": Girth(1.02, 0.684, 1.093, 0.029, 152.8, 0.049),
}
