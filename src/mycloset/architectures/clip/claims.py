"""What is said of a CLIP model or of one of its towers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from mycloset.architectures.clip.towers import ResNetTower, TextTower, VisionTower
from mycloset.architectures.family import Claim, Shape, Shapes
from mycloset.architectures.reading import ratio

Layout = Literal["original", "open_clip", "transformers"]
Optional = Mapping[str, Shape | None]

_TEXTS = {
    (512, 12): ("ViT-B", "CLIP ViT-B"),
    (768, 12): ("ViT-L-14", "CLIP ViT-L/14, as in Stable Diffusion 1"),
    (1024, 23): ("ViT-H-14", "OpenCLIP ViT-H/14 without its last block, as in Stable Diffusion 2"),
    (1024, 24): ("ViT-H-14", "OpenCLIP ViT-H/14, as in Stable Diffusion 2"),
    (1280, 32): ("ViT-bigG-14", "OpenCLIP ViT-bigG/14, as in Stable Diffusion XL"),
}
_ACTIVATION = "whether its activation is QuickGELU (OpenAI's weights) or GELU (OpenCLIP's)"


def whole_claim(
    text: TextTower,
    vision: VisionTower | ResNetTower,
    tensors: Shapes,
    layout: Layout,
    optional: Optional,
) -> Claim:
    """A model of two towers."""
    if layout == "transformers" and isinstance(vision, VisionTower):
        config: dict[str, Any] = {
            "layout": layout,
            "patch": vision.patch,
            "width": vision.width,
            "projection_dim": text.projection or vision.projection,
            "text_config": _text_config(text),
            "vision_config": _vision_config(vision),
        }
    else:
        config = _openai_config(text, vision)
    return Claim(
        variant=_vision_variant(vision),
        title=f"CLIP {vision.name}{_pixels(vision, ' at {} pixels')}",
        config=config,
        tensors=tensors,
        layout=layout,
        optional=optional,
        evidence=(_vision_evidence(vision), _text_evidence(text)),
        undecidable=(_ACTIVATION,),
        input_channels=vision.channels,
        output_channels=vision.projection or text.projection,
    )


def text_claim(tower: TextTower, tensors: Shapes, layout: Layout, optional: Optional) -> Claim:
    """A text tower alone."""
    known = _TEXTS.get((tower.width, tower.layers))
    size = f"{tower.width}x{tower.layers}"
    config = _text_config(tower) if layout == "transformers" else _openai_config(tower, None)
    return Claim(
        variant=f"{known[0]}-text" if known else f"text-{size}",
        title=f"Text encoder of {known[1]}" if known else f"CLIP text encoder ({size})",
        config=config,
        tensors=tensors,
        layout=layout,
        optional=optional,
        evidence=(_text_evidence(tower),),
        undecidable=(_ACTIVATION,),
        task="text embedding",
        steps=("virtual_fitting",),
        output_channels=tower.projection or tower.width,
    )


def vision_claim(
    tower: VisionTower | ResNetTower, tensors: Shapes, layout: Layout, optional: Optional
) -> Claim:
    """A picture tower alone."""
    if layout == "transformers" and isinstance(tower, VisionTower):
        config = _vision_config(tower)
    else:
        config = _openai_config(None, tower)
    projected = "" if tower.projection is not None else ", without projection"
    return Claim(
        variant=f"{_vision_variant(tower)}-vision",
        title=f"Image encoder of CLIP {tower.name}{_pixels(tower, ' at {} pixels')}{projected}",
        config=config,
        tensors=tensors,
        layout=layout,
        optional=optional,
        evidence=(_vision_evidence(tower),),
        undecidable=(_ACTIVATION,) if isinstance(tower, VisionTower) else (),
        task="image embedding",
        steps=("quality_assessment", "animation.reference"),
        input_channels=tower.channels,
        output_channels=tower.projection or tower.width,
    )


def _vision_variant(tower: VisionTower | ResNetTower) -> str:
    name = tower.name.replace("/", "-").replace(" ", "-")
    return f"{name}{_pixels(tower, '-{}px')}"


def _pixels(tower: VisionTower | ResNetTower, text: str) -> str:
    """Said only of a vision transformer whose picture is not of the usual size."""
    usual = isinstance(tower, ResNetTower) or tower.image_size == 224
    return "" if usual else text.format(tower.image_size)


def _openai_config(
    text: TextTower | None, vision: VisionTower | ResNetTower | None
) -> dict[str, Any]:
    """Arguments of OpenAI's `CLIP`; a tower alone has its own."""
    config: dict[str, Any] = {
        "embed_dim": (text.projection if text is not None else None)
        or (vision.projection if vision is not None else None)
    }
    if vision is not None:
        config["image_resolution"] = vision.image_size
        if isinstance(vision, ResNetTower):
            config["vision_layers"] = list(vision.blocks)
            config["vision_patch_size"] = None
        else:
            config["vision_layers"] = vision.layers
            config["vision_patch_size"] = vision.patch
            if vision.hidden != 4 * vision.width:
                config["vision_mlp_ratio"] = ratio(vision.hidden, vision.width)
        config["vision_width"] = vision.width
        config["vision_heads"] = vision.heads
        if vision.channels != 3:
            config["vision_channels"] = vision.channels
    if text is not None:
        config["context_length"] = text.positions
        config["vocab_size"] = text.vocabulary
        config["transformer_width"] = text.width
        config["transformer_heads"] = text.heads
        config["transformer_layers"] = text.layers
        if text.hidden != 4 * text.width:
            config["transformer_mlp_ratio"] = ratio(text.hidden, text.width)
    return config


def _text_config(tower: TextTower) -> dict[str, Any]:
    """Fields of transformers' `CLIPTextConfig`."""
    return {
        "vocab_size": tower.vocabulary,
        "hidden_size": tower.width,
        "intermediate_size": tower.hidden,
        "num_hidden_layers": tower.layers,
        "num_attention_heads": tower.heads,
        "max_position_embeddings": tower.positions,
        "hidden_act": "gelu" if tower.layers > 12 else "quick_gelu",
        "layer_norm_eps": 1e-05,
        "projection_dim": tower.projection or tower.width,
        "text_projects": tower.projection is not None,
    }


def _vision_config(tower: VisionTower) -> dict[str, Any]:
    """Fields of transformers' `CLIPVisionConfig`."""
    return {
        "hidden_size": tower.width,
        "intermediate_size": tower.hidden,
        "num_hidden_layers": tower.layers,
        "num_attention_heads": tower.heads,
        "image_size": tower.image_size,
        "patch_size": tower.patch,
        "num_channels": tower.channels,
        "hidden_act": "gelu" if tower.layers > 24 else "quick_gelu",
        "layer_norm_eps": 1e-05,
        **({"projection_dim": tower.projection} if tower.projection is not None else {}),
    }


def _vision_evidence(tower: VisionTower | ResNetTower) -> str:
    if isinstance(tower, ResNetTower):
        return (
            f"a picture tower of {'-'.join(map(str, tower.blocks))} bottleneck blocks that ends in"
            f" attention over {tower.positions - 1} places: {tower.image_size} pixels"
        )
    return (
        f"a picture tower of {tower.layers} blocks, {tower.width} features and patches of"
        f" {tower.patch} pixels; {tower.positions - 1} of them: {tower.image_size} pixels"
    )


def _text_evidence(tower: TextTower) -> str:
    return (
        f"a text tower of {tower.layers} blocks and {tower.width} features for {tower.vocabulary}"
        f" tokens at {tower.positions} places"
    )
