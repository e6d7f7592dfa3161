"""From a plan and a file's tensors to a network: built on the meta device, filled by assignment."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

import torch

from mycloset.architectures.keymapper import KeyMapper, Mapped
from mycloset.architectures.plans import NetworkPlan
from mycloset.checkpoints.tensors import Shape, TensorTable
from mycloset.errors import ModelFileError
from mycloset.runtimes.pytorch.blanks import blank
from mycloset.runtimes.pytorch.exact import exact_modules, keep_exact
from mycloset.runtimes.pytorch.filling import Fit, Slots, Taken, fill, made_by
from mycloset.runtimes.pytorch.quantising import prepare
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
    apart: bool = False,
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
        apart: whether tensors get their memory one by one: where most will soon be replaced.
        int8: whether large linear layers get weights of one byte; see `quantising`.

    Raises:
        OptionError: int8 is asked for, and few of its numbers are in linear layers.
        ModelFileError: tensors are missing or misshapen (all are named), damaged or of a type that
            cannot be loaded.
    """
    network = blank(plan)
    share = prepare(network, name) if int8 else 0.0
    slots = Slots(network)
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
    fit = Fit(dtype, device, exact)
    given = [Taken(step, table, tensors) for step in mapped.steps]
    if added is not None and backbone is not None:
        given += [Taken(step, *backbone) for step in added.steps]
    fill(slots, given, fit, owned=owned, apart=apart)
    for key, (step, _) in resized.items():
        made = made_by(step, [tensors.tensor(table[source]) for source in step.sources])
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
