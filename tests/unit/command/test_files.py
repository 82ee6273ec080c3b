"""``torrey show`` and ``torrey export`` say what is in a file, and refuse what is none."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import netCDF4
import numpy as np
import pandas
import pytest

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import Variable
from torrey.command.main import main

MISSING = {"allow_missing": True}
MODELS = np.array(["reference", "R0"], dtype=object)
SIGNALS = np.array([[1.0, 0.5, 0.25], [1.0, 0.6, np.nan]])
ERRORS = np.array([[1e-8, 3e-5, 2e-4], [1e-8, 1e-5, 1e-5]])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A small table of signals."""
    path = tmp_path / "signals.nc"
    over = ("model", "b")
    flags = {"flag_values": np.array([0, 1], dtype=np.int8), "flag_meanings": "sound amplified"}
    variables = {
        "model": Variable(("model",), MODELS, "", "reference or model"),
        "b": Variable(("b",), np.array([0.0, 1.0, 3.0]), "ms um-2", "b-value"),
        "signal_real": Variable(over, SIGNALS, "1", "signal, real part", {"allow_missing": True}),
        "numerical_error": Variable(over, ERRORS, "1", "estimated error"),
        "validity": Variable(over, np.array([[0, 0, 0], [0, 0, 1]], np.int8), "1", "means", flags),
        "q": Variable(("b",), np.array([0.0, 0.2, 0.4]), "rad um-1", "largest wave number"),
        "vector": Variable(("b", "axis"), np.eye(3)[:, :2], "1", "unit vector"),
        "tensor": Variable(("b", "axis", "axis_2"), np.zeros((3, 2, 2)), "1", "b-tensor"),
    }
    provenance = Provenance(stage="gather_signals", code="0" * 16, inputs={}, parameters={}, key="")
    artifacts.write(path, variables, provenance)
    return path


def test_a_file_is_told_in_words(file, capsys):
    assert main(["show", str(file)]) == 0
    words = " ".join(capsys.readouterr().out.split())
    for said in (
        "made by gather_signals (gather the signals of a study)",
        "model 2 reference, R0 reference or model",
        "b 3 0 to 3 ms um-2 (0 to 3000 s/mm^2) b-value",
        "signal_real 0.25 to 1, 1 of 6 missing signal, real part",
        "The largest numerical error is 0.0002 (absolute, estimated, at model reference, "
        "b 3 ms um-2)",
        "validity 5 sound, 1 amplified",
        "axis 2 numbered",
    ):
        assert said in words


def test_a_table_has_a_row_for_each_point(file, capsys):
    out = file.with_name("out.csv")
    assert main(["export", str(file), "--csv", str(out)]) == 0
    table = pandas.read_csv(out)
    assert list(table.columns) == [
        "model",
        "b (ms um-2)",
        "signal_real",
        "numerical_error",
        "validity",
        "q (rad um-1)",
        "vector_x",
        "vector_y",
    ]
    assert len(table) == 6
    row = table[(table.model == "R0") & (table["b (ms um-2)"] == 1.0)].iloc[0]
    assert (row.signal_real, row["q (rad um-1)"], row.vector_y, row.validity) == (
        0.6,
        0.2,
        1.0,
        "sound",
    )
    assert table.validity.iloc[-1] == "amplified"
    assert np.isnan(table.signal_real.iloc[-1])
    said = capsys.readouterr().err
    assert f"{out}: 6 rows, 8 columns" in said
    assert "left out, as they are over other axes: tensor" in said


def test_a_table_goes_beside_the_file_or_to_the_terminal(file, capsys):
    assert main(["export", str(file), "--csv"]) == 0
    beside = file.with_suffix(".csv").read_text()
    capsys.readouterr()
    assert main(["export", str(file), "--csv", "-"]) == 0
    assert capsys.readouterr().out == beside
    tabs = file.with_name("out.tsv")
    assert main(["export", str(file), "--csv", str(tabs)]) == 0
    assert pandas.read_csv(tabs, sep="\t").equals(pandas.read_csv(io.StringIO(beside)))


def test_a_table_does_not_replace_another_kind_of_file(file, capsys):
    yaml = file.with_name("mine.yaml")
    yaml.write_text("mine")
    assert main(["export", str(file), "--csv", str(yaml)]) == 1
    assert "accepted: a name that ends in .csv or .tsv" in capsys.readouterr().err
    assert yaml.read_text() == "mine"


def test_a_table_makes_no_folder(file, capsys):
    lost = file.with_name("lost") / "out.csv"
    assert main(["export", str(file), "--csv", str(lost)]) == 1
    assert "accepted: a folder that is there" in capsys.readouterr().err
    assert not lost.parent.exists()


def test_infinite_values_are_not_missing_ones(tmp_path, capsys):
    file = tmp_path / "fit.nc"
    ends = Variable(("parameter",), np.array([-np.inf, 1.0, np.nan]), "1", "ends", MISSING)
    end = Variable((), np.array(-np.inf), "1", "an end", MISSING)
    artifacts.write(file, {"ends": ends, "end": end}, Provenance("fit"))
    assert main(["show", str(file)]) == 0
    said = capsys.readouterr().out
    assert "1 of 3 infinite, 1 of 3 missing" in said
    assert "-inf" in said


def test_signs_that_a_terminal_cannot_show_are_replaced():
    run = subprocess.run(
        [sys.executable, "-m", "torrey", "kinds"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("command", ["show", "export"])
def test_what_is_no_file_of_the_workflow_is_refused(tmp_path, capsys, command):
    foreign = tmp_path / "foreign.nc"
    netCDF4.Dataset(foreign, "w").close()
    (tmp_path / "text.nc").write_text("studies:")
    (tmp_path / "cut.nc").write_bytes(foreign.read_bytes()[:200])
    for name, found in (
        ("nothing.nc", "found no such file, accepted: a NetCDF file of the workflow"),
        ("text.nc", "found no NetCDF file"),
        ("cut.nc", "found a NetCDF file that is cut off or damaged"),
        ("foreign.nc", "found a NetCDF file that Torrey has not written"),
        ("", "found a folder"),
    ):
        assert main([command, str(tmp_path / name)]) == 1
        message = capsys.readouterr().err
        assert found in message
        assert message.count("\n") == 1


def test_a_damaged_file_is_refused(file, capsys):
    content = bytearray(file.read_bytes())
    # One digit of the digest in its last line.
    content[-2] = ord("0") if content[-2] != ord("0") else ord("1")
    file.write_bytes(content)
    assert main(["show", str(file)]) == 1
    assert "is damaged: its content is not what was written" in capsys.readouterr().err
