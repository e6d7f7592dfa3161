"""What files of CLIP look like: whole models and single towers, in three namings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mycloset.architectures.clip import openai_names as openai
from mycloset.architectures.clip import transformers_names as hugging
from mycloset.architectures.clip.claims import (
    Layout,
    text_claim,
    vision_claim,
    whole_claim,
)
from mycloset.architectures.clip.published import EXAMPLES, PUBLISHED, Example
from mycloset.architectures.clip.towers import ResNetTower, TextTower, VisionTower
from mycloset.architectures.family import Claim, Family, NotThisError, Shape, Shapes, require

_TEXT_SIGNS = ("token_embedding.weight", "positional_embedding", "ln_final.weight")
_VISION_SIGNS = ("visual.conv1.weight", "visual.class_embedding")
_TEXT_ENDS = ("embeddings.token_embedding.weight", "final_layer_norm.weight")
_VISION_ENDS = ("embeddings.class_embedding", "pre_layrnorm.weight")
_SIGLIP = "its text tower ends in a `head`: SigLIP"


def read(shapes: Shapes) -> Claim:
    """The model or tower that a table holds.

    Raises:
        NotThisError: it holds none.
    """
    if "class_embedding" in shapes or "attnpool.positional_embedding" in shapes:
        vision = openai.read_vision(shapes, "")
        return _openai(None, vision, _norm_first(shapes), constants=False, root="")
    if any(key in shapes for key in (*_TEXT_SIGNS, *_VISION_SIGNS)):
        return _read_openai(shapes)
    return _read_transformers(shapes)


def _read_openai(shapes: Shapes) -> Claim:
    first = _norm_first(shapes)
    constants = any(key in shapes for key in openai.CONSTANTS)
    seeing = any(key.startswith("visual.") for key in shapes)
    vision = openai.read_vision(shapes) if seeing else None
    if vision is not None and not any(key in shapes for key in _TEXT_SIGNS):
        return _openai(None, vision, first, constants)
    scaled = seeing or "logit_scale" in shapes
    return _openai(openai.read_text(shapes), vision, first, constants, scaled=scaled)


def _norm_first(shapes: Shapes) -> bool:
    """Whether blocks list their first norm before the attention, as OpenCLIP does."""
    for key in shapes:
        if ".resblocks." in key:
            return ".ln_1." in key
    return False


def _read_transformers(shapes: Shapes) -> Claim:
    require("text_model.head.weight" not in shapes and "head.weight" not in shapes, _SIGLIP)
    numbers = any(key.endswith("embeddings.position_ids") for key in shapes)
    text_root, text = _root(shapes, hugging.TEXT, _TEXT_ENDS), None
    vision_root, vision = _root(shapes, hugging.VISION, _VISION_ENDS), None
    if text_root is not None:
        text = hugging.read_text(shapes, text_root)
    if vision_root is not None:
        vision = hugging.read_vision(shapes, vision_root)
    if text is not None and vision is None and any(key.startswith("vision_") for key in shapes):
        raise NotThisError("no `vision_model.pre_layrnorm.weight`: another model of two towers")
    if text is None and vision is None:
        raise NotThisError("no last norm of a text tower and no first norm of a picture tower")
    return _transformers(text, vision, numbers=numbers, bare="" in (text_root, vision_root))


def _root(shapes: Shapes, root: str, ends: tuple[str, str]) -> str | None:
    """What stands before a tower's keys: its root, or nothing; None where it is not there."""
    for found in (root, ""):
        if any(found + end in shapes for end in ends):
            return found
    return None


def examples() -> Iterator[Claim]:
    """The published models and the towers of them that lie alone in other systems' files."""
    seen = set()
    for example in EXAMPLES:
        for claim in _claims(example):
            mark = (claim.layout, claim.variant, tuple(claim.tensors))
            if mark not in seen:  # Models of several picture towers share a text tower.
                seen.add(mark)
                yield claim


def _claims(example: Example) -> Iterator[Claim]:
    text, vision = example.text, example.vision
    yield _openai(text, vision, not example.openai, constants=example.openai)
    if isinstance(vision, ResNetTower):
        return
    yield _openai(text, None, norm_first=True, constants=False)
    for numbers in (False, True):
        yield _transformers(text, vision, numbers=numbers, bare=False)
        for cut in (text, replace(text, projection=None)):
            yield _transformers(cut, None, numbers=numbers, bare=False)
        for seeing in (vision, replace(vision, projection=None)):
            yield _transformers(None, seeing, numbers=numbers, bare=False)


