"""What the reader of YAML could not read, in the words of the person who wrote the file.

The reader says where it stopped and what it expected there. What its author got wrong often stands
elsewhere: a missing colon shows one line later, a list that nobody closed at the end of the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import yaml

from torrey.base.budgets import quoted


@dataclass(frozen=True)
class Unreadable:
    """The line to look at (the first is 1, 0 is the whole file), what is there, what should be."""

    line: int
    found: str
    accepted: str


@dataclass(frozen=True)
class _Stop:
    """Where the reader stopped, and where what it was reading had begun."""

    lines: list[str]
    line: int
    column: int
    begin: int
    problem: str

    def text(self, line: int) -> str:
        """Return a line without the blanks around it."""
        return self.lines[line - 1].strip() if 0 < line <= len(self.lines) else ""

    def above(self) -> int:
        """Return the last line above that says something."""
        line = self.line - 1
        while line > 0 and (not self.text(line) or self.text(line).startswith("#")):
            line -= 1
        return line


def explain(error: yaml.MarkedYAMLError, text: str) -> Unreadable:
    """Say what an error of the reader means.

    Parameters
    ----------
    error : yaml.MarkedYAMLError
        What the reader raised.
    text : str
        The whole file.
    """
    mark = error.problem_mark
    line, column = (mark.line + 1, mark.column) if mark else (0, 0)
    begin = error.context_mark.line + 1 if error.context_mark else line
    problem = str(error.problem or "")
    # Lines as the reader counts them: those of str.splitlines() are more.
    stop = _Stop(re.split("\r\n|[\r\n\x85\u2028\u2029]", text), line, column, begin, problem)
    for sign, says in _MEANINGS.items():
        if re.search(sign, problem) and (meaning := says(stop)):
            return meaning
    what = " ".join(filter(None, [error.context, error.problem]))
    return Unreadable(line, what, "valid YAML")


def _tab(stop: _Stop) -> Unreadable | None:
    before = stop.lines[stop.line - 1][: stop.column]
    where = "before a value" if before.strip() else "at the beginning of the line"
    return Unreadable(stop.line, f"a tab {where}", "blanks in the place of tabs")


def _reserved(stop: _Stop) -> Unreadable | None:
    sign = stop.problem.split("'")[1]
    found = f'a text that begins with "{sign}", which YAML keeps for itself'
    return Unreadable(stop.line, found, 'quotation marks around it, such as "..."')


def _no_colon(stop: _Stop) -> Unreadable | None:
    """A line that should be a key with its value, and was taken for a text of several lines."""
    return _without_colon(stop.begin, stop.text(stop.begin))


def _key_in_value(stop: _Stop) -> Unreadable | None:
    here, above = stop.lines[stop.line - 1], stop.above()
    if re.search(r":\s", here[: stop.column]):
        found = f"two colons in {quoted(stop.text(stop.line))}"
        accepted = "one key in a line, or quotation marks around a value with a colon"
        return Unreadable(stop.line, found, accepted)
    line_above = stop.text(above)
    if re.search(r":(\s|$)", line_above):
        accepted = (
            f"as many blanks as the keys beside it: line {above} is {quoted(line_above)}, which "
            "has its value and holds no keys"
        )
        return Unreadable(stop.line, f"a key indented more than line {above}", accepted)
    return _without_colon(above, line_above)


def _without_colon(line: int, text: str) -> Unreadable | None:
    if not text:
        return None
    key = re.match(r"[\w-]+(?=:\S)", text)
    if key:
        after = text[key.end() + 1 :]
        accepted = f"a blank after the colon: {quoted(f'{key[0]}: {after}')}"
    else:
        words = text.split(maxsplit=1)
        accepted = f"a colon after the key: {quoted(': '.join(words) if words[1:] else f'{text}:')}"
    return Unreadable(line, quoted(text), accepted)


def _indented(stop: _Stop) -> Unreadable | None:
    blanks = len(stop.lines[stop.line - 1]) - len(stop.lines[stop.line - 1].lstrip(" "))
    if stop.column > blanks:  # in the middle of a line
        after = stop.lines[stop.line - 1][stop.column :].strip()
        return Unreadable(
            stop.line, f"{quoted(after)} after the end of a value", "one value for each key"
        )
    found = f"{quoted(stop.text(stop.line))} with {_blanks(blanks)} before it"
    accepted = "as many blanks as before the keys or items beside it"
    if "sequence" not in stop.problem and (beside := _indentations(stop, blanks)):
        accepted += f", which are {beside} here"
    return Unreadable(stop.line, found, accepted)


def _indentations(stop: _Stop, blanks: int) -> str:
    """Numbers of blanks that would have been right: those of the open keys above."""
    open_keys: list[int] = []
    for line in range(stop.line - 1, 0, -1):
        text = stop.lines[line - 1]
        depth = len(text) - len(text.lstrip(" "))
        if text.strip() and not text.strip().startswith("#"):
            if not open_keys or depth < open_keys[0]:
                open_keys.insert(0, depth)
            if depth < blanks:
                break
    return "" if blanks in open_keys else " or ".join(map(str, open_keys))


def _blanks(count: int) -> str:
    return "no blank" if count == 0 else "1 blank" if count == 1 else f"{count} blanks"


def _open_bracket(stop: _Stop) -> Unreadable | None:
    close = "]" if "']'" in stop.problem.split(", but")[0] else "}"
    open_, noun = {"]": ("[", "list"), "}": ("{", "mapping")}[close]
    same = "" if stop.begin == stop.line else f" (not closed until line {stop.line})"
    found = f'a {noun} that begins with "{open_}"{same}'
    if stop.begin == stop.line:
        got = stop.problem.split("but got ")[-1].strip("'")
        found += f' and holds "{got}" where a comma or its end should be'
    return Unreadable(stop.begin, found, f'commas between its entries and "{close}" at its end')


def _open_quote(stop: _Stop) -> Unreadable | None:
    found = f"a quotation mark without a second one in {quoted(stop.text(stop.begin))}"
    return Unreadable(stop.begin, found, "quotation marks in pairs")


def _escape(stop: _Stop) -> Unreadable | None:
    accepted = "'...', in which a backslash is a letter as others, or two backslashes"
    return Unreadable(stop.line, 'a backslash between "..." that means nothing', accepted)


def _alias(stop: _Stop) -> Unreadable | None:
    name = stop.problem.split("'")[1]
    found = f'the alias "*{name}", which nothing above it is called'
    return Unreadable(stop.line, found, f'"&{name}" at the value that it repeats')


def _second_document(stop: _Stop) -> Unreadable | None:
    return Unreadable(stop.line, "a second document after ---", "one document in a file")


def _block_sign(stop: _Stop) -> Unreadable | None:
    found = f'a text that begins with ">" or "|" in {quoted(stop.text(stop.line))}'
    return Unreadable(stop.line, found, "a value: YAML takes these signs for texts of many lines")


_MEANINGS: Final[dict[str, Callable[[_Stop], Unreadable | None]]] = {
    r"found character '\\t'": _tab,
    "found character '.+' that cannot start": _reserved,
    "could not find expected ':'": _no_colon,
    "mapping values are not allowed": _key_in_value,
    "expected <block end>|expected '<document start>'": _indented,
    "expected ',' or '[]}]'": _open_bracket,
    "unexpected end of stream": _open_quote,
    "unknown escape character": _escape,
    "undefined alias": _alias,
    "another document": _second_document,
    "expected chomping": _block_sign,
}
"""What the reader of YAML says, and what it means; the first that fits is told."""
