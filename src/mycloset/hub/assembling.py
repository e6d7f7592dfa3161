"""assembled: a recognised network with its tensors, where and as it is wanted, as a Model."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mycloset.architectures.plans import NetworkPlan, plan_of, processing_of
from mycloset.checkpoints.tensors import TensorTable
from mycloset.errors import MissingExtraError, OptionError
from mycloset.hub.model import Model, ModelInfo
from mycloset.inspection.results import Network

if TYPE_CHECKING:
    import torch

    from mycloset.runtimes.pytorch.building import Built
    from mycloset.runtimes.pytorch.spreading import Spread
    from mycloset.runtimes.pytorch.tensors import FileTensors


class Way(NamedTuple):
    """Where a network goes, and as what.

    Attributes:
        device: where it runs; None where it is spread.
        dtype: of its floating tensors; None for the file's.
        most: bytes by device that it may take where it is spread; None for what is free.
        tuned: whether it is made fast (`precision="auto"`).
        int8: whether large linear layers are of bytes.
        trainable: whether its tensors are its own and want gradients.
        checkpointing: whether its blocks keep only their inputs.
        automatic: whether it is spread where the device has too little room.
    """

    device: torch.device | None
    dtype: torch.dtype | None
    most: Mapping[str, int] | None = None
    tuned: bool = False
    int8: bool = False
    trainable: bool = False
    checkpointing: bool = False
    automatic: bool = False


def assembled(
    network: Network,
    table: TensorTable,
    tensors: FileTensors,
    overrides: Mapping[str, Any],
    way: Way,
    *,
    path: Path,
    names: list[str] | None,
    allow_missing: bool | Collection[str],
    interpolate: bool,
    backbone: tuple[TensorTable, FileTensors] | None,
) -> Model:
    """The Model of a network that inspection recognised.

    Args:
        network: what inspection says.
        table, tensors: its tensors in the file.
        overrides: what the caller says of its config.
        way: where it goes, and as what.
        path: its file or folder.
        names: of its classes, where the file tells them.
        allow_missing, interpolate, backbone: see `runtimes.pytorch.building.build`.

    Raises:
        ModelFileError, OptionError, MissingExtraError: as `mycloset.load` does.
    """
    from mycloset.runtimes.pytorch.building import build
    from mycloset.runtimes.pytorch.session import TorchSession
    from mycloset.runtimes.pytorch.training import checkpointing

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
    way = _with_room(way, network)
    built = build(
        plan,
        table,
        tensors,
        name=name,
        dtype=way.dtype if way.device is not None else None,
        device=way.device or "cpu",
        allow_missing=allow_missing,
        interpolate=interpolate,
        backbone=backbone,
        owned=way.trainable,
        apart=way.tuned,
        int8=way.int8,
    )
    spread = _spread(built, plan, way) if way.device is None else None
    device = way.device if spread is None else spread.device
    assert device is not None
    tuning = None
    if way.tuned and spread is None:
        from mycloset.runtimes.pytorch.blanks import blank
        from mycloset.runtimes.pytorch.precision import tune

        tuning = tune(built.network, blank(plan), device, task=network.task or "")
    if way.trainable:
        built.network.requires_grad_(True)
    if way.checkpointing and not checkpointing(built.network):
        raise OptionError(f"checkpointing: {name} ({network.title}) repeats no blocks.")
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
        precision=_told(way, built) if tuning is None else str(tuning),
        device=str(device if spread is None else spread),
        parameters=network.parameters,
        role=network.role,
        wrapper=network.wrapper,
        prefix=network.prefix,
        mapping=built.mapped.statistics,
        unused=built.mapped.unused,
        lacking=built.lacking,
        interpolated=built.interpolated,
        choices=dict(plan.choices),
        device_map={} if spread is None else spread.devices,
    )
    known = {**plan.choices, **named}
    if names is not None and known.get("names") is None:
        known["names"] = names
    processing = processing_of(network.family, variant, layout, known)
    session = TorchSession(built.network, device=device, dtype=_inputs(way), tuning=tuning)
    return Model(built.network, session, processing, info)


def _plan(family: str, variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """As `plan_of`; the same one for the same file, so that its network is built no third time."""
    key = family, variant, layout, repr(sorted(config.items()))
    with _lock:
        found = _plans.pop(key, None)
    if found is None:
        try:
            found = plan_of(family, variant, layout, config)
        except ModuleNotFoundError as error:
            if error.name is None or error.name.startswith("mycloset"):
                raise
            raise MissingExtraError(
                f"{family} needs {error.name}, which is not installed.",
                hint="pip install 'mycloset[torch]'",
            ) from error
    with _lock:
        _plans[key] = found
        if len(_plans) > PLANS:
            del _plans[next(iter(_plans))]
    return found


PLANS = 64
"""How many plans are kept, the last used."""
_plans: dict[tuple[str, str, str, str], NetworkPlan] = {}
_lock = threading.Lock()


def _with_room(way: Way, network: Network) -> Way:
    """The way, or that of spreading where the device that was chosen has too little room."""
    from mycloset.runtimes.pytorch.devices import room

    if not way.automatic or way.device is None or way.int8 or way.trainable:
        return way
    size = network.parameters * (way.dtype.itemsize if way.dtype is not None else 4)
    return way if room(way.device, size) else way._replace(device=None)


def _spread(built: Built, plan: NetworkPlan, way: Way) -> Spread:
    import torch

    from mycloset.runtimes.pytorch.exact import exact_modules, keep_exact
    from mycloset.runtimes.pytorch.spreading import spread

    short = way.dtype in (torch.float16, torch.bfloat16)
    exact = exact_modules(plan, built.network) if short else ()
    within = tuple(f"{path}." for path in exact)
    keys = [key for key, _ in built.network.named_parameters(remove_duplicate=False)]
    keys += [key for key, _ in built.network.named_buffers(remove_duplicate=False)]
    dtypes = {key: torch.float32 if key.startswith(within) else way.dtype for key in keys}
    made = spread(built.network, dtypes, dtype=way.dtype, most=way.most)
    for path in exact:
        keep_exact(built.network.get_submodule(path), way.dtype)
    return made


def _inputs(way: Way) -> torch.dtype:
    import torch

    return way.dtype or torch.float32


def _told(way: Way, built: Built) -> str:
    """As `Model.info.precision` tells it."""
    if way.int8:
        return f"int8: {built.quantised:.0%} of its numbers in linear layers, the rest float32"
    if way.dtype is None:
        return "as in the file"
    return str(way.dtype).removeprefix("torch.")
