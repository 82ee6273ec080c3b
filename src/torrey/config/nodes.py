"""YAML with line numbers.

Every scalar stays the text that its author wrote: what it means is decided by the models, so that
``1e-5``, ``on`` and ``1:30`` hold no surprises. Duplicate keys are refused, and so is a file that
asks for more than `torrey.base.budgets` allows: values are counted before aliases are expanded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from torrey.base.budgets import (
    MOST_CHARACTERS,
    MOST_CONFIGURATION_BYTES,
    MOST_ITEMS_SHOWN,
    MOST_LEVELS,
    MOST_NAME_CHARACTERS,
    MOST_NODES,
    quoted,
    read_bytes,
)
from torrey.base.errors import InputError, KeyPath
from torrey.config.problems import ConfigError, Problem
from torrey.config.yaml_errors import explain

_TOO_DEEP = "a value nested too deeply", f"at most {MOST_LEVELS} levels"


@dataclass(frozen=True)
class Node:
    """A mapping, a list, a text or nothing in a file, and the line where its key stands."""

    content: dict[str, Node] | list[Node] | str | None
    file: str
    line: int

    def plain(self) -> object:
        """Return the value without its places."""
        if isinstance(self.content, dict):
            return {key: node.plain() for key, node in self.content.items()}
        if isinstance(self.content, list):
            return [node.plain() for node in self.content]
        return self.content

    def walk(self, path: KeyPath) -> Iterator[Node]:
        """Yield this node and those along a path, as far as they exist."""
        yield self
        if not path:
            return
        child: Node | None = None
        if isinstance(self.content, dict):
            child = self.content.get(str(path[0]))
        elif isinstance(self.content, list) and isinstance(path[0], int):
            child = self.content[path[0]] if path[0] < len(self.content) else None
        if child is not None:
            yield from child.walk(path[1:])

    def describe(self) -> str:
        """Say what is here, for a message."""
        if isinstance(self.content, dict):
            return f"the keys {listed(self.content)}" if self.content else "an empty mapping"
        if isinstance(self.content, list):
            return f"a list of {len(self.content)}" if self.content else "an empty list"
        return "nothing" if self.content is None else quoted(self.content)


def listed(names: Sequence[str] | dict[str, Node]) -> str:
    """Names with commas between them; of very many the first ones."""
    shown = list(names)[:MOST_ITEMS_SHOWN]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def read_yaml(path: Path) -> Node:
    """Read one file.

    Raises
    ------
    ConfigError
        If the file cannot be read, is too large, is not YAML, or holds a key twice; all such keys
        are listed.
    """
    file = str(path)
    try:
        content = read_bytes(path, MOST_CONFIGURATION_BYTES)
    except InputError as error:
        accepted = error.accepted.replace("a file", "a YAML file")
        raise ConfigError([Problem(file, 0, (), error.found, accepted)]) from None
    try:
        root = _compose(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigError([Problem(file, line, (), *_encoding(content))]) from None
    except _Refusal as refusal:
        problem = Problem(file, refusal.line, refusal.path, refusal.found, refusal.accepted)
        raise ConfigError([problem]) from None
    if root is None:
        return Node(None, file, 1)
    problems: list[Problem] = []
    node = _convert(root, file, 1, (), problems)
    if problems:
        raise ConfigError(problems)
    return node


def _encoding(content: bytes) -> tuple[str, str]:
    """What is found of a file in another encoding, and how to mend it."""
    found = "text that is not UTF-8"
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return f"{found} but UTF-16", "UTF-8: save the file in this encoding"
    accepted = "UTF-8: save the file in this encoding, or `iconv -f latin1 -t utf8 OLD > NEW`"
    return found, accepted


def merge_entries(roots: Sequence[Node]) -> Node:
    """Merge files entry by entry of each section; a later entry replaces an earlier one.

    Each root must be a mapping of mappings.
    """
    merged: dict[str, Node] = {}
    for root in roots:
        assert isinstance(root.content, dict)
        for section, node in root.content.items():
            before = merged[section].content if section in merged else {}
            assert isinstance(before, dict)
            assert isinstance(node.content, dict)
            merged[section] = Node(before | node.content, node.file, node.line)
    return Node(merged, roots[-1].file if roots else "", 1)


class _Refusal(Exception):  # noqa: N818  (no error of the program)
    """Where the reading of a file stops, and why."""

    def __init__(
        self, line: int, found: str, accepted: str = "valid YAML", path: KeyPath = ()
    ) -> None:
        super().__init__(line, found, accepted, path)
        self.line = line
        self.found = found
        self.accepted = accepted
        self.path = path


class _Loader(yaml.SafeLoader):
    """Composes nodes while it counts what they will be once aliases are expanded."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._path: list[str | int] = []
        self._open: list[str | None] = []
        self._sizes: dict[yaml.Node, int] = {}
        #: Values of each node that is being composed, and of the file.
        self._counts = [0]

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose one node, unless there are too many of them, or too many in each other."""
        event = self.peek_event()
        alias = event.anchor if isinstance(event, yaml.AliasEvent) else None
        line = event.start_mark.line + 1
        part = index.value if isinstance(index, yaml.ScalarNode) else index
        self._path.append(part if isinstance(part, str | int) else "?")
        if len(self._path) > MOST_LEVELS + 2:
            raise _Refusal(line, *_TOO_DEEP, tuple(self._path[1 : MOST_LEVELS + 1]))
        if alias is not None and alias in self._open:
            found = f'{_TOO_DEEP[0]}: the alias "{alias}" stands in what it repeats'
            raise _Refusal(line, found, _TOO_DEEP[1], tuple(self._path[1:]))
        self._counts.append(1)
        self._open.append(event.anchor if alias is None else None)
        node = super().compose_node(parent, index)
        self._open.pop()
        count = self._counts.pop()
        if node is not None:
            count = self._sizes.setdefault(node, count)
        self._counts[-1] += count
        if self._counts[-1] > MOST_NODES:
            found = f"more than {MOST_NODES} keys and values, aliases expanded"
            raise _Refusal(line, found, f"at most {MOST_NODES} in a file")
        self._path.pop()
        return node


def _compose(text: str) -> yaml.Node | None:
    """Compose the one document of a file.

    Raises
    ------
    _Refusal
        If it is not YAML, or asks for too much.
    """
    loader = None
    try:
        loader = _Loader(text)
        node: yaml.Node | None = loader.get_single_node()
        return node
    except yaml.MarkedYAMLError as error:
        said = explain(error, text)
        raise _Refusal(said.line, said.found, said.accepted) from None
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise _Refusal(line, f"the character {chr(error.character)!a}, which YAML lacks") from None
    except ValueError:  # of chr() and int(), which the scanner trusts
        line = loader.line + 1 if loader else 0
        raise _Refusal(line, "an escape of a character that does not exist") from None


def _convert(node: yaml.Node, file: str, line: int, path: KeyPath, problems: list[Problem]) -> Node:
    if len(path) > MOST_LEVELS:
        problems.append(Problem(file, line, path, *_TOO_DEEP))
        return Node(None, file, line)
    if isinstance(node, yaml.MappingNode):
        return Node(_convert_mapping(node, file, path, problems), file, line)
    if isinstance(node, yaml.SequenceNode):
        items = [
            _convert(item, file, item.start_mark.line + 1, (*path, i), problems)
            for i, item in enumerate(node.value)
        ]
        return Node(items, file, line)
    if node.tag == "tag:yaml.org,2002:null":
        return Node(None, file, line)
    text = str(node.value)
    if len(text) > MOST_CHARACTERS:
        found = f"a text of {len(text)} characters, {quoted(text)}"
        problems.append(Problem(file, line, path, found, f"at most {MOST_CHARACTERS} characters"))
    return Node(text[:MOST_CHARACTERS], file, line)


def _convert_mapping(
    node: yaml.MappingNode, file: str, path: KeyPath, problems: list[Problem]
) -> dict[str, Node]:
    content: dict[str, Node] = {}
    merged: dict[str, Node] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            problems.append(Problem(file, line, path, "a key that is not a word", "words as keys"))
            continue
        name = str(key.value)
        if len(name) > MOST_NAME_CHARACTERS:
            found = f"a key of {len(name)} characters, {quoted(name)}"
            accepted = f"at most {MOST_NAME_CHARACTERS} characters"
            problems.append(Problem(file, line, path, found, accepted))
            continue
        here = (*path, name)
        if key.tag == "tag:yaml.org,2002:merge":
            for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                extra = _convert(source, file, line, here, problems)
                if isinstance(extra.content, dict):
                    merged = extra.content | merged
                else:
                    problems.append(Problem(file, line, here, extra.describe(), "a mapping"))
        elif name in content:
            again = f"the key a second time (first in line {content[name].line})"
            problems.append(Problem(file, line, here, again, "each key once"))
        else:
            content[name] = _convert(value, file, line, here, problems)
    return merged | content
