"""BiSeNet face parsers of any class count, width and depth."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
import golden_files
from mycloset.architectures.face_parsing_bisenet.layout import _PUBLISHED, FAMILY, _tensors
from mycloset.architectures.resnet.trunk import standard

GOLDEN = "face_parsing_bisenet/79999_iter"


def test_the_published_layout_is_generated_tensor_by_tensor() -> None:
    claim = family_checks.read_golden(FAMILY, GOLDEN)
    assert (claim.variant, claim.config["n_classes"]) == ("celebamask-hq", 19)
    assert claim.config["backbone"] == "resnet18"


@given(
    classes=st.integers(1, 200),
    depths=st.tuples(*[st.integers(1, 6)] * 4),
    widths=st.lists(st.integers(1, 300), min_size=6, max_size=6),
)
@settings(max_examples=30, deadline=None)
def test_any_width_depth_and_class_count_is_read_from_shapes(
    classes: int, depths: tuple[int, ...], widths: list[int]
) -> None:
    context, fused, squeezed, first, second, third = widths
    sizes = _PUBLISHED._replace(
        classes=classes,
        trunk=standard(depths, deep=False),
        context=context,
        fused=fused,
        squeezed=squeezed,
        heads=(first, second, third),
    )
    config = family_checks.read_back(FAMILY, _tensors(sizes)).config
    assert (config["n_classes"], config["layers"]) == (classes, list(depths))
    assert (config["context_channels"], config["fused_channels"]) == (context, fused)
    assert config["squeezed_channels"] == squeezed
    assert config["head_channels"] == [first, second, third]


@given(lost=st.sampled_from(list(golden_files.shapes(GOLDEN))))
@settings(max_examples=60, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(lost: str) -> None:
    assert family_checks.recovers(FAMILY, golden_files.shapes(GOLDEN), lost)
