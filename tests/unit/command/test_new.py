"""What ``torrey new`` writes is a configuration that is accepted as it is."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from torrey.command.main import main
from torrey.command.new import QUESTIONS, asked
from torrey.command.template import CELLS, Choice, configuration
from torrey.gradients.waveforms import KINDS
from torrey.workflow.opening import read_configuration


def read(tmp_path: Path, *words: str):
    """The configuration that a command writes."""
    file = tmp_path / "mine.yaml"
    assert main(["new", str(file), *words]) == 0
    return read_configuration([file])


@pytest.mark.parametrize("cell", CELLS)
def test_every_kind_of_cell_is_accepted(tmp_path, cell):
    config = read(tmp_path, "--cell", cell)
    (study,) = config.studies.values()
    assert study.shape.kind == cell
    assert study.shape.dimension == CELLS[cell]
    assert config.figures["mine_signals"].studies == ("mine",)


def test_signals_over_nothing_are_not_drawn(tmp_path):
    one = ("--period", "5 um", "--b", "1000 s/mm2", "--permeability", "1e-5 m/s")
    assert read(tmp_path, *one, "--times", "Delta=20 ms").figures == {}
    (tmp_path / "mine.yaml").unlink()
    assert list(read(tmp_path, *one, "--times", "Delta=20 ms, 30 ms").figures) == ["mine_signals"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_waveform_is_accepted(tmp_path, kind):
    (study,) = read(tmp_path, "--waveform", kind).studies.values()
    assert {m.waveform.kind for m in study.sweep.protocol.measurements} <= {
        kind,
        "filtered-encoding",
    }


def test_options_stand_in_the_file(tmp_path):
    config = read(
        tmp_path,
        *("--name", "axons", "--radius", "0.45", "--outside", "2 um2/ms", "--inside", "1 um2/ms"),
        *("--period", "4 um", "6 um", "--permeability", "0 m/s", "--b", "1 ms/um2"),
        *("--times", "Delta=20 ms, 40 ms", "delta=3 ms"),
        *("--directions", "1,0", "1,1", "--models", "P2", "--tolerance", "1e-4"),
    )
    study = config.studies["axons"]
    assert study.sweep.periods == (4.0, 6.0)
    assert study.sweep.axes()["Delta"] == (20.0, 40.0)
    assert study.sweep.axes()["b"] == (1.0,)
    assert study.models == ("reference", "P2")
    assert (study.tolerance, len(study.sweep.protocol.directions)) == (1e-4, 2)
    assert dict(study.shape.to_dict())["cell_1_radius"] == 0.45


def test_a_file_that_is_there_is_kept_unless_one_says_so(tmp_path, capsys):
    file = tmp_path / "mine.yaml"
    file.write_text("mine")
    assert main(["new", str(file)]) == 1
    assert "found a file that is there already, accepted: another name, or --force" in (
        capsys.readouterr().err
    )
    assert file.read_text() == "mine"
    assert main(["new", str(file), "--force"]) == 0
    assert file.read_text() == configuration(Choice())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--period", "5"], 'studies.mine.period: found "5" (a bare number), accepted: a length'),
        (["--models", "R99"], 'studies.mine.models[1]: found "R99", accepted: reference, R0'),
        (["--times", "delta=30 ms"], "studies.mine.waveform.delta: found delta = 30 ms"),
        (["--times", "Dleta=3 ms"], '--times: found "Dleta" for the waveform pgse, accepted: its'),
        (["--times", "delta"], '--times: found "delta", accepted: NAME=VALUE'),
        (["--cell", "cubes"], '--cell: found "cubes", accepted: discs, spheres'),
        (["--waveform", "pgs"], '--waveform: found "pgs", accepted: pgse'),
        (
            ["--directions", "1,0", "other.yaml"],
            '--directions: found the file "other.yaml", accepted: a file before the options: '
            "torrey new other.yaml --directions",
        ),
        (["--name", "a b"], 'geometries.a b_cell: found the name "a b_cell"'),
    ],
)
def test_options_that_make_no_configuration_write_nothing(tmp_path, capsys, words, said):
    file = tmp_path / "mine.yaml"
    assert main(["new", str(file), *words]) == 1
    message = capsys.readouterr().err
    assert message.startswith(said)
    assert str(tmp_path) not in message
    assert not file.exists()


def test_answers_make_a_configuration_and_wrong_ones_are_asked_again(capsys):
    answers = iter(
        ["a b", "cells", "cubes", "layers", "0.6", "", "", "5", "5 um, 6 um", "0 m/s", "", "", "R0"]
    )
    questions: list[str] = []

    def ask(question: str) -> str:
        questions.append(question)
        return next(answers)

    text = asked(Choice(), ask)
    assert "thicknesses: [0.6, 0.4]" in text
    assert "period: [5 um, 6 um]" in text
    assert "models: [reference, R0]" in text
    assert len(questions) == len(QUESTIONS) + 3
    refused = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in refused] == [
        'found "a b"',
        'found "cubes"',
        'found "5" (a bare number)',
    ]


def test_answers_that_do_not_fit_together_are_asked_once_more(capsys):
    first = [""] * 4 + ["0 mm2/s"] + [""] * 5
    second = [""] * 4 + ["1 um2/ms"] + [""] * 5
    answers = iter([*first, *second])
    assert "inside: 1 um2/ms" in asked(Choice(), lambda _: next(answers))
    assert "Once more, please:" in capsys.readouterr().err


def test_without_a_terminal_nothing_is_asked(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("never read"))
    assert set(read(tmp_path).studies) == {"mine"}
