"""The magnetisation at all times: against exact and independent solutions, and the signal."""

from __future__ import annotations

import numpy as np
import pytest
from support.cells import DISC, Cell, layers
from support.spectral import LayeredCell

from torrey.bloch.fields import dof_of_node
from torrey.bloch.folded_basis import folded_models, road
from torrey.bloch.folded_signals import Propagator, converged_signal
from torrey.bloch.folded_signals import magnetisation as folded_magnetisation
from torrey.cell.build import filled, geometries
from torrey.cell.folding import part_of
from torrey.cell.material import Material
from torrey.geometry import Layers, MeshOptions, Sphere, Spheres
from torrey.geometry.meshing import build_meshes
from torrey.gradients.instants import film_times, still_times
from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import CosineOgse, Pgse, Segment, Waveform
from torrey.reference.full import reference_signal
from torrey.reference.magnetisation import Magnetisation, solve_magnetisation

WAVEFORM = Pgse(2.0, 5.0)
STILLS = still_times(WAVEFORM)


def solved(
    cell: Cell, point: Point, tolerance: float = 1e-4, times: tuple[float, ...] = STILLS
) -> Magnetisation:
    levels, meshes = cell.levels(4), [cell.mesh(level) for level in range(4)]
    return solve_magnetisation(levels, meshes, point, tolerance, times)[0]


def wave_numbers(waveform: Waveform, q: float, times: np.ndarray) -> np.ndarray:
    """The integral of |g|^2 up to some times, by a fine sum."""
    fine = np.linspace(0.0, waveform.echo_time, 20001)
    squares = q**2 * (waveform.sample(fine, 0)[:, 0] ** 2).sum(axis=1)
    steps = 0.5 * (squares[1:] + squares[:-1]) * np.diff(fine)
    return np.interp(times, fine, np.concatenate([[0.0], np.cumsum(steps)]))


@pytest.mark.parametrize("waveform", [WAVEFORM, CosineOgse(3.0, 4.0, 2)], ids=["pgse", "ogse"])
def test_water_along_closed_walls_is_free_at_all_times(waveform):
    D = (2.0, 0.8)
    times = still_times(waveform)
    point = Point(4.0, 0.0, waveform, 0.9, (0.0, 1.0))
    found = solved(layers((0.6, 0.4), D, dimension=2), point, times=times)
    weights = wave_numbers(waveform, point.q, np.array(times))
    for region, one in enumerate(D):
        nodes = np.unique(found.mesh.element_node[found.region == region])
        exact = np.exp(-one * weights)[:, None] * np.ones(len(nodes))
        np.testing.assert_allclose(np.abs(found.u[:, nodes]), exact, rtol=2e-5)


@pytest.mark.parametrize("q", [1.0, 4.0], ids=["plain", "folded"])
def test_layers_are_those_of_a_second_method_at_all_times(q):
    thicknesses, D, period, kappa = (0.4, 0.6), (2.0, 1.0), 5.0, 0.05
    times = film_times(WAVEFORM.echo_time, STILLS)[::9]
    times = (*times[:-1], WAVEFORM.echo_time)
    point = Point(period, kappa, WAVEFORM, q, (1.0,))
    found = solved(layers(thicknesses, D), point, times=times)
    second = LayeredCell(thicknesses, D, period, kappa, points=30)
    for time, u in zip(times[1:], found.u[1:], strict=True):
        np.testing.assert_allclose(means(found, u), second.moduli(until(time), q), rtol=3e-4)


def until(time: float) -> list[Segment]:
    """The segments of the waveform up to a time."""
    begin, parts = 0.0, []
    for segment in WAVEFORM.segments:
        end = min(time - begin, segment.duration)
        if end > 1e-9:
            parts.append(part_of(segment, 0.0, end, np.zeros(1)))
        begin += segment.duration
    return parts


