"""FaceNet files, told by their number of identities."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
import golden_files
from mycloset.architectures.facenet.layout import FAMILY, examples
from mycloset.architectures.family import NotThisError

GOLDEN = "faces/facenet_vggface2"


def test_the_published_layout_is_generated_tensor_by_tensor() -> None:
    claim = family_checks.read_golden(FAMILY, GOLDEN)
    assert claim.variant == "vggface2"
    published = golden_files.manifest(GOLDEN)["config"]
    assert {key: claim.config[key] for key in published} == published


def test_casia_webface_has_its_published_number_of_parameters() -> None:
    claim = next(claim for claim in examples() if claim.variant == "casia_webface")
    buffers = ("running_mean", "running_var", "num_batches_tracked")
    assert len(claim.tensors) == 716
    assert (
        sum(math.prod(shape) for key, shape in claim.tensors.items() if not key.endswith(buffers))
        == 28_907_599
    )


@given(classes=st.integers(1, 100_000))
def test_a_fine_tuned_classifier_tells_its_classes(classes: int) -> None:
    changed = golden_files.shapes(GOLDEN) | {
        "logits.weight": (classes, 512),
        "logits.bias": (classes,),
    }
    assert family_checks.read_back(FAMILY, changed).config["num_classes"] == classes


def test_without_logits_it_is_an_embedding() -> None:
    cut = {
        key: shape
        for key, shape in golden_files.shapes(GOLDEN).items()
        if not key.startswith("logits")
    }
    assert family_checks.read_back(FAMILY, cut).variant == "embedding"


@given(lost=st.sampled_from(list(golden_files.shapes(GOLDEN))))
@settings(max_examples=40, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(lost: str) -> None:
    assert family_checks.recovers(FAMILY, golden_files.shapes(GOLDEN), lost)


def test_a_table_without_an_embedding_is_refused() -> None:
    with pytest.raises(NotThisError, match="last_linear"):
        FAMILY.read({"repeat_1.0.branch0.conv.weight": (32, 256, 1, 1)})
