"""From a plan and a file's tensors to a network: built on the meta device, filled by assignment."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from mycloset.architectures.keymapper import COUNTER, KeyMapper, Mapped, Step
from mycloset.architectures.plans import NetworkPlan
from mycloset.checkpoints.tensors import Shape, TensorTable
from mycloset.errors import ModelFileError
from mycloset.runtimes.pytorch.tensors import FileTensors

_TOLD = 8
"""Keys that a message names."""


@dataclass(frozen=True)
class Built:
    """A network with its tensors.

    Attributes:
        network: in evaluation mode, without gradients.
        mapped: how the file's keys were mapped.
        lacking: the network's keys that the caller allowed to be missing: zeros, not trained.
        interpolated: position tables that were resized, with their shape in the file.
    """

    network: torch.nn.Module
    mapped: Mapped
    lacking: tuple[str, ...] = ()
    interpolated: tuple[tuple[str, Shape], ...] = ()


def build(
    plan: NetworkPlan,
    table: TensorTable,
    tensors: FileTensors,
    *,
    name: str,
    dtype: torch.dtype | None = torch.float32,
    device: torch.device | str = "cpu",
    allow_missing: bool | Collection[str] = False,
    interpolate: bool = False,
    backbone: tuple[TensorTable, FileTensors] | None = None,
) -> Built:
    """Build a plan's network and give it the file's tensors.

    Args:
        plan: the network's.
        table: the file's tensors, without wrapper and prefix.
        tensors: makes tensors of the table's entries.
        name: what messages call the file.
        dtype: of all floating tensors; None leaves each in the file's.
        device: where the tensors go.
        allow_missing: keys of the network that the file may lack (True: any); they become zeros,
            and are told in the result.
        interpolate: whether position tables of another size are resized.
        backbone: tensors of another file for what this one lacks; see `NetworkPlan.backbone`.

    Raises:
        ModelFileError: tensors are missing or misshapen (all are named), damaged or of a type that
            cannot be loaded.
    """
    network = blank(plan)
    slots = _Slots(network)
    constants = plan.constants()
    mapper = KeyMapper(plan.keymap, plan.optional | frozenset(constants))
    mapped = mapper.map(table.shapes, slots.shapes)
    mapped = slots.without_aliases(mapped)
    added: Mapped | None = None
    if backbone is not None and plan.backbone is not None:
        left = {key: slots.shapes[key] for key in mapped.missing}
        added = KeyMapper(plan.backbone).map(backbone[0].shapes, left)
        mapped = replace(mapped, missing=added.missing)
    resized = {
        step.target: (step, found)
        for step, (_, found, _) in zip(mapped.misfits, mapped.misshapen, strict=True)
        if interpolate and step.target in plan.interpolated
    }
    allowed = set(mapped.missing) if allow_missing is True else set(allow_missing or ())
    lacking = tuple(key for key in mapped.missing if key in allowed)
    _refuse(mapped, lacking, set(resized), plan, name)

    fit = _Fit(dtype, device)
    for step in mapped.steps:
        slots.put(step.target, fit(_made(step, table, tensors)))
    if added is not None and backbone is not None:
        for step in added.steps:
            slots.put(step.target, fit(_made(step, *backbone)))
    for key, (step, _) in resized.items():
        made = _made(step, table, tensors)
        slots.put(key, fit(plan.interpolated[key](made.float(), slots.shapes[key])))
    for key, value in constants.items():
        if not slots.filled(key):
            slots.put(key, fit(value))
    for key in lacking:
        slots.put(key, fit(torch.zeros(slots.shapes[key])))
    slots.finish(plan.optional, fit)
    return Built(
        network, mapped, lacking, tuple((key, found) for key, (_, found) in resized.items())
    )


def blank(plan: NetworkPlan) -> torch.nn.Module:
    """A plan's network on the meta device: in evaluation mode, without gradients or values."""
    with torch.device("meta"), _Unfilled():
        network = plan.build()
    network.requires_grad_(False)
    return network.eval()


