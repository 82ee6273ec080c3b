"""Gradients in space on permeable cylinders: the cell in the plane against one in space.

The other cell is of tetrahedra, turned so that the cylinders lie askew, on meshes of another size:
in it nothing knows of an axis, of gradients out of a plane or of a common factor along them, and
fields may vary along the cylinders.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from support.cylinders import cylinders, extruded

import torrey as tr
from torrey.cell.material import Material
from torrey.geometry.checks import facet_measures, volumes
from torrey.geometry.meshing import build_meshes
from torrey.gradients.protocol import Measurement, Point
from torrey.gradients.sweep import Acquisition, Sweep
from torrey.reference.full import reference_signal
from torrey.reference.ladder_levels import climb_meshes
from torrey.reference.slab import solve_slab
from torrey.reference.span import Span

PGSE = tr.Pgse(5.0, 25.0)
TURN = Rotation.from_rotvec([0.4, -0.7, 0.5]).as_matrix()
SHELLS = np.array([1.0, 3.0])
ROUND = tr.Discs([tr.Disc((0.5, 0.5), 0.35)])
#: The second disc reaches across the boundary, wherever the box of the first begins.
CUT = tr.Discs([tr.Disc((0.3, 0.6), 0.27), tr.Disc((0.8, 0.1), 0.22)])


def spread(count: int) -> np.ndarray:
    """Unit vectors on a spiral over half of the sphere, shape (count, 3)."""
    k = np.arange(count)
    z, angle = (k + 0.5) / count, np.pi * (1.0 + math.sqrt(5.0)) * k
    across = np.sqrt(1.0 - z**2)
    return np.column_stack([across * np.cos(angle), across * np.sin(angle), z])


def turned(n: np.ndarray) -> tuple[float, ...]:
    """A direction of the plane's cell in the axes of the cell in space."""
    return tuple((TURN @ n).tolist())


@pytest.mark.parametrize("shape", [ROUND, CUT], ids=["whole", "cut"])
def test_cylinders_are_as_round_as_their_discs(shape):
    (flat,) = build_meshes(shape, tr.MeshOptions(0.3, 0))
    solid = extruded(flat, 0.4, 2, TURN)
    areas, _ = volumes(flat)
    measures, folded = volumes(solid)
    assert not folded.any()
    for a in range(shape.n_compartments):
        volume = measures[solid.compartment == a].sum()
        assert volume == pytest.approx(0.4 * areas[flat.compartment == a].sum(), rel=1e-12)
    assert facet_measures(solid).sum() == pytest.approx(0.4 * facet_measures(flat).sum(), rel=1e-12)
    # Both sides of a membrane, and opposite faces, are cut into the same facets.
    gaps = solid.points[solid.membrane_outside] - solid.points[solid.membrane_inside]
    assert np.abs(gaps).max() < 1e-12
    steps = (solid.points - solid.points[solid.periodic]) @ np.linalg.inv(solid.lattice)
    np.testing.assert_allclose(steps, np.round(steps), rtol=0.0, atol=1e-9)
    assert_faces_are_shared(solid.periodic[solid.elements], solid.periodic[solid.membrane_outside])


def assert_faces_are_shared(elements: np.ndarray, walls: np.ndarray) -> None:
    """Every face of a tetrahedron is one of another, or one side of a membrane."""
    # By the middles of their edges: corners alone may be the same in a low cell.
    local = np.array([[4, 5, 6], [4, 7, 9], [5, 8, 9], [6, 7, 8]])
    faces = np.sort(elements[:, local].reshape(-1, 3), axis=1)
    kinds, counts = np.unique(faces, axis=0, return_counts=True)
    assert counts.max() == 2
    alone = {tuple(face) for face in kinds[counts == 1].tolist()}
    outside = {tuple(face) for face in np.sort(walls[:, 3:], axis=1).tolist()}
    assert outside <= alone
    assert len(alone) == 2 * len(outside)


@pytest.mark.slow
def test_a_table_of_directions_on_cylinders_is_that_of_a_cell_in_space():
    D, tolerance, directions = [2.0, 0.8], 2e-4, spread(30)
    cell = tr.Cell(ROUND, D, 10.0, 0.05, mesh=tr.MeshOptions(0.2, 1))
    flat = cell.signal(
        PGSE, b=SHELLS, direction=directions.tolist(), tolerance=tolerance, method="projected"
    ).transpose("direction", "b")

    solid = cylinders(ROUND, tr.MeshOptions(0.25, 1), Material(tuple(D)), 0.2, TURN)
    points = [Measurement(PGSE, PGSE.q_of_b(b), turned(n)) for n in directions for b in SHELLS]
    sweep = Sweep((10.0,), "permeability", (0.05,), Acquisition("b", tuple(points)))
    span = Span.of(sweep)
    ladders = climb_meshes(solid, span.axes, span.rungs)
    table = solve_slab(sweep, tolerance, ladders, solid, for_models=False).signals
    S, error = table.signal.reshape(flat.shape), table.error.reshape(flat.shape)
    assert set(table.method) == {"projected"}
    assert np.abs(S).min() < 0.05 < 0.4 < np.abs(S).max()
    assert np.all(error <= tolerance * np.abs(S))
    assert np.all(abs(flat.values - S) <= flat.numerical_error.values + error)

    # The two bases could share an error: some rows by the full system.
    for i, k in ((0, 1), (12, 0), (20, 1)):
        point = Point(10.0, 0.05, PGSE, PGSE.q_of_b(SHELLS[k]), turned(directions[i]))
        full = reference_signal(solid, point, tolerance)
        both = full.error + flat.numerical_error.values[i, k]
        assert abs(full.signal - flat.values[i, k]) <= both


@pytest.mark.slow
def test_cylinders_with_tensors_that_couple_to_their_axis():
    D = [
        np.array([[2.0, 0.3, 0.5], [0.3, 1.5, -0.2], [0.5, -0.2, 1.1]]),
        np.array([[1.0, 0.1, -0.3], [0.1, 1.2, 0.2], [-0.3, 0.2, 1.7]]),
        np.diag([0.9, 0.9, 0.5]),
    ]
    directions = np.array([[1.0, -1.0, 2.0], [0.0, 0.0, 1.0]])
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    cell = tr.Cell(CUT, D, 8.0, 0.2, mesh=tr.MeshOptions(0.25, 1))
    flat = cell.signal(PGSE, b=2.0, direction=directions.tolist(), tolerance=1e-3, method="full")

    inner = [TURN @ x @ TURN.T for x in D]
    matrices = (tuple(map(tuple, ((x + x.T) / 2.0).tolist())) for x in inner)
    solid = cylinders(CUT, tr.MeshOptions(0.3, 1), Material(tuple(matrices)), 0.25, TURN)
    for i, n in enumerate(directions):
        point = Point(8.0, 0.2, PGSE, PGSE.q_of_b(2.0), turned(n))
        full = reference_signal(solid, point, 1e-3)
        # A few digits beyond what was asked for, as signals change with each direction.
        assert full.error + float(flat.numerical_error[i]) < 1e-4 * abs(full.signal)
        assert abs(full.signal - complex(flat[i])) <= full.error + float(flat.numerical_error[i])
