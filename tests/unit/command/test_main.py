"""The command: its words, its errors in one message, and how little it loads to begin."""

from __future__ import annotations

import subprocess
import sys

import pytest

import torrey
from torrey.command.arguments import COMMANDS, parse
from torrey.command.main import main


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["chek", "a.yaml"], 'found the command "chek" (did you mean "check"?), accepted: new, '),
        (["nothing"], 'found the command "nothing", accepted: new, check, figures'),
        (["new", "--perid", "5 um"], 'found "--perid" (did you mean "--period"?), accepted: '),
        (["check"], "the following arguments are required: FILE"),
    ],
)
def test_words_that_do_not_fit_are_told_in_one_line(capsys, words, said):
    with pytest.raises(SystemExit) as stop:
        main(words)
    message = capsys.readouterr().err
    assert stop.value.code == 2
    assert said in message
    assert message.count("\n") == 1


def test_no_word_is_answered_by_the_list_of_commands(capsys):
    with pytest.raises(SystemExit) as stop:
        main([])
    assert stop.value.code == 2
    assert all(f"    {name}" in capsys.readouterr().err for name in list(COMMANDS)[:1])


def test_the_version_is_that_of_the_library(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"torrey {torrey.__version__}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_help(capsys, name):
    with pytest.raises(SystemExit) as stop:
        parse([name, "--help"])
    assert stop.value.code == 0
    assert COMMANDS[name].about[1:] in " ".join(capsys.readouterr().out.split())


def test_errors_of_the_user_are_one_message_and_code_1(capsys, tmp_path):
    assert main(["check", str(tmp_path / "nothing.yaml")]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"{tmp_path}/nothing.yaml: found No such file")
    assert shown.err.count("\n") == 1


def test_a_file_that_cannot_be_written_is_told(capsys, tmp_path):
    assert main(["new", str(tmp_path / "no_folder" / "mine.yaml")]) == 1
    message = capsys.readouterr().err
    assert message == f"{tmp_path}/no_folder/mine.yaml: No such file or directory\n"


def test_the_help_loads_nothing_of_the_library_but_this_room_and_a_few_words():
    call = (
        "import sys; from torrey.command.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print(*sorted(name for name in sys.modules if name.startswith(('torrey', 'numpy'))))"
    )
    done = subprocess.run([sys.executable, "-c", call], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].split() == [
        "torrey",
        "torrey.base",
        "torrey.base.budgets",
        "torrey.base.errors",
        "torrey.base.nearest",
        "torrey.command",
        "torrey.command.arguments",
        "torrey.command.main",
    ]
