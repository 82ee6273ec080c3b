"""Bodies in space against solutions that know nothing of their meshes.

- Cylinders against discs in the plane, wherever the cylinder lies.
- Insulating spheres on cubic lattices against Rayleigh's multipoles (Phil. Mag. 34, 481, 1892),
  with lattice sums made here; their leading coefficient is that of Sangani and Acrivos (Proc. R.
  Soc. A 386, 263, 1983).
- An impermeable sphere against its spherical Bessel functions.
- A sphere with a coat against finite volumes along the radius, by spherical harmonics.
- Orders of the homogenised models in space; signals of ellipsoids that are moved.
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.sparse import diags_array, eye_array, kron
from support.cells import Cell, membrane_sides
from support.matrix_formalism import ball_signal

import torrey as tr
from torrey.cell.assembly import assemble
from torrey.cell.material import Material
from torrey.cell.operators import bloch_torrey
from torrey.cell.system import AffineSystem
from torrey.geometry.lattices import LATTICES
from torrey.geometry.mesh import CellMesh
from torrey.gradients.waveforms import Pgse
from torrey.models.evaluation import build_models
from torrey.models.tensors import papers_tensors
from torrey.reference.full import mesh_signal
from torrey.study.orders import fit_order

WAVEFORM = Pgse(5.0, 15.0)
ASKEW = (0.6, 0.0, 0.8)

pytestmark = pytest.mark.slow


def test_a_cylinder_in_space_is_a_disc_in_the_plane() -> None:
    disc = tr.Discs([tr.Disc((0.5, 0.5), 0.35)])
    cylinder = tr.shapes.Cylinders([tr.shapes.Cylinder((0.3, 0.6, 0.2), 0.35, (0, 0, 1))])
    pulses, D = tr.Pgse(5.0, 25.0), [2.0, 0.8]
    flat = tr.Cell(disc, D, 10.0, 0.05).signal(
        pulses, b=[1.0, 3.0], direction=[[0.6, 0.8]], tolerance=1e-4
    )
    solid = tr.Cell(cylinder, D, 10.0, 0.05, mesh=tr.MeshOptions(0.4, 1)).signal(
        pulses, b=[1.0, 3.0], direction=[[0.6, 0.8, 0]], tolerance=5e-3
    )
    gaps = np.abs(flat.values - solid.values)
    assert np.all(gaps <= flat.numerical_error.values + solid.numerical_error.values)
    assert gaps.max() < 2e-4


def multipoles(lattice: str, fraction: float) -> tuple[float, float]:
    """Conductivity with insulating spheres up to fraction^(14/3), and the coefficient c1.

    A field along a fourfold axis has A_l r^l + B_l r^-(l+1) times the Legendre polynomials of odd
    l around each sphere. No flux enters: A_l = (l + 1)/l B_l / a^(2l+1). What the others send,
    A_k = E [k = 1] - sum_l B_l C(k+l, l) S_{k+l}, with S_n = sum_R P_n(cos) / R^(n+1) and
    S_2 = 2 pi/3 for the mean field E, and volumes of 1.
    """
    vectors = np.array(LATTICES[lattice])
    vectors /= abs(np.linalg.det(vectors)) ** (1 / 3)
    places = np.array(list(product(range(-20, 21), repeat=3))) @ vectors
    far = np.linalg.norm(places, axis=1)
    near = (far > 0) & (far < 10)
    cosine, far = places[near, 2] / far[near], far[near]
    S4, S6 = (
        np.sum(np.polynomial.legendre.legval(cosine, [0] * n + [1]) / far ** (n + 1))
        for n in (4, 6)
    )
    a = (3 * fraction / (4 * math.pi)) ** (1 / 3)
    denominator = 2 + fraction - 16 * S4**2 * a**10 / (4 / 3 + 20 * S6 * a**7)
    return 1 - 3 * fraction / denominator, 16 * S4**2 * (3 / (4 * math.pi)) ** (10 / 3)


@pytest.mark.parametrize(("lattice", "c1"), [("cubic", 1.3047), ("bcc", 0.1293), ("fcc", 0.07529)])
def test_insulating_spheres_on_lattices_conduct_as_published(lattice: str, c1: float) -> None:
    fraction = 0.2
    exact, leading = multipoles(lattice, fraction)
    assert leading == pytest.approx(c1, rel=5e-4)
    volume = abs(np.linalg.det(np.array(LATTICES[lattice])))
    radius = (3 * fraction * volume / (4 * math.pi)) ** (1 / 3)
    shape = tr.Spheres((tr.Sphere((0.5, 0.5, 0.5), radius),), "obstacle", lattice)
    cell = Cell(shape, (3.0,), 0.25)
    found = [papers_tensors(cell.operators(i)).D[0] * (1 - fraction) / 3 for i in (0, 1)]
    errors = [np.abs(D - exact * np.eye(3)).max() for D in found]
    assert math.log2(errors[0] / errors[1]) > 3.3, errors
    limit = (16 * found[1] - found[0]) / 15
    # Maxwell's value for the cubic lattice is off by 6e-4.
    np.testing.assert_allclose(limit, exact * np.eye(3), atol=5e-5)


def body(mesh: CellMesh) -> CellMesh:
    """What is inside, as if nothing were around it: far fewer unknowns than the whole cell has."""
    kept = mesh.compartment > 0
    nodes, elements = np.unique(mesh.elements[kept], return_inverse=True)
    number = np.full(len(mesh.points) + 1, -1)
    number[nodes] = np.arange(len(nodes))
    assert np.array_equal(mesh.periodic[nodes], nodes), "a body within the cell"
    inner = number[mesh.membrane_outside].min(axis=1) >= 0
    return replace(
        mesh,
        points=mesh.points[nodes],
        elements=elements.reshape(-1, mesh.elements.shape[1]),
        compartment=mesh.compartment[kept] - 1,
        region=mesh.region[kept] - 1,
        membrane_outside=number[mesh.membrane_outside[inner]],
        membrane_inside=number[mesh.membrane_inside[inner]],
        membrane=np.zeros(int(inner.sum()), dtype=int),
        periodic=np.arange(len(nodes)),
    )


def test_an_impermeable_sphere_is_that_of_its_bessel_functions() -> None:
    q, radius = 0.6, 4.0
    exact = ball_signal(WAVEFORM, q, radius, 1.7).real
    cell = Cell(tr.Spheres((tr.Sphere((0.5, 0.5, 0.5), 0.3),)), (3.0, 1.7), 0.11)
    found = []
    for level in (0, 1):
        ball = assemble(body(cell.mesh(level)), np.empty((0, 2), dtype=int))
        system = AffineSystem.at(bloch_torrey(ball, Material((1.7,))), radius / 0.3, 0.0, ASKEW)
        found.append(mesh_signal(system, WAVEFORM, q, 24).real)
    first, second = np.array(found) - exact
    assert math.log2(first / second) == pytest.approx(4.0, abs=0.15)
    assert (16 * found[1] - found[0]) / 15 == pytest.approx(exact, rel=1e-5)


def shells(q: float, radii: tuple[float, ...], D: tuple[float, ...], kappa: float, n: int) -> float:
    """Signal of a ball in a closed coat: finite volumes along the radius, Legendre polynomials."""
    edges = np.concatenate([np.linspace(0, radii[0], n + 1), np.linspace(*radii, n + 1)[1:]])
    width, diffusivity = np.diff(edges), np.repeat(D, n)
    volume, moment = np.diff(edges**3) / 3, np.diff(edges**4) / 4
    half = width / (2 * diffusivity)
    resistance = half[:-1] + half[1:]
    resistance[n - 1] += 1 / kappa
    flow = edges[1:-1] ** 2 / resistance
    K = diags_array([np.append(flow, 0) + np.append(0, flow), -flow, -flow], offsets=[0, 1, -1])
    orders = np.arange(7.0)
    bend = diags_array(orders * (orders + 1))
    A = kron(eye_array(7), K) + kron(bend, diags_array(diffusivity * width))
    low = orders[:-1]
    cosine = (low + 1) / np.sqrt((2 * low + 1) * (2 * low + 3))
    B = kron(diags_array([cosine, cosine], offsets=[1, -1]), diags_array(moment))
    inverse = diags_array(1 / np.tile(volume, 7))
    u = np.zeros(14 * n, dtype=complex)
    u[: 2 * n] = 1.0
    for segment in WAVEFORM.segments:
        (slope,) = segment.jet(0.0, 1)[1]
        u = expm(-segment.duration * (inverse @ (A + 1j * q * slope * B)).toarray()) @ u
    return float((volume @ u[: 2 * n]).real / volume.sum())


def test_a_coated_sphere_is_that_of_finite_volumes_along_the_radius() -> None:
    # The other solution first: without a membrane, and as fast in the coat, it is a ball's.
    q = 0.5
    open_ball = shells(q, (3.0, 4.0), (1.7, 1.7), 1e6, 20)
    assert open_ball == pytest.approx(ball_signal(WAVEFORM, q, 4.0, 1.7).real, rel=2e-4)

    shape = tr.Spheres((tr.Sphere((0.5, 0.5, 0.5), 0.3),), coat=0.1)
    cell = Cell(shape, (3.0, 1.7, 0.5), 0.5)
    sides = membrane_sides(shape)
    inner = sides[:, 0] > 0
    alone = Material((1.7, 0.5))
    kappa = 0.2
    coarse, fine = (shells(q, (3.0, 4.0), (1.7, 0.5), kappa, n) for n in (10, 20))
    expected, found = (4 * fine - coarse) / 3, []
    for level in (0, 1):
        geometry = assemble(body(cell.mesh(level)), sides[inner] - 1)
        system = AffineSystem.at(bloch_torrey(geometry, alone), 10.0, kappa, ASKEW)
        found.append(mesh_signal(system, WAVEFORM, q, 8).real)
    assert abs(found[1] - expected) < 0.15 * abs(found[0] - expected), (found, expected)
    assert (16 * found[1] - found[0]) / 15 == pytest.approx(expected, abs=2e-4)

    # In the whole cell water starts in sphere and coat, and nothing passes the outer membrane.
    material = Material(
        (3.0, 1.7, 0.5), density=(0.0, 1.0, 1.0), membranes=tuple(np.where(inner, 1.0, 0.0))
    )
    whole = bloch_torrey(assemble(cell.mesh(0), sides), material)
    system = AffineSystem.at(whole, 10.0, kappa, ASKEW)
    assert mesh_signal(system, WAVEFORM, q, 8).real == pytest.approx(found[0], rel=1e-10)


def test_r0_has_order_two_and_r2_order_four_in_space() -> None:
    cell = Cell(tr.Spheres((tr.Sphere((0.5, 0.5, 0.5), 0.3),)), (3.0, 1.7), 0.5)
    periods, q, sigma, along = np.array([1.5, 2.0, 3.0]), WAVEFORM.q_of_b(0.85), 0.02, ASKEW
    coarse, exact = (
        np.array(
            [
                mesh_signal(cell.system(0, L, sigma * L, along), WAVEFORM, q, steps).real
                for L in periods
            ]
        )
        for steps in (10, 20)
    )
    models = build_models(cell.operators(0), along, ["R0", "R2"])
    for model, order in zip(models, (2.0, 4.0), strict=True):
        errors = np.abs(model.signal(WAVEFORM, q, periods, sigma) - exact)
        # Steps have order 3 at least.
        assert np.all(np.abs(coarse - exact) / 7.0 < 0.01 * errors)
        assert fit_order(periods, errors).order == pytest.approx(order, abs=0.05)


def test_signals_of_ellipsoids_do_not_depend_on_where_they_lie() -> None:
    signals = []
    for center in ((0.5, 0.5, 0.5), (0.1, 0.45, 0.8)):
        body = tr.shapes.Ellipsoid(center, (0.4, 0.35, 0.3), ((1, 1, 0), (0, 0, 1)))
        cell = tr.Cell(
            tr.shapes.Ellipsoids([body]), [2.0, 0.8], 8.0, 0.05, mesh=tr.MeshOptions(0.5, 1)
        )
        signals.append(
            cell.signal(tr.Pgse(5.0, 25.0), b=1.0, direction=[0.6, 0.0, 0.8], tolerance=5e-3)
        )
    one, other = signals
    gap = abs(float(one) - float(other))
    assert gap <= float(one.numerical_error) + float(other.numerical_error)
