from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import family_checks
import golden_files
from mycloset.architectures.comparison import compare
from mycloset.architectures.ladi_vton.layout import FAMILY, unet_tensors


@pytest.mark.parametrize("variant", ["tps", "refinement"])
def test_goldens_are_named(variant: str) -> None:
    assert family_checks.read_golden(FAMILY, f"ladi_vton/ladi_vton_{variant}").variant == variant


def test_copies_without_the_grids_are_whole() -> None:
    shapes = golden_files.shapes("ladi_vton/ladi_vton_tps")
    bare = {key: shape for key, shape in shapes.items() if not key.startswith("gridGen.")}
    assert compare(FAMILY.read(bare), bare).exact


def test_grids_are_no_parameters() -> None:
    claim = family_checks.read_golden(FAMILY, "ladi_vton/ladi_vton_tps")
    assert all(key.startswith("gridGen.") for key in claim.buffers)


@given(
    inputs=st.integers(1, 30),
    outputs=st.integers(1, 21),
    width=st.sampled_from((8, 32, 64)),
    bilinear=st.booleans(),
)
def test_the_same_unet_of_another_purpose_is_measured_and_doubted(
    inputs: int, outputs: int, width: int, bilinear: bool
) -> None:
    deepest = 8 if bilinear else 16
    widths = (width, 2 * width, 4 * width, 8 * width, deepest * width)
    tensors = unet_tensors(inputs, outputs, widths, bilinear=bilinear)
    claim = family_checks.read_back(FAMILY, tensors)
    assert claim.config == {"n_channels": inputs, "n_classes": outputs, "bilinear": bilinear}
    assert claim.confidence == (1.0 if (inputs, outputs) == (24, 3) else 0.6)
