"""The tensors of a GFPGAN, in its first form and in the later one of plain convolutions.

Source: TencentARC/GFPGAN, gfpgan/archs/{gfpganv1,gfpganv1_clean,stylegan2_clean}_arch.py.
"""

from __future__ import annotations

from mycloset.architectures.blocks import conv, linear
from mycloset.architectures.family import Shape
from mycloset.architectures.gfpgan.sizes import STYLE, Sizes


def tensors(sizes: Sizes) -> dict[str, Shape]:
    """Every tensor in the file's order."""
    return {
        **_encoder(sizes),
        **_generator(sizes),
        **_conditions(sizes, "condition_scale"),
        **_conditions(sizes, "condition_shift"),
    }


def noises(sizes: Sizes) -> dict[str, Shape]:
    """The constants of noise: one for 4x4 pixels, two for every size above."""
    told: dict[str, Shape] = {}
    for number in range(2 * sizes.steps + 1):
        side = 4 << ((number + 1) // 2)
        told[f"{STYLE}.noises.noise{number}"] = (1, 1, side, side)
    return told


def _conv(sizes: Sizes, name: str, out: int, inp: int, kernel: int = 3) -> dict[str, Shape]:
    """A convolution and its activation, which holds the bias in the first form."""
    if sizes.clean:
        return conv(name, out, inp, kernel)
    return {f"{name}.0.weight": (out, inp, kernel, kernel), f"{name}.1.bias": (out,)}


def _encoder(sizes: Sizes) -> dict[str, Shape]:
    side, inp = sizes.out, sizes.encoder(sizes.out)
    told = _conv(sizes, "conv_body_first", inp, 3, 1)
    for number in range(sizes.steps):
        side //= 2
        out = sizes.encoder(side)
        told |= _down(sizes, f"conv_body_down.{number}", out, inp)
        inp = out
    told |= _conv(sizes, "final_conv", inp, inp)
    for number in range(sizes.steps):
        side *= 2
        out = sizes.encoder(side)
        told |= _up(sizes, f"conv_body_up.{number}", out, inp)
        inp = out
    for number in range(sizes.steps):
        told |= conv(f"toRGB.{number}", 3, sizes.encoder(8 << number))
    styles = 2 * sizes.steps + 2 if sizes.separate else 1
    return told | linear("final_linear", styles * sizes.style, sizes.low * 16)


def _down(sizes: Sizes, name: str, out: int, inp: int) -> dict[str, Shape]:
    told = _conv(sizes, f"{name}.conv1", inp, inp)
    if sizes.clean:
        return (
            told | conv(f"{name}.conv2", out, inp, 3) | conv(f"{name}.skip", out, inp, bias=False)
        )
    told[f"{name}.conv2.1.weight"] = (out, inp, 3, 3)  # Number 0 is the blur.
    told[f"{name}.conv2.2.bias"] = (out,)
    told[f"{name}.skip.1.weight"] = (out, inp, 1, 1)
    return told


def _up(sizes: Sizes, name: str, out: int, inp: int) -> dict[str, Shape]:
    told = _conv(sizes, f"{name}.conv1", inp, inp)
    if sizes.clean:
        told |= conv(f"{name}.conv2", out, inp, 3)
    else:
        told[f"{name}.conv2.weight"] = (out, inp, 3, 3)
        told[f"{name}.conv2.activation.bias"] = (out,)
    return told | conv(f"{name}.skip", out, inp, bias=False)


def _generator(sizes: Sizes) -> dict[str, Shape]:
    told: dict[str, Shape] = {}
    for number in range(1, sizes.mapping + 1):
        place = 2 * number - 1 if sizes.clean else number  # Activations have numbers there.
        told |= linear(f"{STYLE}.style_mlp.{place}", sizes.style, sizes.style)
    inp = sizes.generator(4)
    told[f"{STYLE}.constant_input.weight"] = (1, inp, 4, 4)
    told |= _style_conv(sizes, f"{STYLE}.style_conv1", inp, inp)
    told |= _to_rgb(sizes, f"{STYLE}.to_rgb1", inp)
    for number in range(2 * sizes.steps):
        out = sizes.generator(8 << (number // 2))
        told |= _style_conv(sizes, f"{STYLE}.style_convs.{number}", out, inp)
        inp = out
    for number in range(sizes.steps):
        told |= _to_rgb(sizes, f"{STYLE}.to_rgbs.{number}", sizes.generator(8 << number))
    return told | noises(sizes)


def _modulated(sizes: Sizes, name: str, out: int, inp: int, kernel: int) -> dict[str, Shape]:
    return {
        f"{name}.weight": (1, out, inp, kernel, kernel),
        **linear(f"{name}.modulation", inp, sizes.style),
    }


def _style_conv(sizes: Sizes, name: str, out: int, inp: int) -> dict[str, Shape]:
    told: dict[str, Shape] = {f"{name}.weight": (1,)}  # How strong its noise is.
    if sizes.clean:
        told[f"{name}.bias"] = (1, out, 1, 1)
    told |= _modulated(sizes, f"{name}.modulated_conv", out, inp, 3)
    if not sizes.clean:
        told[f"{name}.activate.bias"] = (out,)
    return told


def _to_rgb(sizes: Sizes, name: str, inp: int) -> dict[str, Shape]:
    return {
        f"{name}.bias": (1, 3, 1, 1),
        **_modulated(sizes, f"{name}.modulated_conv", 3, inp, 1),
    }


def _conditions(sizes: Sizes, name: str) -> dict[str, Shape]:
    told: dict[str, Shape] = {}
    for number in range(sizes.steps):
        inp = sizes.encoder(8 << number)
        told |= conv(f"{name}.{number}.0", inp, inp, 3)
        told |= conv(f"{name}.{number}.2", inp if sizes.half else 2 * inp, inp, 3)
    return told
