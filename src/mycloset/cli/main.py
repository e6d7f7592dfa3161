"""The `mycloset` command: its groups, and how an error reaches the person who typed it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from mycloset import __version__
from mycloset.cli.demo import demo
from mycloset.cli.licences import licences
from mycloset.cli.pull import pull
from mycloset.cli.try_on import try_on
from mycloset.errors import MyClosetError

app = typer.Typer(
    name="mycloset",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Say what model files really are, run them safely, and dress people with them.",
)
app.command("demo")(demo)
app.command("try-on")(try_on)
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
    """Entry point: errors become one line on stderr and an exit code (2: what was given is bad)."""
    try:
        app()
    except MyClosetError as error:
        sys.stderr.write(f"mycloset: {error}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("mycloset: stopped\n")
        sys.exit(130)
