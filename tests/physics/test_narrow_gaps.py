"""Discs and spheres that nearly touch: what flows between them is told by the film alone.

- Keller (J. Appl. Phys. 34, 991, 1963): perfectly conducting discs of a square array conduct like
  pi sqrt(R / gap) + const; insulating ones like the inverse of it.
- Lord Rayleigh's method has the exact value at each gap, see `support.square_arrays`.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.square_arrays import insulating_array

from torrey.cell.assembly import assemble
from torrey.cell.material import Material
from torrey.cell.operators import bloch_torrey
from torrey.geometry import Disc, Discs, MeshOptions
from torrey.geometry.meshing import build_meshes
from torrey.models.tensors import papers_tensors


def diffusivities(gap: float, refinements: int) -> np.ndarray:
    """D^e / D_e between impermeable discs of a square array, on each mesh."""
    shape = Discs((Disc((0.5, 0.5), (1 - gap) / 2),), "obstacle")
    sides = np.array([(m.outside, m.inside) for m in shape.membranes()])
    return np.array(
        [
            papers_tensors(bloch_torrey(assemble(mesh, sides), Material((1.0,)))).D[0, 0, 0]
            for mesh in build_meshes(shape, MeshOptions(0.1, refinements))
        ]
    )


@pytest.mark.parametrize(("fraction", "published"), [(0.5, 3.080), (0.6, 4.342), (0.7, 7.433)])
def test_the_exact_value_is_the_published_one(fraction: float, published: float) -> None:
    assert round(1 / insulating_array(math.sqrt(fraction / math.pi), 60), 3) == published


def test_the_exact_value_is_kellers_between_discs_that_nearly_touch() -> None:
    gaps = np.array([1e-3, 1e-4])
    found = [1 / insulating_array((1 - gap) / 2) for gap in gaps]
    rest = found - math.pi * np.sqrt((1 - gaps) / 2 / gaps)
    # What is left of 68 and 220 is one constant.
    assert rest[1] == pytest.approx(rest[0], abs=0.01)


@pytest.mark.parametrize(
    "gap",
    [
        pytest.param(1e-2, marks=pytest.mark.slow),
        pytest.param(1e-3, marks=pytest.mark.slow),
        1e-4,
    ],
)
def test_diffusivity_between_discs_that_nearly_touch_converges_with_order_four(gap: float) -> None:
    exact = insulating_array((1 - gap) / 2) / (1 - math.pi * (1 - gap) ** 2 / 4)
    errors = np.abs(diffusivities(gap, 2) / exact - 1)
    order = np.log2(errors[:-1] / errors[1:])
    print(f"errors {errors}, orders {order}")
    assert errors[0] < 3e-4
    assert errors[-1] < 2e-6
    assert np.all(order > 3.7)
