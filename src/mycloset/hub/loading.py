"""load: a model file to a Model, through the very parse that inspection reports."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mycloset.architectures.plans import has_network
from mycloset.checkpoints.contents import Checkpoint, TensorGroup
from mycloset.checkpoints.reading import read_checkpoint
from mycloset.checkpoints.tensors import TensorTable
from mycloset.checkpoints.uncollected import uncollected
from mycloset.errors import MissingExtraError, ModelFileError, OptionError
from mycloset.hub import spandrel_networks
from mycloset.hub.assembling import Way, assembled
from mycloset.hub.model import Model
from mycloset.inspection.networks import networks_of
from mycloset.inspection.results import Network

if TYPE_CHECKING:
    import torch

    from mycloset.runtimes.pytorch.tensors import FileTensors

AVERAGED = frozenset({"rrdb", "srvgg", "swinir", "gfpgan", "codeformer"})
"""Families whose own loader takes the averaged copy where a file holds both."""

PRECISIONS = ("float32", "float16", "bfloat16", "int8", "file", "auto")

SPREAD = "spread"
"""The device of a network that is put wherever there is room."""


class _Found(NamedTuple):
    group: TensorGroup
    network: Network


def load(
    path: str | os.PathLike[str],
    *,
    family: str | None = None,
    part: str | None = None,
    role: str | None = None,
    config: Mapping[str, Any] | None = None,
    device: str = "cpu",
    precision: str = "float32",
    allow_missing: bool | Collection[str] = False,
    interpolate: bool = False,
    backbone: str | os.PathLike[str] | None = None,
    mapped: bool = True,
    max_memory: Mapping[str, int] | None = None,
    trainable: bool = False,
    checkpointing: bool = False,
) -> Model:
    """Load the network that a file holds, whatever the file is called.

    Args:
        path: a model file, or the folder of one model.
        family: which of the networks in it, by family; the first that can run by default. A file
            that MyCloset does not know may hold one that spandrel does: "spandrel:HAT".
        part: which of them, by wrapper and prefix ("generator", "unet.").
        role: "weights" or "ema" where a file holds both; by default what the family's own loader
            takes: the averaged copy of restoration networks (BasicSR's `params_ema`), of others
            only where there is nothing else.
        config: overrides what shapes cannot tell (`Model.info.choices` names it).
        device: "cpu", "cuda", "cuda:1", "mps"; "auto" (the graphics card with the most free memory;
            where it has too little, as "spread"); "spread" (over graphics cards, memory and the
            file, by accelerate; `Model.info.device_map` tells where what is).
        precision: of the floating tensors: "float32", "float16", "bfloat16", "int8" (large linear
            layers in bytes, on the CPU; see `runtimes.pytorch.quantising`), "file" (each as the
            file has it), or "auto" (what is fastest on the device, by
            `runtimes.pytorch.precision`; `Model.info.precision` tells what was done).
        allow_missing: keys of the network that the file may lack (True: any); they become zeros
            and are told in `Model.info.lacking`.
        interpolate: whether position tables of another size are resized.
        backbone: the file of the backbone, where `path` holds a head alone (LPIPS' linear heads).
        mapped: False reads the tensors instead of mapping the file (network disks). Mapped tensors
            are those of every load of the file: nobody may write to them.
        max_memory: bytes that the network may take on each device ("cuda:0", "cpu"), for "spread".
        trainable: whether its tensors are its own, to be written to, and want gradients. It is in
            evaluation mode all the same.
        checkpointing: whether its repeated blocks keep only their inputs for the gradients; see
            `runtimes.pytorch.training.checkpointing`.

    Raises:
        InputError: there is nothing at the path.
        ModelFileError: it holds no network that can be run; or tensors are missing, misshapen or
            damaged (all are named).
        OptionError: an option has a value that it cannot have.
        MissingExtraError: PyTorch is not installed.
    """
    _need_torch()
    dtype = _dtype(precision)
    way = Way(
        _where(device, max_memory),
        dtype,
        max_memory,
        tuned=precision == "auto",
        int8=precision == "int8",
        trainable=trainable,
        checkpointing=checkpointing,
        automatic=device == "auto",
    )
    _agree(way, trainable, precision)
    with ExitStack() as stack:
        stack.enter_context(uncollected())
        checkpoint = read_checkpoint(Path(path))
        found = _choose(checkpoint, family, part, role)
        opened = stack.enter_context(_opened(checkpoint, mapped))
        beside = None
        if backbone is not None:
            trunk = read_checkpoint(Path(backbone))
            other = _choose(trunk, None, None, None, runs=False)
            if other.network.family is None:
                raise _unknown(trunk.path.name, other.network)
            beside = _table(other), stack.enter_context(_opened(trunk, mapped))
        if found.network.family is None:
            made = spandrel_networks.model(
                {key: opened.tensor(entry) for key, entry in _table(found).items()},
                found.network,
                path=checkpoint.path,
                family=family,
                dtype=dtype,
                device=way.device or torch.device("cpu"),
                strict_dtype=precision != "auto",
                plain=not (
                    config
                    or allow_missing
                    or interpolate
                    or backbone
                    or way.int8
                    or trainable
                    or checkpointing
                    or way.device is None
                ),
            )
            if made is None:
                raise _unknown(checkpoint.path.name, found.network)
            return made
        return assembled(
            found.network,
            _table(found),
            opened,
            config or {},
            way,
            path=checkpoint.path,
            names=_class_names(checkpoint, found.network.wrapper),
            allow_missing=allow_missing,
            interpolate=interpolate,
            backbone=beside,
        )


def _opened(checkpoint: Checkpoint, mapped: bool) -> FileTensors:
    from mycloset.runtimes.pytorch.tensors import FileTensors

    return FileTensors(checkpoint, mapped=mapped)


def _class_names(checkpoint: Checkpoint, wrapper: str) -> list[str] | None:
    """What a pickled module's `names`, or config.json's `id2label`, calls the classes.

    None where neither says it of every class.
    """
    start = f"{wrapper}.names." if wrapper else "names."
    found = {
        key.removeprefix(start): value
        for key, value in checkpoint.values.items()
        if key.startswith(start) and isinstance(value, str)
    }
    settings = checkpoint.metadata.get("config")
    told = settings.get("id2label") if isinstance(settings, Mapping) else None
    if not found and isinstance(told, Mapping):
        found = {str(key): value for key, value in told.items() if isinstance(value, str)}
    wanted = [str(number) for number in range(len(found))]
    return [found[number] for number in wanted] if found and set(found) == set(wanted) else None


def _table(found: _Found) -> TensorTable:
    return found.group.table.below(found.network.prefix)


def _choose(
    checkpoint: Checkpoint,
    family: str | None,
    part: str | None,
    role: str | None,
    *,
    runs: bool = True,
) -> _Found:
    """The network of a file that is asked for; `runs` where it must be one that can be built.

    Raises:
        ModelFileError: there is none.
    """
    name = checkpoint.path.name
    every = [
        _Found(group, network)
        for group in checkpoint.groups
        if group.role in ("weights", "ema")
        for network in networks_of(group)
    ]
    asked = [
        found
        for found in every
        if (family is None or found.network.family == family or _may_be(found, family))
        and (part is None or part in (found.network.wrapper, found.network.prefix))
        and (role is None or found.network.role == role)
    ]
    known = [found for found in asked if found.network.family is not None]
    ready = [found for found in known if not runs or has_network(found.network.family or "")]
    if not ready and asked and not known and spandrel_networks.available():
        return max(asked, key=lambda found: (found.network.role != "ema", found.network.parameters))
    if not ready:
        raise _nothing(checkpoint, name, every, asked, known)

    def last(found: _Found) -> bool:
        return (found.network.role == "ema") != (found.network.family in AVERAGED)

    best = min(ready, key=lambda found: (last(found), ready.index(found)))
    if best.network.layout == "renamed":
        raise ModelFileError(
            f"{name}: its shapes are those of {best.network.title}, but no key is known.",
            hint="Load the file that its authors published.",
        )
    return best


def _nothing(
    checkpoint: Checkpoint,
    name: str,
    every: list[_Found],
    asked: list[_Found],
    known: list[_Found],
) -> ModelFileError:
    """Why nothing of a file can be loaded."""
    if not every:
        told = [f.message for f in checkpoint.findings if f.severity == "error"]
        reason = told[0] if told else f"it holds no weights (its format is {checkpoint.format})."
        start = "" if name in reason else f"{name}: "
        return ModelFileError(f"{start}{reason}", hint=f"`mycloset inspect {name}` says more.")
    if not asked:
        held = "; ".join(sorted({found.network.title for found in every}))
        return ModelFileError(f"{name} holds no such network; it holds {held}.")
    if not known:
        return _unknown(name, asked[0].network)
    titles = "; ".join(sorted({found.network.title for found in known}))
    return ModelFileError(
        f"{name} is {titles}, which MyCloset recognises but cannot run yet.",
    )


def _unknown(name: str, network: Network) -> ModelFileError:
    return ModelFileError(
        f"{name}: {network.title}.",
        hint=f"`mycloset inspect {name}` names the nearest known networks.",
    )


def _may_be(found: _Found, family: str) -> bool:
    """Whether a network may turn out to be the one of spandrel that is asked for."""
    return found.network.family is None and family.startswith(spandrel_networks.FAMILY)


def _need_torch() -> None:
    if importlib.util.find_spec("torch") is None:
        raise MissingExtraError("PyTorch is not installed.", hint="pip install 'mycloset[torch]'")


def _dtype(precision: str) -> torch.dtype | None:
    import torch

    if precision not in PRECISIONS:
        raise OptionError(
            f"precision: {precision!r} is not one of them.", hint=f"Use {', '.join(PRECISIONS)}."
        )
    if precision == "file":
        return None
    if precision in ("auto", "int8"):
        return torch.float32
    found: torch.dtype = getattr(torch, precision)
    return found


def _where(device: str, most: Mapping[str, int] | None) -> torch.device | None:
    """The device; None where the network is to be spread."""
    from mycloset.runtimes.pytorch.devices import device_of

    if device == SPREAD or most is not None:
        if device not in (SPREAD, "auto", "cpu"):
            raise OptionError(
                f"max_memory: a network is spread over several devices, not put on {device}.",
                hint='Leave device away, or use device="spread".',
            )
        return None
    return device_of(device)


def _agree(way: Way, trainable: bool, precision: str) -> None:
    """Refuse options that exclude each other."""
    if way.int8 and way.device is not None and way.device.type != "cpu":
        raise OptionError(
            f"precision: int8 runs on the CPU, not on {way.device}.", hint="Use float16 or auto."
        )
    if way.device is None and (way.int8 or way.tuned or trainable):
        what = "trainable" if trainable else f"precision={precision!r}"
        raise OptionError(f"{what} is not for a network that is spread over devices.")
    if trainable and (way.int8 or way.tuned):
        raise OptionError(
            f"trainable: a network of precision {precision!r} cannot be trained.",
            hint='Use precision="float32" or "bfloat16".',
        )
