from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest

from mycloset.errors import (
    DownloadError,
    ImageError,
    OptionError,
    PersonError,
    StepError,
    StepInputError,
    StoppedError,
)
from mycloset.tasks.masks import Mask
from mycloset.tryon import InferenceEngine
from mycloset.tryon import pipeline as pipelines
from mycloset.tryon.engine import StepFinished, StepStarted, try_on
from mycloset.tryon.pipeline import Pipeline, StepPlan
from mycloset.tryon.state import BodyFigures, TryOnState
from mycloset.tryon.step import StepOutput

PHOTO = np.full((80, 70, 3), 90, np.uint8)
CLOTH = np.full((66, 64, 3), 200, np.uint8)


class Fake:
    """A small step: what it does is said by a function of the state."""

    name: ClassVar[str] = "fake"
    reads: ClassVar[tuple[str, ...]] = ()
    writes: ClassVar[tuple[str, ...]] = ()

    def run(self, state: TryOnState) -> StepOutput:
        raise NotImplementedError

    def model_info(self) -> Mapping[str, str]:
        return {"kind": "embedded", "name": "fake", "licence": "Apache-2.0"}


class Masks(Fake):
    name: ClassVar[str] = "masks"
    reads: ClassVar[tuple[str, ...]] = ("garment_picture",)
    writes: ClassVar[tuple[str, ...]] = ("cloth_mask",)

    def run(self, state: TryOnState) -> StepOutput:
        alpha = np.ones(state.garment_picture.rgb.shape[:2], np.float32)
        return StepOutput({"cloth_mask": Mask(alpha)}, "ones", 0.5, ("All of it is cloth.",))


class Paints(Fake):
    name: ClassVar[str] = "paints"
    reads: ClassVar[tuple[str, ...]] = ("person_picture", "cloth_mask")
    writes: ClassVar[tuple[str, ...]] = ("final",)
    made: ClassVar[list[dict[str, Any]]] = []

    def __init__(self, *, shade: int = 7) -> None:
        self.made.append({"shade": shade})
        self._shade = shade

    def run(self, state: TryOnState) -> StepOutput:
        final = np.full_like(state.person_picture.rgb, self._shade)
        return StepOutput({"final": final}, "paint", np.float32(1.0))  # type: ignore[arg-type]


class Breaks(Fake):
    name: ClassVar[str] = "breaks"

    def run(self, state: TryOnState) -> StepOutput:
        raise ZeroDivisionError("one by nought")


class Refuses(Fake):
    name: ClassVar[str] = "refuses"

    def run(self, state: TryOnState) -> StepOutput:
        raise PersonError("photo: nobody is seen.", hint="Give another.")


class Stops(Fake):
    name: ClassVar[str] = "stops"

    def run(self, state: TryOnState) -> StepOutput:
        raise StepError("stops", "it had enough.")


class Lacks(Fake):
    name: ClassVar[str] = "lacks"

    def run(self, state: TryOnState) -> StepOutput:
        raise DownloadError("weights.bin: there is no network.", hint="Go online.")


class Meddles(Fake):
    name: ClassVar[str] = "meddles"
    writes: ClassVar[tuple[str, ...]] = ("cloth_mask",)

    def run(self, state: TryOnState) -> StepOutput:
        return StepOutput({"final": PHOTO, "quality": None}, "nothing", 1.0)


class Interrupted(Fake):
    name: ClassVar[str] = "interrupted"

    def run(self, state: TryOnState) -> StepOutput:
        raise KeyboardInterrupt


class Waits(Fake):
    name: ClassVar[str] = "waits"

    def run(self, state: TryOnState) -> StepOutput:
        raise StoppedError("stopped while a model was waited for.")


FAKES = (Masks, Paints, Breaks, Refuses, Stops, Lacks, Meddles, Interrupted)


