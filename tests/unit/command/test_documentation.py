"""What docs/command.md shows is what the commands say."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from torrey.command.arguments import COMMANDS, parse
from torrey.command.main import main

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "command.md").read_text(encoding="utf-8")
LINES = [
    line
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.S)
    for line in block.replace("\\\n", "").splitlines()
]
CALLS = [shlex.split(line, comments=True) for line in LINES if line.startswith("torrey ")]


def test_every_command_has_its_section():
    for name in COMMANDS:
        assert re.search(rf"^## .*`torrey {name}`", PAGE, re.M), name


@pytest.mark.parametrize("words", CALLS, ids=" ".join)
def test_the_words_that_are_shown_are_accepted(words):
    end = words.index("|") if "|" in words else None
    assert parse(words[1:end]).command == words[1]


def test_what_a_check_says_is_what_is_shown(monkeypatch, tmp_path, capsys):
    (block,) = re.findall(r"```\n\$ torrey check (.*?)\n(.*?)\n\.\.\.\n```", PAGE, re.S)
    file, shown = block
    (tmp_path / "config").mkdir()
    (tmp_path / file).write_text((ROOT / file).read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(["check", file]) == 0
    assert capsys.readouterr().out.startswith(shown)


@pytest.mark.parametrize("words", [call for call in CALLS if call[1] in ("kinds", "figures")])
def test_the_lists_that_are_shown_exist(words):
    assert main(words[1:]) == 0
