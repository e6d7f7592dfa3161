"""From a plan and a file's tensors to a network: built on the meta device, filled by assignment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch.overrides import TorchFunctionMode

from mycloset.architectures.keymapper import COUNTER, KeyMapper, Mapped, Step
from mycloset.architectures.plans import NetworkPlan
from mycloset.checkpoints.tensors import Shape, TensorEntry, TensorTable
from mycloset.errors import ModelFileError
from mycloset.runtimes.pytorch.exact import exact_modules, keep_exact
from mycloset.runtimes.pytorch.quantising import QuantizedLinear, prepare
from mycloset.runtimes.pytorch.tensors import FileTensors, place_of

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
        quantised: the share of its numbers that are bytes.
    """

    network: torch.nn.Module
    mapped: Mapped
    lacking: tuple[str, ...] = ()
    interpolated: tuple[tuple[str, Shape], ...] = ()
    quantised: float = 0.0


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
    owned: bool = False,
    int8: bool = False,
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
        owned: whether every tensor gets memory of its own, which may be written to.
        int8: whether large linear layers get weights of one byte; see `quantising`.

    Raises:
        OptionError: int8 is asked for, and few of its numbers are in linear layers.
        ModelFileError: tensors are missing or misshapen (all are named), damaged or of a type that
            cannot be loaded.
    """
    network = blank(plan)
    share = prepare(network, name) if int8 else 0.0
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

    short = dtype in (torch.float16, torch.bfloat16)
    exact = exact_modules(plan, network) if short else ()
    fit = _Fit(dtype, device, exact)
    given = [_Taken(step, table, tensors) for step in mapped.steps]
    if added is not None and backbone is not None:
        given += [_Taken(step, *backbone) for step in added.steps]
    _fill(slots, given, fit, owned=owned)
    for key, (step, _) in resized.items():
        made = _made(step, [tensors.tensor(table[source]) for source in step.sources])
        slots.put(key, fit(key, plan.interpolated[key](made.float(), slots.shapes[key])))
    for key, value in constants.items():
        if not slots.filled(key):
            slots.put(key, fit(key, value.clone() if owned else value))
    for key in lacking:
        slots.put(key, fit(key, torch.zeros(slots.shapes[key])))
    slots.finish(plan.optional, fit)
    for path in exact:
        keep_exact(network.get_submodule(path), dtype)
    return Built(
        network, mapped, lacking, tuple((key, found) for key, (_, found) in resized.items()), share
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


class _Taken(NamedTuple):
    """What one step makes, and of whose tensors."""

    step: Step
    table: TensorTable
    tensors: FileTensors

    @property
    def entries(self) -> list[TensorEntry]:
        return [self.table[source] for source in self.step.sources]

    @property
    def places(self) -> list[Hashable]:
        """The same for tensors that are one, whatever they are called."""
        return [(id(self.tensors), place_of(entry)) for entry in self.entries]

    @property
    def order(self) -> tuple[int, str, int]:
        """Where in which file it begins."""
        first = self.entries[0]
        return id(self.tensors), first.storage.file, (first.storage.offset or 0) + first.offset


def _fill(slots: _Slots, given: Iterable[_Taken], fit: _Fit, *, owned: bool) -> None:
    """Put what steps make into its places: in the order of the files, each tensor read once.

    What is only the material of a step, and nobody needs any more, is let go at once: never more
    than the network and the material of one step is in memory.
    """
    ordered = sorted(given, key=lambda taken: taken.order)
    left = Counter(place for taken in ordered for place in taken.places)
    shared: dict[Hashable, torch.Tensor] = {}
    for taken in ordered:
        step = taken.step
        target = slots.root(step.target)
        dtype = fit.dtype_of(step.target)
        # Tensors that are one stay one; but where they are trained, only as far as the network
        # has them as one.
        recipe = (
            *taken.places,
            dtype,
            target if owned else "",
            (step.kind, step.dim, step.start, step.length, step.dims, step.squeeze, step.flatten),
        )
        made = shared.get(recipe)
        if made is None:
            material = (
                fit.moves or step.kind == "merge" or step.flatten or slots.consumes(step.target)
            )
            parts = [
                taken.tensors.tensor(entry, dtype, owned=owned or material)
                for entry in taken.entries
            ]
            made = fit.moved(_made(step, parts))
            if owned and any(left[place] > 1 for place in taken.places):
                made = made.clone()
            del parts
            if not slots.consumes(step.target):
                shared[recipe] = made
        slots.put(step.target, made)
        del made
        for place, entry in zip(taken.places, taken.entries, strict=True):
            left[place] -= 1
            if not left[place]:
                taken.tensors.forget(entry)


class _Fit:
    """Which dtype tensors get, and the way to their device; what was one tensor stays one.

    Args:
        dtype: of floating tensors; None for their own.
        device: where they go.
        exact: paths of the modules that stay float32 with all that is below them.
    """

    def __init__(
        self, dtype: torch.dtype | None, device: torch.device | str, exact: Collection[str] = ()
    ) -> None:
        self._dtype = dtype
        self._device = torch.device(device)
        self._exact = tuple(f"{path}." for path in exact)
        self._made: dict[tuple[int, torch.dtype], tuple[torch.Tensor, torch.Tensor]] = {}

    @property
    def moves(self) -> bool:
        """Whether tensors leave the memory that they are read into."""
        return self._device.type != "cpu"

    def dtype_of(self, key: str) -> torch.dtype | None:
        """The dtype of a floating tensor of the network; None for its own."""
        return torch.float32 if key.startswith(self._exact) else self._dtype

    def moved(self, tensor: torch.Tensor) -> torch.Tensor:
        """A tensor on the device."""
        return tensor.to(self._device)

    def __call__(self, key: str, tensor: torch.Tensor) -> torch.Tensor:
        """A tensor as its place in the network needs it."""
        dtype = (self.dtype_of(key) if tensor.is_floating_point() else None) or tensor.dtype
        known = self._made.get((id(tensor), dtype))
        if known is not None:
            return known[1]
        made = tensor.to(device=self._device, dtype=dtype)
        # The first is kept, so that no other gets its identity.
        self._made[id(tensor), dtype] = (tensor, made)
        return made


class _Slots:
    """The places of a network's parameters and buffers, by key."""

    def __init__(self, network: torch.nn.Module) -> None:
        self._places: dict[str, tuple[dict[str, torch.Tensor | None], str, bool]] = {}
        self._quantised: dict[str, QuantizedLinear] = {}
        self.shapes: dict[str, Shape] = {}
        self._first: dict[int, str] = {}
        self._alias: dict[str, str] = {}
        self._filled: set[str] = set()
        self._parameters: dict[int, tuple[str, torch.nn.Parameter, torch.Tensor]] = {}
        for path, module in network.named_modules(remove_duplicate=False):
            start = f"{path}." if path else ""
            if isinstance(module, QuantizedLinear):
                self._quantised[f"{start}weight"] = module
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
        self._filled.add(key)
        if key in self._quantised:
            self._quantised[key].fill(value)
            return
        held, last, trained = self._places[key]
        if trained:
            # One that the network has under several names is one parameter, as it was built.
            made = self._parameters.get(id(value))
            if made is None or made[0] != self.root(key):
                made = self.root(key), torch.nn.Parameter(value, requires_grad=False), value
                self._parameters[id(value)] = made
            held[last] = made[1]
        else:
            held[last] = value

    def consumes(self, key: str) -> bool:
        """Whether a tensor is not held, but made into something else."""
        return key in self._quantised

    def root(self, key: str) -> str:
        """The first of the names that a tensor has in the network."""
        return self._alias.get(key, key)

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
                held[last] = fit(key, torch.zeros((), dtype=torch.long))
            elif key in optional:
                held[last] = None
            else:
                value = held[last]
                assert value is not None
                assert not value.is_meta, f"nothing gives `{key}` its values"


def _made(step: Step, made: Sequence[torch.Tensor]) -> torch.Tensor:
    """The network's tensor that a step describes, of the file's."""
    if step.kind == "merge":
        return torch.cat(list(made), step.dim)
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
