"""A dictionary from a notebook: each signal is that of its own cell, with its error."""

from __future__ import annotations

import json

import numpy as np
import pytest

import torrey as tr

DISC = tr.Discs([tr.Disc((0.5, 0.5), 0.3)])
D = {"outside": 3.0, "inside": 1.5}
CELL = tr.Cell(DISC, D, "4 um", "3e-5 m/s", mesh=tr.MeshOptions(0.25, 1))
PULSES = [tr.Pgse(2, 5), tr.Pgse(2, 8)]
DIRECTIONS = [(1, 0), (0.6, 0.8)]


def test_signals_are_those_of_each_cell(tmp_path):
    said: list[str] = []
    path = tmp_path / "table.nc"
    table = tr.dictionary(
        CELL,
        PULSES,
        b=[0.5, 1.0],
        direction=DIRECTIONS,
        period=[3.0, 4.0],
        permeability=["1e-5 m/s", "4e-5 m/s"],
        diffusivities={"outside": 3.0, "inside": [1.0, 2.0]},
        model=["reference", "R2"],
        tolerance=1e-2,
        path=path,
        progress=said.append,
    )
    assert table.signal_real.dims == (
        *("model", "diffusivity_outside", "diffusivity_inside", "period", "permeability"),
        *("delta", "Delta", "b", "direction"),
    )
    assert said[-1].startswith("128 of 128 signals in")
    assert tr.open_dataset(path).identical(table)
    assert (table.numerical_error > 0).all()
    parameters = json.loads(table.attrs["parameters"])
    assert (parameters["geometry_kind"], parameters["geometry_cell_1_radius"]) == ("discs", 0.3)
    at = {"diffusivity_inside": 2.0, "period": 3.0, "permeability": 0.04}
    own = CELL.with_(diffusivity={"outside": 3.0, "inside": 2.0}, period=3.0, permeability=0.04)
    models = ["reference", "R2"]
    found = own.signal(
        PULSES[1], b=1.0, direction=DIRECTIONS, model=models, tolerance=1e-2, method="full"
    )
    here = table.sel(at).sel(Delta=8.0, b=1.0).isel(diffusivity_outside=0, delta=0)
    apart = np.abs(here.signal_real.values - found.values.real)
    assert (apart <= here.numerical_error.values + found.numerical_error.values).all()
    assert apart[1].max() < 1e-12


def test_waveforms_that_are_no_product_are_rows():
    pulses = [tr.Pgse(2, 5), tr.Pgse(3, 8), tr.SineOgse(4, 10, 1)]
    table = tr.dictionary(CELL, pulses, b=[0.5, 1.0], direction=(1, 0), model="R2")
    assert table.signal_real.dims == ("model", "period", "permeability", "measurement")
    found = CELL.signal(pulses, b=[0.5, 1.0], direction=(1, 0), model="R2")
    assert table.signal_real.values.ravel() == pytest.approx(found.values.real.ravel(), abs=1e-12)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"period": ["3 um", "3 um"]}, "dictionary(period=...)[1]: found"),
        ({"period": "3 ms"}, "dictionary(period=...): found"),
        ({"permeability": -1.0}, "dictionary(permeability=...): found"),
        ({"diffusivities": {"middle": 1.0}}, "outside, inside, layer, coat"),
        ({"diffusivities": {"outside": 1.0}}, "inside"),
        ({"diffusivities": [1.0, 2.0]}, "a mapping, such as"),
        ({"diffusivities": {"outside": 1.0, "inside": [1.0] * 2}}, "the same as value 0"),
        ({"model": "R3x"}, "dictionary(model=...): found"),
        ({"tolerance": 1.0}, "dictionary(tolerance=...): found 1.0"),
        ({"b": None}, "exactly one of b, q and gradient"),
        ({"period": list(np.linspace(3, 4, 9000)), "b": list(np.linspace(0, 1, 2000))}, "signals"),
        ({"b": list(np.linspace(0, 1, 3000)), "direction": {"powder": 60}}, "measurements"),
        ({"period": "500 um", "b": 50.0}, "dictionary("),
    ],
)
def test_what_is_refused_is_named(given, text):
    with pytest.raises(tr.InputError) as caught:
        tr.dictionary(CELL, PULSES[0], **{"b": 1.0, "direction": (1, 0), **given})
    assert text in str(caught.value)
