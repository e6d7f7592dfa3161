"""MobileNet v2 files: published networks, other widths and classes, other layouts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
from mycloset.architectures.comparison import compare
from mycloset.architectures.family import Shape
from mycloset.architectures.mobile import tensors
from mycloset.architectures.mobilenet_v2.layout import FAMILY, examples, standard

NAMES = ("mobilenet_v2",)


@pytest.mark.parametrize("name", NAMES)
def test_torchvision_builds_the_same_tensors(name: str) -> None:
    torch = pytest.importorskip("torch")
    models = pytest.importorskip("torchvision.models")
    with torch.device("meta"):
        network = models.get_model(name, weights=None, num_classes=7)
    table = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    claim = family_checks.read_back(FAMILY, table)
    assert (claim.variant, claim.output_channels) == (name, 7)
    example = next(
        item for item in examples() if item.variant == name and item.layout == "torchvision"
    )
    assert list(example.tensors)[:-2] == list(table)[:-2]


def test_examples_read_back_as_themselves() -> None:
    for claim in examples():
        assert family_checks.is_asked(FAMILY, claim.tensors)
        assert FAMILY.read(claim.tensors) == claim


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_any_widths_and_classes_are_read_from_shapes(data: st.DataObject) -> None:
    plan = standard(data.draw(st.sampled_from(["torchvision", "timm"])), 5)
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
    config = family_checks.read_back(FAMILY, tensors(changed)).config
    assert (config["num_classes"], config["input_channels"]) == (5, changed.inputs)


@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(data: st.DataObject) -> None:
    claim = next(iter(examples()))
    lost = data.draw(st.sampled_from(list(claim.tensors)))
    table = {key: shape for key, shape in claim.tensors.items() if key != lost}
    assert family_checks.is_asked(FAMILY, table)
    assert compare(FAMILY.read(table), table).share > 0.9


@given(table=family_checks.damaged(next(iter(examples())).tensors))
@settings(max_examples=50, deadline=None)
def test_damage_gives_a_claim_or_a_reason(table: dict[str, Shape]) -> None:
    assert family_checks.answers(FAMILY, table)
