from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mycloset.errors import PipelineError
from mycloset.tryon.pipeline import (
    WAYS,
    build_step,
    built_in_pipelines,
    load_pipeline,
    parse_pipeline,
)
from mycloset.tryon.state import TryOnState

FIELDS = set(TryOnState.__dataclass_fields__)


def test_the_default_has_the_eight_steps_in_order() -> None:
    plan = load_pipeline()
    assert plan.name == "embedded"
    assert [step.step for step in plan.steps] == list(WAYS)
    assert len(plan.steps) == 8


@pytest.mark.parametrize("name", built_in_pipelines())
def test_built_in_pipelines_are_whole(name: str) -> None:
    plan = load_pipeline(name)
    known = {"person_picture", "garment_picture", "figures", "category"}
    for entry in plan.steps:
        for model in entry.models:
            step = build_step(entry.step, model, entry.options)
            assert set(step.reads) <= known, entry.step
        known |= set(step.writes)
    assert {"final", "quality"} <= known


@pytest.mark.parametrize("step", WAYS)
def test_every_way_is_a_step_that_keeps_the_contract(step: str) -> None:
    for way in WAYS[step]:
        made = build_step(step, way, {})
        assert made.name == step
        assert set(made.reads) <= FIELDS
        assert set(made.writes) <= FIELDS
        assert made.writes
        assert set(made.model_info()) == {"kind", "name", "licence"}
        assert made.model_info()["kind"] in ("embedded", "model")


def test_a_file_gives_order_models_and_options(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "name: mine\n"
        "steps:\n"
        "  - step: pose_estimation\n"
        "  - {step: post_processing, models: [embedded], options: {sharpen: 0.5, grain: false}}\n"
    )
    for source in (path, str(path)):
        plan = load_pipeline(source)
        assert (plan.name, plan.description) == ("mine", "")
        assert [step.step for step in plan.steps] == ["pose_estimation", "post_processing"]
        assert plan.steps[0].models == ("embedded",)
        assert plan.steps[1].options == {"sharpen": 0.5, "grain": False}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds NoneType"),
        ("- a\n- b", "holds list"),
        ("name: [", "not YAML"),
        ("name: 2024-99-99", "not YAML"),
        ("name: x\nsteps: !!python/object:os.system {}", "not YAML"),
        ("name: x", "steps: field required"),
        ("steps: [{step: pose_estimation}]", "name: field required"),
        ("name: x\nsteps: []", "at least 1 item"),
        ("name: x\nsteps: [pose_estimation]", r"steps\.0"),
        ("name: x\nsteps: [{step: pose_estimation, speed: 9}]", "extra inputs"),
        ("name: x\nsteps: [{step: dancing}]", "no step 'dancing'"),
        ("name: x\nsteps: [{step: pose_estimation, models: []}]", "at least 1 item"),
        ("name: x\nsteps: [{step: pose_estimation, models: [magic]}]", "no model 'magic'"),
        ("name: x\nsteps: [{step: pose_estimation, options: {joints: 9}}]", "no option 'joints'"),
        ("name: x\nsteps: [{step: post_processing, options: {sharpen: 9}}]", "sharpen is 9"),
        ("name: x\nsteps: [{step: post_processing, options: {sharpen: much}}]", "cannot take"),
    ],
)
def test_what_is_no_pipeline_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(PipelineError, match=said) as caught:
        parse_pipeline(text, "pipeline x.yaml")
    assert str(caught.value).startswith("pipeline x.yaml: ")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", ["missing.yaml", "embeded", "."])
def test_files_that_cannot_be_read(name: str, tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="cannot be read"):
        load_pipeline(str(tmp_path / name))


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(PipelineError, match="not UTF-8"):
        load_pipeline(path)


@given(st.text(max_size=80))
def test_any_text_is_a_pipeline_or_a_pipeline_error(text: str) -> None:
    with pytest.raises(PipelineError):
        parse_pipeline(text, "any")
