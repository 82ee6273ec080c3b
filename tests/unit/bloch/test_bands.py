"""Bands against exact dispersion relations, and against eigenpairs on the whole mesh."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq

from torrey.bloch.bands import BandSet, band_basis, band_set
from torrey.bloch.modes import count_below, lowest_modes
from torrey.bloch.zone_lines import zone_line
from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey
from torrey.cell.system import AffineSystem
from torrey.geometry import Disc, Discs, Layers, MeshOptions

OBSTACLE = Discs((Disc((0.5, 0.5), 0.4),), interior="obstacle")
#: Two discs behind membranes and no centre of symmetry.
DISCS = Discs((Disc((0.27, 0.4), 0.15), Disc((0.75, 0.93), 0.2)))


def operators(shape, diffusivity=(1.0,), size=0.1, level=0, **material) -> BlochTorrey:
    return levels(shape, MeshOptions(size, level), Material(diffusivity, **material))[level]


@pytest.fixture(scope="module")
def obstacle() -> BlochTorrey:
    return operators(OBSTACLE, size=0.06)


def test_a_line_runs_along_the_smallest_reciprocal_vector():
    diagonal = zone_line(np.eye(2), 5.0, (3.0, 3.0))
    assert diagonal.integers == (1, 1)
    np.testing.assert_allclose(diagonal.width, 2 * np.pi * np.sqrt(2) / 5.0)
    assert zone_line(np.eye(2), 5.0, (0.0, -2.0)).integers == (0, -1)
    assert zone_line(np.eye(3), 1.0, (1.0, -2.0, 0.5)).integers == (2, -4, 1)


def test_a_line_of_an_oblique_lattice_closes_after_its_width():
    lattice = np.array([[1.0, 0.0], [0.5, np.sqrt(0.75)]])
    line = zone_line(lattice, 2.0, np.linalg.inv(lattice) @ (2, 1))
    assert line.integers == (2, 1)
    phases = 2.0 * lattice @ (line.width * line.direction) / (2 * np.pi)
    np.testing.assert_allclose(phases, (2, 1), atol=1e-12)


@pytest.mark.parametrize("direction", [(1.0, np.sqrt(2.0)), (0.0, 0.0), (1.0, 0.0, 0.0)])
def test_other_directions_are_refused(direction):
    with pytest.raises(ValueError, match="direction"):
        zone_line(np.eye(2), 1.0, direction)


def test_free_water_has_parabolas_shifted_by_the_reciprocal_lattice():
    D, L = 1.7, 3.0
    error = []
    for size in (0.1, 0.05, 0.025):
        basis = band_basis(operators(Discs(()), (D,), size), L, 0.0, [(1.0, 0.0)], 0.1 * L)
        bands = band_set(basis, (1.0, 0.0), 6)
        shift = 2 * np.pi / L * np.arange(-6, 7)
        exact = [
            np.sort((D * ((p + shift[:, None]) ** 2 + shift**2)).ravel())[: bands.n_bands]
            for p in bands.p
        ]
        assert bands.n_bands >= 7
        error.append(
            np.abs(bands.values[:, : bands.n_bands] / np.maximum(exact, 0.1) - 1)[1:].max()
        )
    order = np.log2(np.array(error[:-1]) / error[1:])
    assert np.all(order > 3.6)
    assert error[-1] < 1e-5


def test_permeable_layers_have_the_bands_of_kronig_and_penney():
    """cos(p a) = cos(k a) - k D / (2 kappa) sin(k a) for membranes at distances a."""
    D, kappa, L = 2.0, 0.4, 4.0
    a = L / 2
    basis = band_basis(operators(Layers((0.5, 0.5)), (D, D), 0.02), L, kappa, [(1.0,)], 0.06 * L)
    bands = band_set(basis, (1.0,), 8)

    def exact(p: float) -> np.ndarray:
        k = np.linspace(1e-6, 12.0, 6001)

        def mismatch(k, p):
            return np.cos(k * a) - k * D / (2 * kappa) * np.sin(k * a) - np.cos(p * a)

        found = []
        for folded in (p, p - 2 * np.pi / L):  # the true period is a: two bands in one zone
            values = mismatch(k, folded)
            turns = np.flatnonzero(values[:-1] * values[1:] < 0)
            found += [D * brentq(mismatch, k[i], k[i + 1], args=(folded,)) ** 2 for i in turns]
        return np.sort(found)

    for p, values in zip(bands.p[1:], bands.values[1:], strict=True):
        np.testing.assert_allclose(
            values[: bands.n_bands], exact(p)[: bands.n_bands], rtol=3e-5, atol=1e-9
        )


@pytest.mark.parametrize("direction", [(1.0, 0.0), (1.0, 1.0), (2.0, 1.0)])
def test_bands_are_those_of_the_whole_mesh(obstacle, direction):
    basis = band_basis(obstacle, 1.0, 0.0, [direction], 0.06)
    bands = band_set(basis, direction, 7)
    for p, values in zip(bands.p, bands.values, strict=True):
        system = AffineSystem.at(obstacle, 1.0, 0.0, basis.frame)
        exact, _ = lowest_modes(system, basis.frame @ (p * bands.line.direction), basis.bound)
        found = values[: len(exact)]
        assert np.all(found >= exact - 1e-7)
        np.testing.assert_allclose(found, exact, rtol=2e-4, atol=1e-7)


def test_membranes_relaxation_and_several_diffusivities_are_in_the_bands():
    cell = operators(DISCS, (3.0, 1.7, 1.1), 0.1, T2=(80.0, 20.0, 40.0))
    basis = band_basis(cell, 6.0, 0.05, [(1.0, 0.0), (1.0, 1.0)], 0.6)
    system = AffineSystem.at(cell, 6.0, 0.05, np.eye(2))
    for p in ((0.11, 0.0), (0.3, 0.3), (0.5, 0.2)):
        exact, _ = lowest_modes(system, np.array(p), basis.bound)
        found = basis.values([p], len(exact))[0]
        np.testing.assert_allclose(found, exact, rtol=3e-4)
        assert exact[0] > 1 / 80.0


@pytest.mark.parametrize("p", [0.0, 0.8, np.pi])
def test_slices_miss_no_eigenvalue(p):
    cell = operators(OBSTACLE, size=0.045)
    assert cell.cell.n_dofs > 1000
    system = AffineSystem.at(cell, 1.0, 0.0, (1.0, 0.0))
    values, modes = lowest_modes(system, np.array([p]), 3500.0)
    assert len(values) == count_below(system, np.array([p]), 3500.0) > 128
    M = cell.mass_matrix
    np.testing.assert_allclose(modes.conj().T @ (M @ modes), np.eye(len(values)), atol=1e-8)
    residual = system.matrix(np.array([p])) @ modes - (M @ modes) * values
    assert np.abs(residual).max() < 1e-7 * 3500.0


def test_the_opposite_half_of_a_line_is_the_conjugate(obstacle):
    basis = band_basis(obstacle, 1.0, 0.0, [(1.0, 0.0)], 0.1)
    bands = band_set(basis, (1.0, 0.0), 5)
    p = -bands.p[2]
    values, y = bands.eigenpairs(p)
    A = basis.matrix((p, 0.0))
    np.testing.assert_allclose(A @ y, y * values, atol=1e-8 * values[-1])


def test_bands_are_periodic_in_the_reciprocal_lattice():
    """At p - G the basis has to hold exp(i G.x) w: what is left is the mesh's error, of order 4."""
    gaps = []
    for size in (0.1, 0.05, 0.025):
        basis = band_basis(operators(OBSTACLE, size=size), 1.0, 0.0, [(1.0, 0.0)], 0.045)
        near, far = basis.values([(0.9, 0.0), (0.9 - 2 * np.pi, 0.0)], 12)
        gaps.append(np.abs(far / near - 1).max())
    assert np.all(np.log2(np.array(gaps[:-1]) / gaps[1:]) > 3.3)
    assert gaps[-1] < 5e-5


