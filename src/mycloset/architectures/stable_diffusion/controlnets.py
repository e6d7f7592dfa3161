"""What is said of a ControlNet."""

from __future__ import annotations

from functools import lru_cache

from mycloset.architectures.family import Claim, Shape, Shapes, require
from mycloset.architectures.latent_diffusion import controlnet, kinds
from mycloset.architectures.latent_diffusion.blocks import Naming
from mycloset.architectures.latent_diffusion.controlnet import ControlNet
from mycloset.architectures.latent_diffusion.unet import UNet

PREFIX = "control_model."


def read(shapes: Shapes) -> Claim:
    """Say what a ControlNet is.

    Raises:
        NotThisError: the table holds none.
    """
    if (
        "controlnet_cond_embedding.conv_in.weight" in shapes
        or "controlnet_mid_block.weight" in shapes
    ):
        naming: Naming = "diffusers"
        start = ""
    else:
        naming = "ldm"
        start = PREFIX if f"{PREFIX}input_hint_block.0.weight" in shapes else ""
    control = controlnet.read(shapes, naming, start)
    require(control.net.motion is None, "motion modules between its blocks")
    return claim(control, naming, start)


def claim(control: ControlNet, naming: Naming, start: str = "") -> Claim:
    """The claim for a ControlNet of these sizes.

    Args:
        control: its sizes.
        naming: how its keys are named.
        start: put before each of them.
    """
    kind = kinds.kind_of(_whole(control))
    first = "controlnet_cond_embedding.conv_in" if naming == "diffusers" else "input_hint_block.0"
    shape = [control.widths[0], control.hint, 3, 3]
    return Claim(
        variant=f"{kind.name}-controlnet",
        title=f"ControlNet for {kind.title}",
        config=controlnet.config(control),
        tensors=_prefixed(control, naming, start),
        layout=naming,
        evidence=(
            f"`{start}{first}.weight` is {shape}: a hint picture of {control.hint} channels",
            f"text tokens have {control.net.context} features (`attn2.to_k.weight`)",
        ),
        undecidable=(
            "which hint it follows (pose, edges, depth …): all have the same tensors",
            *kinds.undecidable(_whole(control)),
        ),
        task="guidance of image generation",
        steps=(),
        input_channels=control.hint,
        licence="OpenRAIL" if kind.exact else "",
        confidence=1.0 if kind.exact else 0.9,
    )


def _whole(control: ControlNet) -> UNet:
    """The UNet of which it is the half, as far as the half tells."""
    net = control.net
    for _, known, _ in kinds.PUBLISHED.values():
        if (net.widths, net.down, net.context, net.middle, net.linear) == (
            known.widths,
            known.down,
            known.context,
            known.middle,
            known.linear,
        ):
            return known
    return net


@lru_cache(maxsize=16)
def _prefixed(control: ControlNet, naming: Naming, start: str) -> dict[str, Shape]:
    return {start + key: shape for key, shape in controlnet.tensors(control, naming).items()}
