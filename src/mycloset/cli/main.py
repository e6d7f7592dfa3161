"""The `mycloset` command: its groups, and how an error reaches the person who typed it."""

from __future__ import annotations

import sys
from typing import Annotated, Any, NoReturn

import typer

from mycloset import __version__
from mycloset.cli.demo import demo
from mycloset.cli.licences import licences
from mycloset.cli.pull import pull
from mycloset.cli.try_on import try_on
from mycloset.errors import MyClosetError

_STOPPED = 130
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]
"""Base of all that typer says of a command line; it has no public name there."""

app = typer.Typer(
    name="mycloset",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Dress a person in a garment, from a photo of each; fetch the models that it takes.",
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
        code = app(prog_name="mycloset", standalone_mode=False)
    except MyClosetError as error:
        _end(str(error), error.exit_code)
    except _UsageError as error:
        _end(_usage_text(error), 2)
    except (KeyboardInterrupt, typer.Abort):
        _end("stopped", _STOPPED)
    if code == _STOPPED:
        _end("stopped", _STOPPED)
    sys.exit(code if isinstance(code, int) else 0)


def _usage_text(error: Any) -> str:
    said = error.format_message().strip().rstrip(".")
    command = error.ctx.command_path if error.ctx is not None else "mycloset"
    return f"{said}. Run: {command} --help"


def _end(text: str, code: int) -> NoReturn:
    sys.stderr.write(f"mycloset: {' '.join(text.split())}\n")
    sys.exit(code)
