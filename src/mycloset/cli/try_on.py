"""`mycloset try-on`: a person's photo and a garment's photo in, a picture out."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mycloset.images import Picture
    from mycloset.tryon.result import TryOnResult
    from mycloset.tryon.state import BodyFigures


def try_on(
    person: Annotated[Path, typer.Argument(help="Photo of a person.", show_default=False)],
    garment: Annotated[Path, typer.Argument(help="Photo of a garment.", show_default=False)],
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Where the picture goes (.png, .jpg, .webp).")
    ] = Path("try-on.png"),
    category: Annotated[
        str | None,
        typer.Option(help="upper, lower or dress; read from the garment's shape if not given."),
    ] = None,
    steps: Annotated[
        Path | None, typer.Option(help="Folder for a picture of every step's result.")
    ] = None,
    json: Annotated[
        Path | None, typer.Option("--json", help="File for timings, quality and notes.")
    ] = None,
    pipeline: Annotated[
        str | None, typer.Option(help="A pipeline's YAML file, or a built-in one's name.")
    ] = None,
    models: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder of model files; each step takes the best it can use. Repeatable."
        ),
    ] = None,
    memory: Annotated[
        str, typer.Option(help="Memory for models: like 6GB, or auto (a share of what is free).")
    ] = "auto",
    device: Annotated[
        str, typer.Option(help="Where models run: cpu, cuda, cuda:1, mps, or auto (the fastest).")
    ] = "auto",
    cache: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Keep results in this folder; the very same try-on is taken from there.",
        ),
    ] = None,
    cache_size: Annotated[
        str, typer.Option(metavar="SIZE", help="What the results in --cache may take.")
    ] = "2GB",
    height_cm: Annotated[float | None, typer.Option(help="The person's height.")] = None,
    chest_cm: Annotated[float | None, typer.Option(help="Chest girth, if known.")] = None,
    waist_cm: Annotated[float | None, typer.Option(help="Waist girth, if known.")] = None,
    hip_cm: Annotated[float | None, typer.Option(help="Hip girth, if known.")] = None,
    weight_kg: Annotated[float | None, typer.Option(help="Weight, if known.")] = None,
) -> None:
    """Dress the person in the garment."""
    from mycloset.errors import OutputError
    from mycloset.images import read_picture
    from mycloset.tryon.state import BodyFigures

    for target in (out, json):
        for given, role in ((person, "person"), (garment, "garment")):
            if target is not None and target.resolve() == given.resolve():
                raise OutputError(
                    f"output {target}: this is the {role} picture itself.",
                    hint="Choose another name.",
                )
    run_try_on(
        lambda: read_picture(person, role="person picture"),
        lambda: read_picture(garment, role="garment picture"),
        out=out,
        category=category,
        steps=steps,
        json=json,
        pipeline=pipeline,
        models=models,
        memory=memory,
        device=device,
        cache=cache,
        cache_size=cache_size,
        figures=BodyFigures(height_cm, chest_cm, waist_cm, hip_cm, weight_kg),
    )


def run_try_on(
    person: Callable[[], Picture],
    garment: Callable[[], Picture],
    *,
    out: Path,
    category: str | None = None,
    steps: Path | None = None,
    json: Path | None = None,
    pipeline: str | None = None,
    models: list[Path] | None = None,
    memory: str = "auto",
    device: str = "auto",
    cache: Path | None = None,
    cache_size: str = "2GB",
    figures: BodyFigures | None = None,
) -> TryOnResult:
    """Run one try-on and say in one line on standard output what came of it.

    Whatever can be found wrong without work is: places to write, options, the pipeline's file,
    then the pictures (that is why they come as functions), and only then networks are fetched.
    """
    from mycloset.cli.progress import fetch_embedded, step_progress
    from mycloset.errors import InputError, StepError
    from mycloset.tryon.embedded.measurements import check_figures
    from mycloset.tryon.engine import InferenceEngine, read_category
    from mycloset.tryon.pipeline import LEARNED_PIPELINE, load_pipeline
    from mycloset.tryon.result import save_step_pictures
    from mycloset.tryon.result_cache import ResultCache, size_of_cache
    from mycloset.tryon.state import BodyFigures

    _check_outputs(out, steps, json, cache)
    bound = size_of_cache(cache_size, "--cache-size")
    wanted = read_category(category)
    figures = figures or BodyFigures()
    check_figures(figures)
    loader = None
    if models:
        from mycloset.hub.loader import ModelLoader

        loader = ModelLoader(models, memory=memory, device=device)
    plan = load_pipeline(pipeline or (LEARNED_PIPELINE if loader else None))
    with warnings.catch_warnings():
        # What Pillow finds odd in a file that it can read is of no use to who typed the command.
        warnings.simplefilter("ignore")
        pictures = person(), garment()
    fetch_embedded()
    kept = ResultCache(0, cache, bound) if cache is not None else None
    with step_progress() as observer:
        engine = InferenceEngine(plan, models=loader, observer=observer, cache=kept)
        try:
            result = engine.run_virtual_try_on(*pictures, category=wanted, figures=figures)
        except StepError as error:
            if steps is not None and not isinstance(error, InputError):
                save_step_pictures(error.state, steps)
                error.hint = f"{error.hint} What the steps before it found is in {steps}.".strip()
            raise
    result.save(out)
    if json is not None:
        result.save_json(json)
    if steps is not None:
        result.save_steps(steps)
    typer.echo(summary_line(result, out))
    for note in result.notes:
        typer.echo(f"  note: {note}", err=True)
    return result


def summary_line(result: TryOnResult, out: Path) -> str:
    """Where the picture is, how long each step took (when it was made) and which way it went."""
    went = ", ".join(f"{s.name} {s.seconds:.2f} s ({s.way})" for s in result.steps)
    grade = f", quality {result.state.quality.grade}" if result.state.quality else ""
    kept = ", made before" if result.cached else ""
    return f"{out}: {result.seconds:.2f} s{kept}{grade}: {went}"


def _check_outputs(out: Path, steps: Path | None, json: Path | None, cache: Path | None) -> None:
    from mycloset.errors import OutputError
    from mycloset.images import check_writable, check_writable_file, check_writable_folder

    check_writable(out)
    if json is not None:
        check_writable_file(json)
        if json.resolve() == out.resolve():
            raise OutputError(
                f"output {json}: the picture and the JSON file have one name.",
                hint="Give them two.",
            )
    for folder in (steps, cache):
        if folder is not None:
            check_writable_folder(folder)
