"""Ladders on a mesh and its refinements; those of layers end in the whole space of small meshes."""

from __future__ import annotations

import numpy as np
import pytest

from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey
from torrey.geometry import Layers, MeshOptions
from torrey.gradients.protocol import Point
from torrey.gradients.sweep import Product, Sweep, WaveformGrid
from torrey.models.projection import ProjectedModel
from torrey.reference.full import reference_signal
from torrey.reference.ladder_levels import Climbing, climb_meshes, continued, models_to_store
from torrey.reference.slab import solve_slab

#: Four layers whose coarse mesh is nearly filled before the basis is good enough.
THICKNESSES, D = (0.3, 0.16, 0.06, 0.48), (1.9, 0.9, 2.2, 2.7)
PERIOD, KAPPA, HIGHEST, TOLERANCE = 9.0, 0.002, 11, 1e-5
B = (2.0, 5.0, 9.0)


@pytest.fixture(scope="module")
def meshes() -> list[BlochTorrey]:
    return levels(Layers(THICKNESSES), MeshOptions(0.1, 3), Material(D))


@pytest.fixture(scope="module")
def sweep() -> Sweep:
    grid = WaveformGrid("pgse", (("delta", (4.0,)), ("Delta", (12.0,))))
    return Sweep((PERIOD,), "permeability", (KAPPA,), Product(grid, "b", B, ((1.0,),)))


@pytest.fixture(scope="module")
def full(meshes: list[BlochTorrey], sweep: Sweep) -> list[tuple[complex, float]]:
    points: list[Point] = list(sweep.points().values())
    found = [reference_signal(meshes, point, TOLERANCE) for point in points]
    return [(one.signal, one.error) for one in found]


def test_no_point_in_layers_needs_the_full_system(meshes, sweep, full):
    table = solve_slab(sweep, TOLERANCE, climb_meshes(meshes, (1.0,), HIGHEST), meshes)
    assert set(table.signals.method) == {"projected"}
    # Some of them were not good enough on any rung that does not fill the coarsest mesh.
    assert table.signals.rung.max() > HIGHEST
    for number, (signal, error) in enumerate(full):
        assert table.signals.error[number] <= TOLERANCE * abs(signal)
        assert abs(table.signals.signal[number] - signal) <= table.signals.error[number] + error


def test_stored_models_of_layers_end_in_the_whole_space_too(meshes, sweep):
    ladders = climb_meshes(meshes, (1.0,), HIGHEST)
    stored = list(models_to_store(meshes, (1.0,), HIGHEST))
    assert max(len(model.start) for model in stored) < meshes[0].cell.n_dofs * 2
    again = solve_slab(sweep, TOLERANCE, continued(stored, meshes), meshes).signals
    first = solve_slab(sweep, TOLERANCE, ladders, meshes).signals
    assert set(again.method) == {"projected"}
    np.testing.assert_allclose(again.signal, first.signal, rtol=TOLERANCE, atol=0.0)


def test_the_whole_space_of_a_mesh_has_its_own_eigenvalues(meshes):
    ladder: Climbing = climb_meshes(meshes, (1.0,), HIGHEST)[0]
    rung = HIGHEST + 1
    assert ladder.complete(rung)
    assert not ladder.complete(HIGHEST)
    model: ProjectedModel = ladder.truncate(rung)
    operators = meshes[0]
    K, M = operators.cell.matrix(operators.K).toarray(), operators.mass_matrix.toarray()
    expected = np.sort(np.linalg.eigvals(np.linalg.solve(M, K)).real)
    found = np.linalg.eigvalsh(model.K)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * expected[-1])
    fields = ladder.basis(rung)
    np.testing.assert_allclose(fields.T @ (M @ fields), np.eye(len(M)), atol=1e-10)
    assert ladder.along(np.array([[1.0]])).complete(rung)


def test_rungs_that_are_missing_are_refused(meshes):
    ladder = climb_meshes(meshes, (1.0,), HIGHEST)[0]
    assert not ladder.reaches(HIGHEST)
    assert ladder.reaches(ladder.order)
    for rung in (HIGHEST, ladder.order + 1):
        with pytest.raises(ValueError, match="does not reach"):
            ladder.truncate(rung)
