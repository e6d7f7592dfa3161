"""ESRGAN's files are read to the last tensor, in each of the three namings."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import golden_files
from family_checks import (
    answers,
    config_of,
    damaged,
    parameters,
    read_back,
    read_golden,
)
from mycloset.architectures.family import Claim, NotThisError, Shape
from mycloset.architectures.rrdb.layout import FAMILY
from mycloset.architectures.rrdb.names import MIDDLE, NEW, Sizes, named_tensors, old_tensors

GOLDENS = (
    "RRDB_ESRGAN_x4",
    "RRDB_ESRGAN_x4_old_arch",
    "RealESRGAN_x2plus",
    "RealESRGAN_x4plus",
)

networks = st.builds(
    Sizes,
    inputs=st.sampled_from((1, 3, 4)),
    outputs=st.sampled_from((1, 3)),
    features=st.integers(4, 80),
    blocks=st.integers(1, 8),
    growth=st.integers(2, 40),
    steps=st.integers(0, 4),
    plus=st.booleans(),
)


@pytest.mark.parametrize("name", GOLDENS)
def test_the_published_networks_are_read_back(name: str) -> None:
    claim = read_golden(FAMILY, f"rrdb/{name}")
    assert claim.variant == name
    assert claim.config.items() >= config_of(f"rrdb/{name}").items()


@pytest.mark.parametrize(
    "claim", list(FAMILY.examples()), ids=lambda claim: f"{claim.variant}-{claim.layout}"
)
def test_an_example_gives_itself_back(claim: Claim) -> None:
    assert FAMILY.read(claim.tensors) == claim


def test_the_network_for_drawings_has_the_published_number_of_parameters() -> None:
    (drawn,) = (c for c in FAMILY.examples() if c.variant == "RealESRGAN_x4plus_anime_6B")
    assert (len(drawn.tensors), parameters(drawn)) == (192, 4_467_779)


@given(networks)
@settings(max_examples=60, deadline=None)
def test_any_size_is_read_from_shapes_in_every_naming(sizes: Sizes) -> None:
    for tensors in (
        named_tensors(sizes, NEW),
        named_tensors(sizes, MIDDLE),
        old_tensors(sizes),
    ):
        claim = read_back(FAMILY, tensors)
        assert claim.output_channels == sizes.outputs
        assert claim.config["scale"] == 2**sizes.steps / sizes.folding


@pytest.mark.parametrize(("inputs", "scale"), [(3, 4), (12, 2), (48, 1)])
def test_folded_pixels_lower_the_scale(inputs: int, scale: int) -> None:
    claim = read_back(FAMILY, named_tensors(Sizes(inputs=inputs, blocks=2), NEW))
    assert (claim.config["scale"], claim.input_channels) == (scale, 3)


def test_one_enlargement_of_the_old_naming_may_be_by_two_or_three() -> None:
    claim = read_back(FAMILY, old_tensors(Sizes(blocks=2, steps=1)))
    assert any("by 2 or by 3" in clause for clause in claim.undecidable)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_pixel_shuffle_of_the_old_naming_is_told(steps: int) -> None:
    claim = read_back(FAMILY, old_tensors(Sizes(blocks=2, steps=steps, shuffled=True)))
    assert claim.config["upsample_mode"] == "pixelshuffle"


@pytest.mark.parametrize("lost", ["model.10.", "model.1.sub.7.", "model.6."])
def test_a_copy_that_lost_a_layer_is_still_taken_for_the_whole(lost: str) -> None:
    whole = golden_files.shapes("rrdb/RRDB_ESRGAN_x4_old_arch")
    part = {key: shape for key, shape in whole.items() if not key.startswith(lost)}
    assert dict(FAMILY.read(part).tensors) == whole


def test_a_flat_list_of_other_layers_is_refused() -> None:
    tensors = old_tensors(Sizes(blocks=1)) | {"model.40.weight": (3, 64, 3, 3)}
    with pytest.raises(NotThisError, match=r"model\.40"):
        FAMILY.read(tensors)


@given(
    damaged(old_tensors(Sizes(blocks=2)))
    | damaged(named_tensors(Sizes(blocks=2), NEW))
    | damaged(named_tensors(Sizes(blocks=2), MIDDLE))
)
@settings(max_examples=150, deadline=None)
def test_any_table_is_answered(table: dict[str, Shape]) -> None:
    assert answers(FAMILY, table)
