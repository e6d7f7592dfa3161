"""Family: what a folder of this package says about one family of networks, torch-free."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from mycloset.architectures.layouts import NetworkLayout

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]
"""Shape by key: a state dict without its wrapper and prefix, in the file's order."""


class NotThisError(Exception):
    """A table is not of the family; the text says why, in one clause."""


@dataclass(frozen=True)
class Claim:
    """What a family says a table is.

    Attributes:
        variant: the network's own name within the family ("w48", "vit_b", "RealESRGAN_x4plus").
        title: the name for people ("HRNet-W48, 17 COCO joints").
        config: what its constructor takes, as read from shapes; JSON values only.
        tensors: every tensor of a whole file of this network in this layout, in the file's order.
        layout: "original", "torchvision", "mmpose-0.x", "diffusers", "transformers", "ldm", ….
        optional: further keys that may be there or not, with their shapes (None: any shape).
            `num_batches_tracked` need not be named: it is optional everywhere.
        evidence: what showed it, each with key and shape.
        undecidable: what the tensors cannot tell.
        also: other families (by name) whose published files hold this very network.
        task: what it does, if not the family's task.
        steps: which steps it serves, if not the family's.
        input_channels: channels of the picture (or features) that it takes, if it takes any.
        output_channels: channels, classes or features that it gives, where that has a meaning.
        licence: of the published weights, if not the family's.
        parts: prefixes of networks that lie whole in this one ("vae.", "unet."); each is then
            recognised by itself and listed.
        buffers: keys of floating tensors that are no parameters of their own: grids, tables, noise,
            and second names of one parameter. Running means and variances need not be named.
        confidence: below 1 where even a perfect match leaves doubt about the family.
    """

    variant: str
    title: str
    config: Mapping[str, Any]
    tensors: Shapes
    layout: str = "original"
    optional: Mapping[str, Shape | None] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()
    undecidable: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    task: str | None = None
    steps: tuple[str, ...] | None = None
    input_channels: int | None = None
    output_channels: int | None = None
    licence: str | None = None
    parts: tuple[str, ...] = ()
    buffers: frozenset[str] = frozenset()
    confidence: float = 1.0


class Published(NamedTuple):
    """A file under which a family's weights are known.

    Attributes:
        file: its name, as its authors give it; `*` stands for anything.
        variant: the variant that lies in it.
        sha256: of the file, where its authors or an index state one.
        size: bytes, where stated.
    """

    file: str
    variant: str
    sha256: str = ""
    size: int | None = None


@dataclass(frozen=True)
class Family:
    """A family of networks, as its files show it.

    Attributes:
        name: the folder's name.
        title: the name for people.
        task: what its networks do: "human parsing", "pose estimation", "cloth segmentation",
            "image matting", "geometric matching", "optical flow", "virtual try-on", …
        steps: the try-on steps ("human_parsing" … "quality_assessment") or parts of the animation
            ("animation.reference", "animation.denoising", …) that it can serve; may be empty.
        markers: groups of keys, one group a layout or variant; a file of the family holds ALL keys
            of at least one group. Two to four keys from different ends of the network are good.
        read: says what a table is, or raises NotThisError. It is called only where a marker group
            is there. It must not fail on other people's tensors: any shape may come.
        examples: configs of the published variants; for each, `read(tensors)` gives itself back.
            They make the index by which renamed and unknown files are compared.
        published: files under which its weights are known.
        licence: of the published weights; "" where their authors state none.
        source: paper, repository or file that defines the layout.
        graphs: networks that are told by what their graph takes and gives, not by their tensors.
        aliases: other words by which file and folder names mean this family ("hrnet", "openpose").
    """

    name: str
    title: str
    task: str
    steps: tuple[str, ...]
    markers: tuple[tuple[str, ...], ...]
    read: Callable[[Shapes], Claim]
    examples: Callable[[], Iterable[Claim]]
    published: tuple[Published, ...] = ()
    licence: str = ""
    source: str = ""
    graphs: tuple[NetworkLayout, ...] = ()
    aliases: tuple[str, ...] = ()


def graph_family(
    *,
    name: str,
    title: str,
    task: str,
    steps: tuple[str, ...],
    graphs: tuple[NetworkLayout, ...],
    licence: str,
    source: str,
    aliases: tuple[str, ...] = (),
    digests: tuple[str, ...] = (),
) -> Family:
    """A family whose files hold a graph that runs, and no state dict (.tflite).

    `digests` are the SHA-256 of the published files, in the order of the graphs.
    """
    stated = dict(zip((graph.name for graph in graphs), digests, strict=False))
    published = tuple(
        Published(f"{graph.name}.tflite", graph.name, stated.get(graph.name, ""))
        for graph in graphs
    )
    return Family(
        name=name,
        title=title,
        task=task,
        steps=steps,
        markers=(),
        read=_refuse_tensors,
        examples=tuple,
        published=published,
        licence=licence,
        source=source,
        graphs=graphs,
        aliases=aliases,
    )


def _refuse_tensors(shapes: Shapes) -> Claim:
    raise NotThisError("its files hold a graph, not a state dict")


def require(condition: bool, reason: str) -> None:
    """Raise NotThisError with the reason unless the condition holds."""
    if not condition:
        raise NotThisError(reason)
