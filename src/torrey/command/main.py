"""The way into the command ``torrey``: which command is meant, and how errors are told."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from torrey.command.arguments import COMMANDS, parse


def main(words: Sequence[str] | None = None) -> int:
    """Do what the words of a command ask for.

    Parameters
    ----------
    words : sequence of str, optional
        Without the name of the program; those of this process by default.

    Returns
    -------
    int
        Exit code: 0; 1 after an error, whose message is on stderr; 130 if interrupted.

    Raises
    ------
    SystemExit
        With code 2 where a word does not fit: see `torrey.command.arguments.parse`.
    """
    # A terminal that cannot show a sign shows another one in its place.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    arguments = parse(sys.argv[1:] if words is None else words)
    if arguments.version:
        from torrey import __version__

        print(f"torrey {__version__}")
        return 0
    try:
        module = import_module(f"torrey.command.{COMMANDS[arguments.command].module}")
        code: int = module.run(arguments)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever reads has enough, as in `torrey models | head`; nothing is left to be flushed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _failed(_of_system(error))
    except Exception as error:
        from torrey.base.errors import TorreyError

        if not isinstance(error, TorreyError):
            raise
        return _failed(str(error))


def _failed(message: str) -> int:
    print(message, file=sys.stderr)
    return 1


def _of_system(error: OSError) -> str:
    """What the system says of a file; errors of the library say it themselves."""
    if error.strerror is None or error.filename is None:
        return str(error)
    return f"{error.filename}: {error.strerror}"
