"""The engine and the hub together: the plan told, the next models fetched, fallbacks told."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import try_on_files
from mycloset.errors import ModelFileError, StoppedError
from mycloset.hub import wanted
from mycloset.hub.loader import ModelLoader
from mycloset.hub.model import Model
from mycloset.hub.shelved import ShelvedModel
from mycloset.images import RGB, read_picture
from mycloset.monitor import PerformanceMonitor
from mycloset.tasks.garments import Category
from mycloset.tryon import InferenceEngine, ResultCache, TryOnResult
from mycloset.tryon.engine import StepFinished, StepStarted
from mycloset.tryon.learned import LearnedWay, UnsuitedError
from mycloset.tryon.result import StepRecord
from mycloset.tryon.state import TryOnState
from mycloset.tryon.steps.learned_geometric_matching import LearnedGeometricMatchingStep
from mycloset.wardrobe import demo_garment, draw_garment
from small_vgg import save_vgg

pytestmark = pytest.mark.usefixtures("embedded_models")


class Spy(ModelLoader):
    """A loader that keeps what it is told."""

    def __init__(self, *roots: Path, **options: Any) -> None:
        super().__init__(roots, **options)
        self.told: list[tuple[str, list[str]]] = []

    def expect(self, names: Sequence[Any], *, repeat: bool = False, ahead: int = 0) -> None:
        assert repeat
        self.told.append(("expect", [name.path.name for name in names]))
        super().expect(names, repeat=repeat, ahead=ahead)

    def prefetch(self, *names: Any) -> tuple[Future[None], ...]:
        self.told.append(("prefetch", [name.path.name for name in names]))
        return super().prefetch(*names)

    def load_shelved(self, shelved: ShelvedModel, **options: Any) -> Model:
        self.told.append(("load", [shelved.path.name]))
        return super().load_shelved(shelved, **options)

    def observe(self, event: StepStarted | StepFinished) -> None:
        if isinstance(event, StepStarted):
            self.told.append(("step", [event.name]))


@pytest.fixture(scope="module")
def cloth() -> RGB:
    return draw_garment(demo_garment("emblem_tee")).rgb


@pytest.fixture(scope="module")
def photo(astronaut_photo: RGB) -> RGB:
    return np.ascontiguousarray(astronaut_photo[::2, ::2])


@pytest.fixture(scope="module")
def viton_hd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("viton_hd")
    try_on_files.seg(folder / "seg.pth")
    try_on_files.gmm(folder / "gmm.pth", try_on_files.GMM._replace(person=7))
    try_on_files.generator(folder / "alias.pth")
    return folder


@dataclass(frozen=True)
class Seen:
    """One run by VITON-HD's networks."""

    loader: Spy
    engine: InferenceEngine
    result: TryOnResult


@pytest.fixture(scope="module")
def seen(viton_hd: Path, photo: RGB, cloth: RGB, embedded_models: list[Path]) -> Seen:
    loader = Spy(viton_hd)
    engine = InferenceEngine(models=loader, observer=loader.observe)
    return Seen(loader, engine, engine.run_virtual_try_on(photo, cloth))


def record(result: TryOnResult, step: str) -> StepRecord:
    return next(record for record in result.steps if record.name == step)


def test_the_plan_is_told_and_each_steps_models_are_fetched_while_the_one_before_runs(
    seen: Seen,
) -> None:
    loader = seen.loader
    assert loader.told[0] == ("expect", ["gmm.pth", "seg.pth", "alias.pth"])
    fetched = [place for place, (what, _) in enumerate(loader.told) if what == "prefetch"]
    # The first three steps need none of the folder's models, so the fourth's come with the first.
    assert loader.told[fetched[0]] == ("prefetch", ["gmm.pth", "seg.pth"])
    assert loader.told[fetched[0] + 1] == ("step", ["human_parsing"])
    # The generator comes once matching has its own, not before.
    last = loader.told.index(("prefetch", ["alias.pth"]))
    assert loader.told.index(("load", ["seg.pth"])) < last
    assert last < loader.told.index(("step", ["cloth_warping"]))
    assert loader.told.index(("step", ["virtual_fitting"])) < loader.told.index(
        ("load", ["alias.pth"])
    )


def test_the_warping_step_asks_for_no_model(seen: Seen, viton_hd: Path) -> None:
    loader, result = seen.loader, seen.result
    begins, ends = (
        loader.told.index(("step", [name])) for name in ("cloth_warping", "virtual_fitting")
    )
    assert not [told for told in loader.told[begins:ends] if told[0] == "load"]
    warping = record(result, "cloth_warping")
    assert (warping.way, warping.model["file"]) == ("viton_hd", str(viton_hd / "gmm.pth"))
    assert warping.used.endswith("(gmm.pth)")


