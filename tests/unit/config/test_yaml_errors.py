"""A file that is not YAML is refused at the line to mend, with what to write there."""

from __future__ import annotations

import pytest

CASES = {
    "tab": ("studies:\n\tmine: 3\n", 2, "a tab at the beginning", "blanks in the place of tabs"),
    "tab after blanks": ("studies:\n  \tmine: 3\n", 2, "a tab at the", "blanks in the place"),
    "tab before a value": ("a:\tb\n", 1, "a tab before a value", "blanks in the place of tabs"),
    "less indented": ("a:\n  b:\n    c: 1\n   d: 2\n", 4, '"d: 2" with 3 blanks', "2 or 4 here"),
    "more indented": ("a:\n  b: 1\n    c: 2\n", 3, "indented more than line 2", "as many blanks"),
    "first indented": (" a: 1\nb: 2\n", 2, '"b: 2" with no blank', "as many blanks"),
    "item indented": ("a:\n  - 1\n - 2\n", 3, '"- 2" with 1 blank', "as many blanks"),
    "no colon": ("a:\n  b\n    c: 1\n", 2, '"b"', 'a colon after the key: "b:"'),
    "no colon, value": ("a:\n  b 1\n  c: 2\n", 2, '"b 1"', 'a colon after the key: "b: 1"'),
    "no blank": ("a:\n  b:1\n  c: 2\n", 2, '"b:1"', 'a blank after the colon: "b: 1"'),
    "two colons": ("a: b: c\n", 1, "two colons", "one key in a line"),
    "open list": ("a: [1, 2\nb: 3\n", 1, 'a list that begins with "["', '"]" at its end'),
    "open mapping": ("a: {b: 1\nc: 3\n", 1, 'a mapping that begins with "{"', '"}" at its end'),
    "no comma": ("a: {b: 1 c: 2}\n", 1, 'holds ":" where a comma', "commas between"),
    "open quote": ('a: "b\nc: 1\n', 1, "a quotation mark without a second", "in pairs"),
    "after a quote": ('a: "b" c\n', 1, '"c" after the end of a value', "one value for each key"),
    "reserved": ("a: %b\n", 1, 'begins with "%"', "quotation marks around it"),
    "backslash": ('a: "C:\\work"\n', 1, "a backslash", "two backslashes"),
    "alias": ("a: *b\n", 1, 'the alias "*b"', '"&b" at the value'),
    "documents": ("a: 1\n---\nb: 1\n", 2, "a second document", "one document"),
    "comparison": ("a: >1000\n", 1, 'begins with ">"', "a value"),
    "twice": ("figures:\nfigures:\n", 2, "the key a second time (first in line 1)", "once"),
}


@pytest.mark.parametrize(("text", "line", "found", "accepted"), CASES.values(), ids=CASES.keys())
def test_what_is_not_yaml_is_refused_at_the_line_to_mend(messages, text, line, found, accepted):
    (message,) = messages(text)
    where, _, said = message.partition(": ")
    assert where.endswith(f"mine.yaml:{line}")
    before, _, after = said.partition(", accepted: ")
    assert found in before
    assert accepted in after
