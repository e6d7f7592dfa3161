"""ModelState: what a model of the user's folders is, and what of it is in memory now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from mycloset.hub.held import Held
from mycloset.hub.residency import Residency
from mycloset.hub.shelved import ShelvedModel
from mycloset.hub.wanted import Wanted


@dataclass(frozen=True)
class ModelState:
    """A model, and how it is held.

    Attributes:
        path: its file or folder.
        title, family, variant, steps, licence, parameters: as recognised.
        runnable: whether it can be loaded; reason: why not.
        file_bytes: bytes of its tensors in the file.
        loaded: whether it is in memory.
        device, precision: where and how, as it really came about; "" where it is not loaded.
        device_map: device of each part of a network that is spread over several.
        bytes: what it holds, shared memory included; resident: how much of that is in memory now
            (a mapped file comes in as it is used).
        shared: bytes that other models hold as well.
        pinned: whether it stays whatever comes.
        seconds: how long its last load took; None where it was never loaded.
    """

    path: Path
    title: str
    family: str
    variant: str
    steps: tuple[str, ...]
    licence: str
    parameters: int
    runnable: bool
    reason: str
    file_bytes: int
    loaded: bool = False
    device: str = ""
    precision: str = ""
    device_map: Mapping[str, str] = field(default_factory=dict)
    bytes: int = 0
    resident: int = 0
    shared: int = 0
    pinned: bool = False
    seconds: float | None = None


def state_of(shelved: ShelvedModel, residency: Residency[Wanted, Held]) -> ModelState:
    """What a model is, and what of it is in memory."""
    network = shelved.network
    state = ModelState(
        path=shelved.path,
        title=network.title,
        family=network.family or "",
        variant=network.variant or "",
        steps=network.steps,
        licence=network.licence,
        parameters=network.parameters,
        runnable=shelved.runnable,
        reason=shelved.reason,
        file_bytes=network.bytes,
    )
    place = (shelved.path, network.wrapper, network.prefix)
    for wanted in reversed(residency.held()):
        held = residency.peek(wanted)
        if held is None or (wanted.path, wanted.wrapper, wanted.prefix) != place:
            continue
        from mycloset.runtimes.pytorch.measuring import resident

        return replace(
            state,
            loaded=True,
            device=held.model.info.device,
            precision=held.model.info.precision,
            device_map=held.model.info.device_map,
            bytes=held.size,
            resident=resident(held.model.network),
            shared=residency.shared(wanted),
            pinned=residency.pinned(wanted),
            seconds=residency.seconds(wanted),
        )
    return state
