"""A changed cell is the new one with the same arguments: the same checks, the same meaning."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import torrey as tr

DISC = tr.Discs((tr.Disc((0.5, 0.5), 0.4),))
OBSTACLE = tr.Discs((tr.Disc((0.5, 0.5), 0.4),), interior="obstacle")
COATED = tr.Discs((tr.Disc((0.5, 0.5), 0.3),), layer=0.05)
TWO = tr.Discs((tr.Disc((0.3, 0.3), 0.2), tr.Disc((0.7, 0.7), 0.2)))

WATER = {"shape": DISC, "diffusivity": 3, "period": 10, "permeability": 0.05}
RELAXING = {"shape": OBSTACLE, "diffusivity": 3, "period": 10, "surface_relaxivity": 0.01}
FACTORS = {"shape": TWO, "diffusivity": 3, "period": 10, "permeability": [0.05, 0.01]}


@pytest.mark.parametrize(
    ("given", "changes", "message"),
    [
        (WATER, {"shape": OBSTACLE}, "permeability=...): found 0.05 um/ms, accepted: 0 um/ms"),
        (WATER, {"shape": COATED}, "permeability=...): found 0.05 um/ms, accepted: 0 um/ms"),
        (RELAXING, {"shape": COATED}, "surface_relaxivity=...): found 0.01 um/ms, accepted: 0"),
        (RELAXING, {"permeability": 0.05}, "permeability=...): found 0.05 um/ms"),
        (FACTORS, {"shape": DISC}, "permeability=...): found 2 values"),
        (FACTORS, {"permeability": [1, 1], "shape": DISC}, "permeability=...): found 2 values"),
        (WATER | {"diffusivity": [3, 1.7]}, {"shape": TWO}, "diffusivity=...): found 2 values"),
        (WATER | {"T2": [80, 50]}, {"shape": TWO}, "T2=...): found 2 values"),
        (WATER | {"density": [1, 0.5]}, {"shape": TWO}, "density=...): found 2 values"),
        (
            WATER | {"permeability": 0, "diffusivity": np.eye(2)},
            {"shape": tr.Layers((1.0,))},
            "diffusivity=...)[0]: found a matrix of 2 rows",
        ),
    ],
)
def test_what_a_new_cell_refuses_a_changed_one_refuses_too(given, changes, message):
    cell = tr.Cell(**given)
    with pytest.raises(tr.InputError) as of_new:
        tr.Cell(**(given | changes))
    with pytest.raises(tr.InputError) as of_changed:
        cell.with_(**changes)
    assert str(of_new.value).startswith(f"Cell({message}")
    assert str(of_changed.value).startswith(f"Cell.with_({message}")


@pytest.mark.parametrize(
    ("given", "changes"),
    [
        (WATER, {"shape": OBSTACLE, "permeability": 0, "surface_relaxivity": "2e-5 m/s"}),
        (WATER, {"surface_relaxivity": 0}),
        (RELAXING, {"permeability": 0}),
        (RELAXING, {"shape": DISC}),
        (WATER, {"surface_relaxivity": 0.01}),
        (FACTORS, {"surface_relaxivity": [0.02, 0.0]}),
        (WATER | {"permeability": 0, "surface_relaxivity": 0.02}, {"shape": TWO}),
        (RELAXING, {"shape": DISC, "permeability": 1, "surface_relaxivity": 0}),
        (FACTORS, {"shape": DISC, "permeability": 0.05}),
        (WATER | {"diffusivity": {"outside": 3, "inside": 2}}, {"shape": TWO}),
        (WATER | {"T2": 80}, {"shape": TWO}),
        (WATER | {"diffusivity": np.eye(2)}, {"shape": TWO}),
        (WATER, {"shape": tr.Spheres((tr.Sphere((0.5, 0.5, 0.5), 0.4),))}),
        (WATER | {"mesh": 0.3}, {"shape": tr.Spheres(())} | {"permeability": 0}),
    ],
)
def test_a_changed_cell_is_the_new_one(given, changes):
    changed = tr.Cell(**given).with_(**changes)
    assert changed == tr.Cell(**(given | changes))
    assert pickle.loads(pickle.dumps(changed)).with_(period=5) == changed.with_(period=5)


def test_no_zero_takes_the_place_of_the_other():
    assert tr.Cell(**RELAXING).with_(permeability=0).permeability == 0.01
    assert tr.Cell(**WATER).with_(surface_relaxivity=0).permeability == 0.05


def test_permeability_and_relaxivity_are_each_checked():
    with pytest.raises(tr.InputError, match=r"Cell\(surface_relaxivity=...\): found 0.01 um/ms"):
        tr.Cell(COATED, 3, 10, surface_relaxivity="1e-5 m/s")
    with pytest.raises(tr.InputError, match=r"Cell\(permeability=...\): found 0.05 um/ms"):
        tr.Cell(OBSTACLE, 3, 10, 0.05, surface_relaxivity="1e-5 m/s")


def test_lists_that_change_afterwards_change_no_cell():
    D, by_part = [3, 1.7], {"outside": [[3, 0], [0, 3]], "inside": 1.7}
    cell, other = tr.Cell(DISC, D, 10), tr.Cell(DISC, by_part, 10)
    D[0], by_part["inside"], by_part["outside"][0][0] = 1, 2, 1
    assert cell.with_(period=5).material.diffusivity == (3.0, 1.7)
    assert other.with_(period=5).material.diffusivity == (((3.0, 0.0), (0.0, 3.0)), 1.7)


def test_factors_of_a_study_stay_as_they_are():
    first = tr.Cell(TWO, 3, 10)
    material = type(first.material)((3.0, 3.0, 3.0), membranes=(0.3, 0.1))
    cell = tr.Cell.of(TWO, material, 10.0, 0.05, first.mesh)
    smaller = cell.with_(period=5)
    assert (smaller.permeability, smaller.material) == (0.05, material)
    assert smaller.medium is cell.medium
    with pytest.raises(tr.InputError, match=r"permeability=...\): found 2 values"):
        cell.with_(shape=DISC, diffusivity=3)