def test_steps_keep_no_network_between_calls(seen: Seen) -> None:
    held = [value for step in seen.engine._steps.values() for value in _within(vars(step))]
    assert any(isinstance(value, LearnedWay) for value in held)
    assert not [value for value in held if isinstance(value, torch.nn.Module | torch.Tensor)]


def _within(value: Any, seen: set[int] | None = None) -> list[Any]:
    """Everything that can be reached from a step, without going into the loader."""
    seen = set() if seen is None else seen
    if id(value) in seen or isinstance(value, ModelLoader):
        return []
    seen.add(id(value))
    found = [value]
    if isinstance(value, dict):
        parts = list(value.values())
    elif isinstance(value, tuple | list):
        parts = list(value)
    else:
        parts = list(getattr(value, "__dict__", {}).values())
    for part in parts:
        found += _within(part, seen)
    return found


def harm(path: Path) -> Path:
    """Cut off a file's end, as a download that broke does."""
    path.write_bytes(path.read_bytes()[:-5000])
    return path


def test_a_file_that_is_harmed_after_it_was_seen_gives_way_to_the_next_of_its_family(
    tmp_path: Path, photo: RGB, cloth: RGB
) -> None:
    (tmp_path / "step_04").mkdir()
    harmed = try_on_files.gmm(tmp_path / "step_04" / "best.pth")
    try_on_files.gmm(tmp_path / "other.pth")
    cache = ResultCache()
    engine = InferenceEngine(models=ModelLoader([tmp_path]), cache=cache)
    assert engine.outlook()[3].models[0].path == harmed
    harm(harmed)
    result = engine.run_virtual_try_on(photo, cloth)
    matching = record(result, "geometric_matching")
    assert matching.way == "cp_vton"
    assert "best.pth" in matching.wanted
    assert "other.pth" in matching.used
    assert matching.fell_back
    passed = next(passed for passed in matching.passed_over if passed.way == "cp_vton")
    assert passed.model == matching.wanted
    assert "best.pth" in passed.reason
    assert any("best.pth" in note and "could not be used" in note for note in matching.notes)


def test_a_file_that_cannot_be_read_is_a_failure_and_its_result_is_not_kept(
    tmp_path: Path, photo: RGB, cloth: RGB, monkeypatch: pytest.MonkeyPatch
) -> None:
    try_on_files.gmm(tmp_path / "gmm.pth")

    def broken(*_: object, **__: object) -> Model:
        raise ModelFileError("gmm.pth: the disk gives up.")

    monkeypatch.setattr("mycloset.hub.wanted.load", broken)
    cache = ResultCache()
    engine = InferenceEngine(models=ModelLoader([tmp_path]), cache=cache)
    result = engine.run_virtual_try_on(photo, cloth)
    matching = record(result, "geometric_matching")
    assert (matching.way, matching.failed) == ("embedded", True)
    assert "gmm.pth" in matching.wanted
    told = result.to_dict()["steps"][3]
    assert told["passed_over"][1]["kind"] == "failed"
    assert "the disk gives up" in told["reason"]
    assert cache.info().results == 0


def test_a_folder_with_a_damaged_file_is_told_of_it_every_time_and_its_results_are_kept(
    tmp_path: Path, photo: RGB, cloth: RGB
) -> None:
    harm(try_on_files.gmm(tmp_path / "gmm.pth"))
    cache = ResultCache()
    engine = InferenceEngine(models=ModelLoader([tmp_path]), cache=cache)
    for cached in (False, True):
        result = engine.run_virtual_try_on(photo, cloth)
        assert result.cached == cached
        matching = record(result, "geometric_matching")
        assert matching.way == "embedded"
        assert (matching.fell_back, matching.failed) == (True, False)
        assert ("cp_vton", "damaged") in [(p.way, p.kind) for p in matching.passed_over]
        assert any("gmm.pth" in note for note in result.notes)
    foretold = engine.outlook()[3].passed_over
    assert ("cp_vton", "damaged") in [(p.way, p.kind) for p in foretold]


def test_a_model_beyond_the_budget_is_foretold_and_gives_way(
    tmp_path: Path, photo: RGB, cloth: RGB
) -> None:
    try_on_files.gmm(tmp_path / "gmm.pth")
    engine = InferenceEngine(models=ModelLoader([tmp_path], memory="2kB", device="cpu"))
    foretold = engine.outlook()[3]
    assert foretold.way == "embedded"
    assert ("cp_vton", "too large") in [(p.way, p.kind) for p in foretold.passed_over]
    matching = record(engine.run_virtual_try_on(photo, cloth), "geometric_matching")
    assert matching.way == "embedded"
    assert "gmm.pth" in matching.wanted
    assert [p.kind for p in matching.passed_over if p.way == "cp_vton"] == ["too large"]


