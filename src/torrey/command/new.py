"""``torrey new``: a configuration that can be run, from options or from answers to questions."""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from torrey.base.errors import InputError, dotted
from torrey.base.units import Kind, parse
from torrey.command.template import CELLS, Choice, configuration
from torrey.config.models import NAME_PATTERN
from torrey.config.problems import ConfigError
from torrey.gradients.waveforms import KINDS
from torrey.models import registry
from torrey.workflow.opening import read_configuration

_OPTIONS: Final = (
    "name",
    "cell",
    "radius",
    "outside",
    "inside",
    "period",
    "permeability",
    "b",
    "waveform",
    "times",
    "directions",
    "models",
    "tolerance",
)


def run(arguments: argparse.Namespace) -> int:
    """Write a configuration, and say how to go on.

    Raises
    ------
    InputError
        If the file is there already, or the options do not make a configuration.
    """
    out = None if arguments.file == "-" else Path(arguments.file)
    if out is not None:
        _refuse(out, arguments.force)
    given = {name: getattr(arguments, name) for name in _OPTIONS if getattr(arguments, name)}
    _refuse_swallowed(given)
    if "times" in given:
        given["times"] = _times(given["times"])
    choice = Choice(**given)
    asks = not given and sys.stdin.isatty() and sys.stderr.isatty()
    text = asked(choice, _ask) if asks else checked(choice)
    if out is None:
        print(text, end="")
        return 0
    out.write_text(text, encoding="utf-8")
    print(f"{out} is written. What will run: torrey check {out}")
    return 0


def _refuse(out: Path, force: bool) -> None:
    if out.suffix not in (".yaml", ".yml"):
        raise InputError(f'the file "{out}"', "a name that ends in .yaml, or - for the terminal")
    if out.exists() and not force:
        raise InputError("a file that is there already", "another name, or --force", at=(str(out),))


def _refuse_swallowed(given: Mapping[str, object]) -> None:
    """A name of a file behind an option with several values counts as one of them."""
    for option, values in given.items():
        for value in values if isinstance(values, list) else ():
            if value.endswith((".yaml", ".yml")):
                accepted = f"a file before the options: torrey new {value} --{option} ..."
                raise InputError(f'the file "{value}"', accepted, at=(f"--{option}",))


def _times(words: Sequence[str]) -> dict[str, str]:
    """Parameters of a waveform, written ``delta="5 ms"``."""
    found = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or not value.strip():
            raise InputError(f'"{word}"', 'NAME=VALUE, such as delta="5 ms"', at=("--times",))
        found[name.strip()] = value
    return found


def checked(choice: Choice) -> str:
    """Return the text of a configuration that the workflow takes.

    Raises
    ------
    InputError
        If it would not; the message names the keys of the file that was not written.
    """
    text = configuration(choice)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "new.yaml"
        file.write_text(text, encoding="utf-8")
        try:
            read_configuration([file])
        except ConfigError as error:
            lines = [
                f"{dotted(problem.path)}: found {problem.found}, accepted: {problem.accepted}"
                for problem in error.problems
            ]
            raise NoConfigurationError("\n".join(lines)) from None
    return text


class NoConfigurationError(InputError):
    """Options or answers that do not make a configuration: a line for each fault."""

    def __init__(self, lines: str) -> None:
        super().__init__("", "")
        self._lines = lines

    def __str__(self) -> str:
        return self._lines


# ---- questions ----


@dataclass(frozen=True)
class Question:
    """A question on the terminal: which value it asks for, and what is read of the answer.

    Attributes
    ----------
    key, text : str
        Field of `Choice`, and what is asked.
    read : callable
        Makes the value of an answer; raises `InputError`.
    """

    key: str
    text: str
    read: Callable[[str], Any]


def _quantity(kind: Kind) -> Callable[[str], str]:
    def read(answer: str) -> str:
        parse(answer, kind)
        return answer

    return read


def _several(read: Callable[[str], str]) -> Callable[[str], tuple[str, ...]]:
    return lambda answer: tuple(read(part.strip()) for part in answer.split(",") if part.strip())


def _one_of(names: Sequence[str]) -> Callable[[str], str]:
    def read(answer: str) -> str:
        if answer not in names:
            raise InputError(f'"{answer}"', ", ".join(names))
        return answer

    return read


def _model(answer: str) -> str:
    registry.parse(answer)
    return answer


def _number(answer: str) -> str:
    try:
        float(answer)
    except ValueError:
        raise InputError(f'"{answer}"', "a number, such as 0.3") from None
    return answer


def _name(answer: str) -> str:
    if not re.fullmatch(NAME_PATTERN, answer):
        raise InputError(f'"{answer}"', "letters, digits, _ and - in a name")
    return answer


QUESTIONS: Final = (
    Question("name", "Name of the study", _name),
    Question("cell", f"Kind of cell ({', '.join(CELLS)})", _one_of([*CELLS])),
    Question("radius", "Radius in units of the period; of layers the first thickness", _number),
    Question("outside", "Diffusivity outside", _quantity("diffusivity")),
    Question("inside", "Diffusivity inside", _quantity("diffusivity")),
    Question("period", "Period; several with commas", _several(_quantity("length"))),
    Question("permeability", "Permeability of the membranes", _several(_quantity("permeability"))),
    Question("waveform", f"Waveform ({', '.join(KINDS)})", _one_of([*KINDS])),
    Question("b", "b-values, with commas", _several(_quantity("b_value"))),
    Question("models", "Models beside the reference", _several(_model)),
)


def asked(choice: Choice, ask: Callable[[str], str]) -> str:
    """Return a configuration from answers; what cannot be used is asked again.

    Parameters
    ----------
    choice : Choice
        What an empty answer means.
    ask : callable
        Puts a question, and returns the answer.
    """
    while True:
        for question in QUESTIONS:
            choice = _answered(choice, question, ask)
        try:
            return checked(choice)
        except InputError as error:
            print(f"{error}\nOnce more, please:", file=sys.stderr)


def _answered(choice: Choice, question: Question, ask: Callable[[str], str]) -> Choice:
    before = getattr(choice, question.key)
    shown = before if isinstance(before, str) else ", ".join(before)
    while True:
        answer = ask(f"{question.text} [{shown}]: ").strip()
        if not answer:
            return choice
        try:
            return replace(choice, **{question.key: question.read(answer)})
        except InputError as error:
            print(error, file=sys.stderr)


def _ask(question: str) -> str:
    """Put a question beside what is printed to a file, and read a line."""
    print(question, end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    if not line:
        raise InputError(
            "the end of the answers", "an answer, or Enter for what stands in brackets"
        )
    return line
