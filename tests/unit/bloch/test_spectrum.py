"""Continuation of branches and location of branching points, on spectra that are known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import group_of
from torrey.bloch.branches import bends, branching_points, follow
from torrey.bloch.echo_runs import run_maps, run_strengths
from torrey.bloch.spectrum import Crossing, Spectrum, agreed, spectrum, wrap
from torrey.bloch.spectrum_runs import run_modes, run_spectrum
from torrey.cell.assembly import assemble
from torrey.cell.material import Material
from torrey.cell.operators import bloch_torrey
from torrey.geometry import Disc, Discs, MeshOptions
from torrey.geometry.meshing import build_meshes

MADE = Provenance("test", {}, "abc", {})


def of_values(gradient, values, step=None):
    """A spectrum with eigenvectors that tell nothing."""
    values = np.asarray(values, dtype=complex)
    order = np.argsort(values.real, kind="stable")
    n = len(values)
    eye = np.eye(n, dtype=complex)
    return Spectrum(
        gradient, gradient if step is None else step, values[order], np.zeros(n), eye[:, order],
        eye[:, order],
    )  # fmt: skip


class Model:
    """Branches that meet at 5 (a square root), cross at 8, and never leave the lowest."""

    def every(self, gradient):
        root = np.sqrt(complex(0.6 * (5.0 - gradient)))
        pair = [4.0 + 0.1 * gradient + root, 4.0 + 0.1 * gradient - root]
        crossing = [0.5 * gradient + 3.0, 7.0 + 0j]
        return of_values(
            gradient, [0.1 * gradient, *pair, *[c + 0.5j * gradient for c in crossing]]
        )

    def sure(self, found):
        return np.arange(len(found.eigenvalues))


def test_branches_are_continued_through_a_crossing_and_a_branching_point():
    found = follow(Model(), np.linspace(1.0, 12.0, 23), 5)
    assert np.all(np.isfinite(found.eigenvalues))
    for row in found.eigenvalues:
        steps = np.abs(wrap(np.diff(row / found.gradients), 1.0)) * found.gradients[1:]
        assert steps.max() < 1.5
    crossing = [
        row
        for row in found.eigenvalues
        if np.allclose(np.abs(row.imag[:5]), found.gradients[:5] / 2)
    ]
    ends = sorted(row.real[-1] for row in crossing)
    starts = sorted(row.real[0] for row in crossing)
    assert_allclose([starts[0], ends[-1]], [3.5, 9.0])
    assert_allclose(sorted(np.abs(row.real[-1] - row.real[0]) for row in crossing), [0.0, 5.5])


def test_a_branching_point_is_located():
    found = follow(Model(), np.linspace(1.0, 12.0, 23), 5)
    (point,) = found.points
    assert point.gradient == pytest.approx(5.0, rel=1e-6)
    assert point.eigenvalue == pytest.approx(4.5, rel=1e-6)


def test_branches_that_bend_are_known_at_more_gradients():
    """Straight lines between the gradients follow the curve to the tolerance of `bends`."""
    coarse = np.linspace(1.0, 12.0, 12)
    found = follow(Model(), coarse, 5)
    assert len(found.gradients) > 2 * len(coarse)
    assert set(coarse) <= set(found.gradients)
    # The root at 5: nothing more is asked of what is as near as 2 %.
    middles = (found.gradients[1:] + found.gradients[:-1]) / 2
    away = np.abs(middles / 5.0 - 1.0) > 0.04
    real = np.sort(found.eigenvalues.real, axis=0)
    lines = np.array([np.interp(middles, found.gradients, row) for row in real])
    exact = np.array([np.sort(Model().every(g).eigenvalues.real) for g in middles]).T
    assert np.abs(lines - exact)[:, away].max() < 5e-3 * real.max()


def test_straight_branches_ask_for_no_more_gradients():
    gradients = np.linspace(1.0, 7.0, 7)
    # A whole step of the lattice from one gradient to the next is no bend.
    cells = gradients * np.array([0.0, 1.0, 1.0, -1.0, 0.0, 2.0, 0.0])
    values = np.array([0.5 * gradients + 1j * cells, np.full(7, 2.0)])
    values[1, :2] = np.nan
    assert len(bends(gradients, values, 1.0)) == 0
    values[0] += 0.1 * (gradients - 4.0) ** 2
    assert_allclose(bends(gradients, values, 1.0), np.sqrt(gradients[1:] * gradients[:-1]))


def test_a_crossing_is_not_a_branching_point():
    def solve(gradient):
        return of_values(gradient, [0.5 * gradient, 2.0])

    gradients = np.linspace(1.0, 7.0, 13)
    values = np.array([0.5 * gradients, np.full(13, 2.0)], dtype=complex)
    assert branching_points(solve, gradients, values) == ()


def test_eigenvalues_that_another_mesh_does_not_have_are_left_out():
    mine = of_values(10.0, [1.0, 2.0, 3.0])
    other = of_values(10.0, [1.001, 2.5, 3.001 + 10j])
    assert_allclose(agreed(mine, [other]), [0, 2])
    assert_allclose(agreed(mine, [other, of_values(10.0, [])]), [])


def test_differences_are_taken_modulo_a_step():
    assert_allclose(wrap(np.array([1.0 + 9.0j, -4.9j, 20j]), 10.0), [1 - 1j, -4.9j, 0])


def test_the_floor_is_a_line_in_the_gradient():
    for gradient in (1.0, 10.0):
        found = of_values(gradient, [2.0])
        assert found.floor == pytest.approx(gradient * 52 * np.log(2) / (2 * np.pi))


def test_a_gradient_of_zero_is_refused():
    with pytest.raises(ValueError, match="accepted: one above zero"):
        spectrum(Crossing(SimpleNamespace(), (1,)), 0.0)


@pytest.mark.slow
def test_files_hold_finite_branches_or_gaps_and_write_as_netcdf(tmp_path):
    shape = Discs((Disc((0.5, 0.5), 0.4),), interior="obstacle")
    meshes = build_meshes(shape, MeshOptions(0.3, 1))
    sides = np.array([(m.outside, m.inside) for m in shape.membranes()], dtype=np.int64)
    cells = [assemble(mesh, sides.reshape(-1, 2)) for mesh in meshes]
    levels = [bloch_torrey(cell, Material((2.0,))) for cell in cells]
    results = {
        "spectrum": run_spectrum(levels, 1.0, 0.0, (1, 0), [20.0, 60.0, 120.0], 3),
        "modes": run_modes(levels, meshes[1], 1.0, 0.0, (1, 0), [100.0], 2),
        "maps": run_maps(levels[0], meshes[0], 1.0, 0.0, [(1, 0)], [0.3], 1.0, 24),
        "localisation": run_strengths(levels[0], 1.0, 0.0, [(1, 1)], [0.3], [1.0, 8.0], 24),
    }
    for name, result in results.items():
        artifacts.write(tmp_path / f"{name}.nc", group_of(result), MADE)
        data = artifacts.read(tmp_path / f"{name}.nc")
        assert float(data["diffusivity"]) == 2.0
        assert float(data["water"]) == pytest.approx(1 - 0.16 * np.pi, rel=1e-3)
    found = artifacts.read(tmp_path / "spectrum.nc")
    assert np.isfinite(found["eigenvalue_real"][0]).all()
    assert found["eigenvalue_real"].shape == (3, len(found["gradient"]))
    modes = artifacts.read(tmp_path / "modes.nc")
    assert modes["mode_real"].shape == (1, 2, 3, len(meshes[1].points))
    signals = artifacts.read(tmp_path / "localisation.nc")["signal"]
    assert 0.0 < signals[0, 0, 1] < signals[0, 0, 0] < 1.0
