"""MobileNet and EfficientNet files: published networks, other widths and classes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
from mycloset.architectures.comparison import compare
from mycloset.architectures.efficientnet import layout as efficientnet
from mycloset.architectures.family import Family
from mycloset.architectures.mobile import Plan, tensors
from mycloset.architectures.mobilenet_v2 import layout as mobilenet_v2
from mycloset.architectures.mobilenet_v3 import layout as mobilenet_v3

NAMES = [
    (mobilenet_v2.FAMILY, "mobilenet_v2"),
    (mobilenet_v3.FAMILY, "mobilenet_v3_large"),
    (mobilenet_v3.FAMILY, "mobilenet_v3_small"),
    (efficientnet.FAMILY, "efficientnet_b0"),
    (efficientnet.FAMILY, "efficientnet_b3"),
    (efficientnet.FAMILY, "efficientnet_b7"),
    (efficientnet.FAMILY, "efficientnet_v2_s"),
    (efficientnet.FAMILY, "efficientnet_v2_l"),
]
PLANS: list[tuple[Family, Callable[[], Plan]]] = [
    (mobilenet_v2.FAMILY, lambda: mobilenet_v2.standard("torchvision", 5)),
    (mobilenet_v2.FAMILY, lambda: mobilenet_v2.standard("timm", 5)),
    (mobilenet_v3.FAMILY, lambda: mobilenet_v3.standard("large", 5)),
    (efficientnet.FAMILY, lambda: efficientnet.standard("b0", 5)),
]
EACH = [
    pytest.param(family, id=family.name)
    for family in (mobilenet_v2.FAMILY, mobilenet_v3.FAMILY, efficientnet.FAMILY)
]


@pytest.mark.parametrize(("family", "name"), NAMES, ids=[name for _, name in NAMES])
def test_torchvision_builds_the_same_tensors(family: Family, name: str) -> None:
    table = family_checks.torchvision_shapes(name, num_classes=7)
    claim = family_checks.read_back(family, table)
    assert (claim.variant, claim.output_channels) == (name, 7)
    example = next(
        item for item in family.examples() if item.variant == name and item.layout == "torchvision"
    )
    assert list(example.tensors)[:-2] == list(table)[:-2]


@pytest.mark.parametrize(
    ("family", "standard"), PLANS, ids=["v2-torchvision", "v2-timm", "v3", "efficientnet"]
)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_any_widths_and_classes_are_read_from_shapes(
    family: Family, standard: Callable[[], Plan], data: st.DataObject
) -> None:
    plan = standard()
    width = st.integers(2, 200)
    blocks = []
    for start, block in plan.blocks:
        hidden = data.draw(width)
        steps = [step._replace(out=hidden) for step in block[:-1]]
        squeeze = data.draw(width)
        steps = [step._replace(squeeze=squeeze) if step.squeeze else step for step in steps]
        if block[0].deep:
            inp = blocks[-1][1][-1].out if blocks else plan.stem.out
            steps = [step._replace(out=inp) for step in steps]
        blocks.append((start, (*steps, block[-1]._replace(out=data.draw(width)))))
    changed = plan._replace(blocks=tuple(blocks), inputs=data.draw(st.integers(1, 6)))
    config = family_checks.read_back(family, tensors(changed)).config
    assert (config["num_classes"], config["input_channels"]) == (5, changed.inputs)


@pytest.mark.parametrize("family", EACH)
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(family: Family, data: st.DataObject) -> None:
    claim = next(iter(family.examples()))
    lost = data.draw(st.sampled_from(list(claim.tensors)))
    table = {key: shape for key, shape in claim.tensors.items() if key != lost}
    assert family_checks.is_asked(family, table)
    assert compare(family.read(table), table).share > 0.9
