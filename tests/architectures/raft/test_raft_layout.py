"""RAFT files: large and small, under the authors' names and torchvision's."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
import golden_files
from mycloset.architectures.family import NotThisError
from mycloset.architectures.raft.layout import FAMILY, examples
from mycloset.architectures.raft.tensors import ORIGINAL, TORCHVISION, Encoder, Raft, tensors

GOLDEN = "raft/raft_things"
NORMS = st.sampled_from(["batch", "group", "instance", "none"])


def test_the_published_layout_is_generated_tensor_by_tensor() -> None:
    claim = family_checks.read_golden(FAMILY, GOLDEN)
    assert (claim.variant, claim.layout) == ("large", "original")
    published = golden_files.manifest(GOLDEN)["config"]
    assert {key: claim.config[key] for key in published} == published


def test_norms_that_lie_twice_in_the_file_may_lie_there_once() -> None:
    once = {key: shape for key, shape in golden_files.shapes(GOLDEN).items() if "norm3" not in key}
    claim = FAMILY.read(once)
    assert set(claim.tensors) - set(once) == set(claim.optional)


def test_the_small_network_has_its_published_tensors() -> None:
    small = next(claim for claim in examples() if claim.variant == "small")
    assert len(small.tensors) == 106
    assert sum(math.prod(shape) for shape in small.tensors.values()) == 990_162
    assert (small.config["hidden_dim"], small.config["context_dim"]) == (96, 64)
    assert (small.config["corr_levels"], small.config["corr_radius"]) == (4, 3)


@pytest.mark.parametrize("size", ["large", "small"])
def test_torchvision_s_names_are_the_second_layout(size: str) -> None:
    pytest.importorskip("torchvision")
    import torch
    from torchvision.models import optical_flow

    with torch.device("meta"):
        network = getattr(optical_flow, f"raft_{size}")(weights=None)
    table = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    claim = family_checks.read_back(FAMILY, table)
    assert (claim.variant, claim.layout) == (size, "torchvision")


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_widths_levels_and_norms_are_read_from_shapes(data: st.DataObject) -> None:
    names = data.draw(st.sampled_from([ORIGINAL, TORCHVISION]))
    small = data.draw(st.booleans())
    width = st.integers(1, 40).map(lambda quarter: 4 * quarter)
    encoder = st.builds(
        Encoder,
        inputs=st.just(3),
        stem=width,
        layers=st.tuples(width, width, width),
        out=width,
        norm=NORMS,
    )
    levels, radius = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 6))
    hidden = data.draw(width)
    context = data.draw(encoder)
    raft = Raft(
        small=small,
        features=data.draw(encoder),
        context=context._replace(out=hidden + context.out),
        correlation=(levels * (2 * radius + 1) ** 2, *[data.draw(width) for _ in range(2 - small)]),
        flow=(data.draw(width), data.draw(width)),
        motion=data.draw(width),
        hidden=hidden,
        cells=((3, 3),) if small else ((1, 5), (5, 1)),
        head=data.draw(width),
        mask=None if small else (data.draw(width), 576),
    )
    table, _ = tensors(raft, names)
    config = family_checks.read_back(FAMILY, table).config
    assert config["hidden_dim"] == hidden
    assert config["context_dim"] == context.out
    found = config["corr_levels"] * (2 * config["corr_radius"] + 1) ** 2
    assert found == raft.correlation[0]


@pytest.mark.parametrize("number", range(4))
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(number: int, data: st.DataObject) -> None:
    claim = list(examples())[number]
    lost = data.draw(st.sampled_from(list(claim.tensors)))
    assert family_checks.recovers(FAMILY, claim.tensors, lost)


def test_gma_is_refused() -> None:
    with pytest.raises(NotThisError, match="GMA"):
        FAMILY.read({**golden_files.shapes(GOLDEN), "att.to_qk.weight": (256, 128, 1, 1)})
