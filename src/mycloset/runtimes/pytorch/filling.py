"""A network's places, and the tensors that a file's steps put there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import replace

import torch

from mycloset.architectures.keymapper import COUNTER, Mapped, Step
from mycloset.checkpoints.tensors import Shape, TensorEntry, TensorTable
from mycloset.runtimes.pytorch.quantising import QuantizedLinear
from mycloset.runtimes.pytorch.tensors import FileTensors, place_of


class Taken:
    """What one step makes, and of whose tensors.

    Attributes:
        step: the step.
        tensors: makes the tensors.
        entries: the tensors that it takes.
        places: where they lie: the same for tensors that are one, whatever they are called.
        order: where in which file it begins.
    """

    __slots__ = ("entries", "order", "places", "step", "tensors")

    def __init__(self, step: Step, table: TensorTable, tensors: FileTensors) -> None:
        self.step = step
        self.tensors = tensors
        self.entries = [table[source] for source in step.sources]
        self.places: list[Hashable] = [(id(tensors), place_of(entry)) for entry in self.entries]
        first = self.entries[0]
        self.order = id(tensors), first.storage.file, (first.storage.offset or 0) + first.offset


def fill(
    slots: Slots, given: Iterable[Taken], fit: Fit, *, owned: bool, apart: bool = False
) -> None:
    """Put what steps make into its places: in the order of the files, each tensor read once.

    What is only the material of a step, and nobody needs any more, is let go at once: never more
    than the network and the material of one step is in memory.

    Args:
        slots: the places.
        given: the steps.
        fit: the tensors' dtypes and device.
        owned: whether every tensor gets memory of its own.
        apart: whether they get it one by one.
    """
    ordered = sorted(given, key=lambda taken: taken.order)
    material = [slots.makes_more_of(taken.step) or fit.moves for taken in ordered]
    if not apart:
        lasting = (taken for taken, only in zip(ordered, material, strict=True) if not only)
        _together(lasting, fit, owned=owned)
    left = Counter(place for taken in ordered for place in taken.places)
    several = {place for place, count in left.items() if count > 1}
    shared: dict[Hashable, torch.Tensor] = {}
    for taken, only in zip(ordered, material, strict=True):
        step, tensors, places = taken.step, taken.tensors, taken.places
        dtype = fit.dtype_of(step.target)
        own = owned or only
        if several.isdisjoint(places):
            parts = [tensors.fresh(entry, dtype, owned=own) for entry in taken.entries]
            slots.put(step.target, fit.moved(made_by(step, parts)))
            del parts
            continue
        # Tensors that are one stay one; but where they are trained, only as far as the network
        # has them as one.
        recipe = (
            *places,
            dtype,
            slots.root(step.target) if owned else "",
            (step.kind, step.dim, step.start, step.length, step.dims, step.squeeze, step.flatten),
        )
        made = shared.get(recipe)
        if made is None:
            parts = [tensors.tensor(entry, dtype, owned=own) for entry in taken.entries]
            made = fit.moved(made_by(step, parts))
            if owned and any(left[place] > 1 for place in places):
                made = made.clone()
            del parts
            if not slots.consumes(step.target):
                shared[recipe] = made
        slots.put(step.target, made)
        del made
        for place, entry in zip(places, taken.entries, strict=True):
            left[place] -= 1
            if not left[place]:
                tensors.forget(entry)


def _together(lasting: Iterable[Taken], fit: Fit, *, owned: bool) -> None:
    """Let what the network will hold as it is read be read together."""
    wanted: dict[FileTensors, list[tuple[TensorEntry, torch.dtype | None]]] = {}
    for taken in lasting:
        dtype = fit.dtype_of(taken.step.target)
        wanted.setdefault(taken.tensors, []).extend((entry, dtype) for entry in taken.entries)
    for tensors, entries in wanted.items():
        tensors.together(entries, owned=owned)


class Fit:
    """Which dtype tensors get, and the way to their device; what was one tensor stays one.

    Args:
        dtype: of floating tensors; None for their own.
        device: where they go.
        exact: paths of the modules that stay float32 with all that is below them.

    Attributes:
        moves: whether tensors leave the memory that they are read into.
    """

    def __init__(
        self, dtype: torch.dtype | None, device: torch.device | str, exact: Collection[str] = ()
    ) -> None:
        self._dtype = dtype
        self._device = torch.device(device)
        self._exact = tuple(f"{path}." for path in exact)
        self._made: dict[tuple[int, torch.dtype], tuple[torch.Tensor, torch.Tensor]] = {}
        self.moves = self._device.type != "cpu"

    def dtype_of(self, key: str) -> torch.dtype | None:
        """The dtype of a floating tensor of the network; None for its own."""
        return torch.float32 if key.startswith(self._exact) else self._dtype

    def moved(self, tensor: torch.Tensor) -> torch.Tensor:
        """A tensor on the device."""
        return tensor.to(self._device) if self.moves else tensor

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


class Slots:
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

    def makes_more_of(self, step: Step) -> bool:
        """Whether what a step takes is not what the network holds, but made into that."""
        return step.kind == "merge" or step.flatten or self.consumes(step.target)

    def consumes(self, key: str) -> bool:
        """Whether a tensor is not held, but made into something else."""
        return key in self._quantised

    def root(self, key: str) -> str:
        """The first of the names that a tensor has in the network."""
        return self._alias.get(key, key)

    def filled(self, key: str) -> bool:
        """Whether something was put there."""
        return key in self._filled

    def finish(self, optional: Iterable[str], fit: Fit) -> None:
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


def made_by(step: Step, made: Sequence[torch.Tensor]) -> torch.Tensor:
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
