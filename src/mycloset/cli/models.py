"""`mycloset models`: what folders of model files hold, and which file serves which step."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def models(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="FOLDER", help="Folders of model files.", show_default=False),
    ],
    step: Annotated[
        str | None, typer.Option(metavar="STEP", help="Only what serves this: a name or step_01.")
    ] = None,
    family: Annotated[
        str | None, typer.Option(metavar="FAMILY", help="Only networks of this family.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Say what is in folders of models: what each is, which step it serves, whether it runs.

    The headers of files are read, and what they are is kept: the next time only what changed is
    read. Exit codes: 0 the folders were looked at; 2 what was given cannot be used.
    """
    from mycloset.cli.output import Screen
    from mycloset.cli.shelf_report import document, lines, shown
    from mycloset.hub.shelf import Shelf

    screen = Screen()
    found = shown(Shelf(folders), step=step, family=family)
    if json:
        screen.json(document(found), indent=2)
    else:
        screen.lines(lines(found, width=screen.width))
    for note in found.shelf.notes:
        screen.note(f"mycloset: {note}")
