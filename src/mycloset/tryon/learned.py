"""What the steps share that a learned model serves: which model it is, and what is said of it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from mycloset.errors import ModelFileError
from mycloset.hub.events import FellBack
from mycloset.hub.loader import ModelLoader
from mycloset.hub.memory import told
from mycloset.hub.model import Model
from mycloset.hub.shelved import NoModelError, ShelvedModel
from mycloset.hub.stopping import Stop
from mycloset.tryon.result import Hindrance


class OtherWayError(NoModelError):
    """The step before went a way that this one cannot follow; no model is missing."""


class UnsuitedError(ModelFileError):
    """A model is sound, but it is none for this garment or this photo."""


@dataclass(frozen=True)
class Running:
    """What the run that a step belongs to wants of the loads that the step waits for.

    Attributes:
        stop: ends the waiting, with StoppedError, once it is set.
        on_model: called when a model is there.
    """

    stop: Stop | None = None
    on_model: Callable[[], None] | None = None


_running: ContextVar[Running] = ContextVar("running", default=Running())  # noqa: B039  # frozen


@contextmanager
def running(run: Running) -> Iterator[None]:
    """Within this, on this thread, steps belong to a run."""
    token = _running.set(run)
    try:
        yield
    finally:
        _running.reset(token)


def too_large(loader: ModelLoader, model: ShelvedModel) -> str:
    """Why a model cannot fit into the memory for models, as far as that can be foretold; or ""."""
    if loader.device != "cpu":
        return ""  # what a card cannot hold may be spread
    room = loader.memory[loader.device]
    wanted = loader.wanted(model)
    if wanted.size <= room:
        return ""
    return f"It takes {told(wanted.size)}, more than the {told(room)} for models."


class _Now(threading.local):
    """What the run on this thread has: runs on several threads may share a step."""

    used: Model | None = None
    asked: bool = False


class LearnedWay:
    """A step's way by the best model of one family that the user's folders hold.

    It keeps the loader's handle, never the network: that may leave memory between two calls.

    Args:
        step: the step's name.
        family: the family that serves.
        models: the user's folders; None where there are none.
        variants: of the family that can serve; empty for any.
    """

    def __init__(
        self,
        step: str,
        family: str,
        models: ModelLoader | None,
        variants: tuple[str, ...] = (),
    ) -> None:
        self.step = step
        self.family = family
        self._variants = variants
        self._models = models
        self._now = _Now()

    def candidates(self) -> tuple[ShelvedModel, ...]:
        """The models of the family for this step, the best first, damaged ones among them."""
        if self._models is None:
            return ()
        return self._models.shelf.candidates(self.step, self.family, self._variants, damaged=True)

    def too_large(self, model: ShelvedModel) -> str:
        """Why one of the candidates cannot fit into the memory for models; see `too_large`."""
        return too_large(self._models, model) if self._models is not None else ""

    def title(self) -> str:
        """What `model` would load first, without loading it; raises as that where there is none."""
        found = next((model for model in self.candidates() if model.runnable), None)
        return found.network.title if found is not None else self.model().info.title

    def model(self) -> Model:
        """The model, loaded when it is first asked for.

        Raises:
            NoModelError: the folders hold none of the family.
            ModelFileError: none of those that they hold can be used.
            StoppedError: somebody asked for an end while it was waited for.
        """
        if self._models is None:
            raise NoModelError(f"{self.family}: no folder of models was given.")
        run = _running.get()
        self._now.asked, self._now.used = True, None
        used = self._now.used = self._models.load_model_for_step(
            self.step, self.family, self._variants, stop=run.stop
        )
        if run.on_model is not None:
            run.on_model()
        return used

    def fallback(self) -> FellBack | None:
        """Which model of the family the one that served stands in for; None for none."""
        return self._now.used.info.fallback if self._now.used is not None else None

    @property
    def failed(self) -> bool:
        """Whether the last asking brought no model."""
        return self._now.asked and self._now.used is None

    def hindrance(self) -> Hindrance:
        """Why the candidates before the one that served, or all of them, did not."""
        used = self._now.used.info.path if self._now.used is not None else None
        before = list(itertools.takewhile(lambda model: model.path != used, self.candidates()))
        if all(model.damaged for model in before):
            return "damaged"
        foretold = all(model.damaged or self.too_large(model) for model in before)
        return "too large" if foretold else "failed"

    def used(self) -> str:
        """The model and its file, for the step's record."""
        assert self._now.used is not None
        return f"{self._now.used.info.title} ({self._now.used.info.path.name})"

    def notes(self) -> tuple[str, ...]:
        """What a user must know of the model: whether its licence allows commercial use."""
        assert self._now.used is not None
        if not self._now.used.info.non_commercial:
            return ()
        return (f"{self._now.used.info.title}: {self._now.used.info.licence}.",)

    def info(self) -> Mapping[str, str]:
        """`kind`, `name`, `file`, `licence` for the step's record."""
        if self._now.used is None:
            return {"kind": "model", "name": self.family, "licence": ""}
        info = self._now.used.info
        return {
            "kind": "model",
            "name": info.title,
            "family": info.family,
            "variant": info.variant,
            "file": str(info.path),
            "precision": info.precision,
            "device": info.device,
            "licence": info.licence,
        }
