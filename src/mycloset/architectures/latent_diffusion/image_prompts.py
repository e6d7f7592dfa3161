"""The tensors by which a UNet takes image prompts: a resampler and a second set of keys and values.

Source: IP-Adapter-plus (`resampler.py`) as IDM-VTON builds it into its UNet.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mycloset.architectures.family import Shape


class ImagePrompts(NamedTuple):
    """Sizes of the resampler.

    Attributes:
        features: of an image token that enters.
        queries: how many prompt tokens leave.
        width: features inside.
        depth: layers.
        inner: features of all heads together.
        hidden: features inside a feed-forward layer.
    """

    features: int
    queries: int
    width: int
    depth: int
    inner: int
    hidden: int


def resampler(prompts: ImagePrompts, context: int) -> Iterator[tuple[str, Shape]]:
    """Tensors of the resampler; its tokens have as many features as the text's."""
    width = prompts.width
    start = "encoder_hid_proj."
    yield f"{start}latents", (1, prompts.queries, width)
    yield f"{start}proj_in.weight", (width, prompts.features)
    yield f"{start}proj_in.bias", (width,)
    yield f"{start}proj_out.weight", (context, width)
    yield f"{start}proj_out.bias", (context,)
    yield f"{start}norm_out.weight", (context,)
    yield f"{start}norm_out.bias", (context,)
    for number in range(prompts.depth):
        name = f"{start}layers.{number}"
        for norm in ("norm1", "norm2"):
            yield f"{name}.0.{norm}.weight", (width,)
            yield f"{name}.0.{norm}.bias", (width,)
        yield f"{name}.0.to_q.weight", (prompts.inner, width)
        yield f"{name}.0.to_kv.weight", (2 * prompts.inner, width)
        yield f"{name}.0.to_out.weight", (width, prompts.inner)
        yield f"{name}.1.0.weight", (width,)
        yield f"{name}.1.0.bias", (width,)
        yield f"{name}.1.1.weight", (prompts.hidden, width)
        yield f"{name}.1.3.weight", (width, prompts.hidden)
