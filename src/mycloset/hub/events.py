"""What the hub tells those who watch it: models that came, left, failed, or were replaced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias


@dataclass(frozen=True)
class ModelLoaded:
    """A model is in memory now.

    Attributes:
        path: its file or folder.
        title: what it is.
        device, precision: where and how it is held.
        bytes: what it takes there.
        seconds: how long reading and building took.
        ahead: whether it was fetched before anybody asked for it.
        again: whether it had been in memory before.
    """

    path: Path
    title: str
    device: str
    precision: str
    bytes: int
    seconds: float
    ahead: bool = False
    again: bool = False


@dataclass(frozen=True)
class ModelAsked:
    """Somebody asked for a model and has it.

    Attributes:
        path: its file or folder.
        waited: seconds until it was there.
        there: whether it was in memory already.
    """

    path: Path
    waited: float
    there: bool


@dataclass(frozen=True)
class ModelLeft:
    """A model is no longer in memory: another needed the room, or somebody let it go."""

    path: Path
    device: str
    bytes: int
    reason: Literal["room", "asked"]


@dataclass(frozen=True)
class LoadFailed:
    """A model could not be loaded; `reason` is the error's own sentence."""

    path: Path
    reason: str
    seconds: float


@dataclass(frozen=True)
class FellBack:
    """Another model than the best one serves.

    Attributes:
        role: the step, and the family where one was asked for.
        wanted: title and file of the best.
        used: title and file of the one that serves; "" where none does.
        reason: why, one sentence for each that was passed over.
    """

    role: str
    wanted: str
    used: str
    reason: str


Event: TypeAlias = ModelAsked | ModelLoaded | ModelLeft | LoadFailed | FellBack
Observer: TypeAlias = Callable[[Event], None]