def test_transitions_and_folds_keep_what_the_modes_resolve(obstacle):
    basis = band_basis(obstacle, 1.0, 0.0, [(1.0, 0.0)], 0.05)
    bands = band_set(basis, (1.0, 0.0), 12)
    G = bands.transition(2)
    np.testing.assert_allclose(G.conj().T @ G, np.eye(basis.size), atol=1e-10)
    y = bands.coefficients[-1][:, :20]
    norms = np.linalg.norm(basis.folds[0] @ y, axis=0)
    np.testing.assert_allclose(norms, 1.0, atol=2e-3)


def test_the_mean_of_a_band_is_its_integral(obstacle):
    basis = band_basis(obstacle, 1.0, 0.0, [(1.0, 0.0)], 0.1)
    nodes, weights = np.polynomial.legendre.leggauss(24)
    p = np.pi * (nodes + 1) / 2
    values = basis.values(np.column_stack([p, 0 * p]), 1)[:, 0]
    for pulses in (23, 24):
        mean = band_set(basis, (1.0, 0.0), pulses).mean_values()[0]
        np.testing.assert_allclose(mean, weights @ values / 2, rtol=2e-3)


def test_truncated_sets_keep_the_lowest_modes(obstacle):
    bands = band_set(band_basis(obstacle, 1.0, 0.0, [(1.0, 0.0)], 0.1), (1.0, 0.0), 4)
    few = bands.truncate(5)
    assert isinstance(few, BandSet)
    np.testing.assert_array_equal(few.values, bands.values[:, :5])
    assert few.eigenpairs(0.3)[1].shape == (bands.basis.size, 5)


def test_what_cannot_be_resolved_is_refused(obstacle):
    with pytest.raises(ArithmeticError, match="finer mesh"):
        band_basis(obstacle, 1.0, 0.0, [(1.0, 0.0)], 0.012)
    with pytest.raises(ValueError, match="length above zero"):
        band_basis(obstacle, 1.0, 0.0, [(1.0, 0.0)], 0.0)
    basis = band_basis(obstacle, 1.0, 0.0, [(1.0, 0.0)], 0.1)
    with pytest.raises(ValueError, match="those of the basis"):
        band_set(basis, (0.0, 1.0), 4)
    with pytest.raises(ValueError, match="1 or more"):
        band_set(basis, (1.0, 0.0), 0)


def test_an_incomplete_basis_is_noticed(obstacle, monkeypatch):
    from torrey.bloch import bands

    whole = bands._basis
    monkeypatch.setattr(bands, "_basis", lambda *args: np.delete(whole(*args), [5, 6], axis=1))
    with pytest.raises(ArithmeticError, match="incomplete"):
        band_basis(obstacle, 1.0, 0.0, [(1.0, 0.0)], 0.1)


def test_values_below_zero_stop(obstacle):
    basis = band_basis(obstacle, 1.0, 0.0, [(1.0, 0.0)], 0.1)
    broken = replace(basis, static=basis.static - np.eye(basis.size))
    with pytest.raises(ArithmeticError, match="negative"):
        band_set(broken, (1.0, 0.0), 2)
