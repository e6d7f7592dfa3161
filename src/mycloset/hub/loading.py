"""load: a model file to a Model, through the very parse that inspection reports."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mycloset.architectures.plans import NetworkPlan, has_network, plan_of, processing_of
from mycloset.checkpoints.contents import Checkpoint, TensorGroup
from mycloset.checkpoints.reading import read_checkpoint
from mycloset.checkpoints.tensors import TensorTable
from mycloset.errors import MissingExtraError, ModelFileError, OptionError
from mycloset.hub import spandrel_networks
from mycloset.hub.model import Model, ModelInfo
from mycloset.inspection.networks import networks_of
from mycloset.inspection.results import Network

if TYPE_CHECKING:
    import torch

    from mycloset.runtimes.pytorch.tensors import FileTensors

AVERAGED = frozenset({"rrdb", "srvgg", "swinir", "gfpgan", "codeformer"})
"""Families whose own loader takes the averaged copy where a file holds both."""

PRECISIONS = ("float32", "float16", "bfloat16", "file", "auto")


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
        device: "cpu", "cuda", "cuda:1", "mps".
        precision: of the floating tensors: "float32", "float16", "bfloat16", "file" (each as the
            file has it), or "auto" (what is fastest on the device, by
            `runtimes.pytorch.precision`; `Model.info.precision` tells what was done).
        allow_missing: keys of the network that the file may lack (True: any); they become zeros
            and are told in `Model.info.lacking`.
        interpolate: whether position tables of another size are resized.
        backbone: the file of the backbone, where `path` holds a head alone (LPIPS' linear heads).
        mapped: False reads the tensors instead of mapping the file (network disks).

    Raises:
        InputError: there is nothing at the path.
        ModelFileError: it holds no network that can be run; or tensors are missing, misshapen or
            damaged (all are named).
        OptionError: an option has a value that it cannot have.
        MissingExtraError: PyTorch is not installed.
    """
    _need_torch()
    dtype = _dtype(precision)
    where = _device(device)
    checkpoint = read_checkpoint(Path(path))
    found = _choose(checkpoint, family, part, role)
    with ExitStack() as stack:
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
                device=where,
                strict_dtype=precision != "auto",
                plain=not (config or allow_missing or interpolate or backbone),
            )
            if made is None:
                raise _unknown(checkpoint.path.name, found.network)
            return made
        return _assembled(
            found,
            opened,
            config or {},
            where,
            dtype,
            tuned=precision == "auto",
            path=checkpoint.path,
            names=_class_names(checkpoint, found.network.wrapper),
            allow_missing=allow_missing,
            interpolate=interpolate,
            backbone=beside,
        )


def _opened(checkpoint: Checkpoint, mapped: bool) -> FileTensors:
    from mycloset.runtimes.pytorch.tensors import FileTensors

    return FileTensors(checkpoint, mapped=mapped)


def _assembled(
    found: _Found,
    tensors: FileTensors,
    overrides: Mapping[str, Any],
    device: torch.device,
    dtype: torch.dtype | None,
    *,
    tuned: bool,
    path: Path,
    names: list[str] | None,
    allow_missing: bool | Collection[str],
    interpolate: bool,
    backbone: tuple[TensorTable, FileTensors] | None,
) -> Model:
    import torch

    from mycloset.runtimes.pytorch.building import blank, build
    from mycloset.runtimes.pytorch.precision import tune
    from mycloset.runtimes.pytorch.session import TorchSession

    network = found.network
    name = path.name
    assert network.family is not None
    variant, layout = network.variant or "", network.layout or ""
    config = {**network.config, **overrides}
    # What tensors cannot tell (an input's size), a file's name may.
    named = {**config, "file": name}
    plan = _plan(network.family, variant, layout, named)
    unknown = set(overrides) - set(network.config) - set(plan.choices)
    if unknown:
        there = ", ".join(sorted({*network.config, *plan.choices}))
        raise OptionError(
            f"config: {name} has no {', '.join(map(repr, sorted(unknown)))}.",
            hint=f"{network.title} has {there}.",
        )
    built = build(
        plan,
        _table(found),
        tensors,
        name=name,
        dtype=dtype,
        device=device,
        allow_missing=allow_missing,
        interpolate=interpolate,
        backbone=backbone,
    )
    tuning = None
    if tuned:
        tuning = tune(built.network, blank(plan), device, task=network.task or "")
    told = str(dtype).removeprefix("torch.") if dtype is not None else "as in the file"
    info = ModelInfo(
        path=path,
        family=network.family,
        variant=variant,
        title=network.title,
        layout=layout,
        config=config,
        task=network.task or "",
        steps=network.steps,
        licence=network.licence,
        precision=told if tuning is None else str(tuning),
        device=str(device),
        parameters=network.parameters,
        role=network.role,
        wrapper=network.wrapper,
        prefix=network.prefix,
        mapping=built.mapped.statistics,
        unused=built.mapped.unused,
        lacking=built.lacking,
        interpolated=built.interpolated,
        choices=dict(plan.choices),
    )
    known = {**plan.choices, **named}
    if names is not None and known.get("names") is None:
        known["names"] = names
    processing = processing_of(network.family, variant, layout, known)
    session = TorchSession(
        built.network, device=device, dtype=dtype or torch.float32, tuning=tuning
    )
    return Model(built.network, session, processing, info)


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


def _plan(family: str, variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    try:
        return plan_of(family, variant, layout, config)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("mycloset"):
            raise
        raise MissingExtraError(
            f"{family} needs {error.name}, which is not installed.",
            hint="pip install 'mycloset[torch]'",
        ) from error


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
    if precision == "auto":
        return torch.float32
    found: torch.dtype = getattr(torch, precision)
    return found


def _device(name: str) -> torch.device:
    import torch

    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise OptionError(
            f"device: {name!r} is no device.", hint="Use cpu, cuda, cuda:1 or mps."
        ) from error
    there = {
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if not there.get(device.type, False):
        raise OptionError(f"device: there is no {name} on this machine.", hint="Use cpu.")
    return device
