"""What is no shape, model, signal or file is refused in words, not by a traceback."""

from __future__ import annotations

import numpy as np
import pytest
import xarray

import torrey as tr

LAYER = tr.Cell(tr.Layers((1.0,)), 2, 10, 0.01)
PGSE = tr.Pgse(5, 25)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tr.Disc((0.5, 0.5), "0.4"), 'radius: found "0.4", a text, accepted: a number'),
        (lambda: tr.Disc((0.5, 0.5), "4 um"), 'radius: found "4 um", a text, accepted: a number'),
        (lambda: tr.Disc((0.5, 0.5), None), "radius: found None, accepted: a number"),
        (lambda: tr.Disc((0.5, 0.5), True), "radius: found True, accepted: a number"),
        (lambda: tr.Disc(0.5, 0.4), "center: found 0.5, accepted: two numbers in"),
        (
            lambda: tr.shapes.Surfaces(["soma.ply"], unit="1 um"),
            'unit: found "1 um", a text, accepted: a number in um: what 1 stands for',
        ),
        (lambda: tr.Disc("ab", 0.4), 'center: found "ab", a text, accepted: two numbers in'),
        (lambda: tr.Disc(("a", 0.5), 0.4), 'center[0]: found "a", a text, accepted: two numbers'),
        (lambda: tr.Sphere(0.5, 0.4), "center: found 0.5, accepted: three numbers in"),
        (
            lambda: tr.Discs(tr.Disc((0.5, 0.5), 0.4)),
            "cells: found Disc(center=(0.5, 0.5), radius=0.4), accepted: a list of discs",
        ),
        (lambda: tr.Discs((0.4,)), "cells[0]: found 0.4, accepted: a list of discs"),
        (lambda: tr.Spheres((tr.Disc((0.5, 0.5), 0.4),)), "cells[0]: found Disc("),
        (lambda: tr.Discs((), layer="0.1"), 'layer: found "0.1", a text, accepted: a number'),
        (lambda: tr.Discs((), lattice=3), "lattice: found 3, accepted: two vectors"),
        (lambda: tr.Discs((), lattice=[1, 2]), "lattice[0]: found 1, accepted: two vectors"),
        (lambda: tr.Layers(1), "thicknesses: found 1, accepted: a list of numbers"),
        (lambda: tr.Layers(("0.5", 0.5)), 'thicknesses[0]: found "0.5", a text, accepted: a list'),
        (lambda: tr.MeshOptions("0.1"), 'size: found "0.1", a text, accepted: the size'),
        (lambda: tr.MeshOptions(0.1, 1.5), "refinements: found 1.5, accepted: a whole number"),
        (
            lambda: LAYER.signal(PGSE, b=1, model=None),
            "Cell.signal(model=...): found None, accepted: a model or a list of them: reference",
        ),
        (lambda: LAYER.signal(PGSE, b=1, model=3), "Cell.signal(model=...): found 3, accepted"),
        (lambda: LAYER.model(None), "Cell.model(name=...): found"),
        (lambda: tr.fit_kurtosis([1, 2]), "fit_kurtosis(signal=...): found [1, 2], accepted"),
        (
            lambda: tr.fit_kurtosis(xarray.DataArray([1.0, 0.8, 0.7], dims="b")),
            "fit_kurtosis(signal=...): found an array without its b-values, accepted",
        ),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(tr.InputError) as caught:
        make()
    assert str(caught.value).startswith(message)


def test_numbers_and_lists_of_other_libraries_are_taken():
    disc = tr.Disc(np.array([0.5, 0.5]), np.float32(0.25))
    assert tr.Cell(tr.Discs([disc]), 2, 10).shape == tr.Discs((tr.Disc((0.5, 0.5), 0.25),))
    assert tr.MeshOptions(np.float64(0.1), np.int64(2)) == tr.MeshOptions(0.1, 2)


@pytest.mark.parametrize("name", ["nowhere.nc", ""])
def test_a_file_that_is_not_there(tmp_path, name):
    path = tmp_path / "none" / name
    with pytest.raises(tr.TorreyError, match="there is no such file") as caught:
        tr.open_dataset(path)
    assert isinstance(caught.value, FileNotFoundError)
    assert str(caught.value).startswith(str(path))


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(tr.TorreyError, match="found a folder, accepted: a NetCDF file"):
        tr.open_dataset(tmp_path)


def test_an_unknown_argument_is_one_of_a_cell():
    with pytest.raises(TypeError, match=r"^Cell\.__init__\(\) got an unexpected keyword"):
        tr.Cell(tr.Layers((1.0,)), 2, 10, foo=1)


@pytest.mark.parametrize(
    ("tolerance", "found"),
    [("1e-4", '"1e-4", a text'), (0, "0"), (0.5, "0.5"), (1e-9, "1e-09"), (True, "True")],
)
def test_tolerances_are_those_of_the_configuration(tolerance, found):
    with pytest.raises(tr.InputError) as caught:
        LAYER.signal(PGSE, b=1, tolerance=tolerance)
    said = f"Cell.signal(tolerance=...): found {found}, accepted: a number from 1e-8 to 1e-1"
    assert str(caught.value).startswith(said)


def test_matrices_are_named_as_they_were_given():
    disc, bad = tr.Discs((tr.Disc((0.5, 0.5), 0.4),)), [[1, 2], [2, 1]]
    for given, place in (
        ({"outside": bad, "inside": 1}, ".outside"),
        ({"outside": 1, "inside": [bad]}, ".inside[0]"),
        ([1, bad], "[1]"),
        (bad, ""),
    ):
        with pytest.raises(tr.InputError) as caught:
            tr.Cell(disc, given, 10)
        said = f"Cell(diffusivity=...){place}: found the matrix [[1.0, 2.0], [2.0, 1.0]], accepted"
        assert str(caught.value).startswith(said)


def test_plain_T2_in_seconds_needs_its_unit():
    with pytest.raises(tr.InputError, match=r"Cell\(T2=...\): found 0.08, .*without a unit, from"):
        tr.Cell(tr.Layers((1.0,)), 2, 10, T2=0.08)
    assert tr.Cell(tr.Layers((1.0,)), 2, 10, T2="0.08 ms").material.T2 == (0.08,)


def test_the_relaxivity_of_obstacles_is_called_so():
    obstacle = tr.Discs((tr.Disc((0.5, 0.5), 0.4),), interior="obstacle")
    cell = tr.Cell(obstacle, 2, 10, surface_relaxivity=0.01, mesh=tr.MeshOptions(0.3, 1))
    assert "surface relaxivity 0.01 um/ms" in repr(cell)
    assert "surface relaxivity 0.01 um/ms" in repr(cell.model("R0"))
    found = cell.signal(PGSE, b=1, direction=(1, 0), model="R0")
    assert "relaxivity" in found.permeability.attrs["long_name"]
    assert "relaxivity" not in LAYER.signal(PGSE, b=1).permeability.attrs["long_name"]
