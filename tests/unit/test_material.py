"""Materials have a name of their own and positive diffusivities."""

from __future__ import annotations

import math

import numpy as np
import pytest

from torrey.material import Material

TENSOR = ((2.0, 0.5), (0.5, 1.0))


@pytest.mark.parametrize(
    ("diffusivity", "key"),
    [
        ((3.0, 1.7), "De3_Di1.7"),
        ((3.0, 1.7, 1.7), "De3_Di1.7"),
        ((3.0, 1.7, 1.2), "De3_Di1.7_1.2"),
        ((3.0,), "De3"),
        ((3.0, TENSOR), "De3_Di2x0.5x0.5x1"),
    ],
)
def test_keys_show_the_values(diffusivity, key):
    assert Material(diffusivity).key() == key


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
        0.0,
        -1.0,
        math.nan,
        math.inf,
        ((1.0, 2.0), (2.0, 1.0)),  # indefinite
        ((1.0, 0.5), (0.4, 1.0)),  # not symmetric
        ((1.0, 0.0),),  # not square
        ((math.nan, 0.0), (0.0, 1.0)),
    ],
)
def test_diffusivities_are_positive(value):
    with pytest.raises(ValueError, match=r"diffusivity\[1\]: .* positive"):
        Material((1.0, value))


def test_a_material_fills_something():
    with pytest.raises(ValueError, match="one per compartment"):
        Material(())
