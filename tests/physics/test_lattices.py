"""Oblique cells: the same medium, cut otherwise, has the same tensors and signals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey
from torrey.geometry import Disc, Discs, MeshOptions
from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import Pgse
from torrey.models.tensors import papers_tensors
from torrey.reference.full import reference_signal

RADIUS = 0.3
MATERIAL = Material((3.0, 1.7))
SQUARE = Discs((Disc((0.5, 0.5), RADIUS),))
#: The square lattice once more: (1, 0) and (1, 1) generate it as well.
SHEARED = Discs((Disc((0.4, 0.3), RADIUS),), lattice=((1.0, 0.0), (1.0, 1.0)))
#: Two discs of the square lattice in a square cell that stands on its corner.
TURNED = Discs((Disc((0.1, 0.2), RADIUS), Disc((0.6, 0.7), RADIUS)), lattice=((1, -1), (1, 1)))
HEXAGONAL = Discs((Disc((0.5, 0.5), RADIUS),), lattice=((1.0, 0.0), (0.5, math.sqrt(0.75))))


def operators(shape: Discs, size: float = 0.1, level: int = 0) -> BlochTorrey:
    material = Material(MATERIAL.diffusivity[:1] + MATERIAL.diffusivity[1:] * len(shape.cells))
    return levels(shape, MeshOptions(size, level), material)[level]


@pytest.mark.parametrize("shape", [SHEARED, TURNED])
def test_one_medium_has_one_diffusivity_however_it_is_cut(shape):
    square, other = (papers_tensors(operators(s, 0.05, 1)) for s in (SQUARE, shape))
    np.testing.assert_allclose(other.D[0], square.D[0], atol=1e-6)
    np.testing.assert_allclose(other.S[0], square.S[0], atol=1e-7)
    np.testing.assert_allclose(other.theta[0], square.theta[0], atol=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [SHEARED, TURNED])
def test_one_medium_has_one_signal_however_it_is_cut(shape):
    waveform = Pgse(3.0, 10.0)
    point = Point(5.0, 0.03, waveform, waveform.q_of_b(2.0), (0.6, 0.8))
    material = Material((3.0, *(1.7,) * len(shape.cells)))
    one = reference_signal(levels(SQUARE, MeshOptions(0.1, 2), MATERIAL), point, 1e-5)
    two = reference_signal(levels(shape, MeshOptions(0.1, 2), material), point, 1e-5)
    assert abs(one.signal - two.signal) <= one.error + two.error


def test_the_hexagonal_lattice_is_isotropic_to_fourth_order():
    """A square lattice is so to second order only: B::nnnn depends on n there."""
    tensors = papers_tensors(operators(HEXAGONAL, 0.05))
    square = papers_tensors(operators(SQUARE, 0.05))
    angles = np.linspace(0, math.pi, 7)
    n = np.array([np.cos(angles), np.sin(angles)])
    D = np.einsum("ij,iz,jz->z", tensors.D[0], n, n)
    B, B_square = (np.einsum("ijkl,iz,jz,kz,lz->z", t.B[0], n, n, n, n) for t in (tensors, square))
    np.testing.assert_allclose(D, D[0], rtol=1e-5)
    np.testing.assert_allclose(B, B[0], rtol=1e-3)
    assert np.ptp(B_square) > 0.05 * abs(B_square[0])


def test_the_hexagonal_lattice_conducts_as_published():
    """Insulating discs, 1 - 2f/(1 + f - 0.075422 f^6/(1 - ...)): Perrins et al. 1979, to f^6."""
    f = math.pi * RADIUS**2 / math.sqrt(0.75)
    conductivity = 1 - 2 * f / (1 + f - 0.075422 * f**6 / (1 - 1.060283 * f**12))
    exact = 3.0 * conductivity / (1 - f)
    errors = np.array(
        [abs(papers_tensors(operators(HEXAGONAL, 0.1, k)).D[0, 0, 0] / exact - 1) for k in range(3)]
    )
    assert np.all(np.log2(errors[:-1] / errors[1:]) > 3.0)
    assert errors[-1] < 1e-6
