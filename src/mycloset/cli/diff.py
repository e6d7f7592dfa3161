"""`mycloset diff`: which tensors of two model files differ."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mycloset.cli.difference import run_diff


def diff(
    a: Annotated[Path, typer.Argument(help="A model file.", show_default=False)],
    b: Annotated[Path, typer.Argument(help="Another one.", show_default=False)],
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    deep: Annotated[bool, typer.Option("--deep", help="Compare the values, too.")] = False,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Compare keys as they stand, wrapper and prefix included."),
    ] = False,
) -> None:
    """Say which tensors of two files differ in presence, shape and dtype (and value, --deep).

    Exit codes, as of `diff`: 0 they are the same, 1 they differ, 2 they cannot be compared.
    """
    raise typer.Exit(run_diff(a, b, json=json, deep=deep, strict=strict))
