"""`mycloset demo`: the main job on a real photograph, with nothing else at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Where the picture goes (.png, .jpg, .webp).")
    ] = Path("mycloset-demo.png"),
    garment: Annotated[
        str, typer.Option(help="Which of the drawn garments; `list` names them.")
    ] = "striped_tee",
    steps: Annotated[
        Path | None, typer.Option(help="Folder for a picture of every step's result.")
    ] = None,
) -> None:
    """Dress the astronaut Eileen Collins (NASA, public domain) in a drawn garment."""
    from mycloset.cli.try_on import run_try_on
    from mycloset.errors import OptionError
    from mycloset.images import check_writable
    from mycloset.wardrobe import demo_garment, demo_names, draw_garment

    if garment == "list":
        typer.echo("\n".join(demo_names()))
        return
    if garment not in demo_names():
        raise OptionError(
            f"--garment: {garment!r} is none of the drawn garments.",
            hint=f"They are {', '.join(demo_names())}.",
        )
    check_writable(out)
    from skimage import data

    run_try_on(data.astronaut(), draw_garment(demo_garment(garment)).rgb, out=out, steps=steps)
