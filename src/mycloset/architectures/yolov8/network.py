"""The YOLOv8 network: C2f blocks, a pyramid down and up again, and a head without anchors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from mycloset.architectures.keymapper import KeyMap
from mycloset.architectures.plans import NetworkPlan
from mycloset.architectures.yolov8.topology import CLASSIFIER, DETECTORS, Topology

KEYMAPS: Mapping[str, KeyMap] = {
    "ultralytics": KeyMap(),
    "sequential": KeyMap(renames=(("^{place}.{tensor*}$", "model.{place}.{tensor*}"),)),
}


def plan(variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How a YOLOv8 is built; `config` as in its claim.

    Choices, which no tensor tells:
        names: the classes' names; by default those that a pickled module states, those of COCO
            where there are 80, else numbers.
        input_size: longer side of the letterboxed picture, in pixels.
        kpt_shape (of the config): points and values per point, where both 2 and 3 are possible.
    """
    head = config["head"]
    topology = next(t for t in (*DETECTORS, CLASSIFIER) if (t.name == config["topology"]))
    bins = config.get("reg_max", 1)
    last = f"model.{len(topology.layers)}.dfl.conv.weight"

    def constants() -> dict[str, torch.Tensor]:
        if bins <= 1:
            return {}
        return {last: torch.arange(bins, dtype=torch.float32).view(1, bins, 1, 1)}

    return NetworkPlan(
        lambda: Yolo(
            topology=topology,
            channels=config["channels"],
            repeats=config["repeats"],
            head=head,
            classes=config["nc"],
            bins=bins,
            points=tuple(config.get("kpt_shape", (0, 0))),
            inputs=config["input_channels"],
            fused=config["fused"],
            eps=config["bn_eps"],
        ),
        KEYMAPS[layout],
        constants=constants,
        choices={"names": None, "input_size": 224 if head["task"] == "classify" else 640},
    )


class Yolo(nn.Module):
    """YOLOv8 as ultralytics publishes it; their key names.

    Args:
        topology: its layers.
        channels: outputs of the layers that have their own, in order.
        repeats: bottlenecks of the layers that have some, in order.
        head: "task", and "box", "hidden", "extra", "masks" as `tensors.Head` has them.
        classes: how many.
        bins: values per box side.
        points: key points, and values of each.
        inputs: channels of the picture.
        fused: whether batch norms are folded into the convolutions.
        eps: of the batch norms.
    """

    def __init__(
        self,
        *,
        topology: Topology,
        channels: Sequence[int],
        repeats: Sequence[int],
        head: Mapping[str, Any],
        classes: int,
        bins: int,
        points: tuple[int, int],
        inputs: int,
        fused: bool,
        eps: float,
    ) -> None:
        super().__init__()
        build = _Builder(fused, eps)
        widths, depths = iter(channels), iter(repeats)
        layers: list[nn.Module] = []
        given: list[int] = []
        inp = inputs
        kinds = [layer.kind for layer in topology.layers]
        neck = kinds.index("sppf") if "sppf" in kinds else len(kinds)
        self.joined: list[int | None] = []
        for place, layer in enumerate(topology.layers):
            self.joined.append(layer.joined if layer.kind == "cat" else None)
            out = inp
            if layer.kind == "conv":
                out = next(widths)
                layers.append(build.conv(inp, out, 3, 2))
            elif layer.kind in ("c2f", "c2"):
                out = next(widths)
                dense = layer.kind == "c2f"
                layers.append(_Split(build, inp, out, next(depths), dense, add=place < neck))
            elif layer.kind == "sppf":
                out = next(widths)
                layers.append(_Pooled(build, inp, out))
            elif layer.kind == "up":
                layers.append(nn.Upsample(scale_factor=2, mode="nearest"))
            else:
                out = inp + given[layer.joined]
                layers.append(nn.Identity())
            given.append(out)
            inp = out
        self.taken = topology.taken
        self.task: str = head["task"]
        if self.task == "classify":
            layers.append(_Classes(build, inp, head["hidden"], classes))
        else:
            sizes = [given[place] for place in self.taken]
            layers.append(_Head(build, sizes, topology.strides, head, classes, bins, points))
        self.model = nn.ModuleList(layers)

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Everything that is found.

        Args:
            image: (N, 3, H, W) RGB, 0..1; H and W multiples of the coarsest stride.

        Returns:
            predictions: (N, 4 + classes + rest, places): centre, width and height in pixels of
            the input, the classes' probabilities, and of poses each point's x, y and visibility,
            of masks their coefficients, of oriented boxes their angle.
            prototypes: (N, masks, H/4, W/4), of masks. A classifier gives features (N, C, h, w)
            and logits (N, classes) instead.
        """
        head = self.model[-1]
        if self.task == "classify":
            found: dict[str, torch.Tensor] = head(self.pyramid(image)[0])
            return found
        assert isinstance(head, _Head)
        levels = self.pyramid(image)
        return head.decoded(levels, head(levels), head.fourth(levels))

    def pyramid(self, image: torch.Tensor) -> list[torch.Tensor]:
        """What the head looks at, fine to coarse; for a classifier the last layer's maps."""
        kept: list[torch.Tensor] = []
        maps = image
        for layer, joined in zip(self.model, self.joined, strict=False):
            if joined is not None:
                maps = torch.cat([maps, kept[joined]], 1)
            maps = layer(maps)
            kept.append(maps)
        return [kept[place] for place in self.taken] or [maps]


