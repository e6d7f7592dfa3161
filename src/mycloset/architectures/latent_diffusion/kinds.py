"""Which published UNet one of given sizes is, and what its constructor takes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from mycloset.architectures.latent_diffusion.blocks import LATENT, groups
from mycloset.architectures.latent_diffusion.unet import UNet

OPENRAIL_M = "CreativeML OpenRAIL-M"
OPENRAIL_PLUS = "CreativeML OpenRAIL++-M"


class Kind(NamedTuple):
    """A generation of Stable Diffusion, or what a UNet has of one.

    Attributes:
        name: "sd15", "sd21", "sdxl", "sdxl-refiner", "sdxl-bare"; with "-pruned"
            where blocks were left out, "sd1-custom", "sd2-custom", "sdxl-custom" where widths
            are others.
        title: for people.
        licence: of the published weights; "" for other widths.
        exact: whether all sizes but the channels in and out are the published ones.
    """

    name: str
    title: str
    licence: str
    exact: bool


def _unet(
    widths: tuple[int, ...],
    depths: tuple[int, ...],
    middle: int,
    context: int,
    *,
    linear: bool,
    addition: int | None = None,
) -> UNet:
    return UNet(
        in_channels=4,
        out_channels=4,
        widths=widths,
        down=tuple((depth, depth) for depth in depths),
        up=tuple((depth, depth, depth) for depth in reversed(depths)),
        middle=middle,
        context=context,
        linear=linear,
        embedding=4 * widths[0],
        addition=addition,
    )


_SD = (320, 640, 1280, 1280)
_REFINER = (384, 768, 1536, 1536)
SD15 = _unet(_SD, (1, 1, 1, 0), 1, 768, linear=False)
SD21 = _unet(_SD, (1, 1, 1, 0), 1, 1024, linear=True)
SDXL = _unet(_SD[:3], (0, 2, 10), 10, 2048, linear=True, addition=2816)
SDXL_REFINER = _unet(_REFINER, (0, 4, 4, 0), 4, 1280, linear=True, addition=2560)

PUBLISHED: dict[str, tuple[str, UNet, str]] = {
    "sd15": ("Stable Diffusion 1.x", SD15, OPENRAIL_M),
    "sd21": ("Stable Diffusion 2.x", SD21, OPENRAIL_PLUS),
    "sdxl": ("Stable Diffusion XL", SDXL, OPENRAIL_PLUS),
    "sdxl-refiner": ("Stable Diffusion XL refiner", SDXL_REFINER, OPENRAIL_PLUS),
}
"""Name -> title, sizes and licence."""


@lru_cache(maxsize=64)
def kind_of(net: UNet) -> Kind:
    """The generation that the sizes are of."""
    for name, (title, known, licence) in PUBLISHED.items():
        if _core(net) == _core(known):
            return Kind(name, title, licence, exact=True)
    if net.addition is None and _core(net) == _core(SDXL._replace(addition=None)):
        title = "Stable Diffusion XL without its size embedding"
        return Kind("sdxl-bare", title, OPENRAIL_PLUS, exact=True)
    for name, (title, known, licence) in PUBLISHED.items():
        if _outline(net) == _outline(known):
            return Kind(f"{name}-pruned", f"{title} with other blocks", licence, exact=False)
    style = "sd1" if not net.linear else "sdxl" if net.addition is not None else "sd2"
    told = ", ".join(str(width) for width in net.widths)
    title = {"sd1": "1.x", "sd2": "2.x", "sdxl": "XL"}[style]
    return Kind(f"{style}-custom", f"Stable Diffusion {title} in widths {told}", "", exact=False)


def config(net: UNet) -> dict[str, Any]:
    """Arguments of diffusers' `UNet2DConditionModel` (with motion modules: of AnimateDiff's).

    Heads and groups cannot be seen in shapes: they are as the published networks have them.
    """
    last = len(net.widths) - 1
    sides = "2D" if net.motion is None else "3D"
    looking = [any(depths) for depths in net.down]
    found: dict[str, Any] = {
        "in_channels": net.in_channels,
        "out_channels": net.out_channels if net.out_channels is not None else LATENT,
        "block_out_channels": list(net.widths),
        "layers_per_block": _one([len(depths) for depths in net.down]),
        "down_block_types": [_block("Down", cross, sides) for cross in looking],
        "mid_block_type": _middle_type(net, sides),
        "up_block_types": [_block("Up", any(depths), sides) for depths in net.up],
        "cross_attention_dim": net.context,
        "attention_head_dim": heads(net),
        "use_linear_projection": net.linear,
        **_transformers(net, last),
        "norm_num_groups": groups(net.widths),
    }
    if net.addition is not None:
        found["addition_embed_type"] = "text_time"
        found["addition_time_embed_dim"] = 256 if net.addition > 6 * 256 else None
        found["projection_class_embeddings_input_dim"] = net.addition
    if net.labels is not None:
        found["class_embed_type"] = "projection"
        found["projection_class_embeddings_input_dim"] = net.labels
    if net.classes is not None:
        found["num_class_embeds"] = net.classes
    if net.guidance is not None:
        found["time_cond_proj_dim"] = net.guidance
    if net.cross_only:
        found["only_cross_attention"] = list(net.cross_only)
    if net.prompts is not None:
        found["encoder_hid_dim"] = net.prompts.features
        found["encoder_hid_dim_type"] = "ip_image_proj"
    return found


def heads(net: UNet) -> int | list[int]:
    """Attention heads (diffusers' `attention_head_dim`), as the published networks have them."""
    if not net.linear:
        return 8
    return [max(1, width // 64) for width in net.widths]


def undecidable(net: UNet) -> tuple[str, ...]:
    """What the shapes of its tensors cannot tell."""
    told = []
    kind = kind_of(net)
    if not kind.exact:
        told.append("the numbers of attention heads and of norm groups")
    elif kind.name == "sd15":
        told.append("heads (SD 1.x has 8 everywhere)")
    elif kind.name == "sd21":
        told.append(
            "heads (SD 2.x and XL have 64 features a head); whether it predicts noise or velocity"
        )
    else:
        told.append("heads (SD 2.x and XL have 64 features a head)")
    return tuple(told)


def _core(net: UNet) -> UNet:
    """Without what variants of one generation differ in."""
    return net._replace(in_channels=0, out_channels=0, guidance=None, motion=None, prompts=None)


def _outline(net: UNet) -> tuple[object, ...]:
    widths = net.widths[:3]
    return widths, net.context, net.linear, net.addition, net.classes, net.labels, net.embedding


def _transformers(net: UNet, last: int) -> dict[str, Any]:
    levels = [max(depths, default=0) for depths in net.down]
    uniform = all(set(depths) <= {depth} for depths, depth in zip(net.down, levels, strict=True))
    mirrored = all(
        set(depths) <= {depth} for depths, depth in zip(net.up, reversed(levels), strict=False)
    )
    if not (uniform and mirrored):
        return {
            "transformer_layers_per_block": [list(depths) for depths in net.down],
            "reverse_transformer_layers_per_block": [list(depths) for depths in net.up],
        }
    if last >= 0 and not levels[last] and net.middle:
        levels[last] = net.middle
    seen = {depth for depth in levels if depth}
    if len(seen) <= 1:
        return {"transformer_layers_per_block": max(seen, default=1)}
    return {"transformer_layers_per_block": [depth or 1 for depth in levels]}


def _middle_type(net: UNet, sides: str) -> str | None:
    if net.middle is None:
        return None
    return f"UNetMidBlock{sides}CrossAttn" if net.middle else f"UNetMidBlock{sides}"


def _block(way: str, cross: bool, sides: str) -> str:
    return f"{'CrossAttn' if cross else ''}{way}Block{sides}"


def _one(values: list[int]) -> int | list[int]:
    return values[0] if len(set(values)) == 1 else values
