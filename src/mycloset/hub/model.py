"""Model: a network with what comes before and after it; called with a picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mycloset.architectures.licences import forbids_commerce
from mycloset.architectures.plans import Processing
from mycloset.hub.events import FellBack
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
        device: where it runs; of a network that is spread all of them, "cuda:0 + cpu + disk".
        device_map: of a network that is spread, the device of each module by its path ("disk":
            taken from the file for each call); else empty.
        parameters: how many numbers.
        role: "weights" or "ema".
        wrapper, prefix: where in the file it was.
        mapping: mapped, unused, missing, misshapen, adapted: counts; rate: 0..1.
        unused: the file's keys that the network has no place for.
        lacking: the network's keys that the caller allowed to be missing; they are zeros.
        interpolated: position tables that were resized, with their shape in the file.
        choices: what the tensors cannot tell, and what was taken.
        device_map: device of each part of a network that is spread over several.
        fallback: which model it stands in for, and why; None where it is the one that was wanted.
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
    device_map: Mapping[str, str] = field(default_factory=dict)
    fallback: FellBack | None = None

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


class ShelvedHandle(Model):
    """A model that a ModelLoader gives out: its weights may leave memory while nobody calls it.

    They come back when it is called again, or when `network`, `session` or `processing` is asked
    for. Who keeps one of those in a variable keeps the memory: ask the handle each time.

    Args:
        info: what it is.
        lease: a block during which the model is in memory and does not leave.
    """

    def __init__(self, info: ModelInfo, lease: Callable[[], AbstractContextManager[Model]]) -> None:
        self.info = info
        self._lease = lease

    @property
    def network(self) -> torch.nn.Module:  # type: ignore[override]
        """The PyTorch module."""
        with self._lease() as model:
            return model.network

    @property
    def session(self) -> TorchSession:  # type: ignore[override]
        """What runs it."""
        with self._lease() as model:
            return model.session

    @property
    def processing(self) -> Processing:  # type: ignore[override]
        """Pictures in, typed result out."""
        with self._lease() as model:
            return model.processing

    def instead(self, fallback: FellBack) -> ShelvedHandle:
        """The same model, which says that it stands in for another."""
        return ShelvedHandle(replace(self.info, fallback=fallback), self._lease)

    @contextmanager
    def staying(self) -> Iterator[Model]:
        """A block during which the model does not leave memory."""
        with self._lease() as model:
            yield model

    def __call__(self, *pictures: ImageSource | list[ImageSource], **options: Any) -> Any:
        """As `Model`'s; the weights stay in memory until the result is there."""
        with self._lease() as model:
            return model(*pictures, **options)
