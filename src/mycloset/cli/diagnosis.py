"""What `mycloset doctor` finds out: machine, software, folders of models, and every step's way."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mycloset import __version__

if TYPE_CHECKING:
    from mycloset.hub.catalogue import Catalogue
    from mycloset.hub.entries import Entry
    from mycloset.hub.loader import ModelLoader
    from mycloset.hub.shelved import ShelvedModel
    from mycloset.tryon.outlook import StepOutlook
    from mycloset.tryon.pipeline import StepPlan
    from mycloset.tryon.result import PassedOver

FEATURES = (
    "avx", "avx2", "f16c", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16",
    "amx_bf16", "amx_int8", "amx_tile", "asimd", "asimdhp", "bf16", "i8mm", "sve", "sve2",
)  # fmt: skip
"""What a processor can do that makes networks faster, by the kernel's names, from x86 to ARM."""

PACKAGES = ("torch", "torchvision", "spandrel", "accelerate", "ai-edge-litert", "numpy")


@dataclass(frozen=True)
class Machine:
    """What there is to compute with; bytes.

    Attributes:
        processor, architecture, features: of the first core, of `FEATURES`.
        cores, usable_cores: of the machine; what this process may keep busy.
        memory, free: of the machine; what can be had without swapping.
        container_memory, container_cores: what control groups allow; None without limit.
        gpus: names of the graphics cards.
        device: where models run with `--device auto`.
    """

    processor: str
    architecture: str
    features: tuple[str, ...]
    cores: int | None
    usable_cores: float
    memory: int
    free: int
    container_memory: int | None
    container_cores: float | None
    gpus: tuple[str, ...]
    device: str


@dataclass(frozen=True)
class Cache:
    """Where fetched files lie.

    Attributes:
        folder, free: the place, and the bytes that its disk has left.
        writable: whether files can be brought there.
        embedded, absent: files of the embedded networks that are there, and that are not.
    """

    folder: Path
    free: int
    writable: bool
    embedded: tuple[str, ...]
    absent: tuple[str, ...]


@dataclass(frozen=True)
class ServingModel:
    """A model that a step would load."""

    title: str
    family: str
    file: Path
    bytes: int
    licence: str
    non_commercial: bool


@dataclass(frozen=True)
class Advice:
    """A published file that would serve a step better than what does now.

    Attributes:
        name: for `mycloset pull`.
        bytes: None where nobody states it.
        by_hand: whether only a person can fetch it; `mycloset pull` says from where.
    """

    name: str
    title: str
    bytes: int | None
    licence: str
    non_commercial: bool
    by_hand: bool


@dataclass(frozen=True)
class StepDiagnosis:
    """One step of the pipeline.

    Attributes:
        step, way: its name; "embedded", the family that would serve, or "" where none can.
        models: what it would load.
        after: the step with whose network it goes on, where it loads none itself.
        passed_over: the ways and models before it, and why they do not serve.
        pull: what to fetch to improve it, best first.
    """

    step: str
    way: str
    models: tuple[ServingModel, ...]
    after: str
    passed_over: tuple[PassedOver, ...]
    pull: tuple[Advice, ...]


@dataclass(frozen=True)
class Refused:
    """A model of the folders that no step can take."""

    file: Path
    title: str
    kind: str
    reason: str


@dataclass(frozen=True)
class Diagnosis:
    """Everything that was found out.

    Attributes:
        mycloset, python: versions.
        packages: version by name; None where it is not installed.
        budget: bytes for models by device; empty without folders.
        roots: the folders.
        models: how many networks they hold; runnable: how many of them can run.
        problems: why not every step can run; empty where all can.
    """

    mycloset: str
    python: str
    packages: dict[str, str | None]
    machine: Machine
    cache: Cache
    pipeline: str
    device: str
    budget: dict[str, int]
    roots: tuple[Path, ...]
    models: int
    runnable: int
    steps: tuple[StepDiagnosis, ...]
    refused: tuple[Refused, ...]
    problems: tuple[str, ...]


