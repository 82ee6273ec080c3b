"""The words of a command, read by the standard library, and what is said of others."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from torrey.base.nearest import did_you_mean


@dataclass(frozen=True)
class Command:
    """A command: the module whose function of the same name does it, and its arguments.

    Attributes
    ----------
    module : str
        In this room; it has a function ``run(arguments) -> int``, which returns the exit code.
    about : str
        What it does, in one line.
    fill : callable
        Adds the arguments to a parser.
    """

    module: str
    about: str
    fill: Callable[[argparse.ArgumentParser], None]


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and leaves with code 2."""

    def error(self, message: str) -> NoReturn:
        """Leave with a message."""
        self.exit(2, f"{self.prog}: {message}. More: {self.prog} --help\n")


def _new(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", nargs="?", default="mine.yaml", help="file to write; - for the terminal"
    )
    parser.add_argument("--force", action="store_true", help="replace a file that is there")
    group = parser.add_argument_group(
        "the study", "What is left out has a value to start from; without any, questions are asked."
    )
    group.add_argument("--name", metavar="NAME", help="of the study")
    group.add_argument("--cell", metavar="KIND", help="discs, spheres, layers or packing")
    group.add_argument(
        "--radius",
        metavar="R",
        help="of discs and spheres, or the first of two layers, in units of the period: 0.3",
    )
    for name, example in (
        ("outside", "3e-3 mm2/s"),
        ("inside", "1.7e-3 mm2/s"),
        ("period", "10 um"),
        ("permeability", "5e-5 m/s"),
        ("b", "1000 s/mm2"),
    ):
        several = name not in ("outside", "inside")
        what = "diffusivity" if not several else "b-values" if name == "b" else name
        group.add_argument(
            f"--{name}",
            nargs="+" if several else None,
            metavar=f'"{example}"',
            help=f"{what}{'; several are swept' if several else ''}",
        )
    group.add_argument("--waveform", metavar="KIND", help="see `torrey kinds waveforms`")
    group.add_argument(
        "--times",
        nargs="+",
        metavar='NAME="5 ms"',
        help='parameters of the waveform: delta="5 ms" Delta="20 ms"',
    )
    group.add_argument(
        "--directions", nargs="+", metavar="X,Y", help="of the gradient, in the axes of the cell"
    )
    group.add_argument("--models", nargs="+", metavar="MODEL", help="see `torrey models`")
    group.add_argument("--tolerance", metavar="T", help="of the reference, relative: 1e-3")


def _check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="YAML files, which merge as in the workflow"
    )


def _kinds(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="a section, such as geometries, or a kind"
    )


def _names(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these, with all their keys")


def _show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="NetCDF files of the workflow")


def _export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a NetCDF file, such as signals.nc")
    parser.add_argument(
        "--csv",
        nargs="?",
        const="",
        metavar="OUT",
        help="a file to write, .csv or .tsv; beside FILE without a name; - for the terminal",
    )


COMMANDS: Final[dict[str, Command]] = {
    "new": Command("new", "write a commented configuration, by questions or by options", _new),
    "check": Command("check", "say what is wrong in a configuration, or what will run", _check),
    "figures": Command("lists", "figures and tables, with an example of each", _names),
    "kinds": Command("lists", "kinds of geometry, waveform, ..., with their keys", _kinds),
    "models": Command("lists", "models of signals, with an example of each", _names),
    "show": Command("show", "say in words what is in a file of results", _show),
    "export": Command("export", "write the signals of a file as a table", _export),
}
"""Commands by their names, in the order in which they are needed."""


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Read the words of a command.

    Parameters
    ----------
    words : sequence of str
        Without the name of the program.

    Returns
    -------
    argparse.Namespace
        With ``command``, and the arguments of that command.

    Raises
    ------
    SystemExit
        With code 2 where a word does not fit, and with 0 after ``--help`` and ``--version``.
    """
    parser, parsers = _parsers()
    if not words:
        parser.print_help(sys.stderr)
        raise SystemExit(2)
    if not words[0].startswith("-") and words[0] not in COMMANDS:
        hint = did_you_mean(words[0], COMMANDS)
        parser.error(f'found the command "{words[0]}"{hint}, accepted: {", ".join(COMMANDS)}')
    found, others = parser.parse_known_args(words)
    if others:
        own = parsers[found.command]
        options = [name for action in own._actions for name in action.option_strings]
        accepted = ", ".join(name for name in options if name.startswith("--"))
        own.error(f'found "{others[0]}"{did_you_mean(others[0], options)}, accepted: {accepted}')
    return found


def _parsers() -> tuple[Parser, dict[str, Parser]]:
    parser = Parser(
        prog="torrey",
        description="Diffusion MRI signals of permeable tissue: before and after a run of the "
        "workflow. Signals are computed by snakemake; see docs/command.md.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="say the version")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    parsers = {}
    for name, command in COMMANDS.items():
        own = commands.add_parser(
            name, help=command.about, description=f"{command.about[0].upper()}{command.about[1:]}."
        )
        command.fill(own)
        parsers[name] = own
    return parser, parsers
