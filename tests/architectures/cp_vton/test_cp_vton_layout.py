from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import family_checks
import golden_files
from mycloset.architectures.cp_vton.layout import FAMILY
from mycloset.architectures.garment_networks import matching


@pytest.mark.parametrize(
    ("name", "variant", "inputs"),
    [
        ("cp_vton_gmm", "gmm", (22, 3)),
        ("cp_vton_plus_gmm", "gmm-plus", (22, 1)),
    ],
)
def test_matching_modules_are_told_by_the_garments_channels(
    name: str, variant: str, inputs: tuple[int, int]
) -> None:
    claim = family_checks.read_golden(FAMILY, f"cp_vton/{name}")
    assert claim.variant == variant
    assert (claim.config["inputA_channels"], claim.config["inputB_channels"]) == inputs


def test_the_try_on_module_is_measured() -> None:
    claim = family_checks.read_golden(FAMILY, "cp_vton/cp_vton_tom")
    assert claim.variant == "tom"
    assert claim.config == {
        "input_nc": 25,
        "output_nc": 4,
        "num_downs": 6,
        "ngf": 64,
        "widths": [64, 128, 256, 512, 512, 512],
    }


@pytest.mark.parametrize("name", ["viton_hd/viton_hd_gmm", "ladi_vton/ladi_vton_tps"])
def test_matching_modules_of_other_systems_are_refused(name: str) -> None:
    assert not family_checks.takes_for_its_own(FAMILY, golden_files.shapes(name))


@given(
    person=st.integers(15, 60),
    width=st.sampled_from((8, 32, 64)),
    levels=st.integers(2, 4),
    side=st.integers(2, 8),
)
def test_other_widths_depths_and_grids_are_read(
    person: int, width: int, levels: int, side: int
) -> None:
    net = matching.PUBLISHED._replace(
        person=person,
        widths=(*(width * 2**level for level in range(levels)), width, width),
        kernels=(4,) * levels + (3, 3),
        theta=2 * side * side,
    )
    claim = family_checks.read_back(FAMILY, matching.tensors(net))
    assert claim.config["grid_size"] == side
    assert claim.config["n_layers"] == levels - 1