def diagnose(
    roots: Sequence[Path], *, memory: str, device: str, pipeline: str | None = None
) -> Diagnosis:
    """Look at everything; reads headers of model files at most, and imports no torch without need.

    Raises:
        InputError: a root is no folder, or a size, device or pipeline is none.
    """
    from mycloset.tryon.pipeline import LEARNED_PIPELINE, load_pipeline

    plan = load_pipeline(pipeline or (LEARNED_PIPELINE if roots else None))
    machine, there = _machine(), _cache()
    packages = {name: _version(name) for name in PACKAGES}
    loader = None
    if roots:
        from mycloset.hub.loader import ModelLoader
        from mycloset.tryon.engine import InferenceEngine

        loader = ModelLoader(roots, memory=memory, device=device)
        outlook = InferenceEngine(plan, models=loader).outlook()
        steps = tuple(map(_step, outlook, plan.steps))
    else:
        steps = tuple(map(_step_without_folders, plan.steps))
    shelf = loader.list_available_models() if loader is not None else ()
    return Diagnosis(
        __version__,
        platform.python_version(),
        packages,
        machine,
        there,
        plan.name,
        loader.device if loader is not None else "",
        dict(loader.memory) if loader is not None else {},
        tuple(roots),
        len(shelf),
        sum(model.runnable for model in shelf),
        steps,
        tuple(_refused(loader, shelf)) if loader is not None else (),
        tuple(_problems(steps, there, packages)),
    )


def _machine() -> Machine:
    from mycloset.monitor import PerformanceMonitor
    from mycloset.runtimes.devices import best_device

    with PerformanceMonitor(rate=0) as monitor:
        status = monitor.get_system_status(Path(os.sep))  # the cache's own disk: see `_cache`
    processor, features = _processor(Path("/proc/cpuinfo"))
    return Machine(
        processor or platform.processor() or "unknown",
        platform.machine(),
        features,
        status.cores,
        status.usable_cores,
        status.memory_total,
        status.memory_available,
        status.container.memory,
        status.container.cores,
        tuple(gpu.name for gpu in status.gpus),
        best_device(),
    )


def _processor(path: Path) -> tuple[str, tuple[str, ...]]:
    """Name and features of the first core, as Linux tells them; empty elsewhere."""
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return "", ()
    said: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        said.setdefault(name.strip(), value.strip())
    flags = set(said.get("flags", said.get("Features", "")).split())
    return said.get("model name", ""), tuple(name for name in FEATURES if name in flags)


def _cache() -> Cache:
    import shutil

    from mycloset.errors import OutputError
    from mycloset.hub import cache as fetched
    from mycloset.hub import catalogue
    from mycloset.images import check_writable_folder

    entries = catalogue.load().expand("embedded")
    there = {entry.name: fetched.find(entry) is not None for entry in entries}
    folder = fetched.home().absolute()
    try:
        check_writable_folder(folder)
        writable = True
    except OutputError:
        writable = False
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    return Cache(
        folder,
        shutil.disk_usage(existing).free,
        writable,
        tuple(name for name, held in there.items() if held),
        tuple(name for name, held in there.items() if not held),
    )


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _step_without_folders(line: StepPlan) -> StepDiagnosis:
    """Where no folder is given, only the embedded way can serve; nothing is imported to say so."""
    from mycloset.tryon.result import PassedOver

    others = [way for way in line.models if way != "embedded"]
    passed = tuple(PassedOver(way, "", "absent", "No folder was given.") for way in others)
    way = "embedded" if "embedded" in line.models else ""
    # What to fetch is told by the pipeline that those take who have folders.
    learned = next((other for other in _learned() if other.step == line.step), line)
    return StepDiagnosis(line.step, way, (), "", passed, _pull(learned, way, ()))