class _Unfilled(TorchFunctionMode):
    """While it holds, nothing fills a tensor with first values; of this thread alone.

    Library classes initialise their weights when they are built, which takes time even where the
    tensors are on the meta device.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        given = kwargs or {}
        if func in _FILLING or getattr(func, "__module__", None) == "torch.nn.init":
            tensor = args[0] if args else given.get("tensor")
            if isinstance(tensor, torch.Tensor) and tensor.is_meta:
                return tensor
        return func(*args, **given)


_FILLING = frozenset(
    {
        torch.Tensor.uniform_,
        torch.Tensor.normal_,
        torch.Tensor.zero_,
        torch.Tensor.fill_,
        torch.Tensor.erfinv_,
        torch.Tensor.clamp_,
        torch.Tensor.mul_,
        torch.Tensor.add_,
        torch.Tensor.copy_,
    }
)


class _Fit:
    """Brings tensors to their dtype and device; what was one tensor stays one."""

    def __init__(self, dtype: torch.dtype | None, device: torch.device | str) -> None:
        self._dtype = dtype
        self._device = device
        self._made: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def __call__(self, tensor: torch.Tensor) -> torch.Tensor:
        known = self._made.get(id(tensor))
        if known is not None:
            return known[1]
        dtype = self._dtype if tensor.is_floating_point() else None
        made = tensor.to(device=self._device, dtype=dtype or tensor.dtype)
        self._made[id(tensor)] = (tensor, made)
        return made


class _Slots:
    """The places of a network's parameters and buffers, by key."""

    def __init__(self, network: torch.nn.Module) -> None:
        self._places: dict[str, tuple[dict[str, torch.Tensor | None], str, bool]] = {}
        self.shapes: dict[str, Shape] = {}
        self._first: dict[int, str] = {}
        self._alias: dict[str, str] = {}
        self._filled: set[str] = set()
        for path, module in network.named_modules(remove_duplicate=False):
            start = f"{path}." if path else ""
            lasting = module._non_persistent_buffers_set
            for held, trained in ((module._parameters, True), (module._buffers, False)):
                for last, value in held.items():
                    if value is None:
                        continue
                    key = start + last
                    self._places[key] = (held, last, trained)
                    first = self._first.setdefault(id(value), key)
                    if first != key:
                        self._alias[key] = first
                    if trained or last not in lasting:
                        self.shapes[key] = tuple(value.shape)

    def without_aliases(self, mapped: Mapped) -> Mapped:
        """The mapping, where a tensor that the file gives under one of its names is not missed
        under the others."""
        if not self._alias:
            return mapped
        given = {step.target for step in mapped.steps}
        known = {self._alias.get(key, key) for key in given}
        missing = tuple(key for key in mapped.missing if self._alias.get(key, key) not in known)
        return replace(mapped, missing=missing)

    def put(self, key: str, value: torch.Tensor) -> None:
        """Put a tensor in its place."""
        held, last, trained = self._places[key]
        held[last] = torch.nn.Parameter(value, requires_grad=False) if trained else value
        self._filled.add(key)

    def filled(self, key: str) -> bool:
        """Whether something was put there."""
        return key in self._filled

    def finish(self, optional: Iterable[str], fit: _Fit) -> None:
        """Share what has several names, take away optional tensors that are not there.

        Raises:
            AssertionError: a tensor would stay without values.
        """
        sources = {self._alias.get(key, key): key for key in self._filled}
        for key, (held, last, _) in self._places.items():
            if key in self._filled:
                continue
            source = sources.get(self._alias.get(key, key))
            if source is not None:
                other, name, _ = self._places[source]
                held[last] = other[name]
            elif key.rpartition(".")[2] == COUNTER:
                held[last] = fit(torch.zeros((), dtype=torch.long))
            elif key in optional:
                held[last] = None
            else:
                value = held[last]
                assert value is not None
                assert not value.is_meta, f"nothing gives `{key}` its values"


def _made(step: Step, table: TensorTable, tensors: FileTensors) -> torch.Tensor:
    """The network's tensor that a step describes."""
    made = [tensors.tensor(table[source]) for source in step.sources]
    if step.kind == "merge":
        return torch.cat(made, step.dim)
    whole = made[0]
    if step.kind == "split":
        return whole.narrow(step.dim, step.start, step.length)
    if step.kind == "permute":
        for place in sorted(step.squeeze, reverse=True):
            whole = whole.squeeze(place)
        whole = whole.permute(step.dims)
        return whole.flatten(1) if step.flatten else whole
    return whole


def _refuse(
    mapped: Mapped,
    lacking: Collection[str],
    resized: Collection[str],
    plan: NetworkPlan,
    name: str,
) -> None:
    """Raise for what is missing or misshapen and was not allowed to be."""
    missing = [key for key in mapped.missing if key not in set(lacking)]
    misshapen = [item for item in mapped.misshapen if item[0] not in resized]
    if not missing and not misshapen:
        return
    parts = []
    if missing:
        parts.append(f"{len(missing)} tensors are missing: {_list(f'`{key}`' for key in missing)}")
    if misshapen:
        shown = (f"`{key}` is {list(found)}, not {list(want)}" for key, found, want in misshapen)
        parts.append(f"{len(misshapen)} tensors have another shape: {_list(shown)}")
    hint = "Fetch the whole file, or name the missing keys in allow_missing."
    if plan.backbone is not None and missing:
        hint = "It holds a head alone: name the file of its backbone in backbone=."
    if misshapen and all(key in plan.interpolated for key, _, _ in misshapen) and not missing:
        hint = "Its position tables have another size: load it with interpolate=True."
    elif not missing:
        hint = "It is another network than its keys say, or was altered."
    raise ModelFileError(f"{name}: {'; '.join(parts)}.", hint=hint)


def _list(items: Iterable[str]) -> str:
    every = list(items)
    more = f" and {len(every) - _TOLD} more" if len(every) > _TOLD else ""
    return ", ".join(every[:_TOLD]) + more
