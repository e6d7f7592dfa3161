from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from mycloset.tasks.garments import Category
from mycloset.tasks.masks import Mask
from mycloset.tasks.parsing import ATR_18, ATR_18_NECK, HumanParsing, LabelTable

TABLES = [ATR_18, ATR_18_NECK]


@given(npst.arrays(np.float32, (5, 7), elements=st.floats(0, 1, width=32)))
def test_binary_is_at_least_a_half_and_area_is_the_mean(alpha: np.ndarray) -> None:
    mask = Mask(alpha)
    assert mask.binary.dtype == np.bool_
    assert (alpha[mask.binary] >= 0.5).all()
    assert (alpha[~mask.binary] < 0.5).all()
    assert mask.area == pytest.approx(float(alpha.mean()))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_label_has_a_colour_of_its_own(table: LabelTable) -> None:
    assert len(table.labels) == len(set(table.labels)) == len(table.colors)
    assert len(set(table.colors)) == len(table.colors)
    assert [table.index(label) for label in table.labels] == list(range(len(table.labels)))


def test_the_neck_extends_atr() -> None:
    assert len(ATR_18.labels) == 18
    assert ATR_18_NECK.labels[:18] == ATR_18.labels
    assert ATR_18_NECK.index("neck") == 18
    with pytest.raises(KeyError, match="ATR-18 has no label 'neck'"):
        ATR_18.index("neck")


def test_left_comes_before_right_as_in_atr() -> None:
    assert (ATR_18.index("left-arm"), ATR_18.index("right-arm")) == (14, 15)
    assert (ATR_18.index("left-leg"), ATR_18.index("right-leg")) == (12, 13)


def test_where_finds_the_pixels_of_labels() -> None:
    labels = np.array([[0, 4], [14, 15]], np.uint8)
    parsing = HumanParsing(labels, ATR_18)
    assert np.array_equal(parsing.where("left-arm", "right-arm"), [[False, False], [True, True]])
    assert not parsing.where().any()
    with pytest.raises(KeyError):
        parsing.where("tail")


def test_categories_read_as_words() -> None:
    assert [str(category) for category in Category] == ["upper", "lower", "dress"]
