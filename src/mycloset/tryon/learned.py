"""What the steps share that a learned model serves: which model it is, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from mycloset.errors import ModelFileError
from mycloset.hub.loader import ModelLoader
from mycloset.hub.model import Model
from mycloset.hub.shelf import NoModelError, ShelvedModel


class OtherWayError(NoModelError):
    """The step before went a way that this one cannot follow; no model is missing."""


class UnsuitedError(ModelFileError):
    """A model is sound, but it is none for this garment or this photo."""


class Stop(Protocol):
    """Says whether somebody asked for an end; `threading.Event` is one."""

    def is_set(self) -> bool: ...


_stop: ContextVar[Stop | None] = ContextVar("stop", default=None)


@contextmanager
def stopped_by(stop: Stop | None) -> Iterator[None]:
    """Within this, loads that this thread waits for end with StoppedError once `stop` is set."""
    token = _stop.set(stop)
    try:
        yield
    finally:
        _stop.reset(token)


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
        self._used: Model | None = None

    def candidates(self) -> tuple[ShelvedModel, ...]:
        """The models that `model` would try, the best first."""
        if self._models is None:
            return ()
        return self._models.candidates(self.step, self.family, self._variants)

    def title(self) -> str:
        """What `model` would load first, without loading it; raises as that where there is none."""
        found = self.candidates()
        return found[0].network.title if found else self.model().info.title

    def model(self) -> Model:
        """The model, loaded when it is first asked for.

        Raises:
            NoModelError: the folders hold none of the family.
            ModelFileError: none of those that they hold can be used.
        """
        if self._models is None:
            raise NoModelError(f"{self.family}: no folder of models was given.")
        self._used = self._models.load_model_for_step(self.step, self.family, self._variants)
        return self._used

    def used(self) -> str:
        """The model and its file, for the step's record."""
        assert self._used is not None
        return f"{self._used.info.title} ({self._used.info.path.name})"

    def notes(self) -> tuple[str, ...]:
        """What a user must know of the model: whether its licence allows commercial use."""
        assert self._used is not None
        if not self._used.info.non_commercial:
            return ()
        return (f"{self._used.info.title}: {self._used.info.licence}.",)

    def info(self) -> Mapping[str, str]:
        """`kind`, `name`, `file`, `licence` for the step's record."""
        if self._used is None:
            return {"kind": "model", "name": self.family, "licence": ""}
        info = self._used.info
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
