"""MTCNN's three networks, each alone and all in one file."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
import golden_files
from mycloset.architectures.family import NotThisError
from mycloset.architectures.mtcnn.layout import FAMILY, examples

STAGES = ["pnet", "rnet", "onet"]


@pytest.mark.parametrize("stage", STAGES)
def test_a_published_layout_is_generated_tensor_by_tensor(stage: str) -> None:
    name = f"faces/mtcnn_{stage}"
    claim = family_checks.read_golden(FAMILY, name)
    assert claim.variant == stage
    assert claim.config == golden_files.manifest(name)["config"]


def test_all_three_in_one_file_are_told_as_parts() -> None:
    together = {
        f"{stage}.{key}": shape
        for stage in STAGES
        for key, shape in golden_files.shapes(f"faces/mtcnn_{stage}").items()
    }
    assert family_checks.read_back(FAMILY, together).parts == ("pnet.", "rnet.", "onet.")


@pytest.mark.parametrize("number", range(4))
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(number: int, data: st.DataObject) -> None:
    whole = list(examples())[number].tensors
    assert family_checks.recovers(FAMILY, whole, data.draw(st.sampled_from(list(whole))))


def test_three_convolutions_alone_are_refused() -> None:
    with pytest.raises(NotThisError):
        FAMILY.read({"conv1.weight": (10, 3, 3, 3), "prelu1.weight": (10,)})