def test_a_garment_that_the_model_does_not_dress_loads_nothing(viton_hd: Path) -> None:
    loader = Spy(viton_hd)
    step = LearnedGeometricMatchingStep(family="viton_hd", models=loader)
    rgb, parsing, pose = try_on_files.person()
    garment, mask = try_on_files.garment()
    state = TryOnState(
        read_picture(rgb), read_picture(garment), Category.DRESS,
        parsing=parsing, pose=pose, cloth_mask=mask,
    )  # fmt: skip
    with pytest.raises(UnsuitedError, match="dresses tops, and the garment is dress"):
        step.run(state)
    assert loader.told == []


def test_a_run_that_is_stopped_leaves_the_hub_usable(
    tmp_path: Path, photo: RGB, cloth: RGB
) -> None:
    try_on_files.gmm(tmp_path / "gmm.pth")
    stop = threading.Event()

    def observe(event: StepStarted | StepFinished) -> None:
        if isinstance(event, StepFinished) and event.record.name == "geometric_matching":
            stop.set()

    loader = ModelLoader([tmp_path])
    engine = InferenceEngine(models=loader, observer=observe)
    with pytest.raises(StoppedError, match="before cloth_warping"):
        engine.run_virtual_try_on(photo, cloth, cancel=stop)
    assert record(engine.run_virtual_try_on(photo, cloth), "cloth_warping").way == "cp_vton"


def test_a_model_that_another_thread_loads_is_not_waited_for_once_the_run_is_stopped(
    tmp_path: Path, photo: RGB, cloth: RGB, monkeypatch: pytest.MonkeyPatch
) -> None:
    try_on_files.gmm(tmp_path / "gmm.pth")
    loader = ModelLoader([tmp_path])
    begun, go_on, stop = threading.Event(), threading.Event(), threading.Event()
    load = wanted.load

    def slow(*args: Any, **options: Any) -> Model:
        begun.set()
        go_on.wait(20)
        return load(*args, **options)

    monkeypatch.setattr(wanted, "load", slow)
    other = threading.Thread(target=loader.load_model, args=("gmm",))
    other.start()
    assert begun.wait(20)

    def observe(event: StepStarted | StepFinished) -> None:
        if isinstance(event, StepStarted) and event.name == "geometric_matching":
            stop.set()

    engine = InferenceEngine(models=loader, observer=observe)
    with pytest.raises(StoppedError, match="while a model was waited for"):
        engine.run_virtual_try_on(photo, cloth, cancel=stop)
    go_on.set()
    other.join(20)
    assert loader.list_loaded_models() == (tmp_path / "gmm.pth",)


def test_what_a_step_used_is_its_own_runs_even_where_threads_share_it(tmp_path: Path) -> None:
    try_on_files.gmm(tmp_path / "gmm.pth")
    way = LearnedWay("geometric_matching", "cp_vton", ModelLoader([tmp_path]), ("gmm",))
    way.model()
    elsewhere: list[object] = []

    def look() -> None:
        elsewhere.extend([way.info()["name"], way.failed])

    other = threading.Thread(target=look)
    other.start()
    other.join(10)
    assert elsewhere == ["cp_vton", False]
    assert way.used().endswith("(gmm.pth)")


def test_a_monitor_measures_every_step_the_run_and_what_the_cache_gave(
    photo: RGB, cloth: RGB
) -> None:
    monitor = PerformanceMonitor(rate=0)
    engine = InferenceEngine(cache=ResultCache(), monitor=monitor)
    engine.run_virtual_try_on(photo, cloth)
    engine.run_virtual_try_on(photo, cloth)
    found = {summary.operation: summary for summary in monitor.get_performance_summary("try-on")}
    steps = {plan.step for plan in engine.pipeline.steps}
    assert set(found) == steps | {"run", "cached"}
    assert {summary.total_count for summary in found.values()} == {1}


def test_a_monitor_hears_what_the_hub_does(tmp_path: Path) -> None:
    loader = ModelLoader([tmp_path])
    monitor = PerformanceMonitor(rate=0)
    for _ in range(2):
        InferenceEngine(models=loader, monitor=monitor)
    save_vgg(tmp_path / "a.pth")
    loader.load_model("a")
    found = {summary.operation: summary.count for summary in monitor.get_performance_summary("hub")}
    assert found == {"load": 1, "ask": 1}
