"""A pipeline: which steps, in which order, with which models, best first; read from a YAML file."""

from __future__ import annotations

import importlib
import inspect
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mycloset.errors import OptionError, PipelineError
from mycloset.tryon.step import Step

if TYPE_CHECKING:
    from mycloset.hub.loader import ModelLoader

DEFAULT_PIPELINE = "embedded"
LEARNED_PIPELINE = "learned"
"""The built-in pipeline for those who have folders of models."""

_STEPS = "mycloset.tryon.steps"

# step name -> name of a way -> the class that serves it. Strings, so that naming a pipeline imports
# no step. "embedded" needs no model of the user's; every other way is a family of networks.
WAYS: Mapping[str, Mapping[str, str]] = {
    "human_parsing": {
        **dict.fromkeys(
            ("schp", "segformer", "u2net"),
            f"{_STEPS}.learned_human_parsing:LearnedHumanParsingStep",
        ),
        "embedded": f"{_STEPS}.human_parsing:HumanParsingStep",
    },
    "pose_estimation": {
        **dict.fromkeys(
            ("hrnet_pose", "openpose", "yolov8"),
            f"{_STEPS}.learned_pose_estimation:LearnedPoseEstimationStep",
        ),
        "embedded": f"{_STEPS}.pose_estimation:PoseEstimationStep",
    },
    "cloth_segmentation": {
        **dict.fromkeys(
            ("u2net", "sam", "mobile_sam", "deeplabv3"),
            f"{_STEPS}.learned_cloth_segmentation:LearnedClothSegmentationStep",
        ),
        "embedded": f"{_STEPS}.cloth_segmentation:ClothSegmentationStep",
    },
    "geometric_matching": {
        **dict.fromkeys(
            ("viton_hd", "cp_vton"),
            f"{_STEPS}.learned_geometric_matching:LearnedGeometricMatchingStep",
        ),
        "embedded": f"{_STEPS}.geometric_matching:GeometricMatchingStep",
    },
    "cloth_warping": {
        **dict.fromkeys(
            ("viton_hd", "cp_vton"),
            f"{_STEPS}.learned_cloth_warping:LearnedClothWarpingStep",
        ),
        "embedded": f"{_STEPS}.cloth_warping:ClothWarpingStep",
    },
    "virtual_fitting": {
        **dict.fromkeys(
            ("viton_hd", "cp_vton"),
            f"{_STEPS}.learned_virtual_fitting:LearnedVirtualFittingStep",
        ),
        "embedded": f"{_STEPS}.virtual_fitting:VirtualFittingStep",
    },
    "post_processing": {
        **dict.fromkeys(
            ("rrdb", "swinir", "srvgg", "gfpgan"),
            f"{_STEPS}.learned_post_processing:LearnedPostProcessingStep",
        ),
        "embedded": f"{_STEPS}.post_processing:PostProcessingStep",
    },
    "quality_assessment": {
        "embedded": f"{_STEPS}.quality_assessment:QualityAssessmentStep",
    },
}


class _StepEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    step: str
    models: list[str] = Field(default_factory=lambda: ["embedded"], min_length=1)
    options: dict[str, Any] = Field(default_factory=dict)


