"""Two small steps that count how often they run, as a pipeline of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar

import numpy as np
import pytest

from mycloset.errors import ModelFileError
from mycloset.tasks.masks import Mask
from mycloset.tryon import pipeline as pipelines
from mycloset.tryon.learned import UnsuitedError
from mycloset.tryon.pipeline import Pipeline, StepPlan
from mycloset.tryon.state import TryOnState
from mycloset.tryon.step import StepOutput

runs: list[str] = []
while_running: list[Callable[[], None]] = []


class Masks:
    """Everything of the garment's picture is cloth."""

    name: ClassVar[str] = "masks"
    reads: ClassVar[tuple[str, ...]] = ("garment_picture",)
    writes: ClassVar[tuple[str, ...]] = ("cloth_mask",)

    def run(self, state: TryOnState) -> StepOutput:
        runs.append(self.name)
        for act in while_running:
            act()
        alpha = np.ones(state.garment_picture.rgb.shape[:2], np.float32)
        return StepOutput({"cloth_mask": Mask(alpha)}, "ones", 0.5, ("All of it is cloth.",))

    def model_info(self) -> Mapping[str, str]:
        return {"kind": "embedded", "name": "ones", "licence": "Apache-2.0"}


class Fails(Masks):
    """A model whose file is damaged."""

    def run(self, state: TryOnState) -> StepOutput:
        raise ModelFileError("weights.pth: it is damaged.")


class Unsuited(Masks):
    """A model that is none for this garment."""

    def run(self, state: TryOnState) -> StepOutput:
        raise UnsuitedError("It dresses tops, and the garment is lower.")


class Paints(Masks):
    """The photo, with every value raised by a shade."""

    name: ClassVar[str] = "paints"
    reads: ClassVar[tuple[str, ...]] = ("person_picture", "cloth_mask")
    writes: ClassVar[tuple[str, ...]] = ("final",)

    def __init__(self, *, shade: int = 7) -> None:
        self._shade = shade

    def run(self, state: TryOnState) -> StepOutput:
        runs.append(self.name)
        return StepOutput({"final": state.person_picture.rgb + np.uint8(self._shade)}, "paint", 1.0)


def plan(*, shade: int = 7, masks: tuple[str, ...] = ("embedded",)) -> Pipeline:
    """Both steps; `masks` may name "damaged" or "unsuited", which do not serve."""
    painting = StepPlan("paints", ("embedded",), {"shade": shade})
    return Pipeline("counted", "", (StepPlan("masks", masks), painting))


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Within this, pipelines may name these steps; the names of those that have run."""
    ways = {
        "masks": {
            "embedded": f"{__name__}:Masks",
            "damaged": f"{__name__}:Fails",
            "unsuited": f"{__name__}:Unsuited",
        },
        "paints": {"embedded": f"{__name__}:Paints"},
    }
    monkeypatch.setattr(pipelines, "WAYS", ways)
    pipelines._way.cache_clear()
    runs.clear()
    while_running.clear()
    yield runs
    pipelines._way.cache_clear()


def gathered(calls: int, act: Callable[[int], None]) -> None:
    """Calls `act` with 0, 1, … on as many threads at once, and waits for all."""
    threads = [threading.Thread(target=act, args=(number,)) for number in range(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert not any(thread.is_alive() for thread in threads)
