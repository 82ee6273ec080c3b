"""What is wrong with the words of a command, said before Snakemake reads or plans anything.

Snakemake reads the configuration files before any line of the Snakefile, and answers what it
cannot read with a traceback. A profile is read earlier still, and may call Python (it is a YTE
template, by ``__use_yte__``): those of the project call `check_files`.

What reads configurations is imported where it is used: a command without a configuration file, such
as ``snakemake --help``, reads the profile all the same.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from torrey.config import Config
    from torrey.config.nodes import Node
    from torrey.config.problems import Problem

TARGETS: Final = (
    "figures",
    "studies",
    "dictionaries",
    "designs",
    "verify",
    "kl23",
    "chl14",
    "khm19",
    "mmg20",
    "torrey",
)
"""Rules that only collect what others make, and the verification."""


def check_files(words: Sequence[str] | None = None) -> None:
    """Stop the program with a message if a configuration file of a command cannot be read.

    Parameters
    ----------
    words : sequence of str, optional
        Arguments of Snakemake; without them those of this process.

    Raises
    ------
    SystemExit
        With the message, which Python prints.
    """
    files = configuration_files(sys.argv[1:] if words is None else words)
    if not files:
        return
    from torrey.config.load import read_files
    from torrey.config.problems import ConfigError

    try:
        read_files(files)
    except ConfigError as error:
        lost = [file for file in files if not file.suffix and not file.exists()]
        hint = f"\n{lost[0]}: a target stands before --configfile, or after --" if lost else ""
        raise SystemExit(f"{error}{hint}") from None


def configuration_files(words: Sequence[str]) -> list[Path]:
    """Return the files that the arguments of Snakemake name as configurations."""
    import argparse

    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", type=Path, default=[])
    options = words[: words.index("--")] if "--" in words else words
    # An option without its value is left to Snakemake, which says so.
    if options and options[-1] in ("--configfile", "--configfiles"):
        return []
    found: list[Path] = parser.parse_known_args(list(options))[0].configfile
    return found


def read_configuration(files: Sequence[Path]) -> Config:
    """Read and check all that configuration files ask for, figures and tables included.

    Parameters
    ----------
    files : sequence of Path
        They merge as in `torrey.config.load`.

    Raises
    ------
    ConfigError
        If anything is wrong: a line for each problem, with file, line and key, what was found and
        what is accepted.
    """
    from torrey.config.load import load, read_files
    from torrey.config.problems import ConfigError
    from torrey.figures import catalogue as figures
    from torrey.tables import catalogue as tables

    config = load(files)
    wrong = [*figures.problems(config), *tables.problems(config), *_named_like_targets(config)]
    if wrong:
        root = read_files(files)
        raise ConfigError([_placed(root, problem) for problem in wrong])
    return config


def _named_like_targets(config: Config) -> Iterator[str]:
    """Figures on request are targets by their names, which others must not have."""
    from torrey.workflow.stage import Stage, without_number
    from torrey.workflow.stages import DrawFigure

    rules = {*TARGETS, DrawFigure.rule, *(stage.rule for stage in Stage.__subclasses__())}
    for name, figure in config.figures.items():
        # The batches of a rule are numbered.
        if figure.on_request and without_number(name) in rules:
            found = "on_request with the name of a target"
            yield f"figures.{name}: found {found}, accepted: another name"


def _placed(root: Node, text: str) -> Problem:
    """A problem in words, ``figures.NAME.KEY: found ..., accepted: ...``, with file and line."""
    from torrey.config.problems import Problem

    path, _, said = text.partition(": found ")
    found, _, accepted = said.partition(", accepted: ")
    keys = tuple(path.split("."))
    *_, node = root.walk(keys)
    return Problem(node.file, node.line, keys, found, accepted)


def asks_for_report(words: Sequence[str]) -> bool:
    """Whether the arguments of Snakemake ask for a report of what is there.

    Raises
    ------
    SystemExit
        If they ask for one after a run: what it holds is known when the rules are read.
    """
    options = {word.split("=")[0] for word in words}
    if "--report-after-run" in options:
        raise SystemExit(
            "found --report-after-run, accepted: two commands, the run and then `make report`"
        )
    return "--report" in options


def unknown_target(target: str, rules: Iterable[str], files: Iterable[str]) -> str:
    """Say that nothing makes a target, with the nearest that there is.

    Parameters
    ----------
    target : str
        What was asked for.
    rules : iterable of str
        Names that may be asked for: of rules that ask for files, not of those that make them.
    files : iterable of str
        Paths that may be asked for.
    """
    from torrey.base.budgets import quoted
    from torrey.base.nearest import nearest
    from torrey.config.nodes import listed

    if "/" not in target:
        names = sorted(rules)
        near = nearest(target, names)
        accepted = f"a file below results/, or one of {listed(names)}"
    else:
        near, there = _nearest_file(target, set(files))
        accepted = f"a file that the configuration asks for: {there}"
    hint = f' (did you mean "{near}"?)' if near else ""
    return f"found the target {quoted(target)}{hint}, accepted: {accepted}"


def _nearest_file(target: str, files: set[str]) -> tuple[str | None, str]:
    """Return the nearest path, folder by folder, and what there is where the target leaves it."""
    from torrey.base.nearest import nearest
    from torrey.config.nodes import listed

    found, there = "", ""
    parts = target.split("/")
    for part in parts:
        names = sorted({file[len(found) :].split("/")[0] for file in files})
        if part not in names:
            there = there or f"{found} with {listed(names)}"
            near = nearest(part, names)
            if near is None:
                return None, there
            part = near
        last = f"{found}{part}"
        found = f"{last}/"
        files = {file for file in files if file.startswith(found)} or ({last} & files)
    return (last, there) if last in files else (None, there or f"{last} is a folder")
