"""Lists hold all that the registries hold, and examples that are accepted as they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from torrey.command import examples
from torrey.command.lists import Sections, figure_lists, kind_lists, model_lists
from torrey.command.main import main
from torrey.config import ConfigError
from torrey.config.bloch import AnyBloch
from torrey.config.figure_models import KINDS as OWN
from torrey.figures.catalogue import CATALOGUE
from torrey.geometry import kinds
from torrey.gradients.acquisition import acquisition_readers
from torrey.gradients.waveforms import KINDS as WAVEFORMS
from torrey.models import registry
from torrey.tables import catalogue as tables
from torrey.workflow.opening import read_configuration

OF_FILES = ("mesh", "surfaces", "image")
STUDY = """\
  NAME:
    geometry: NAME
    diffusivity: {outside: 3e-3 mm^2/s, inside: 1.7e-3 mm^2/s}
    period: 5 um
    permeability: 5e-5 m/s
    waveform: {kind: pgse, delta: 5 ms, Delta: 15 ms}
    b: [500 s/mm^2, 1000 s/mm^2, 1500 s/mm^2, 2000 s/mm^2, 2500 s/mm^2, 3000 s/mm^2]
    directions: [[1, 0], [0, 1]]
    models: [reference, R0, R2]
"""
CELL = "geometries:\n  NAME: {kind: discs, cells: [{center: [0.5, 0.5], radius: 0.3}]}\n"


def entries(lists: Sections, section: str) -> dict[str, str]:
    """Examples of one section by name."""
    return {entry.name: entry.example for entry in lists[section].entries}


def accepted(tmp_path: Path, text: str):
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    return read_configuration([file])


def test_lists_hold_what_the_registries_hold():
    of = kind_lists()
    assert list(entries(of, "geometries")) == [kind.kind for kind in kinds()]
    assert list(entries(of, "waveforms")) == list(WAVEFORMS)
    assert list(entries(of, "acquisitions")) == [reader.name for reader in acquisition_readers()]
    assert set(entries(of, "figures")) == set(OWN)
    assert list(entries(figure_lists(), "figures")) == list(CATALOGUE)
    assert list(entries(figure_lists(), "tables")) == list(tables.CATALOGUE)
    assert list(entries(model_lists(), "models")) == [kind.listed() for kind in registry.kinds()]
    assert len(entries(of, "bloch")) == len(examples.BLOCH) == len(AnyBloch.__origin__.__args__)


@pytest.mark.parametrize(
    ("name", "example"),
    [item for item in entries(kind_lists(), "geometries").items() if item[0] not in OF_FILES],
)
def test_examples_of_geometries_are_accepted(tmp_path, name, example):
    config = accepted(tmp_path, f"geometries:\n  {example}\n")
    assert config.geometries["NAME"].shape.kind == name


@pytest.mark.parametrize("example", entries(kind_lists(), "waveforms").values())
def test_examples_of_waveforms_are_accepted(tmp_path, example):
    study = STUDY.replace("waveform: {kind: pgse, delta: 5 ms, Delta: 15 ms}", example)
    assert set(accepted(tmp_path, f"{CELL}studies:\n{study}").studies) == {"NAME"}


@pytest.mark.parametrize("example", entries(kind_lists(), "bloch").values())
def test_examples_of_bloch_are_accepted(tmp_path, example):
    name, _, rest = example.partition(": ")
    cell = CELL.replace("radius: 0.3}]", "radius: 0.3}], interior: obstacle")
    # Exchange is between waters.
    cell = CELL if "dispersion" in example else cell
    rest = rest.replace("2 um^2/ms", "[2 um^2/ms, 1 um^2/ms]") if cell is CELL else rest
    assert set(accepted(tmp_path, f"{cell}bloch:\n  {name}: {rest}\n").bloch) == {"NAME"}


@pytest.mark.parametrize("kind", examples.INVERSIONS)
def test_examples_of_inversions_are_accepted(tmp_path, kind):
    text = f"{CELL}studies:\n{STUDY}inversions:\n  NAME: {examples.INVERSIONS[kind]}\n"
    assert accepted(tmp_path, text).inversions["NAME"].kind == kind


@pytest.mark.parametrize("example", entries(kind_lists(), "figures").values())
def test_examples_of_own_figures_have_their_keys(tmp_path, example):
    """What the entries must have for a figure is another question."""
    text = f"{CELL}studies:\n{STUDY}figures:\n  {example}\n"
    try:
        assert len(accepted(tmp_path, text).figures) == 1
    except ConfigError as error:
        for problem in error.problems:
            assert "unknown key" not in problem.found
            assert problem.found != "nothing"


def test_a_name_shows_its_keys_in_full(capsys):
    assert main(["kinds", "discs"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "radius" in shown
    assert "two vectors by which the cell repeats" in shown
    assert "spheres" not in shown


def test_a_name_that_is_none_is_told_with_the_nearest(capsys):
    assert main(["kinds", "diskc"]) == 1
    assert 'found "diskc" (did you mean "discs"?), accepted: geometries,' in capsys.readouterr().err


def test_figures_are_shown_with_what_they_are_of(capsys):
    assert main(["figures", "kl23_fig6"]) == 0
    assert "kl23_fig6: {studies: [NAME]}" in capsys.readouterr().out


def test_an_order_is_found_among_the_models_of_its_kind(capsys):
    assert main(["models", "P4"]) == 0
    assert capsys.readouterr().out.startswith("P0, P1, ..., P20: projected on the correctors")


def test_a_section_is_shown_as_a_whole(capsys):
    assert main(["kinds", "waveforms"]) == 0
    shown = capsys.readouterr().out
    assert all(f"{kind}: " in shown for kind in WAVEFORMS)
    assert "discs" not in shown
