from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import family_checks
import golden_files
from mycloset.architectures.hr_viton import layout
from mycloset.architectures.hr_viton.layout import FAMILY


@pytest.mark.parametrize(
    ("name", "variant"), [("hr_viton_gen", "generator"), ("hr_viton_tocg", "condition-generator")]
)
def test_goldens_are_named(name: str, variant: str) -> None:
    assert family_checks.read_golden(FAMILY, f"hr_viton/{name}").variant == variant


def test_the_condition_generators_channels_are_read() -> None:
    config = family_checks.read_golden(FAMILY, "hr_viton/hr_viton_tocg").config
    assert (config["input1_nc"], config["input2_nc"], config["output_nc"]) == (4, 16, 13)


def test_viton_hds_generator_is_refused() -> None:
    assert not family_checks.takes_for_its_own(
        FAMILY, golden_files.shapes("viton_hd/viton_hd_alias")
    )


@given(pose=st.integers(1, 40), labels=st.integers(2, 30), sums=st.booleans())
def test_other_channels_and_features_are_read(pose: int, labels: int, sums: bool) -> None:
    net = layout.PUBLISHED._replace(pose=pose, labels=labels, sums=sums)
    claim = family_checks.read_back(FAMILY, layout.condition_tensors(net))
    assert claim.config["warp_feature"] == ("T1" if sums else "encoder")
