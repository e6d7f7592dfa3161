"""CLIP's files are read to the last tensor: whole models and single towers, in three namings."""

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
from mycloset.architectures.clip import openai_names, transformers_names
from mycloset.architectures.clip.layout import FAMILY
from mycloset.architectures.clip.towers import ResNetTower, TextTower, VisionTower
from mycloset.architectures.family import Claim, NotThisError, Shape

GOLDENS = {
    "clip/ViT-B-32": ("ViT-B-32", "original"),
    "clip/ViT-L-14": ("ViT-L-14", "original"),
    "clip/vit_b32_transformers": ("ViT-B-32", "transformers"),
    "champ/image_encoder_clip_vit_l14": ("ViT-L-14-vision", "transformers"),
    "stable_diffusion/sd15_text_encoder": ("ViT-L-14-text", "transformers"),
}
IN_SINGLE_FILES = {
    "ViT-L-14-text": ("stable_diffusion/sd15_single_file", "cond_stage_model.transformer."),
    "ViT-H-14-text": ("stable_diffusion/sd21_single_file", "cond_stage_model.model."),
    "ViT-bigG-14-text": ("stable_diffusion/sdxl_single_file", "conditioner.embedders.1.model."),
}
OF_THE_TOKENISER = ("bos_token_id", "eos_token_id", "pad_token_id")

texts = st.builds(
    TextTower,
    width=st.sampled_from((64, 128, 640)),
    hidden=st.integers(16, 900),
    layers=st.integers(1, 6),
    vocabulary=st.integers(10, 50_000),
    positions=st.integers(4, 300),
    projection=st.integers(8, 600),
)
pictures = st.builds(
    VisionTower,
    width=st.sampled_from((64, 192, 1280)),
    hidden=st.integers(16, 900),
    layers=st.integers(1, 6),
    patch=st.sampled_from((14, 16, 32)),
    positions=st.integers(1, 24).map(lambda side: side**2 + 1),
    channels=st.sampled_from((3, 4)),
    projection=st.none() | st.integers(8, 600),
)
resnets = st.builds(
    ResNetTower,
    width=st.sampled_from((32, 64, 80)),
    blocks=st.tuples(*[st.integers(1, 4)] * 4),
    positions=st.integers(1, 14).map(lambda side: side**2 + 1),
    projection=st.integers(8, 600),
    channels=st.just(3),
)


def openai_file(text: TextTower, vision: VisionTower | ResNetTower) -> dict[str, Shape]:
    """A whole model as OpenAI's repository saves it without its constants."""
    return {
        **openai_names.text_head(text),
        "logit_scale": (),
        **openai_names.vision_tensors(vision, "visual.", norm_first=False),
        **openai_names.text_blocks(text, norm_first=False),
    }


@pytest.mark.parametrize("name", GOLDENS)
def test_the_published_models_are_read_back(name: str) -> None:
    claim = read_golden(FAMILY, name)
    assert (claim.variant, claim.layout) == GOLDENS[name]
    assert claim.config.items() >= config_of(name, *OF_THE_TOKENISER).items()


@pytest.mark.parametrize("variant", IN_SINGLE_FILES)
def test_text_towers_of_single_files_are_read_back(variant: str) -> None:
    name, prefix = IN_SINGLE_FILES[variant]
    below = {
        key.removeprefix(prefix): shape
        for key, shape in golden_files.shapes(name).items()
        if key.startswith(prefix)
    }
    assert read_back(FAMILY, below).variant == variant


@pytest.mark.parametrize(
    "claim", list(FAMILY.examples()), ids=lambda claim: f"{claim.variant}-{claim.layout}"
)
def test_an_example_gives_itself_back(claim: Claim) -> None:
    assert FAMILY.read(claim.tensors) == claim


def test_rn50_has_the_published_number_of_parameters() -> None:
    (resnet,) = (claim for claim in FAMILY.examples() if claim.variant == "RN50")
    assert (len(resnet.tensors), parameters(resnet)) == (492, 102_007_137)
    assert resnet.config["vision_layers"] == [3, 4, 6, 3]
    assert resnet.config["image_resolution"] == 224


