"""What files of LPIPS look like: its linear heads alone, and whole modules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mycloset.architectures.family import Claim, Family, Published, Shape, Shapes, require
from mycloset.architectures.lpips.trunks import (
    TAPS,
    TITLES,
    net_of,
    squeezed,
    trunk_tensors,
)
from mycloset.architectures.reading import size

_SCALING = ("scaling_layer.shift", "scaling_layer.scale")


@dataclass(frozen=True)
class Module:
    """What lies in a file.

    Attributes:
        net: the trunk whose layers are compared; None where no channels tell.
        taps: features of each compared layer.
        whole: whether the trunk and the scaling of pixels lie in it, too.
        repeated: whether each head lies in it a second time, in the list `lins`.
        dropout: whether a head's convolution comes after a dropout, which gives it number 1.
        narrow: narrow features of SqueezeNet's Fire modules.
    """

    net: str | None
    taps: tuple[int, ...]
    whole: bool = False
    repeated: bool = False
    dropout: bool = True
    narrow: tuple[int, ...] = ()


def read(shapes: Shapes) -> Claim:
    """The heads or the module that a table holds.

    Raises:
        NotThisError: it holds none.
    """
    dropout = "lin0.model.1.weight" in shapes
    place = 1 if dropout else 0
    count = 0
    while count < 16 and f"lin{count}.model.{place}.weight" in shapes:
        count += 1
    require(count > 1, f"no `lin1.model.{place}.weight`")
    taps = tuple(size(shapes, (f"lin{n}.model.{place}.weight", 1)) for n in range(count))
    net = net_of(shapes)
    whole = net is not None
    if net is None:
        net = next((name for name, known in TAPS.items() if known == taps), None)
    elif len(taps) < len(TAPS[net]):
        taps += TAPS[net][len(taps) :]
    require(not whole or net is None or len(taps) == len(TAPS[net]), f"{len(taps)} heads")
    return _claim(
        Module(
            net=net,
            taps=taps,
            whole=whole,
            repeated=f"lins.0.model.{place}.weight" in shapes,
            dropout=dropout,
            narrow=squeezed(shapes) if whole and net == "squeeze" else (),
        )
    )


def examples() -> Iterator[Claim]:
    """The published heads, and the whole modules that they make."""
    for net, taps in TAPS.items():
        yield _claim(Module(net, taps))
        narrow = squeezed({}) if net == "squeeze" else ()
        yield _claim(Module(net, taps, whole=True, repeated=True, narrow=narrow))


def _claim(module: Module) -> Claim:
    net, taps = module.net, module.taps
    place = 1 if module.dropout else 0
    widths = ", ".join(map(str, taps))
    name = f"LPIPS on {TITLES[net]}" if net is not None else f"LPIPS on layers of {widths} features"
    undecidable = ["whether its version is 0.0 or 0.1 (taken for 0.1, which scales pixels first)"]
    if net is None:
        undecidable.append("on which network's layers its heads stand")
    evidence = [f"`lin0.model.{place}.weight` and its followers weigh {widths} features"]
    if module.whole and net is not None:
        evidence.append(f"the numbers under `net.slice2` are those of {TITLES[net]}")
    told = tensors(module)
    return Claim(
        variant=net or f"heads_{'-'.join(map(str, taps))}",
        title=name if module.whole else f"{name}, linear heads alone",
        config={
            "net": net,
            "version": "0.1",
            "chns": list(taps),
            "lpips": True,
            "use_dropout": module.dropout,
        },
        tensors=told,
        layout="original" if module.whole else "linear heads",
        buffers=frozenset({*_SCALING, *(key for key in told if key.startswith("lins."))}),
        evidence=tuple(evidence),
        undecidable=tuple(undecidable),
        input_channels=3 if module.whole else None,
        output_channels=1,
    )


def tensors(module: Module) -> dict[str, Shape]:
    """Every tensor in the file's order."""
    told: dict[str, Shape] = {}
    if module.whole and module.net is not None:
        told |= dict.fromkeys(_SCALING, (1, 3, 1, 1))
        if module.net == "squeeze":
            told |= trunk_tensors(module.net, module.taps, module.narrow)
        else:
            told |= trunk_tensors(module.net, module.taps)
    told |= _heads("lin{}", module.taps, module.dropout)
    if module.repeated:
        told |= _heads("lins.{}", module.taps, module.dropout)
    return told


def _heads(name: str, taps: Sequence[int], dropout: bool) -> dict[str, Shape]:
    place = 1 if dropout else 0
    return {
        f"{name.format(number)}.model.{place}.weight": (1, features, 1, 1)
        for number, features in enumerate(taps)
    }


FAMILY = Family(
    name="lpips",
    title="LPIPS",
    task="perceptual distance",
    steps=("quality_assessment",),
    markers=(
        ("lin0.model.1.weight", "lin1.model.1.weight"),
        ("lin0.model.0.weight", "lin1.model.0.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        Published(
            "alex.pth",
            "alex",
            "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
            6009,
        ),
        Published(
            "vgg.pth",
            "vgg",
            "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
            7289,
        ),
        Published("squeeze.pth", "squeeze", size=10811),
        Published("lpips_alex*", "alex"),
        Published("lpips_vgg*", "vgg"),
        Published("lpips_squeeze*", "squeeze"),
    ),
    licence="BSD-2-Clause",
    source="richzhang/PerceptualSimilarity, lpips/lpips.py",
    aliases=("lpips", "perceptual"),
)
