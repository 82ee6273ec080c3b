"""A study of a file, before and after its signals are computed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import torrey as tr
from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.door.studies import SIGNALS
from torrey.study.files import gather_signals
from torrey.workflow import layout

STUDY = """
geometries:
  line: {kind: layers, thicknesses: [0.6, 0.4]}
studies:
  mine:
    geometry: line
    diffusivity: {outside: 2e-3 mm^2/s, inside: 1e-3 mm^2/s}
    period: [6 um, 8 um]
    sigma0: 1e-2 m/s
    waveform: {kind: pgse, delta: 4 ms, Delta: 12 ms}
    b: [0 s/mm^2, 500 s/mm^2]
    directions: [[1]]
    models: [reference]
    tolerance: 1e-4
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(STUDY)
    return path


def test_a_study_says_what_it_is_and_what_to_run(file):
    study = tr.load_study(file, folder=file.parent)
    assert study.axes["period"] == (6.0, 8.0)
    assert not study.has_signals
    target = layout.SIGNALS.format(study="mine")
    assert study.path == file.parent / target
    assert study.command == f"snakemake -j8 {target} --configfile {file}"
    assert "reference at 2 of period, 1 of sigma0" in repr(study)
    assert study.command in repr(study)
    with pytest.raises(tr.TorreyError, match="is not there yet. Run: snakemake"):
        _ = study.signals


def test_paths_are_those_of_the_workflow():
    assert SIGNALS == layout.SIGNALS


def test_the_cell_of_a_study(file):
    study = tr.load_study(str(file))
    first = study.cell()
    assert (first.period, first.permeability) == (6.0, 0.06)
    assert first == tr.Cell(tr.Layers((0.6, 0.4)), [2, 1], "6 um", "6e-5 m/s")
    assert study.cell(period="8 um").permeability == 0.08
    assert study.cell(permeability=0).permeability == 0.0
    with pytest.raises(tr.InputError, match=r"Study.cell\(period=...\)"):
        study.cell(period="8 ms")


def test_signals_are_read_where_they_are_there_and_of_this_sweep(file):
    study = tr.load_study(file, folder=file.parent)
    sweep = study.definition.sweep
    made = gather_signals(sweep, [], None, None)
    parameters = {"sweep": sweep.to_json(), "models": "reference"}
    artifacts.write(study.path, made, Provenance("gather_signals", parameters))
    assert study.has_signals
    np.testing.assert_array_equal(study.signals.b, [0.0, 0.5])
    assert str(study.path) in repr(study)
    file.write_text(STUDY.replace("500 s/mm^2", "600 s/mm^2"))
    with pytest.raises(tr.TorreyError, match="was made for another configuration"):
        _ = tr.load_study(file, folder=file.parent).signals


def test_one_study_of_several_is_named(file):
    two = STUDY + STUDY.partition("studies:\n")[2].replace("mine", "other")
    file.write_text(two)
    with pytest.raises(tr.InputError, match="2 studies and no name, accepted: one of mine, other"):
        tr.load_study(file)
    assert tr.load_study([file], "other").definition.name == "other"
    with pytest.raises(tr.InputError, match='found "third"'):
        tr.load_study(file, "third")
    with pytest.raises(tr.ConfigError, match="nowhere.yaml"):
        tr.load_study("nowhere.yaml")