def test_the_constant_of_positions_may_be_there_or_not() -> None:
    shapes = golden_files.shapes("stable_diffusion/sd15_text_encoder")
    numbers = "text_model.embeddings.position_ids"
    without = {key: shape for key, shape in shapes.items() if key != numbers}
    assert numbers not in read_back(FAMILY, without).tensors
    assert read_back(FAMILY, shapes).optional == {numbers: (1, 77)}


@given(text=texts, vision=pictures | resnets)
@settings(max_examples=60, deadline=None)
def test_any_model_is_read_from_shapes(text: TextTower, vision: VisionTower | ResNetTower) -> None:
    claim = read_back(FAMILY, openai_file(text, vision))
    assert claim.config["image_resolution"] == vision.image_size
    assert claim.config["transformer_layers"] == text.layers
    assert claim.config["vocab_size"] == text.vocabulary


@given(tower=pictures, bare=st.booleans(), numbers=st.booleans())
@settings(max_examples=30, deadline=None)
def test_any_picture_tower_is_read_alone(tower: VisionTower, bare: bool, numbers: bool) -> None:
    root = "" if bare else transformers_names.VISION
    tensors = transformers_names.vision_tensors(tower, root, numbers=numbers)
    claim = read_back(FAMILY, tensors)
    assert claim.config["image_size"] == tower.image_size
    assert claim.task == "image embedding"


@given(tower=pictures | resnets, root=st.sampled_from(("", "visual.")), first=st.booleans())
@settings(max_examples=30, deadline=None)
def test_any_picture_tower_of_openai_is_read_alone(
    tower: VisionTower | ResNetTower, root: str, first: bool
) -> None:
    claim = read_back(FAMILY, openai_names.vision_tensors(tower, root, norm_first=first))
    assert claim.config["vision_width"] == tower.width


@given(tower=texts, bare=st.booleans())
@settings(max_examples=30, deadline=None)
def test_any_text_tower_is_read_alone(tower: TextTower, bare: bool) -> None:
    root = "" if bare else transformers_names.TEXT
    claim = read_back(FAMILY, transformers_names.text_tensors(tower, root, numbers=False))
    assert claim.config["max_position_embeddings"] == tower.positions
    assert claim.task == "text embedding"


@pytest.mark.parametrize(
    "lost",
    [
        "text_model.final_layer_norm.weight",
        "text_model.embeddings.token_embedding.weight",
        "vision_model.pre_layrnorm.weight",
        "vision_model.embeddings.class_embedding",
        "vision_model.encoder.layers.3.mlp.fc1.weight",
    ],
)
def test_a_copy_that_lost_a_tensor_is_still_taken_for_the_whole(lost: str) -> None:
    whole = golden_files.shapes("clip/vit_b32_transformers")
    part = {key: shape for key, shape in whole.items() if key != lost}
    assert dict(FAMILY.read(part).tensors) == whole


def test_a_model_that_lost_most_of_its_text_tower_is_no_picture_tower() -> None:
    whole = list(golden_files.shapes("clip/ViT-L-14").items())
    claim = FAMILY.read(dict(whole[: len(whole) * 4 // 5]))
    assert claim.task is None  # That of the family: pictures and texts.
    assert "ln_final.weight" in claim.tensors


def test_siglip_is_refused() -> None:
    tower = TextTower(64, 256, 2)
    tensors = transformers_names.text_tensors(tower, numbers=False)
    tensors["text_model.head.weight"] = (64, 64)
    with pytest.raises(NotThisError, match="SigLIP"):
        FAMILY.read(tensors)


@given(
    damaged(openai_file(TextTower(64, 256, 2), ResNetTower(32, (1, 1, 1, 1), 5, 64)))
    | damaged(openai_file(TextTower(64, 256, 2), VisionTower(64, 256, 2, 16, 5)))
    | damaged(transformers_names.vision_tensors(VisionTower(64, 256, 2, 16, 5), numbers=True))
)
@settings(max_examples=150, deadline=None)
def test_any_table_is_answered(table: dict[str, Shape]) -> None:
    assert answers(FAMILY, table)
