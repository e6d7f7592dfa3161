"""ArcFace backbones of any depth and width, in two layouts."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
import golden_files
from mycloset.architectures.arcface.layout import FAMILY, examples
from mycloset.architectures.family import NotThisError, Shape

GOLDEN = "faces/arcface_iresnet50"


@pytest.mark.parametrize("depth", [50, 100])
def test_a_published_layout_is_generated_tensor_by_tensor(depth: int) -> None:
    name = f"faces/arcface_iresnet{depth}"
    claim = family_checks.read_golden(FAMILY, name)
    assert claim.variant == f"iresnet{depth}"
    published = golden_files.manifest(name)["config"]
    assert {key: claim.config[key] for key in published} == published


@pytest.mark.parametrize(
    ("variant", "count", "parameters"),
    [("iresnet18", 187, 24.03), ("iresnet34", 331, 34.14), ("iresnet100", 925, 65.16)],
)
def test_variants_have_their_published_size(variant: str, count: int, parameters: float) -> None:
    claim = next(claim for claim in examples() if claim.variant == variant)
    buffers = ("running_mean", "running_var", "num_batches_tracked")
    total = sum(
        math.prod(shape) for key, shape in claim.tensors.items() if not key.endswith(buffers)
    )
    assert len(claim.tensors) == count
    assert round(total / 1e6, 2) == parameters


def test_the_margin_stays_open() -> None:
    assert "CosFace" in FAMILY.read(golden_files.shapes(GOLDEN)).undecidable[0]


@given(
    blocks=st.tuples(*[st.integers(1, 6)] * 4),
    embedding=st.integers(1, 1024),
    side=st.integers(1, 14),
)
@settings(max_examples=30, deadline=None)
def test_other_depths_embeddings_and_picture_sizes_are_read_from_shapes(
    blocks: tuple[int, ...], embedding: int, side: int
) -> None:
    table = _changed(golden_files.shapes(GOLDEN), blocks, embedding, 512 * side * side)
    config = family_checks.read_back(FAMILY, table).config
    assert config["layers"] == list(blocks)
    assert config["embedding"] == embedding
    assert config["input_size"] == 16 * side


def _changed(
    shapes: dict[str, Shape], blocks: tuple[int, ...], embedding: int, flat: int
) -> dict[str, Shape]:
    """The iresnet's table with other numbers of blocks and another embedding."""
    found: dict[str, Shape] = {}
    for key, shape in shapes.items():
        layer, _, rest = key.partition(".")
        block, _, inner = rest.partition(".")
        if not layer.startswith("layer") or block == "0":
            found[key] = shape
        if (
            layer.startswith("layer")
            and block == "0"
            and inner == "downsample.1.num_batches_tracked"
        ):
            for number in range(1, blocks[int(layer[5:]) - 1]):
                found |= {
                    other.replace(".1.", f".{number}.", 1): size
                    for other, size in shapes.items()
                    if other.startswith(f"{layer}.1.")
                }
    found["fc.weight"] = (embedding, flat)
    found["fc.bias"] = (embedding,)
    for part in ("weight", "bias", "running_mean", "running_var"):
        found[f"features.{part}"] = (embedding,)
    return found


@pytest.mark.parametrize("variant", ["iresnet18", "ir_se50"])
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(variant: str, data: st.DataObject) -> None:
    whole = next(claim.tensors for claim in examples() if claim.variant == variant)
    assert family_checks.recovers(FAMILY, whole, data.draw(st.sampled_from(list(whole))))


def test_a_torchvision_resnet_is_refused() -> None:
    with pytest.raises(NotThisError, match=r"layer2\.0"):
        FAMILY.read({"conv1.weight": (64, 3, 7, 7), "layer1.0.conv1.weight": (64, 64, 1, 1)})
