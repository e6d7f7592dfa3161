"""The stages of a ResNet within another network."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mycloset.architectures.residual import (
    ResidualStage,
    depth_name,
    plain_stages,
    put_stages,
    read_stages,
)

_WIDTHS = st.integers(1, 500)
_BOTTLENECKS = st.builds(
    ResidualStage,
    blocks=st.integers(1, 5),
    width=_WIDTHS,
    group=_WIDTHS,
    out=_WIDTHS,
    down=st.booleans(),
    basic=st.just(False),
)
_BASIC = st.builds(
    lambda stage, width: stage._replace(width=width, group=width, basic=True), _BOTTLENECKS, _WIDTHS
)


@given(stages=st.lists(_BASIC | _BOTTLENECKS, min_size=1, max_size=5), inp=_WIDTHS)
def test_stages_of_any_width_group_and_depth_are_read_back(
    stages: list[ResidualStage], inp: int
) -> None:
    table: dict[str, tuple[int, ...]] = {}
    assert put_stages(table, "net.", tuple(stages), inp) == stages[-1].out
    assert read_stages(table, "net.") == tuple(stages)


@pytest.mark.parametrize(
    ("depths", "basic", "name"),
    [
        ((2, 2, 2, 2), True, "resnet18"),
        ((3, 4, 6, 3), True, "resnet34"),
        ((3, 4, 6, 3), False, "resnet50"),
        ((3, 4, 23, 3), False, "resnet101"),
        ((3, 8, 36, 3), False, "resnet152"),
        ((3, 4, 5, 3), False, ""),
    ],
)
def test_published_depths_have_a_name(depths: tuple[int, ...], basic: bool, name: str) -> None:
    assert depth_name(plain_stages(depths, basic=basic)) == name


def test_a_wide_resnet_is_no_plain_one() -> None:
    stages = tuple(stage._replace(width=2 * stage.width) for stage in plain_stages((3, 4, 6, 3)))
    assert depth_name(stages) == ""
