"""One tree of errors; each says what was wrong, where, and what to do about it."""

from __future__ import annotations

from typing import Any


class MyClosetError(Exception):
    """Base of every error that MyCloset raises on purpose.

    Args:
        message: what was wrong and where, in one sentence.
        hint: what the user can do about it, in one sentence; empty where nothing can be done.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class InputError(MyClosetError):
    """What the caller gave cannot be used; the command line ends with exit code 2."""

    exit_code = 2


class ImageError(InputError):
    """A picture cannot be read, or is outside the bounds that are read."""


class PersonError(InputError):
    """The person picture holds nobody that a garment can be put on."""


class GarmentError(InputError):
    """The garment picture holds no garment that can be told from its ground."""


class OptionError(InputError):
    """An option or an argument has a value that is not among those allowed."""


class OutputError(InputError):
    """A result cannot be written where it was asked for."""


class PipelineError(InputError):
    """A pipeline file does not describe a pipeline that can run."""


class MissingExtraError(InputError):
    """A library is needed that the base install does not bring."""


class ModelFileError(MyClosetError):
    """A model file is missing, or is not the file that it should be."""


class DownloadError(ModelFileError):
    """A published file could not be brought, or came with wrong bytes."""


class WrongFileError(DownloadError):
    """A published file came whole, and is not what it should be."""


class DiskFullError(DownloadError):
    """There is no room for a published file; what has arrived of it stays."""


class StoppedError(MyClosetError):
    """Somebody asked for an end before the work was done; what was done so far stays usable."""


class StepError(MyClosetError):
    """A step of a pipeline failed.

    Attributes:
        step: name of the step that failed.
        state: what the steps before it had found (a product's state; None outside a run).
    """

    def __init__(self, step: str, message: str, *, hint: str = "", state: Any = None) -> None:
        super().__init__(f"{step}: {message}", hint=hint)
        self.step = step
        self.state = state

    @property
    def partial(self) -> dict[str, Any]:
        """The partial results by field name."""
        filled: dict[str, Any] = self.state.filled() if self.state is not None else {}
        return filled


class StepInputError(StepError, InputError):
    """A step failed because of what the caller gave (nobody in the picture, no garment)."""