def means(found: Magnetisation, u: np.ndarray) -> np.ndarray:
    """Mean of |m| over each region of a line, by Simpson's rule."""
    elements, size = found.mesh.element_node, np.abs(u)
    lengths = np.abs(np.diff(found.mesh.place[elements[:, :2], 0], axis=1))[:, 0]
    sums = lengths * (size[elements] @ [1.0, 1.0, 4.0]) / 6.0
    return np.bincount(found.region, sums) / np.bincount(found.region, lengths)


@pytest.mark.parametrize("q", [0.8, 2.4])
def test_its_mean_at_the_echo_is_the_signal(q):
    point, tolerance = Point(6.0, 0.02, WAVEFORM, q, (0.6, 0.8)), 1e-3
    found = solved(DISC, point, tolerance)
    expected = reference_signal(DISC.levels(4), point, tolerance).signal
    assert abs(found.signal - expected) <= tolerance * abs(expected)
    assert abs(found.signal - expected) <= found.signal_error
    assert found.time.tolist() == list(STILLS)
    assert np.all(found.u[0] == 1.0)
    # Water that is read has lost coherence, not gained it.
    assert np.abs(found.u).max() <= 1.0 + 1e-3


def test_localised_fields_are_those_of_small_systems_on_the_same_mesh():
    waveform, q, axis = Pgse(0.5, 0.6), 12.0, np.array([[1.0, 0.0]])
    levels, meshes = [DISC.operators(k) for k in range(3)], [DISC.mesh(k) for k in range(3)]
    point = Point(3.0, 0.0, waveform, q, (1.0, 0.0))
    found, level = solve_magnetisation(levels, meshes, point, 2e-2, (0.0, waveform.echo_time))
    small = folded_models(levels[level], 3.0, 0.0, road((1, 0)), 90, [(1, 0)])
    fine, coarse = map(Propagator, small)
    steps = converged_signal(fine, coarse, waveform, axis, q, 1e-4).steps
    m = folded_magnetisation(fine, waveform, axis, q, steps)
    nodes = dof_of_node(meshes[level], levels[level].cell)
    differing = np.abs(found.u[-1] - m[nodes]).max() / np.abs(m).max()
    print(differing, np.abs(m).max(), abs(found.signal))
    # Water at walls across the gradient keeps several times the mean.
    assert np.abs(m).max() > 3.0 * abs(found.signal)
    assert differing < 1e-2


def test_gradients_out_of_the_cell_are_free_diffusion():
    shape, D = Layers((0.5, 0.5), 1), 1.5
    meshes = build_meshes(shape, MeshOptions(0.25, 2))
    levels = filled(geometries(shape, meshes), Material((D, D), in_space=True))
    point = Point(5.0, 0.0, WAVEFORM, 0.7, (0.0, 0.0, 1.0))
    found, _ = solve_magnetisation(levels, meshes, point, 1e-4, STILLS)
    exact = np.exp(-D * wave_numbers(WAVEFORM, point.q, np.array(STILLS)))
    np.testing.assert_allclose(found.u, exact[:, None] * np.ones_like(found.u), rtol=1e-6)


@pytest.mark.slow
def test_of_a_cell_in_space_the_elements_round_its_middle_are_kept():
    shape = Spheres((Sphere((0.5, 0.5, 0.5), 0.35),))
    meshes = build_meshes(shape, MeshOptions(0.45, 1))
    levels = filled(geometries(shape, meshes), Material((2.0, 1.0)))
    point = Point(4.0, 0.01, WAVEFORM, 0.5, (0.0, 0.6, 0.8))
    found, level = solve_magnetisation(levels, meshes, point, 5e-2, (0.0, WAVEFORM.echo_time))
    assert found.normal == 0
    assert found.height == pytest.approx(0.5, abs=1e-5)
    heights = found.mesh.place[found.mesh.element_node, 0]
    assert np.all(heights.min(axis=1) <= found.height)
    assert np.all(heights.max(axis=1) >= found.height)
    assert len(found.region) < 0.6 * len(meshes[level].elements)
    assert set(np.unique(found.region)) == {0, 1}
