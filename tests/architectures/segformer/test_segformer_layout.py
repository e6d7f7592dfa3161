"""SegFormer files in two layouts, of any width, depth and class count."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
import golden_files
from mycloset.architectures.family import NotThisError
from mycloset.architectures.segformer.layout import FAMILY, _sizes
from mycloset.architectures.segformer.tensors import NEWER, OLDER, Names, Sizes, Stage, tensors

B2 = golden_files.shapes("segformer/b2_clothes")
B4 = golden_files.shapes("fashn_vton/fashn_human_parser")


@pytest.mark.parametrize(
    ("name", "variant", "layout"),
    [
        ("segformer/b2_clothes", "b2-clothes", "transformers-5.x"),
        ("fashn_vton/fashn_human_parser", "b4-fashn", "transformers-4.x"),
    ],
)
def test_a_published_layout_is_generated_tensor_by_tensor(
    name: str, variant: str, layout: str
) -> None:
    claim = family_checks.read_golden(FAMILY, name)
    assert list(claim.tensors) == list(golden_files.shapes(name))
    assert (claim.variant, claim.layout) == (variant, layout)
    assert claim.task is None


def test_fashn_s_parser_has_the_configuration_that_its_authors_state() -> None:
    config = FAMILY.read(B4).config
    published = golden_files.manifest("fashn_vton/fashn_human_parser")["config"]
    read_off = {key: value for key, value in published.items() if key in config}
    assert {key: config[key] for key in read_off} == read_off
    assert len(read_off) == 10


def test_fashn_vton_has_the_same_file() -> None:
    assert FAMILY.read(B4).also == ("fashn_vton",)


@pytest.mark.parametrize(
    ("changes", "variant", "task"),
    [
        (
            {"decoder": 0, "classifier": True, "classes": 1000},
            "b1-imagenet",
            "image classification",
        ),
        ({"decoder": 0, "classes": 0}, "b1-encoder", "image features"),
        ({"classes": 150}, "b1-150", "semantic segmentation"),
    ],
)
@pytest.mark.parametrize("names", [OLDER, NEWER])
@pytest.mark.parametrize("lead", ["segformer.", ""])
def test_heads_are_told_apart(
    names: Names, lead: str, changes: dict[str, int], variant: str, task: str
) -> None:
    sizes = Sizes(**(_sizes("b1", 18)._asdict() | changes))
    claim = family_checks.read_back(FAMILY, tensors(sizes, names, lead))
    assert (claim.variant, claim.task) == (variant, task)


_STAGE = st.tuples(st.integers(1, 5), st.integers(1, 300), st.integers(1, 9), st.integers(1, 999))


@given(
    stages=st.lists(st.tuples(_STAGE, st.integers(1, 9)), min_size=1, max_size=6),
    decoder=st.integers(1, 999),
    classes=st.integers(1, 200),
    inputs=st.integers(1, 12),
    names=st.sampled_from([OLDER, NEWER]),
)
@settings(max_examples=40, deadline=None)
def test_any_width_depth_and_class_count_is_read_from_shapes(
    stages: list[tuple[tuple[int, int, int, int], int]],
    decoder: int,
    classes: int,
    inputs: int,
    names: Names,
) -> None:
    sizes = Sizes(
        inputs,
        tuple(Stage(*stage, reduction) for stage, reduction in stages),
        decoder,
        classes,
        False,
    )
    config = family_checks.read_back(FAMILY, tensors(sizes, names, "segformer.")).config
    assert config["num_channels"] == inputs
    assert config["depths"] == [stage.blocks for stage in sizes.stages]
    assert config["hidden_sizes"] == [stage.width for stage in sizes.stages]
    assert config["patch_sizes"] == [stage.patch for stage in sizes.stages]
    assert config["sr_ratios"] == [stage.reduction for stage in sizes.stages]
    assert (config["decoder_hidden_size"], config["num_labels"]) == (decoder, classes)


@given(table=st.sampled_from([B2, B4]), data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(
    table: dict[str, tuple[int, ...]], data: st.DataObject
) -> None:
    assert family_checks.recovers(FAMILY, table, data.draw(st.sampled_from(list(table))))


@given(table=family_checks.damaged(B2) | family_checks.damaged(B4))
@settings(max_examples=50, deadline=None)
def test_damage_gives_a_claim_or_a_reason(table: dict[str, tuple[int, ...]]) -> None:
    assert family_checks.answers(FAMILY, table)


def test_a_table_without_patches_is_refused() -> None:
    with pytest.raises(NotThisError, match="patch embeddings"):
        FAMILY.read({"conv1.weight": (64, 3, 7, 7)})
