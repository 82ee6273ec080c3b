"""Materials have a name of their own and positive diffusivities."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from torrey.cell.material import Material

TENSOR = ((2.0, 0.5), (0.5, 1.0))


@pytest.mark.parametrize(
    ("diffusivity", "key"),
    [
        ((3.0, 1.7), "De3_Di1.7"),
        ((3.0, 1.7, 1.7), "De3_Di1.7"),
        ((3.0, 1.7, 1.2), "De3_Di1.7_1.2"),
        ((3.0,), "De3"),
        ((3.0, TENSOR), "De3_Di2x0.5x0.5x1"),
        ((((2.0, -0.5), (-0.5, 1.0)),), "De2x-0.5x-0.5x1"),
    ],
)
def test_keys_show_the_values(diffusivity, key):
    assert Material(diffusivity).key() == key


RICH = [
    ({"T2": (80.0, 60.0, 60.0)}, "T280_60"),
    ({"T2": (80.0, 60.0, 40.5)}, "T280_60_40.5"),
    ({"T2": (80.0, math.inf, math.inf)}, "T280_inf"),
    ({"density": (1.0, 0.8, 0.8)}, "rho1_0.8"),
    ({"density": (0.0, 1.0, 0.8)}, "rho0_1_0.8"),
    ({"membranes": (1.0, 0.0)}, "mem1_0"),
    ({"membranes": (0.5, 0.5)}, "mem0.5"),
    (
        {"T2": (math.inf, 60.0, 40.0), "density": (1.0, 2.0, 2.0), "membranes": (1.0, 0.25)},
        "T2inf_60_40_rho1_2_mem1_0.25",
    ),
]


@pytest.mark.parametrize(("given", "suffix"), RICH, ids=[suffix for _, suffix in RICH])
def test_what_else_is_given_follows_in_the_key(given, suffix):
    assert Material((3.0, 1.7, 1.7), **given).key() == f"De3_Di1.7_{suffix}"


def test_one_compartment_has_no_insides():
    assert Material((3.0,), T2=(80.0,), density=(1.0,)).key() == "De3_T280_rho1"


@pytest.mark.parametrize("given", [given for given, _ in RICH], ids=[suffix for _, suffix in RICH])
def test_what_else_is_given_survives_as_plain_values(given):
    material = Material((3.0, TENSOR, 1.7), **given)
    plain = material.to_dict()
    assert all(type(value) in (str, int, float) for value in plain.values())
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    # Other parameters of a job stand beside them.
    assert Material.from_dict({**plain, "period": 6.0}) == material


def test_what_is_absent_leaves_no_trace():
    assert Material((3.0, 1.7)).to_dict() == {
        "n_compartments": 2,
        "diffusivity_0": 3.0,
        "diffusivity_1": 1.7,
    }


def test_rates_and_densities_are_there_for_every_compartment():
    plain = Material((3.0, 1.7))
    np.testing.assert_array_equal(plain.relaxation, [0.0, 0.0])
    np.testing.assert_array_equal(plain.densities, [1.0, 1.0])
    rich = Material((3.0, 1.7), T2=(50.0, math.inf), density=(1.0, 0.8))
    np.testing.assert_allclose(rich.relaxation, [0.02, 0.0])
    np.testing.assert_array_equal(rich.densities, [1.0, 0.8])


def test_equal_densities_are_uniform():
    assert Material((3.0, 1.7)).is_uniform
    assert Material((3.0, 1.7), density=(0.7, 0.7)).is_uniform
    assert not Material((3.0, 1.7), density=(0.7, 0.0)).is_uniform


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"T2": (80.0,)}, r"^T2: found 1 values, accepted: 2, one per compartment"),
        ({"T2": (80.0, 0.0)}, r"^T2\[1\]: found 0\.0, accepted: a time above zero"),
        ({"T2": (-80.0, 1.0)}, r"^T2\[0\]: found -80\.0"),
        ({"T2": (80.0, math.nan)}, r"^T2\[1\]: found nan"),
        ({"density": (1.0, 1.0, 1.0)}, r"^density: found 3 values, accepted: 2, one per"),
        ({"density": (1.0, -0.1)}, r"^density\[1\]: found -0\.1, accepted: a finite number, at"),
        ({"density": (1.0, math.inf)}, r"^density\[1\]: found inf"),
        ({"density": (math.nan, 1.0)}, r"^density\[0\]: found nan"),
        ({"density": (0.0, 0.0)}, r"^density: found no density above zero"),
        ({"membranes": (1.0, -1.0)}, r"^membranes\[1\]: found -1\.0, accepted: a finite number"),
        ({"membranes": (math.inf,)}, r"^membranes\[0\]: found inf"),
    ],
)
def test_what_cannot_be_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        Material((3.0, 1.7), **given)


def test_long_keys_end_in_a_digest():
    many = tuple(1 + i / 7 for i in range(40))
    assert len(Material(many).key()) == 120
    assert Material(many).key() != Material((*many[:-1], 9.0)).key()


@pytest.mark.parametrize("diffusivity", [(3.0, 1.7), (3.0, TENSOR), (TENSOR,)])
def test_plain_values_describe_the_whole_material(diffusivity):
    material = Material(diffusivity)
    plain = material.to_dict()
    assert all(type(value) in (str, int, float) for value in plain.values())
    assert Material.from_dict(plain) == material


def test_tensors_are_isotropic_unless_given():
    tensors = Material((3.0, TENSOR)).tensors(2)
    assert tensors.shape == (2, 2, 2)
    assert np.array_equal(tensors[0], 3.0 * np.eye(2))
    assert np.array_equal(tensors[1], TENSOR)


def test_tensors_fit_the_dimension():
    with pytest.raises(ValueError, match=r"diffusivity\[1\]: found a matrix of 2 rows"):
        Material((3.0, TENSOR)).tensors(3)


@pytest.mark.parametrize(
    "value",
    [
        -1.0,
        math.nan,
        math.inf,
        ((1.0, 2.0), (2.0, 1.0)),  # indefinite
        ((1.0, 0.5), (0.4, 1.0)),  # not symmetric
        ((1.0, 0.0),),  # not square
        ((math.nan, 0.0), (0.0, 1.0)),
        (),
    ],
)
def test_diffusivities_are_not_negative(value):
    with pytest.raises(ValueError, match=r"diffusivity\[1\]: .* positive"):
        Material((1.0, value))


def test_axes_along_which_water_moves_are_counted():
    angle = math.radians(30.0)
    stick = np.outer((math.cos(angle), math.sin(angle)), (math.cos(angle), math.sin(angle)))
    turned = tuple(tuple(float(f"{x:.12g}") for x in row) for row in stick)
    along_z = tuple(map(tuple, np.diag((0.0, 0.0, 1.7))))
    material = Material((1.0, 0.0, turned, TENSOR))
    assert material.axes_of_motion(2).tolist() == [2, 0, 1, 2]
    assert np.linalg.eigvalsh(material.tensors(2)[2])[0] >= -1e-16
    assert Material((1.0, along_z), in_space=True).axes_of_motion(2).tolist() == [2, 0]


def test_a_material_fills_something():
    with pytest.raises(ValueError, match="one per compartment"):
        Material(())