@pytest.fixture(autouse=True)
def fake_ways(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    ways = {fake.name: {"embedded": f"{__name__}:{fake.__name__}"} for fake in FAKES}
    ways["masks"]["lacking"] = f"{__name__}:Lacks"
    ways["masks"]["stopped"] = f"{__name__}:Waits"
    monkeypatch.setattr(pipelines, "WAYS", ways)
    pipelines._way.cache_clear()
    Paints.made.clear()
    yield
    pipelines._way.cache_clear()


def plan(*steps: str | StepPlan) -> Pipeline:
    entries = [s if isinstance(s, StepPlan) else StepPlan(s, ("embedded",)) for s in steps]
    return Pipeline("test", "", tuple(entries))


def run(*steps: str | StepPlan, **options: Any) -> Any:
    return InferenceEngine(plan(*steps)).run_virtual_try_on(PHOTO, CLOTH, **options)


def test_steps_run_in_order_and_are_recorded() -> None:
    result = run("masks", "paints")
    assert (result.image == 7).all()
    assert result.image.shape == PHOTO.shape
    assert [step.name for step in result.steps] == ["masks", "paints"]
    first, second = result.steps
    assert (first.way, first.used, first.confidence) == ("embedded", "ones", 0.5)
    assert first.notes == result.notes == ("All of it is cloth.",)
    assert type(second.confidence) is float
    assert second.model["licence"] == "Apache-2.0"
    assert 0 <= first.seconds <= result.seconds
    assert result.pipeline == "test"


def test_options_reach_the_step_and_steps_are_kept() -> None:
    engine = InferenceEngine(plan("masks", StepPlan("paints", ("embedded",), {"shade": 40})))
    for _ in range(2):
        assert (engine.run_virtual_try_on(PHOTO, CLOTH).image == 40).all()
    assert Paints.made == [{"shade": 40}]


def test_an_observer_sees_every_step_begin_and_end() -> None:
    seen: list[StepStarted | StepFinished] = []
    engine = InferenceEngine(plan("masks", "paints"), observer=seen.append)
    result = engine.run_virtual_try_on(PHOTO, CLOTH)
    assert seen == [
        StepStarted("masks", 1, 2),
        StepFinished(result.steps[0], 1, 2),
        StepStarted("paints", 2, 2),
        StepFinished(result.steps[1], 2, 2),
    ]


def test_an_unexpected_failure_names_the_step_the_reason_and_what_was_found() -> None:
    with pytest.raises(StepError, match=r"breaks: .*ZeroDivisionError: one by nought") as caught:
        run("masks", "breaks", "paints")
    assert caught.value.step == "breaks"
    assert caught.value.exit_code == 1
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert caught.value.partial["cloth_mask"].area == 1.0
    assert "final" not in caught.value.partial


def test_a_failure_by_what_was_given_ends_with_2() -> None:
    with pytest.raises(StepInputError, match=r"^refuses: photo: nobody is seen\. Give another\.$"):
        run("refuses")


def test_a_step_error_of_a_step_gets_the_state() -> None:
    with pytest.raises(StepError, match="it had enough") as caught:
        run("masks", "stops")
    assert set(caught.value.partial) >= {"person_picture", "cloth_mask"}


def test_a_step_whose_input_is_missing_names_the_field() -> None:
    with pytest.raises(StepError, match=r"paints: nothing .* has written cloth_mask") as caught:
        run("paints")
    assert "person_picture" in caught.value.partial


def test_a_step_may_write_only_what_it_names() -> None:
    with pytest.raises(StepError, match="meddles: it writes final, quality, which"):
        run("meddles")


def test_a_pipeline_without_a_final_picture_is_an_error_not_a_placeholder() -> None:
    with pytest.raises(StepError, match="without a final picture") as caught:
        run("masks")
    assert "cloth_mask" in caught.value.partial


def test_the_next_model_serves_where_the_best_cannot_be_had_and_the_result_says_so() -> None:
    result = run(StepPlan("masks", ("lacking", "embedded")), "paints")
    assert result.steps[0].way == "embedded"
    assert "lacking could not be used: weights.bin: there is no network." in result.notes[0]


def test_the_record_tells_what_was_wanted_what_served_and_why() -> None:
    record = run(StepPlan("masks", ("lacking", "embedded")), "paints").steps[0]
    assert (record.wanted, record.used) == ("lacking", "ones")
    assert record.reason == "lacking: weights.bin: there is no network. Go online."
    assert [(passed.way, passed.kind) for passed in record.passed_over] == [("lacking", "failed")]
    assert record.failed


def test_what_was_wanted_and_served_has_no_reason() -> None:
    record = run("masks", "paints").steps[0]
    assert (record.wanted, record.reason, record.passed_over) == ("ones", "", ())
    assert not record.failed


@pytest.mark.parametrize("as_function", [False, True])
def test_a_run_can_be_stopped_between_steps_and_the_engine_goes_on(as_function: bool) -> None:
    ended = threading.Event()

    def stop(event: StepStarted | StepFinished) -> None:
        if isinstance(event, StepFinished) and not ended.is_set():
            ended.set()

    engine = InferenceEngine(plan("masks", "paints"), observer=stop)
    cancel = ended.is_set if as_function else ended
    with pytest.raises(StoppedError, match=r"before paints \(step 2 of 2\)"):
        engine.run_virtual_try_on(PHOTO, CLOTH, cancel=cancel)
    assert not Paints.made
    ended.clear()
    assert engine.run_virtual_try_on(PHOTO, CLOTH).image[0, 0, 0] == 7


def test_a_load_that_is_stopped_is_no_failure_of_its_step() -> None:
    with pytest.raises(StoppedError, match="while a model was waited for"):
        run(StepPlan("masks", ("stopped", "embedded")), "paints")


def test_where_no_model_can_be_had_the_step_fails() -> None:
    with pytest.raises(StepError, match=r"lacks: weights\.bin") as caught:
        run("lacks")
    assert caught.value.exit_code == 1
    assert caught.value.hint == "Go online."


def test_interruption_is_not_a_failure_of_the_step() -> None:
    with pytest.raises(KeyboardInterrupt):
        run("interrupted")


@pytest.mark.parametrize("category", ["upper", "lower", "dress", None])
def test_categories(category: str | None) -> None:
    assert run("masks", "paints", category=category).state.category == category


@pytest.mark.parametrize("category", ["shoes", "", "Upper", 3])
def test_unknown_categories_are_refused_before_any_step(category: Any) -> None:
    with pytest.raises(OptionError, match="is not a category"):
        run("breaks", category=category)


@pytest.mark.parametrize("figures", [{"height_cm": -5}, {"weight_kg": float("nan")}])
def test_figures_of_nobody_are_refused_before_any_step(figures: dict[str, float]) -> None:
    with pytest.raises(OptionError):
        run("breaks", figures=replace(BodyFigures(), **figures))


def test_pictures_are_named_by_their_role() -> None:
    with pytest.raises(ImageError, match="person picture"):
        try_on(b"", CLOTH, pipeline=plan("breaks"))
    with pytest.raises(ImageError, match="garment picture"):
        try_on(PHOTO, b"", pipeline=plan("breaks"))