class _Builder:
    """Makes convolutions as one network has them."""

    def __init__(self, fused: bool, eps: float) -> None:
        self.fused = fused
        self.eps = eps

    def conv(self, inp: int, out: int, kernel: int = 1, stride: int = 1) -> _Conv:
        """A convolution with its norm and SiLU."""
        return _Conv(inp, out, kernel, stride, self.fused, self.eps)


class _Conv(nn.Module):
    def __init__(
        self, inp: int, out: int, kernel: int, stride: int, fused: bool, eps: float
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inp, out, kernel, stride, kernel // 2, bias=fused)
        self.bn = nn.Identity() if fused else nn.BatchNorm2d(out, eps=eps)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return functional.silu(self.bn(self.conv(maps)), inplace=True)


class _Bottleneck(nn.Module):
    def __init__(self, build: _Builder, width: int, add: bool) -> None:
        super().__init__()
        self.cv1 = build.conv(width, width, 3)
        self.cv2 = build.conv(width, width, 3)
        self.add = add

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.cv2(self.cv1(maps))
        return maps + found if self.add else found


class _Split(nn.Module):
    """C2f, which joins what every bottleneck gives, and C2, which joins what the last one does."""

    def __init__(
        self, build: _Builder, inp: int, out: int, repeats: int, dense: bool, *, add: bool
    ) -> None:
        super().__init__()
        half = out // 2
        self.dense = dense
        self.cv1 = build.conv(inp, 2 * half)
        self.cv2 = build.conv((2 + repeats if dense else 2) * half, out)
        self.m = nn.ModuleList(_Bottleneck(build, half, add) for _ in range(repeats))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        first, second = self.cv1(maps).chunk(2, 1)
        if self.dense:
            parts = [first, second]
            for block in self.m:
                parts.append(block(parts[-1]))
        else:
            for block in self.m:
                first = block(first)
            parts = [first, second]
        found: torch.Tensor = self.cv2(torch.cat(parts, 1))
        return found


class _Pooled(nn.Module):
    """SPPF: the maps and three ever wider maxima of them."""

    def __init__(self, build: _Builder, inp: int, out: int) -> None:
        super().__init__()
        self.cv1 = build.conv(inp, inp // 2)
        self.cv2 = build.conv(inp // 2 * 4, out)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        parts = [self.cv1(maps)]
        for _ in range(3):
            parts.append(functional.max_pool2d(parts[-1], 5, 1, 2))
        found: torch.Tensor = self.cv2(torch.cat(parts, 1))
        return found


class _Classes(nn.Module):
    def __init__(self, build: _Builder, inp: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.conv = build.conv(inp, hidden)
        self.linear = nn.Linear(hidden, classes)

    def forward(self, maps: torch.Tensor) -> dict[str, torch.Tensor]:
        features = self.conv(maps)
        return {"features": features, "logits": self.linear(features.mean((2, 3)))}


class _Expectation(nn.Module):
    """Of a box's sides over their bins; the bins' values are the file's, 0, 1, 2, ..."""

    def __init__(self, bins: int) -> None:
        super().__init__()
        self.bins = bins
        self.conv = nn.Conv2d(bins, 1, 1, bias=False)

    def forward(self, sides: torch.Tensor) -> torch.Tensor:
        number, _, places = sides.shape
        bins = sides.view(number, 4, self.bins, places).transpose(2, 1).softmax(1)
        found: torch.Tensor = self.conv(bins)
        return found.view(number, 4, places)


class _Prototypes(nn.Module):
    def __init__(self, build: _Builder, inp: int, hidden: int, masks: int) -> None:
        super().__init__()
        self.cv1 = build.conv(inp, hidden, 3)
        self.upsample = nn.ConvTranspose2d(hidden, hidden, 2, 2)
        self.cv2 = build.conv(hidden, hidden, 3)
        self.cv3 = build.conv(hidden, masks)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.cv3(self.cv2(self.upsample(self.cv1(maps))))
        return found


class _Head(nn.Module):
    """Boxes, classes and what else there is, at every place of every level."""

    def __init__(
        self,
        build: _Builder,
        sizes: Sequence[int],
        strides: Sequence[int],
        head: Mapping[str, Any],
        classes: int,
        bins: int,
        points: tuple[int, int],
    ) -> None:
        super().__init__()

        def branch(hidden: int, out: int) -> nn.ModuleList:
            return nn.ModuleList(
                nn.Sequential(
                    build.conv(size, hidden, 3),
                    build.conv(hidden, hidden, 3),
                    nn.Conv2d(hidden, out, 1),
                )
                for size in sizes
            )

        self.cv2 = branch(head["box"], 4 * bins)
        self.cv3 = branch(head["hidden"], classes)
        self.dfl = _Expectation(bins) if bins > 1 else nn.Identity()
        self.task, self.bins, self.points = head["task"], bins, points
        self.strides = tuple(strides)
        hidden, outputs = head["extra"]
        self.cv4 = branch(hidden, outputs) if outputs else None
        if self.task == "segment":
            self.proto = _Prototypes(build, sizes[0], *head["masks"])

    def forward(self, levels: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """(N, 4 bins + classes, h, w) at every level: bins of the sides, then logits."""
        return [
            torch.cat([box(maps), kind(maps)], 1)
            for maps, box, kind in zip(levels, self.cv2, self.cv3, strict=True)
        ]

    def fourth(self, levels: Sequence[torch.Tensor]) -> torch.Tensor | None:
        """(N, outputs, places) of the fourth branch."""
        if self.cv4 is None:
            return None
        return torch.cat(
            [layer(maps).flatten(2) for layer, maps in zip(self.cv4, levels, strict=True)], 2
        )

    def decoded(
        self,
        levels: Sequence[torch.Tensor],
        raw: Sequence[torch.Tensor],
        extra: torch.Tensor | None,
    ) -> dict[str, torch.Tensor]:
        """As `Yolo.forward`."""
        flat = torch.cat([level.flatten(2) for level in raw], 2)
        sides, logits = flat.split([4 * self.bins, flat.shape[1] - 4 * self.bins], 1)
        anchors, strides = self._anchors(raw)
        low, high = self.dfl(sides).chunk(2, 1)
        angle = None
        if self.task == "obb":
            assert extra is not None
            angle = (extra.sigmoid() - 0.25) * torch.pi
            centre = _turned((high - low) / 2, angle) + anchors
            boxes = torch.cat([centre, low + high], 1) * strides
        else:
            first, second = anchors - low, anchors + high
            boxes = torch.cat([(first + second) / 2, second - first], 1) * strides
        parts = [boxes, logits.sigmoid()]
        if self.task == "pose" and extra is not None:
            parts.append(self._points(extra, anchors, strides))
        elif extra is not None:
            parts.append(extra if angle is None else angle)
        found = {"predictions": torch.cat(parts, 1)}
        if self.task == "segment":
            found["prototypes"] = self.proto(levels[0])
        return found

    def _anchors(self, raw: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """(2, places) x and y of the places' centres in strides, and (places,) the strides."""
        centres, strides = [], []
        for level, stride in zip(raw, self.strides, strict=True):
            height, width = level.shape[2:]
            kind: dict[str, Any] = {"device": level.device, "dtype": level.dtype}
            y, x = torch.meshgrid(
                torch.arange(height, **kind) + 0.5, torch.arange(width, **kind) + 0.5, indexing="ij"
            )
            centres.append(torch.stack([x.flatten(), y.flatten()]))
            strides.append(torch.full((height * width,), stride, **kind))
        return torch.cat(centres, 1), torch.cat(strides)

    def _points(
        self, extra: torch.Tensor, anchors: torch.Tensor, strides: torch.Tensor
    ) -> torch.Tensor:
        """(N, points x values, places) in pixels, visibilities 0..1."""
        number, values = self.points
        raw = extra.view(extra.shape[0], number, values, -1)
        places = (raw[:, :, :2] * 2 + (anchors - 0.5)) * strides
        parts = [places] if values == 2 else [places, raw[:, :, 2:].sigmoid()]
        return torch.cat(parts, 2).flatten(1, 2)


def _turned(offset: torch.Tensor, angle: torch.Tensor) -> torch.Tensor:
    """(N, 2, places) offsets turned by angles (N, 1, places)."""
    x, y = offset.chunk(2, 1)
    return torch.cat([x * angle.cos() - y * angle.sin(), x * angle.sin() + y * angle.cos()], 1)
