"""`mycloset try-on`: a person's photo and a garment's photo in, a picture out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mycloset.images import ImageSource
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
    height_cm: Annotated[float | None, typer.Option(help="The person's height.")] = None,
    chest_cm: Annotated[float | None, typer.Option(help="Chest girth, if known.")] = None,
    waist_cm: Annotated[float | None, typer.Option(help="Waist girth, if known.")] = None,
    hip_cm: Annotated[float | None, typer.Option(help="Hip girth, if known.")] = None,
    weight_kg: Annotated[float | None, typer.Option(help="Weight, if known.")] = None,
) -> None:
    """Dress the person in the garment."""
    from mycloset.tryon.state import BodyFigures

    run_try_on(
        person,
        garment,
        out=out,
        category=category,
        steps=steps,
        json=json,
        pipeline=pipeline,
        figures=BodyFigures(height_cm, chest_cm, waist_cm, hip_cm, weight_kg),
    )


def run_try_on(
    person: ImageSource,
    garment: ImageSource,
    *,
    out: Path,
    category: str | None = None,
    steps: Path | None = None,
    json: Path | None = None,
    pipeline: str | None = None,
    figures: BodyFigures | None = None,
) -> TryOnResult:
    """Run one try-on and say in one line what came of it."""
    from mycloset.cli.progress import fetch_embedded, step_progress
    from mycloset.errors import InputError, OutputError, StepError
    from mycloset.images import check_writable, check_writable_file, read_picture
    from mycloset.tryon.engine import InferenceEngine, read_category
    from mycloset.tryon.result import save_step_pictures

    check_writable(out)
    if json is not None:
        check_writable_file(json)
    if steps is not None and steps.exists() and not steps.is_dir():
        raise OutputError(f"--steps {steps}: this is a file.", hint="Name a folder.")
    wanted = read_category(category)
    # Both pictures are read before anything is fetched or computed: bad input answers at once.
    person = read_picture(person, role="person picture")
    garment = read_picture(garment, role="garment picture")
    fetch_embedded()
    with step_progress() as observer:
        engine = InferenceEngine(pipeline, observer=observer)
        try:
            result = engine.run_virtual_try_on(person, garment, category=wanted, figures=figures)
        except StepError as error:
            if steps is not None and not isinstance(error, InputError):
                save_step_pictures(error.state, steps)
            raise
    result.save(out)
    if json is not None:
        result.save_json(json)
    if steps is not None:
        result.save_steps(steps)
    typer.echo(summary_line(result, out))
    for note in result.notes:
        typer.echo(f"  note: {note}")
    return result


def summary_line(result: TryOnResult, out: Path) -> str:
    """Where the picture is, how long each step took and which way it went."""
    went = ", ".join(f"{s.name} {s.seconds:.2f} s ({s.way})" for s in result.steps)
    grade = f", quality {result.state.quality.grade}" if result.state.quality else ""
    return f"{out}: {result.seconds:.2f} s{grade}: {went}"
