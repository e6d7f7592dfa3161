"""The `mycloset` command: its groups, and how an error reaches the person who typed it."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from mycloset import __version__
from mycloset.cli.demo import demo
from mycloset.cli.diff import diff
from mycloset.cli.doctor import doctor
from mycloset.cli.ending import STOPPED, end, ended
from mycloset.cli.inspect import inspect
from mycloset.cli.licences import licences
from mycloset.cli.models import models
from mycloset.cli.pull import pull
from mycloset.cli.try_on import try_on

_UsageError: type[Exception] = typer.BadParameter.__mro__[1]
"""Base of all that typer says of a command line; it has no public name there."""

app = typer.Typer(
    name="mycloset",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Say what model files really are; dress a person in a garment, from a photo of each.",
)
app.command("inspect")(inspect)
app.command("diff")(diff)
app.command("demo")(demo)
app.command("try-on")(try_on)
app.command("doctor")(doctor)
app.command("models")(models)
app.command("pull")(pull)
app.command("licences")(licences)


@app.callback(invoke_without_command=True)
def _top(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Say the version and stop.")] = False,
) -> None:
    if version:
        typer.echo(f"mycloset {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit


def run() -> None:
    """Read the line with typer; errors become one line on stderr and an exit code (2: what was
    given is bad)."""
    with ended():
        try:
            code = app(prog_name="mycloset", standalone_mode=False)
        except _UsageError as error:
            end(_usage_text(error), 2)
        except typer.Abort:
            end("stopped", STOPPED)
        if code == STOPPED:
            end("stopped", STOPPED)
        sys.exit(code if isinstance(code, int) else 0)


def _usage_text(error: Any) -> str:
    said = error.format_message().strip().rstrip(".")
    command = error.ctx.command_path if error.ctx is not None else "mycloset"
    return f"{said}. Run: {command} --help"
