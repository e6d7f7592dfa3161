"""U²-Net files of any width, depth and number of channels."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
import golden_files
from mycloset.architectures.u2net.layout import _FULL, _SMALL, FAMILY, _Sizes, _Stage, _tensors

U2NET = golden_files.shapes("u2net/u2net")


@pytest.mark.parametrize(
    ("name", "variant", "task"),
    [
        ("u2net", "u2net", None),
        ("cloth_segm_u2net_latest", "cloth-segm", "cloth segmentation"),
    ],
)
def test_a_published_layout_is_generated_tensor_by_tensor(
    name: str, variant: str, task: str | None
) -> None:
    claim = family_checks.read_golden(FAMILY, f"u2net/{name}")
    assert (claim.variant, claim.task) == (variant, task)


def test_the_small_network_has_the_number_of_parameters_that_its_authors_state() -> None:
    small = family_checks.read_back(FAMILY, _tensors(_SMALL))
    counted = 0
    for key, shape in small.tensors.items():
        if "running" in key or key.endswith(family_checks.COUNTER):
            continue
        number = 1
        for side in shape:
            number *= side
        counted += number
    assert (small.variant, counted) == ("u2netp", 1_131_181)


def test_other_numbers_of_channels_are_named() -> None:
    claim = family_checks.read_back(FAMILY, _tensors(_FULL._replace(classes=7)))
    assert (claim.variant, claim.output_channels) == ("u2net-7", 7)


_STAGE = st.builds(_Stage, st.integers(2, 8), st.integers(1, 300), st.integers(1, 600))


@given(data=st.data(), depth=st.integers(2, 7))
@settings(max_examples=30, deadline=None)
def test_any_width_depth_and_number_of_channels_is_read_from_shapes(
    data: st.DataObject, depth: int
) -> None:
    sizes = _Sizes(
        inputs=data.draw(st.integers(1, 8)),
        stem=data.draw(st.sampled_from([0, 0, 24])),
        down=tuple(data.draw(_STAGE) for _ in range(depth)),
        up=tuple(data.draw(_STAGE) for _ in range(depth - 1)),
        classes=data.draw(st.integers(1, 30)),
        fused=data.draw(st.booleans()),
    )
    config = family_checks.read_back(FAMILY, _tensors(sizes)).config
    assert config == {
        "in_ch": sizes.inputs,
        "out_ch": sizes.classes,
        "stem": sizes.stem or None,
        "fused": sizes.fused,
        "encoder": [list(stage) for stage in sizes.down],
        "decoder": [list(stage) for stage in sizes.up],
    }


@given(lost=st.sampled_from([key for key in U2NET if not key.startswith("outconv")]))
@settings(max_examples=60, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(lost: str) -> None:
    assert family_checks.recovers(FAMILY, U2NET, lost)