def _openai(
    text: TextTower | None,
    vision: VisionTower | ResNetTower | None,
    norm_first: bool,
    constants: bool,
    *,
    root: str = "visual.",
    scaled: bool = True,
) -> Claim:
    tensors: dict[str, Shape] = {}
    if text is not None:
        tensors |= openai.text_head(text)
        if scaled:
            tensors["logit_scale"] = ()
    if constants:
        tensors |= dict.fromkeys(openai.CONSTANTS, ())
    if vision is not None:
        tensors |= openai.vision_tensors(vision, root, norm_first=norm_first)
    if text is not None:
        tensors |= openai.text_blocks(text, norm_first=norm_first)
    layout: Layout = (
        "open_clip" if norm_first or (text is not None and vision is None) else "original"
    )
    optional = dict.fromkeys(openai.CONSTANTS, ())
    if text is not None and vision is not None:
        return whole_claim(text, vision, tensors, layout, optional)
    if text is not None:
        return text_claim(text, tensors, layout, optional | {"logit_scale": ()})
    assert vision is not None
    return vision_claim(vision, tensors, layout, {})


def _transformers(
    text: TextTower | None, vision: VisionTower | None, *, numbers: bool, bare: bool
) -> Claim:
    tensors: dict[str, Shape] = {}
    optional: dict[str, Shape | None] = {}
    if text is not None and vision is not None:
        tensors["logit_scale"] = ()
    if text is not None:
        root = "" if bare else hugging.TEXT
        optional[f"{root}embeddings.position_ids"] = (1, text.positions)
        tensors |= hugging.text_tensors(text, root, numbers=numbers)
    if vision is not None:
        root = "" if bare else hugging.VISION
        optional[f"{root}embeddings.position_ids"] = (1, vision.positions)
        tensors |= hugging.vision_tensors(vision, root, numbers=numbers)
        if vision.projection is not None:
            tensors["visual_projection.weight"] = (vision.projection, vision.width)
    if text is not None and text.projection is not None:
        tensors["text_projection.weight"] = (text.projection, text.width)
    if text is not None and vision is not None:
        return whole_claim(text, vision, tensors, "transformers", optional)
    if text is not None:
        return text_claim(text, tensors, "transformers", optional)
    assert vision is not None
    return vision_claim(vision, tensors, "transformers", optional)


FAMILY = Family(
    name="clip",
    title="CLIP",
    task="image and text embedding",
    steps=("quality_assessment",),
    markers=(
        ("visual.conv1.weight", "token_embedding.weight", "ln_final.weight"),
        ("visual.class_embedding", "transformer.resblocks.0.attn.in_proj_weight"),
        ("visual.conv1.weight", "visual.ln_pre.weight"),
        ("token_embedding.weight", "ln_final.weight", "transformer.resblocks.0.ln_1.weight"),
        ("class_embedding", "conv1.weight", "transformer.resblocks.0.ln_1.weight"),
        ("attnpool.positional_embedding", "layer1.0.conv1.weight"),
        ("visual.attnpool.positional_embedding", "visual.layer1.0.conv1.weight"),
        ("text_model.embeddings.token_embedding.weight", "text_model.final_layer_norm.weight"),
        ("vision_model.embeddings.class_embedding", "vision_model.pre_layrnorm.weight"),
        ("text_model.final_layer_norm.weight", "text_model.encoder.layers.0.mlp.fc1.weight"),
        ("vision_model.pre_layrnorm.weight", "vision_model.encoder.layers.0.mlp.fc1.weight"),
        ("embeddings.token_embedding.weight", "final_layer_norm.weight"),
        ("embeddings.class_embedding", "pre_layrnorm.weight"),
    ),
    read=read,
    examples=examples,
    published=PUBLISHED,
    licence="MIT",
    source="openai/CLIP, clip/model.py; mlfoundations/open_clip; transformers, models/clip",
    aliases=("clip", "open_clip", "openclip", "text_encoder", "image_encoder"),
)
