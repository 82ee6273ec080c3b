"""Titles say in words what a cell is and what tells panels apart; the rest stands above, once."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.figure_files import MODELS, disc_mesh, signal, sweep, write_disc, write_signals

from torrey.base.provenance import Provenance
from torrey.figures.drawing import FigureFiles
from torrey.figures.panels import read_panels
from torrey.figures.style import kappa_text, sigma0_text
from torrey.figures.words import words_of
from torrey.geometry import Disc, Discs, Layers, Shape, Sphere, Spheres
from torrey.geometry.files import write_meshes


def write_cell(path: Path, shape: Shape) -> str:
    """A file that says that it is of a shape; its mesh is another's, which nobody looks at."""
    write_meshes(path, shape, [disc_mesh()], Provenance("test", shape.to_dict()))
    return str(path)


DISC = Disc((0.5, 0.5), 0.4)
TWO = (Disc((0.25, 0.25), 0.2), Disc((0.75, 0.75), 0.12))


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (Discs((DISC,)), "disc, R = 0.4"),
        (Discs((DISC,), "obstacle"), "disc, R = 0.4, no water inside"),
        (Discs(TWO), "two discs, R = 0.12 to 0.2"),
        (Discs((TWO[0], Disc((0.75, 0.75), 0.2))), "two discs, R = 0.2"),
        (Discs((DISC,), layer=0.01), "disc, R = 0.4, layer of 0.01"),
        (Discs((DISC,), lattice=((1.0, 0.0), (0.5, 1.0))), "disc, R = 0.4, periods (1, 0) and"),
        (Discs(()), "no discs"),
        (Spheres((Sphere((0.5, 0.5, 0.5), 0.3),)), "sphere, R = 0.3"),
        (Layers((0.6, 0.4)), "flat layers of 0.6, 0.4"),
    ],
)
def test_cells_are_described(shape, words):
    assert shape.describe().startswith(words)


def test_cells_are_named_by_what_they_are(tmp_path):
    one = write_cell(tmp_path / "one.nc", Discs((DISC,)))
    many = write_cell(tmp_path / "many.nc", Discs(TWO))
    files = FigureFiles({"mesh": {"a": one, "b": many, "again": one}})
    words = "disc, R = 0.4"
    assert files.cells() == {"a": words, "b": "two discs, R = 0.12 to 0.2", "again": words}
    assert FigureFiles({"signals": {"a": "signals.nc"}}).cells() == {}


def test_cells_that_read_the_same_keep_their_names(tmp_path):
    moved = Discs((TWO[1], TWO[0].__class__((0.3, 0.25), 0.2)))
    paths = {
        "my_first": write_cell(tmp_path / "1.nc", Discs(TWO)),
        "my_other": write_cell(tmp_path / "2.nc", moved),
    }
    said = "two discs, R = 0.12 to 0.2"
    assert FigureFiles({"mesh": paths}).cells() == {
        "my_first": f"my first: {said}",
        "my_other": f"my other: {said}",
    }


@pytest.fixture
def two_cells(tmp_path: Path) -> FigureFiles:
    """Two studies that differ in their cells alone."""
    points = sweep(Deltas=[10.0, 20.0])
    names = ("a", "b")
    return FigureFiles(
        {
            "signals": {n: write_signals(tmp_path / n, points, MODELS, signal) for n in names},
            "mesh": {
                "a": write_disc(tmp_path / "a.nc"),
                "b": write_cell(tmp_path / "b.nc", Discs(TWO)),
            },
        }
    )


def test_titles_tell_panels_apart_and_the_head_says_the_rest(two_cells):
    panels = read_panels(two_cells.files["signals"], "Delta", cells=two_cells.cells())
    words = words_of(panels)
    assert words.titles == ("disc, R = 0.25", "two discs, R = 0.12 to 0.2")
    assert words.shared == (
        rf"$L$ = 2 $\mu$m, {kappa_text(0.05)}, $\delta$ = 5 ms, $b$ = 1000 s/mm$^2$, "
        r"$\mathbf{n} = \mathbf{e}_y$"
    )


def test_titles_name_what_they_are_told_to_first(two_cells):
    panels = read_panels(two_cells.files["signals"], "b", over=["Delta"], cells=two_cells.cells())
    words = words_of(panels, ["Delta"])
    assert words.titles[0] == "disc, R = 0.25\n$\\Delta$ = 10 ms"
    assert len(set(words.titles)) == 4
    one = words_of(panels.isel(panel=0))
    assert one.shared.startswith("disc, R = 0.25, $L$ = 2")


def test_quantities_without_a_symbol_have_their_name_and_unit(two_cells):
    panels = read_panels(two_cells.files["signals"], "Delta")
    rise = panels.delta.copy(data=[0.5, 0.5]).assign_attrs(units="ms")
    shared = words_of(panels.assign_coords(rise_time=rise)).shared
    assert "rise time = 0.5 ms" in shared


def test_no_permeability_is_no_power_of_ten():
    assert kappa_text(0.0) == r"$\kappa$ = 0"
    assert sigma0_text(0.0) == r"$\sigma_0$ = 0"
    assert sigma0_text(20.0) == r"$\sigma_0$ = 0.02 m/s"
