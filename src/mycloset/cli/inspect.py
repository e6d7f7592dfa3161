"""`mycloset inspect`: what model files really are, as card, table, JSON or page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mycloset.cli.inspection import FAIL_KINDS, run_inspect


def inspect(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH", help="Model files, or folders of them.", show_default=False),
    ],
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="One line of JSON for each file, as they come.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option(metavar="REPORT.html", help="Also write a page for the browser.")
    ] = None,
    keys: Annotated[
        bool, typer.Option("--keys", help="Also list the tensors, repeated layers on one line.")
    ] = False,
    deep: Annotated[
        bool, typer.Option("--deep", help="Read all bytes: checksums, NaN, Inf, all-zero tensors.")
    ] = False,
    fail_on: Annotated[
        str,
        typer.Option(
            metavar="KINDS",
            help=f"End with 1 where a file is one of these (a,b,c): {', '.join(FAIL_KINDS)}.",
        ),
    ] = "",
) -> None:
    """Say what model files really are, whatever their names; nothing in them is executed.

    Exit codes: 0 every file was analysed, whatever was found. 1 something that --fail-on names was
    found. 2 bad usage, a path that does not exist, or a named file that the system does not let
    be read.
    """
    code = run_inspect(
        paths, json=json, jsonl=jsonl, html=html, keys=keys, deep=deep, fail_on=fail_on
    )
    raise typer.Exit(code)