@cache
def _learned() -> tuple[StepPlan, ...]:
    from mycloset.tryon.pipeline import LEARNED_PIPELINE, load_pipeline

    return load_pipeline(LEARNED_PIPELINE).steps


def _step(look: StepOutlook, line: StepPlan) -> StepDiagnosis:
    models = tuple(map(_serving, look.models))
    pull = _pull(line, look.way, look.passed_over)
    return StepDiagnosis(look.step, look.way, models, look.after, look.passed_over, pull)


def _serving(model: ShelvedModel) -> ServingModel:
    from mycloset.architectures.licences import forbids_commerce

    network = model.network
    return ServingModel(
        network.title,
        network.family or "",
        model.path,
        network.bytes,
        network.licence,
        forbids_commerce(network.licence),
    )


def _pull(line: StepPlan, way: str, passed: Sequence[PassedOver]) -> tuple[Advice, ...]:
    """Of each family that the pipeline names before the way that serves, one published file; what a
    program can fetch comes first.

    Not of those that are there and too large: another copy would be as large.
    """
    from mycloset.hub import catalogue
    from mycloset.hub.entries import ManualSource

    before = line.models[: line.models.index(way)] if way in line.models else line.models
    large = {other.way for other in passed if other.kind == "too large"}
    found = []
    for family in before:
        entry = next(_published(line.step, family, catalogue.load()), None)
        if entry is not None and family not in large:
            by_hand = isinstance(entry.source, ManualSource)
            forbidden = not entry.for_commerce
            found.append(
                Advice(entry.name, entry.title, entry.size, entry.licence, forbidden, by_hand)
            )
    return tuple(sorted(found, key=lambda advice: advice.by_hand))


def _published(step: str, family: str, known: Catalogue) -> Iterator[Entry]:
    """Files of a family for a step, those first that a program can fetch and a bundle holds."""
    from mycloset.hub.entries import ManualSource

    chosen = {name for members in known.bundles.values() for name in members}
    fit = [e for e in known.entries.values() if step in e.steps and e.family == family]
    yield from sorted(fit, key=lambda e: (isinstance(e.source, ManualSource), e.name not in chosen))


def _refused(loader: ModelLoader, shelf: Sequence[ShelvedModel]) -> Iterator[Refused]:
    """What of the folders no step can take, and why."""
    from mycloset.tryon.learned import too_large

    for model in shelf:
        title = model.network.title
        if not model.runnable:
            reason = model.reason.removeprefix(f"{model.path.name}: ")
            yield Refused(model.path, title, _kind(model), reason)
        elif reason := too_large(loader, model):
            yield Refused(model.path, title, "too large", reason)


def _kind(model: ShelvedModel) -> str:
    from mycloset.architectures.plans import has_network

    network = model.network
    if network.family is None:
        return "unknown"
    if network.verdict != "recognised":
        return network.verdict
    if network.layout == "renamed":
        return "renamed"
    return "corrupt" if has_network(network.family) else "cannot run"


def _problems(
    steps: Sequence[StepDiagnosis], cache: Cache, packages: dict[str, Any]
) -> Iterator[str]:
    """Why not every step can run."""
    for step in steps:
        if not step.way:
            yield f"{step.step}: nothing that the pipeline names for it is there."
    if cache.absent and not cache.writable:
        yield (
            f"The embedded networks are not in {cache.folder}, and cannot be put there."
            " Set MYCLOSET_HOME to a folder that can be written."
        )
    if any(step.models for step in steps) and packages["torch"] is None:
        yield "Model files need torch. Run: pip install 'mycloset[torch]'"


def shown(path: Path, roots: Sequence[Path]) -> str:
    """A path as short as it can be told: below a root, or below the home folder."""
    for root in roots:
        if path.is_relative_to(root):
            return str(path.relative_to(root))
    home = os.path.expanduser("~")  # noqa: PTH111  # keeps "~" where there is no home
    return str(path).replace(home, "~", 1) if str(path).startswith(f"{home}/") else str(path)
