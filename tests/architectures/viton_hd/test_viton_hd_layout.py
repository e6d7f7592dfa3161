from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import family_checks
import golden_files
from mycloset.architectures.garment_networks import alias
from mycloset.architectures.viton_hd.layout import FAMILY


@pytest.mark.parametrize("variant", ["alias", "gmm", "seg"])
def test_goldens_are_named(variant: str) -> None:
    assert family_checks.read_golden(FAMILY, f"viton_hd/viton_hd_{variant}").variant == variant


def test_the_segmentation_generators_channels_are_read() -> None:
    claim = family_checks.read_golden(FAMILY, "viton_hd/viton_hd_seg")
    assert claim.config == {
        "input_nc": 21,
        "output_nc": 13,
        "ngf": 64,
        "widths": [64, 128, 256, 512, 1024],
    }


@pytest.mark.parametrize("name", ["hr_viton/hr_viton_gen", "cp_vton/cp_vton_gmm"])
def test_twins_of_other_systems_are_refused(name: str) -> None:
    assert not family_checks.takes_for_its_own(FAMILY, golden_files.shapes(name))


def test_spectral_norms_vectors_are_no_parameters() -> None:
    claim = family_checks.read_golden(FAMILY, "viton_hd/viton_hd_alias")
    assert "head_0.conv_0.weight_u" in claim.buffers


def test_a_generator_without_its_spectral_norms_is_read() -> None:
    net = alias.published(8)._replace(spectral=False)
    assert family_checks.read_back(FAMILY, alias.tensors(net)).config["norm_G"] == "aliasinstance"


@given(inputs=st.integers(1, 20), side=st.sampled_from((4, 16)), width=st.sampled_from((2, 8)))
def test_other_widths_are_read(inputs: int, side: int, width: int) -> None:
    net = alias.published(8)._replace(
        inputs=inputs, side=side, widths=tuple(width * 2**k for k in (5, 5, 5, 4, 3, 2, 1, 0))
    )
    assert family_checks.read_back(FAMILY, alias.tensors(net)).input_channels == inputs