class _PipelineFile(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    description: str = ""
    steps: list[_StepEntry] = Field(min_length=1)


@dataclass(frozen=True)
class StepPlan:
    """One line of a pipeline: a step, the models that may serve it (best first), its options."""

    step: str
    models: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Pipeline:
    """A checked pipeline: every step and model that it names exists."""

    name: str
    description: str
    steps: tuple[StepPlan, ...]


def built_in_pipelines() -> tuple[str, ...]:
    """Names of the pipelines that come with MyCloset."""
    folder = resources.files("mycloset.tryon") / "pipelines"
    names = (Path(entry.name) for entry in folder.iterdir())
    return tuple(sorted(path.stem for path in names if path.suffix == ".yaml"))


def load_pipeline(source: str | os.PathLike[str] | None = None) -> Pipeline:
    """Read a pipeline: the name of a built-in one, or the path of a YAML file.

    Raises:
        PipelineError: it cannot be read, names a step, model or option that does not exist, or
            gives an option a value that it cannot have.
    """
    source = source or DEFAULT_PIPELINE
    if isinstance(source, str) and source in built_in_pipelines():
        entry = resources.files("mycloset.tryon") / "pipelines" / f"{source}.yaml"
        return parse_pipeline(entry.read_text("utf-8"), f"pipeline {source}")
    path = Path(source)
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise PipelineError(
            f"pipeline {path}: it cannot be read ({reason}).",
            hint=f"Give a YAML file, or one of {', '.join(built_in_pipelines())}.",
        ) from error
    return parse_pipeline(text, f"pipeline {path}")


def parse_pipeline(text: str, name: str) -> Pipeline:
    """Check a pipeline's YAML text; `name` is what messages call it."""
    try:
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that no calendar has
        raise PipelineError(f"{name}: it is not YAML ({error}).", hint="Mend the file.") from error
    if not isinstance(data, dict):
        raise PipelineError(
            f"{name}: it holds {type(data).__name__}, not a mapping.",
            hint="A pipeline has `name` and `steps`.",
        )
    try:
        read = _PipelineFile.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise PipelineError(
            f"{name}: {where}: {first['msg'].lower()}.",
            hint="A pipeline has `name` and `steps`; a step has `step`, `models`, `options`.",
        ) from error
    for entry in read.steps:
        _check_entry(entry, name)
    return Pipeline(
        read.name,
        read.description,
        tuple(StepPlan(e.step, tuple(e.models), dict(e.options)) for e in read.steps),
    )


def build_step(
    step: str, model: str, options: Mapping[str, Any], models: ModelLoader | None = None
) -> Step:
    """The step object that `model` serves, with its options set.

    Args:
        step: the step's name.
        model: "embedded", or the family of networks that serves.
        options: the way's own.
        models: the user's folders, for ways that need a model of theirs.
    """
    way = _way(step, model)
    given = {"family": model, "models": models} if getattr(way, "learned", False) else {}
    made: Step = way(**given, **options)
    return made


@cache
def _way(step: str, model: str) -> type[Any]:
    module, _, attribute = WAYS[step][model].partition(":")
    found: type[Any] = getattr(importlib.import_module(module), attribute)
    return found


def _check_entry(entry: _StepEntry, name: str) -> None:
    if entry.step not in WAYS:
        raise PipelineError(
            f"{name}: there is no step {entry.step!r}.", hint=f"Steps are {', '.join(WAYS)}."
        )
    for model in entry.models:
        if model not in WAYS[entry.step]:
            raise PipelineError(
                f"{name}: step {entry.step} has no model {model!r}.",
                hint=f"It has {', '.join(WAYS[entry.step])}.",
            )
        if entry.options:
            _check_options(entry, model, name)


def _check_options(entry: _StepEntry, model: str, name: str) -> None:
    known = [
        name
        for name in inspect.signature(_way(entry.step, model)).parameters
        if name not in ("family", "models")
    ]
    for option in entry.options:
        if option not in known:
            raise PipelineError(
                f"{name}: step {entry.step} has no option {option!r}.",
                hint=f"It has {', '.join(known) or 'none'}.",
            )
    try:
        # A step keeps its options and loads nothing until it runs, so that making one is a check.
        build_step(entry.step, model, entry.options)
    except OptionError as error:
        raise PipelineError(f"{name}: {error.message}", hint=error.hint) from error
    except (TypeError, ValueError) as error:
        raise PipelineError(
            f"{name}: step {entry.step} cannot take the options {entry.options} ({error}).",
            hint="Give numbers as numbers, and yes or no as true or false.",
        ) from error
