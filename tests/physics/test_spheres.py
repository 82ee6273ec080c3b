"""Spheres in a cubic cell: areas, volumes and conductivity of curved tetrahedra.

The simple cubic array of insulating spheres of the volume fraction f conducts like Maxwell's
1 - 3f/(2 + f) up to terms of the order f^(13/3) (Rayleigh, Phil. Mag. 34, 481, 1892), 1e-6 for the
fraction here.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from torrey.cell.assembly import assemble
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey, bloch_torrey
from torrey.cell.system import AffineSystem
from torrey.geometry import NOTHING, MeshOptions, Sphere, Spheres
from torrey.geometry.meshing import build_meshes
from torrey.gradients.protocol import Measurement, Point
from torrey.gradients.sweep import Acquisition, Sweep
from torrey.gradients.waveforms import Pgse
from torrey.models.tensors import papers_tensors
from torrey.reference.full import mesh_signal, reference_signal
from torrey.reference.ladder_levels import climb_meshes
from torrey.reference.slab import solve_slab
from torrey.reference.span import Span


def on_meshes(shape: Spheres, material: Material, size: float, count: int) -> list[BlochTorrey]:
    sides = np.array([(m.outside, m.inside) for m in shape.membranes()]).reshape(-1, 2)
    meshes = build_meshes(shape, MeshOptions(size, count - 1))
    return [bloch_torrey(assemble(mesh, sides), material) for mesh in meshes]


@pytest.mark.parametrize("center", [(0.5, 0.5, 0.5), (0.1, 0.5, 0.3)], ids=["whole", "cut"])
def test_volumes_and_areas_converge_at_fourth_order(center):
    shape = Spheres((Sphere(center, 0.3),))
    meshes = on_meshes(shape, Material((3.0, 1.7)), 0.25, 2)
    volumes = [abs(op.cell.measures()[1] / shape.measures()[1] - 1) for op in meshes]
    areas = []
    for op in meshes:
        one = op.cell.indicators[:, 1]
        area = one @ (op.cell.matrix(op.J) @ one)
        areas.append(abs(area / shape.interface_measures()[0] - 1))
    assert volumes[1] < 1e-3
    assert areas[1] < 1e-3
    assert math.log2(volumes[0] / volumes[1]) > 3.0
    assert math.log2(areas[0] / areas[1]) > 3.0


@pytest.mark.slow
def test_insulating_spheres_conduct_as_published():
    f = 4 / 3 * math.pi * 0.2**3
    shape = Spheres((Sphere((0.5, 0.5, 0.5), 0.2),), "obstacle")
    exact = 3.0 * (1 - 3 * f / (2 + f)) / (1 - f) * np.eye(3)
    sizes = (0.1, 0.075, 0.055)
    meshes = [on_meshes(shape, Material((3.0,)), size, 1)[0] for size in sizes]
    errors = [np.abs(papers_tensors(mesh).D[0] - exact).max() for mesh in meshes]
    slope = np.polyfit(np.log(sizes), np.log(errors), 1)[0]
    assert slope > 2.5, errors
    assert errors[-1] < 5e-4


@pytest.mark.slow
def test_conduction_around_spheres_converges_at_fourth_order():
    f = 4 / 3 * math.pi * 0.2**3
    shape = Spheres((Sphere((0.5, 0.5, 0.5), 0.2),), "obstacle")
    exact = 3.0 * (1 - 3 * f / (2 + f)) / (1 - f)
    meshes = on_meshes(shape, Material((3.0,)), 0.4, 3)
    found = np.array([papers_tensors(mesh).D[0][0, 0] for mesh in meshes])
    errors = np.abs(found / exact - 1)
    first, second = np.log2(errors[:-1] / errors[1:])
    assert first > 3.2
    assert second == pytest.approx(4, abs=0.3)
    # Rayleigh's formula is good to 1e-6 here.
    assert errors[-1] < 5e-6


def test_free_water_is_free_in_three_dimensions():
    shape = Spheres(())
    (operators,) = on_meshes(shape, Material((2.0,)), 0.34, 1)
    system = AffineSystem.at(operators, 5.0, 0.0, np.array([1.0, 2.0, 2.0]) / 3)
    waveform = Pgse(2.0, 6.0)
    found = mesh_signal(system, waveform, waveform.q_of_b(0.8), 48)
    assert found == pytest.approx(math.exp(-1.6), rel=1e-6)


def test_surfaces_of_spheres_have_nothing_behind_them():
    shape = Spheres((Sphere((0.5, 0.5, 0.5), 0.3),), "obstacle")
    assert [(m.name, m.inside) for m in shape.membranes()] == [("surface_1", NOTHING)]
    (operators,) = on_meshes(shape, Material((3.0,)), 0.25, 1)
    ones = np.ones(operators.cell.n_dofs)
    area = ones @ (operators.cell.matrix(operators.J) @ ones)
    assert area == pytest.approx(4 * math.pi * 0.3**2, rel=5e-3)


#: Off the axes and diagonals of the cell, at which fields of the basis are made.
OBLIQUE = tuple(float(x) for x in np.array([0.48, -0.6, 0.64]))


@pytest.mark.slow
def test_a_basis_for_all_directions_gives_signals_of_the_full_system_in_space():
    """Two spheres of different sizes, which no symmetry helps."""
    shape = Spheres((Sphere((0.27, 0.3, 0.3), 0.24), Sphere((0.7, 0.7, 0.68), 0.28)))
    meshes = on_meshes(shape, Material((2.0, 1.0, 1.4)), 0.3, 2)
    waveform, period, kappa, tolerance = Pgse(10.0, 30.0), 8.0, 0.04, 2e-3
    directions = ((1.0, 0.0, 0.0), OBLIQUE)
    measurements = tuple(
        Measurement(waveform, waveform.q_of_b(b), n) for n in directions for b in (0.5, 1.0, 2.5)
    )
    sweep = Sweep((period,), "permeability", (kappa,), Acquisition("b", measurements))
    span = Span.of(sweep)
    assert len(span.axes) == 3
    ladders = climb_meshes(meshes, span.axes, span.rungs)
    table = solve_slab(sweep, tolerance, ladders, meshes).signals
    assert set(table.method) == {"projected"}
    assert np.all(table.error <= tolerance * np.abs(table.signal))
    row = len(measurements) - 1
    m = measurements[row]
    full = reference_signal(meshes, Point(period, kappa, waveform, m.q, m.direction), tolerance)
    assert abs(table.signal[row] - full.signal) <= table.error[row] + full.error
    difference = abs(table.coarse_signal[row] - full.coarse_signal)
    assert difference <= table.coarse_error[row] + full.coarse_time_error
    assert difference <= 0.05 * tolerance * abs(full.signal)
