"""Model: a network with what comes before and after it; called with a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mycloset.architectures.licences import forbids_commerce
from mycloset.architectures.plans import Processing
from mycloset.images import ImageSource, read_picture

if TYPE_CHECKING:
    import torch

    from mycloset.runtimes.pytorch.session import TorchSession


@dataclass(frozen=True)
class ModelInfo:
    """What a model is and how it was loaded.

    Attributes:
        path: the file or folder.
        family, variant, title, layout, config, task, steps, licence: as recognised.
        precision: of its floating tensors, as loaded ("float32", or "as in the file"), or what
            "auto" did ("auto: bfloat16, channels last, 57 of 57 batch norms folded").
        device: where it runs.
        parameters: how many numbers.
        role: "weights" or "ema".
        wrapper, prefix: where in the file it was.
        mapping: mapped, unused, missing, misshapen, adapted: counts; rate: 0..1.
        unused: the file's keys that the network has no place for.
        lacking: the network's keys that the caller allowed to be missing; they are zeros.
        interpolated: position tables that were resized, with their shape in the file.
        choices: what the tensors cannot tell, and what was taken.
    """

    path: Path
    family: str
    variant: str
    title: str
    layout: str
    config: Mapping[str, Any]
    task: str
    steps: tuple[str, ...]
    licence: str
    precision: str
    device: str
    parameters: int
    role: str
    wrapper: str
    prefix: str
    mapping: Mapping[str, float]
    unused: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    interpolated: tuple[tuple[str, tuple[int, ...]], ...] = ()
    choices: Mapping[str, Any] = field(default_factory=dict)

    @property
    def non_commercial(self) -> bool:
        """Whether the licence of the family's published weights forbids commercial use."""
        return forbids_commerce(self.licence)


class Model:
    """A network, ready to be called with pictures.

    Args:
        network: the PyTorch module.
        session: runs it.
        processing: pictures in, typed result out.
        info: what it is.
    """

    def __init__(
        self,
        network: torch.nn.Module,
        session: TorchSession,
        processing: Processing,
        info: ModelInfo,
    ) -> None:
        self.network = network
        self.session = session
        self.processing = processing
        self.info = info

    def __call__(self, *pictures: ImageSource | list[ImageSource], **options: Any) -> Any:
        """The typed result of the family's task.

        Args:
            pictures: as many as the family takes, each a path, bytes, PIL image, NumPy array or
                tensor. A list in the only place gives a list of results.
            options: the family's own; see its `processing`.

        Raises:
            ImageError: a picture cannot be used.
            OptionError: an option has a value that it cannot have.
        """
        if len(pictures) == 1 and isinstance(pictures[0], list | tuple):
            read = [read_picture(picture, role="picture").rgb for picture in pictures[0]]
            batch = getattr(self.processing, "batch", None)
            if batch is not None and read:
                results: list[Any] = batch(self.session, read, **options)
                return results
            return [self.processing(self.session, picture, **options) for picture in read]
        single = [read_picture(picture, role="picture").rgb for picture in pictures]
        return self.processing(self.session, *single, **options)

    def __repr__(self) -> str:
        return f"<Model {self.info.title} of {self.info.path.name} on {self.info.device}>"
