"""YAML with line numbers.

Every scalar stays the text that its author wrote: what it means is decided by the models, so that
``1e-5``, ``on`` and ``1:30`` hold no surprises. Duplicate keys are refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from torrey.config.problems import ConfigError, Problem
from torrey.errors import KeyPath

_DEEPEST = 20


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
            return f"the keys {', '.join(self.content)}" if self.content else "an empty mapping"
        if isinstance(self.content, list):
            return f"a list of {len(self.content)}" if self.content else "an empty list"
        return "nothing" if self.content is None else f'"{self.content}"'


def read_yaml(path: Path) -> Node:
    """Read one file.

    Raises
    ------
    ConfigError
        If the file cannot be read, is not YAML, or holds a key twice; all such keys are listed.
    """
    file = str(path)
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "text that is not UTF-8"
        raise ConfigError(
            [Problem(file, 0, (), str(reason), "a YAML file that can be read")]
        ) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        what = " ".join(filter(None, [error.context, error.problem]))
        raise ConfigError([Problem(file, line, (), what, "valid YAML")]) from None
    except yaml.YAMLError as error:
        raise ConfigError([Problem(file, 0, (), str(error), "valid YAML")]) from None
    if root is None:
        return Node(None, file, 1)
    problems: list[Problem] = []
    node = _convert(root, file, 1, (), problems)
    if problems:
        raise ConfigError(problems)
    return node


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


def _convert(node: yaml.Node, file: str, line: int, path: KeyPath, problems: list[Problem]) -> Node:
    if len(path) > _DEEPEST:
        problems.append(Problem(file, line, path, "a value nested too deeply", "at most 20 levels"))
        return Node(None, file, line)
    if isinstance(node, yaml.MappingNode):
        return Node(_convert_mapping(node, file, path, problems), file, line)
    if isinstance(node, yaml.SequenceNode):
        items = [
            _convert(item, file, item.start_mark.line + 1, (*path, i), problems)
            for i, item in enumerate(node.value)
        ]
        return Node(items, file, line)
    return Node(None if node.tag == "tag:yaml.org,2002:null" else str(node.value), file, line)


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
