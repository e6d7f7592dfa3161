"""Sizes of generated networks come back from their tensors' shapes, whatever the widths."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mycloset.architectures.clip.towers import VisionTower
from mycloset.architectures.latent_diffusion import (
    autoencoder,
    blocks,
    controlnet,
    text_encoders,
    unet,
    unet_reading,
    vision_towers,
)
from mycloset.architectures.latent_diffusion.autoencoder import Autoencoder
from mycloset.architectures.latent_diffusion.controlnet import ControlNet
from mycloset.architectures.latent_diffusion.image_prompts import ImagePrompts
from mycloset.architectures.latent_diffusion.motion import Motion
from mycloset.architectures.latent_diffusion.text_encoders import TextTower
from mycloset.architectures.latent_diffusion.unet import UNet

WIDTHS = st.integers(1, 24).map(lambda number: 8 * number)
SIDE = st.integers(1, 96)
FEW = st.integers(1, 3)
MOTIONS = st.builds(Motion, st.none() | SIDE, st.booleans(), FEW, FEW)
PROMPTS = st.builds(ImagePrompts, SIDE, SIDE, SIDE, FEW, SIDE, SIDE)
NAMINGS = st.sampled_from(("diffusers", "ldm"))


@st.composite
def unets(draw: st.DrawFn, *, plain: bool = False) -> UNet:
    """UNets of one to four levels, each with its own depths; plain: what both namings can say."""
    levels = draw(st.integers(1, 4))
    widths = tuple(draw(st.lists(WIDTHS, min_size=levels, max_size=levels)))
    blocks = draw(st.integers(1, 3))
    depths = st.lists(st.integers(0, 3), min_size=blocks, max_size=blocks).map(tuple)
    more = st.lists(st.integers(0, 3), min_size=blocks + 1, max_size=blocks + 1).map(tuple)
    middle = draw(st.integers(1, 3))
    motion = prompts = None
    if not plain:
        motion = draw(st.none() | MOTIONS)
        prompts = draw(st.none() | PROMPTS)
    size = st.none() | st.integers(1, 4000)
    return UNet(
        in_channels=draw(st.integers(1, 16)),
        out_channels=draw(st.integers(1, 8)) if plain else draw(st.none() | st.integers(1, 8)),
        widths=widths,
        down=tuple(draw(st.lists(depths, min_size=levels, max_size=levels))),
        up=tuple(draw(st.lists(more, min_size=levels, max_size=levels))),
        middle=middle,
        context=draw(st.integers(200, 3000)),
        linear=draw(st.booleans()),
        embedding=4 * widths[0],
        addition=draw(size),
        labels=None if plain else draw(size),
        guidance=None if plain else draw(size),
        motion=motion,
        prompts=prompts,
    )


@given(unets())
@settings(max_examples=60, deadline=None)
def test_a_unet_in_diffusers_names(net: UNet) -> None:
    assert unet_reading.read(unet.tensors(net, "diffusers"), "diffusers") == net


@given(unets(plain=True))
@settings(max_examples=60, deadline=None)
def test_a_unet_in_ldm_names(net: UNet) -> None:
    assert unet_reading.read(unet.tensors(net, "ldm"), "ldm") == net


@given(unets(plain=True), NAMINGS, st.integers(1, 8), st.lists(WIDTHS, min_size=1, max_size=4))
@settings(max_examples=40, deadline=None)
def test_a_controlnet(net: UNet, naming: blocks.Naming, hint: int, widths: list[int]) -> None:
    control = ControlNet(net._replace(up=(), out_channels=None), hint, tuple(widths))
    assert controlnet.read(controlnet.tensors(control, naming), naming) == control


AUTOENCODERS = st.builds(
    Autoencoder,
    st.integers(1, 6),
    st.integers(1, 6),
    st.integers(1, 32),
    st.lists(WIDTHS, min_size=1, max_size=5).map(tuple),
    st.integers(1, 3),
    st.booleans(),
    st.booleans(),
)


@given(AUTOENCODERS, st.sampled_from(("diffusers", "diffusers<0.15", "ldm")))
@settings(max_examples=60, deadline=None)
def test_an_autoencoder(vae: Autoencoder, naming: autoencoder.Naming) -> None:
    table = autoencoder.tensors(vae, naming)
    found = autoencoder.naming_of(table)
    assert found == naming or not vae.attention
    assert autoencoder.read(table, found) == vae


SIZES = st.integers(1, 600)


@given(st.sampled_from(("transformers", "open_clip")), st.tuples(*[SIZES] * 4), st.integers(1, 9))
def test_a_text_tower(
    naming: text_encoders.Naming, sizes: tuple[int, int, int, int], layers: int
) -> None:
    root = "text_model." if naming == "transformers" else ""
    tower = TextTower(naming, *sizes, layers, 17, root)
    assert text_encoders.read(text_encoders.tensors(tower), naming, "") == tower


@given(st.builds(VisionTower, SIZES, SIZES, st.integers(1, 9), *[SIZES] * 3, st.none() | SIZES))
def test_a_picture_tower(tower: VisionTower) -> None:
    assert vision_towers.read(vision_towers.tensors(tower)) == tower
