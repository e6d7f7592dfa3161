"""`mycloset demo`: the main job on a real photograph, with nothing else at hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mycloset.images import Picture


def demo(
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Where the picture goes (.png, .jpg, .webp).")
    ] = Path("mycloset-demo.png"),
    garment: Annotated[
        str, typer.Option(help="Which of the drawn garments; `list` names them.")
    ] = "emblem_tee",
    steps: Annotated[
        Path | None, typer.Option(help="Folder for a picture of every step's result.")
    ] = None,
    json: Annotated[
        Path | None, typer.Option("--json", help="File for timings, quality and notes.")
    ] = None,
) -> None:
    """Dress the astronaut Eileen Collins (NASA, public domain) in a drawn garment."""
    from mycloset.cli.try_on import run_try_on
    from mycloset.errors import OptionError
    from mycloset.images import read_picture
    from mycloset.wardrobe import demo_garment, demo_names, draw_garment

    if garment == "list":
        typer.echo("\n".join(demo_names()))
        return
    if garment not in demo_names():
        raise OptionError(
            f"--garment: {garment!r} is none of the drawn garments.",
            hint=f"They are {', '.join(demo_names())}.",
        )

    def person() -> Picture:
        from skimage import data

        return read_picture(data.astronaut(), role="photo of the astronaut")

    def cloth() -> Picture:
        return read_picture(draw_garment(demo_garment(garment)).rgb, role=f"garment {garment}")

    run_try_on(person, cloth, out=out, steps=steps, json=json)
