"""Restoration networks that MyCloset does not know and the spandrel library does.

The tensors are those that MyCloset read from the file: spandrel only tells by their keys which of
its networks they belong to, builds it and fills it. It does so strictly (a tensor too many or too
few is an error), but builds with first values that are then replaced, and copies the tensors.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mycloset.architectures.restoration import TILE, Restoration
from mycloset.errors import ModelFileError, OptionError
from mycloset.hub.model import Model, ModelInfo
from mycloset.inspection.results import Network

if TYPE_CHECKING:
    import torch

FAMILY = "spandrel:"
"""Before spandrel's name of a network, in `ModelInfo.family`."""

LICENCE = "not known: what the file's authors say"

_FAILURES = (
    LookupError, ValueError, TypeError, AttributeError, ArithmeticError, AssertionError,
    RuntimeError,
)  # fmt: skip
"""What building a network of tensors that do not belong to it may raise."""

_TASKS = {
    "SR": "super-resolution",
    "FaceSR": "face restoration",
    "Restoration": "image restoration",
}


@dataclass(frozen=True)
class Foreign:
    """A network of spandrel, filled.

    Attributes:
        network: in evaluation mode, without gradients; called with `image`.
        processing: pictures in, pictures out.
        name: spandrel's, as "HAT".
        title: name for people.
        task: what it does.
        config: scale, channels, and what spandrel says of its size.
        tensors: how many it holds.
        dtype: of its floating tensors.
    """

    network: torch.nn.Module
    processing: Restoration
    name: str
    title: str
    task: str
    config: Mapping[str, Any]
    tensors: int
    dtype: torch.dtype


def available() -> bool:
    """Whether spandrel is installed."""
    return importlib.util.find_spec("spandrel") is not None


def model(
    state: Mapping[str, torch.Tensor],
    network: Network,
    *,
    path: Path,
    family: str | None,
    dtype: torch.dtype | None,
    device: torch.device,
    strict_dtype: bool,
    plain: bool,
) -> Model | None:
    """The Model of a network that only spandrel knows; None where it does not know it either.

    Args:
        state, dtype, device, strict_dtype: as in `foreign`.
        network: what inspection says of it.
        path: its file.
        family: the one that the caller wants, with `FAMILY` at its front; None for any.
        plain: whether the caller gave no option that is for MyCloset's own networks.

    Raises:
        ModelFileError, OptionError: as in `foreign`; it is another network than the caller wants;
            or options were given that are for MyCloset's own.
    """
    from mycloset.runtimes.pytorch.session import TorchSession

    made = foreign(state, file=path.name, dtype=dtype, device=device, strict_dtype=strict_dtype)
    if made is None:
        return None
    name = f"{FAMILY}{made.name}"
    if family not in (None, name):
        raise ModelFileError(f"{path.name} holds no such network; it holds {name}.")
    if not plain:
        raise OptionError(
            f"{path.name} is {name}: config, allow_missing, interpolate, backbone, int8, trainable,"
            " checkpointing and spreading are not for networks of spandrel."
        )
    # It is filled strictly, or not at all.
    mapping = {"mapped": made.tensors, "unused": 0, "missing": 0, "misshapen": 0, "adapted": 0}
    info = ModelInfo(
        path=path,
        family=name,
        variant=made.name,
        title=made.title,
        layout="spandrel",
        config=made.config,
        task=made.task,
        steps=("post_processing",),
        licence=LICENCE,
        precision=str(made.dtype).removeprefix("torch."),
        device=str(device),
        parameters=network.parameters,
        role=network.role,
        wrapper=network.wrapper,
        prefix=network.prefix,
        mapping={**mapping, "rate": 1.0},
    )
    session = TorchSession(made.network, device=device, dtype=made.dtype)
    return Model(made.network, session, made.processing, info)


def foreign(
    state: Mapping[str, torch.Tensor],
    *,
    file: str,
    dtype: torch.dtype | None,
    device: torch.device,
    strict_dtype: bool = True,
) -> Foreign | None:
    """The network that a state dict's tensors belong to; None where spandrel knows none.

    Args:
        state: tensors by key, without wrapper.
        file: what messages call the file.
        dtype: of the floating tensors; None for float32.
        device: where it runs.
        strict_dtype: whether a network that cannot do with `dtype` is an error; else it gets
            bfloat16 or float32.

    Raises:
        ModelFileError: the tensors have a network's keys, but do not fill it; or it takes a mask
            beside the picture.
        OptionError: the network cannot do with `dtype`.
    """
    import torch
    from spandrel import ImageModelDescriptor, ModelLoader, ModelTiling, UnsupportedModelError

    try:
        found = ModelLoader().load_from_state_dict(dict(state))
    except UnsupportedModelError:
        return None
    except _FAILURES as error:
        # spandrel tells a network by a few keys; it may be another one that shares them.
        reason = " ".join(str(error).split())[:200]
        raise ModelFileError(
            f"{file}: MyCloset does not know its network, and spandrel cannot build it ({reason}).",
            hint=f"`mycloset inspect {file}` says what is in it.",
        ) from error
    name = found.architecture.id
    if not isinstance(found, ImageModelDescriptor):
        raise ModelFileError(
            f"{file} is spandrel's {name}, which takes a mask beside the picture.",
            hint="MyCloset runs spandrel's networks of one picture only.",
        )
    able = {
        torch.float32: True,
        torch.float16: found.supports_half,
        torch.bfloat16: found.supports_bfloat16,
    }
    wanted = dtype or torch.float32
    if not able[wanted]:
        if strict_dtype:
            raise OptionError(
                f"precision: {name} cannot do with {str(wanted).removeprefix('torch.')}.",
                hint='Use precision="float32".',
            )
        wanted = torch.bfloat16 if found.supports_bfloat16 else torch.float32
    found.model.requires_grad_(False).eval()
    found.to(device, wanted)
    needs = found.size_requirements
    whole = found.tiling is not ModelTiling.SUPPORTED
    tags = ", ".join(found.tags)
    return Foreign(
        network=_calling(found.model, found._call_fn),
        processing=Restoration(
            scale=found.scale,
            channels=found.input_channels,
            multiple=needs.multiple_of,
            minimum=needs.minimum,
            square=needs.square,
            tile=0 if whole else max(TILE, needs.minimum),
            name=f"{FAMILY}{name}",
        ),
        name=name,
        title=f"{found.architecture.name} x{found.scale}" + (f" ({tags})" if tags else ""),
        task=_TASKS[found.purpose],
        config={
            "scale": found.scale,
            "input_channels": found.input_channels,
            "output_channels": found.output_channels,
            "tags": list(found.tags),
        },
        tensors=len(found.model.state_dict()),
        dtype=wanted,
    )


def _calling(
    network: torch.nn.Module, call: Callable[[Any, torch.Tensor], torch.Tensor]
) -> torch.nn.Module:
    """The network behind the way in which spandrel calls it."""
    import torch

    class Called(torch.nn.Module):
        """Calls `network` with a picture of 0..1."""

        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return call(self.network, image)

    return Called().eval()
