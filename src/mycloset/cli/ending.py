"""How a command ends: an error is one line on standard error and an exit code."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import NoReturn

from mycloset.errors import MyClosetError

STOPPED = 130
"""Exit code of a command that was interrupted."""


@contextlib.contextmanager
def ended() -> Iterator[None]:
    """Turn this package's errors, and an interrupt, into one line and an exit code."""
    try:
        yield
    except MyClosetError as error:
        end(str(error), error.exit_code)
    except KeyboardInterrupt:
        end("stopped", STOPPED)
    except BrokenPipeError:
        # Who read the output has closed it (`| head`); nothing more can be said there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def end(text: str, code: int) -> NoReturn:
    """Write one line on standard error, in which nothing can act on a terminal, and stop."""
    from mycloset.inspection.report.text import printable

    line = f"mycloset: {printable(' '.join(text.split()))}\n"
    try:
        sys.stderr.write(line)
    except UnicodeEncodeError:
        sys.stderr.write(line.encode("ascii", "backslashreplace").decode("ascii"))
    sys.exit(code)
