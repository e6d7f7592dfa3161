"""`mycloset doctor`: whether everything is there for a try-on, and what would make it better."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

READY, LACKING = 0, 1


def doctor(
    models: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="Folder of model files, as of try-on. Repeatable."),
    ] = None,
    memory: Annotated[
        str, typer.Option(metavar="SIZE", help="Memory for models: like 6GB, or auto.")
    ] = "auto",
    device: Annotated[
        str, typer.Option(help="Where models run: cpu, cuda, cuda:1, mps, or auto (the fastest).")
    ] = "auto",
    pipeline: Annotated[
        str | None, typer.Option(help="A pipeline's YAML file, or a built-in one's name.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Say what this machine has, what each step would use and why, and what to fetch.

    Exit codes: 0 every step can run; 1 one cannot; 2 what was given cannot be used.
    """
    from mycloset.cli.diagnosis import diagnose
    from mycloset.cli.diagnosis_lines import diagnosis_lines
    from mycloset.cli.output import Screen
    from mycloset.inspection.results import plain

    screen = Screen()
    found = diagnose(models or (), memory=memory, device=device, pipeline=pipeline)
    if json:
        screen.json(plain(found), indent=2)
    else:
        screen.lines(diagnosis_lines(found, width=screen.width))
    raise typer.Exit(LACKING if found.problems else READY)
