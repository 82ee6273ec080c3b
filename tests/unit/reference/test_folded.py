"""Points by small systems that fold: what is known of their bases on every mesh."""

from __future__ import annotations

from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.geometry import Layers, MeshOptions
from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import Pgse
from torrey.reference.folded import solve_folded
from torrey.reference.full import reference_signal
from torrey.reference.outcome import ProjectedSignals


def test_bands_that_fill_the_coarsest_mesh_do_not_tell_their_error():
    """On 21 unknowns fewer bands are the whole space too, and on finer meshes they are not."""
    shape, material = Layers((1.0,)), Material((2.0,))
    meshes = levels(shape, MeshOptions(0.1, 2), material)
    waveform = Pgse(10.0, 40.0)
    point = Point(120.0, 0.03, waveform, waveform.q_of_b(1.0), (1.0,))
    found = solve_folded([point], 1e-3, meshes, ProjectedSignals.unsolved(1), fewest=1)
    assert found.reached.all()
    assert found.basis_error[0] > 1e-7
    exact = reference_signal(levels(shape, MeshOptions(0.1, 4), material), point, 1e-5)
    assert abs(found.signal[0] - exact.signal) <= found.error[0] + exact.error


def test_points_without_gradient_are_left_to_the_full_system():
    shape, material = Layers((1.0,)), Material((2.0,), T2=(50.0,))
    meshes = levels(shape, MeshOptions(0.1, 2), material)
    points = [Point(10.0, 0.03, Pgse(5.0, 8.0 + i), 0.0, (1.0,)) for i in range(24)]
    found = solve_folded(points, 1e-6, meshes, ProjectedSignals.unsolved(24))
    assert not found.reached.any()
