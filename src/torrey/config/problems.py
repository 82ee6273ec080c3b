"""What is wrong with a configuration, said to the person who can mend it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from torrey.base.budgets import MOST_PROBLEMS_SHOWN, printable, shortened
from torrey.base.errors import KeyPath, TorreyError, dotted


@dataclass(frozen=True)
class Problem:
    """One problem: where it is, what was found, what is accepted. Line 0 is the whole file."""

    file: str
    line: int
    path: KeyPath
    found: str
    accepted: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        key = f"{dotted(self.path)}: " if self.path else ""
        return printable(f"{where}: {key}found {shortened(self.found)}, accepted: {self.accepted}")


class ConfigError(TorreyError, ValueError):
    """A configuration that cannot be used; holds all its problems, in the order of the file.

    Its message shows the first hundred of them.

    Parameters
    ----------
    problems : iterable of Problem
        Each with its file, its line and a message; kept, sorted, as ``problems``.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.file, problem.line)))
        super().__init__(self.problems)

    def __str__(self) -> str:
        shown = list(map(str, self.problems[:MOST_PROBLEMS_SHOWN]))
        more = len(self.problems) - len(shown)
        return "\n".join([*shown, f"and {more} more problems"] if more else shown)
