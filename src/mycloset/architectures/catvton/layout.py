"""What CatVTON's attention files look like: self-attentions keyed by their place in a list.

Source: Zheng-Chong/CatVTON@3b79536, `get_trainable_module(unet, "attention")` in `model/utils.py`:
the list of every module with "attn1" in its name, eight an attention (itself, to_q, to_k, to_v,
to_out, to_out.0, to_out.1, processor), in the order down, up, middle. Published files hold each
tensor once, under the attention's own number; files saved otherwise repeat it under its modules'.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import lru_cache
from itertools import pairwise

from mycloset.architectures.family import Claim, Family, Published, Shape, Shapes, require
from mycloset.architectures.reading import MOST, shape_of

_STRIDE = 8
_MOST_ATTENTIONS = 256
_SD = (320, 320, 640, 640, 1280, 1280, 1280, 1280, 1280, 640, 640, 640, 320, 320, 320, 1280)


def read(shapes: Shapes) -> Claim:
    """Say whether a table is a CatVTON attention file.

    Raises:
        NotThisError: it is none.
    """
    require(
        all(key.partition(".")[0].isdecimal() for key in shapes), "keys that begin with no number"
    )
    widths: list[int] = []
    while len(widths) <= _MOST_ATTENTIONS and (width := _width(shapes, len(widths))) is not None:
        widths.append(width)
    require(len(widths) > 1, f"no `{_STRIDE}.to_q.weight`")
    require(_shaped_as_a_unet(widths), f"widths {widths} are not those of a UNet, its middle last")
    return claim(tuple(widths), shapes)


def examples() -> Iterator[Claim]:
    """The published files."""
    yield claim(_SD, ())
    yield claim(_SD, [name for names in _names(_SD) for name in names])


def claim(widths: tuple[int, ...], there: Collection[str]) -> Claim:
    """The claim for attentions of these widths.

    Args:
        widths: by attention, in the file's order.
        there: the file's keys; a tensor may stand under any of its names, or under several.
    """
    tensors: dict[str, Shape] = {}
    optional: dict[str, Shape | None] = {}
    for names, shape in _names(widths).items():
        found = [name for name in names if name in there] or names[:1]
        tensors.update(dict.fromkeys(found, shape))
        optional.update((name, shape) for name in names if name not in found)
    return Claim(
        variant="attention",
        title="CatVTON, self-attentions of its UNet",
        config={
            "attentions": len(widths),
            "module_list": _STRIDE * len(widths),
            "widths": [*widths],
        },
        tensors=tensors,
        optional=optional,
        evidence=(
            f"`0.to_q.weight` is {[widths[0]] * 2}: keys are places in a list, {_STRIDE} apart",
            f"`{_STRIDE * (len(widths) - 1)}.to_q.weight` (the middle) is {[widths[-1]] * 2}",
        ),
        undecidable=(
            "its base: SD 1.5 inpainting, or InstructPix2Pix for the mask-free release",
            "which training: mix-48k-1024, vitonhd-16k-512 and dresscode-16k-512 are alike",
        ),
        input_channels=9,
        output_channels=4,
        confidence=1.0 if widths == _SD else 0.9,
    )


def _width(shapes: Shapes, number: int) -> int | None:
    """The width of an attention by its number; None where it is not there."""
    place = _STRIDE * number
    for key in (f"{place}.to_q.weight", f"{place}.to_k.weight", f"{place + 1}.weight"):
        if key in shapes:
            shape = shape_of(shapes, key, dims=2)
            require(shape[0] == shape[1], f"`{key}` is {list(shape)}, not square")
            require(0 < shape[0] <= MOST, f"`{key}` is {list(shape)}")
            return shape[0]
    return None


def _shaped_as_a_unet(widths: list[int]) -> bool:
    """Widths rise on the way down, fall on the way up; the middle, last, is the widest."""
    sides = widths[:-1]
    top = sides.index(max(sides))
    rises = all(before <= after for before, after in pairwise(sides[: top + 1]))
    falls = all(before >= after for before, after in pairwise(sides[top:]))
    return rises and falls and widths[-1] >= max(sides) and sides[0] == sides[-1]


@lru_cache(maxsize=8)
def _names(widths: tuple[int, ...]) -> dict[tuple[str, ...], Shape]:
    """The names of each tensor, the published one first, and its shape."""
    found: dict[tuple[str, ...], Shape] = {}
    for number, width in enumerate(widths):
        place = _STRIDE * number
        square, line = (width, width), (width,)
        for offset, part in enumerate(("to_q", "to_k", "to_v"), start=1):
            found[f"{place}.{part}.weight", f"{place + offset}.weight"] = square
        for part, shape in (("weight", square), ("bias", line)):
            published = f"{place}.to_out.0.{part}"
            found[published, f"{place + 4}.0.{part}", f"{place + 5}.{part}"] = shape
    return found


FAMILY = Family(
    name="catvton",
    title="CatVTON",
    task="virtual try-on",
    steps=("virtual_fitting",),
    markers=(
        ("0.to_q.weight", f"{_STRIDE}.to_q.weight"),
        ("0.to_k.weight", f"{_STRIDE}.to_k.weight"),
        ("1.weight", "2.weight", "4.0.weight", "9.weight", "12.0.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        Published(
            "mix-48k-1024/attention/model.safetensors",
            "attention",
            "a1fc093f1b6744623079e6f4e7313411f524e388c4b7467df1e0e7f577cba23a",
            198_303_368,
        ),
    ),
    licence="CC-BY-NC-SA-4.0, on SD 1.5 inpainting (CreativeML OpenRAIL-M)",
    source="Zheng-Chong/CatVTON, model/utils.py",
    aliases=("catvton", "mix-48k-1024", "vitonhd-16k-512", "dresscode-16k-512"),
)
