"""Signals against exact solutions, and against a second discretisation of another kind.

    dM/dt = div D grad M - i g'(t).x M,    D grad M . nu = kappa [M] on membranes

- homogeneous water: S = exp(-b n.D n);
- layers with permeable membranes: Chebyshev collocation of the strong form (`spectral`), a few
  1e-10 from the exact solution;
- water in an impermeable disc: the matrix formalism (`matrix_formalism`), exact in time;
- limits: impermeable compartments add up; with kappa -> infinity membranes vanish, as 1/kappa.

P2 elements, finest mesh of each test: relative errors of 1e-6 to 1e-9, which are asserted.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import jn_zeros, jnp_zeros, jv
from support.cells import D_C, DISC, FOUR_DISCS, Cell, layers, pgse_signal
from support.matrix_formalism import disc_signal, eigenbasis
from support.spectral import LayeredCell

from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey, bloch_torrey
from torrey.cell.system import AffineSystem
from torrey.geometry import Discs
from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import Pgse
from torrey.reference.full import mesh_signal, reference_signal

WAVEFORM = Pgse(5.0, 15.0)

ONE_LAYER = layers((1.0,), (2.0,))
TWO_LAYERS = layers((0.4, 0.6), (2.0, 1.0))
#: No order of these layers is its own mirror image.
THREE_LAYERS = layers((0.3, 0.5, 0.2), (2.0, 1.0, 0.5))


class WholePgse(Pgse):
    """The same pulses, taken from one end to the other as if they had no symmetry."""

    symmetry = 0


def uneven(system: AffineSystem, rho: tuple[float, ...]) -> AffineSystem:
    """The same system with another density in each compartment."""
    density = system.operators.cell.indicators @ np.array(rho)
    return replace(system, operators=replace(system.operators, rho=density))


@cache
def spectral_signal(
    cell: Cell,
    period: float,
    permeability: float,
    waveform: Pgse,
    q: float,
    direction: tuple[float, float] = (1.0, 0.0),
    rho: tuple[float, ...] | None = None,
) -> complex:
    widths = cell.shape.thicknesses
    points = 18 if len(widths) == 1 else 14
    exact = LayeredCell(widths, cell.diffusivity, period, permeability, direction, points)
    return exact.signal(waveform, q, rho)


# ---- homogeneous water ----


@pytest.mark.parametrize("b", [0.1, 1.0, 3.0])
@pytest.mark.parametrize("direction", [(0.0, 1.0), (0.6, -0.8)])
def test_free_water_decays_with_b_times_D(b, direction):
    D = np.array([[2.5, 0.4], [0.4, 1.2]])
    free = Cell(Discs(()), (tuple(map(tuple, D.tolist())),))
    result = pgse_signal(
        free,
        0,
        period=5.0,
        permeability=0.0,
        b=b,
        waveform=WAVEFORM,
        direction=direction,
        steps=24,
    )
    # A uniform state: nothing but the steps in time, 4e-8 for the largest b.
    assert result == pytest.approx(math.exp(-b * np.array(direction) @ D @ direction), rel=1e-7)


@pytest.mark.parametrize("cell", [DISC, FOUR_DISCS, THREE_LAYERS])
def test_without_a_gradient_nothing_is_lost(cell):
    direction = (1.0, 0.0)[: cell.shape.dimension]
    system = cell.system(0, 5.0, 0.1, direction)
    assert mesh_signal(system, WAVEFORM, 0.0, steps=3) == pytest.approx(1.0, abs=1e-12)
    point = Point(5.0, 0.1, WAVEFORM, 0.0, direction)
    assert reference_signal(cell.levels(1), point, 1e-6).signal == 1.0
    # Also if the water is unevenly spread: membranes and walls let no magnetisation vanish.
    system = uneven(system, tuple(np.arange(1.0, cell.shape.n_compartments + 1)))
    for waveform in (WAVEFORM, WholePgse(5.0, 15.0)):
        assert mesh_signal(system, waveform, 0.0, steps=24) == pytest.approx(1.0, abs=1e-11)


# ---- layers ----


@pytest.mark.parametrize(
    ("cell", "period", "permeability", "b", "waveform"),
    [
        (ONE_LAYER, 8.0, 0.05, 1.5, WAVEFORM),
        (ONE_LAYER, 3.0, 0.0, 1.0, Pgse(2.0, 20.0)),
        (ONE_LAYER, 5.0, 0.4, 3.0, Pgse(5.0, 5.0)),
        (TWO_LAYERS, 8.0, 0.05, 1.5, WAVEFORM),
        (TWO_LAYERS, 12.0, 0.6, 0.5, Pgse(5.0, 5.0)),
        (THREE_LAYERS, 8.0, 0.05, 0.85, WAVEFORM),
        (THREE_LAYERS, 10.0, 0.5, 2.0, Pgse(1.0, 30.0)),
    ],
)
def test_layers_have_the_signal_of_the_collocation(cell, period, permeability, b, waveform):
    expected = spectral_signal(cell, period, permeability, waveform, waveform.q_of_b(b))
    result = pgse_signal(
        cell,
        5,
        period=period,
        permeability=permeability,
        b=b,
        waveform=waveform,
        direction=(1.0,),
        steps=96,
    )
    print(f"S = {result:.9g}, collocation {expected.real:.9g}")
    # Real by symmetry of the waveform, which the collocation does not use.
    assert abs(expected.imag) < 1e-9
    assert result == pytest.approx(expected.real, rel=1e-8)


@pytest.mark.parametrize("permeability", [0.05, pytest.param(math.inf, marks=pytest.mark.slow)])
def test_the_collocation_is_converged(permeability):
    q = WAVEFORM.q_of_b(0.85)
    usual = spectral_signal(TWO_LAYERS, 8.0, permeability, WAVEFORM, q)
    finer = LayeredCell((0.4, 0.6), (2.0, 1.0), 8.0, permeability, points=18).signal(WAVEFORM, q)
    assert usual == pytest.approx(finer, rel=1e-9)


@pytest.mark.parametrize("n", [1.0, -1.0])
def test_the_signal_of_uneven_water_turns_with_the_gradient(n):
    # Without a mirror plane and with more water in one layer than in another the signal is complex:
    # its phase has the sign of M = U exp(-i g x), and the opposite gradient gives its conjugate.
    rho = (1.0, 0.0, 2.0)
    q = WAVEFORM.q_of_b(0.85)
    system = uneven(THREE_LAYERS.system(4, 8.0, 0.05, (n,)), rho)
    expected = spectral_signal(THREE_LAYERS, 8.0, 0.05, WAVEFORM, q, (1.0, 0.0), rho)
    assert abs(expected.imag) > 1e-3
    for waveform in (WAVEFORM, WholePgse(5.0, 15.0)):
        result = mesh_signal(system, waveform, q, 96)
        assert result == pytest.approx(expected if n > 0 else expected.conjugate(), rel=1e-8)


@pytest.mark.parametrize("direction", [(1.0,), (-1.0,)])
def test_the_whole_waveform_gives_the_real_signal_of_its_half(direction):
    q = WAVEFORM.q_of_b(0.85)
    system = THREE_LAYERS.system(3, 8.0, 0.05, direction)
    half = mesh_signal(system, WAVEFORM, q, 96)
    whole = mesh_signal(system, WholePgse(5.0, 15.0), q, 96)
    assert half.imag == 0
    # The ramp down is integrated with other steps.
    assert whole == pytest.approx(half, rel=1e-8)
    assert abs(whole.imag) < 1e-12


@pytest.mark.parametrize(
    ("direction", "permeability"),
    [
        ((-1.0, 0.0), 0.05),
        ((0.0, 1.0), 0.05),
        ((0.6, 0.8), 0.0),
        ((0.8, -0.6), 0.3),
    ],
)
def test_strips_have_the_signal_of_layers(direction, permeability):
    strips = layers((0.3, 0.5, 0.2), (2.0, 1.0, 0.5), dimension=2)
    result = pgse_signal(
        strips,
        2,
        period=8.0,
        permeability=permeability,
        b=0.85,
        waveform=WAVEFORM,
        direction=direction,
        steps=12,
    )
    q = WAVEFORM.q_of_b(0.85)
    expected = spectral_signal(THREE_LAYERS, 8.0, permeability, WAVEFORM, q, direction)
    assert result == pytest.approx(expected.real, rel=2e-7)


# ---- an impermeable disc ----


def restricted_disc(level: int) -> BlochTorrey:
    """Water in the disc alone, lengths in units of a cell in which its radius is 0.2."""
    return bloch_torrey(DISC.operators(level).cell.restrict([1]), Material((D_C,)))


def test_the_matrix_formalism_has_the_moments_of_the_disc():
    # <x^2>/R^2 = 1/4 through all eigenfunctions; a single entry by quadrature.
    lam, B = eigenbasis(40.0)
    assert (B @ B)[0, 0] == pytest.approx(0.25, abs=1e-5)
    assert np.array_equal(B, B.T)
    first, second = jnp_zeros(1, 1)[0], jn_zeros(1, 1)[0]  # of J_1' and J_0' = -J_1
    i, j = (int(np.argmin(abs(lam - alpha**2))) for alpha in (first, second))
    overlap = quad(lambda r: r**2 * jv(1, first * r) * jv(0, second * r), 0, 1)[0]
    norms = [
        quad(lambda r, n=n, alpha=alpha: r * jv(n, alpha * r) ** 2, 0, 1)[0]
        for n, alpha in ((1, first), (0, second))
    ]
    # Angles: int cos^2 = pi against norms with pi and 2 pi.
    assert abs(B[i, j]) == pytest.approx(
        abs(overlap) / math.sqrt(2 * norms[0] * norms[1]), rel=1e-10
    )


@pytest.mark.parametrize(
    ("waveform", "radius", "qR", "level", "steps"),
    [
        (Pgse(5.0, 15.0), 2.0, 1.0, 2, 24),
        (Pgse(5.0, 15.0), 4.0, 2.0, 2, 24),
        (Pgse(5.0, 15.0), 4.0, 3.0, 3, 24),
        pytest.param(Pgse(5.0, 5.0), 4.0, 4.0, 4, 24, marks=pytest.mark.slow),
        pytest.param(Pgse(10.0, 10.0), 5.0, 5.0, 4, 48, marks=pytest.mark.slow),
    ],
)
def test_an_impermeable_disc_has_the_signal_of_the_matrix_formalism(
    waveform, radius, qR, level, steps
):
    q = qR / radius
    expected = disc_signal(waveform, q, radius, D_C, 50.0).real
    assert disc_signal(waveform, q, radius, D_C, 40.0).real == pytest.approx(expected, rel=1e-7)
    system = AffineSystem.at(restricted_disc(level), radius / 0.2, 0.0, (0.6, 0.8))
    result = mesh_signal(system, waveform, q, steps).real
    print(f"S = {result:.8g}, exact {expected:.8g}, relative error {result / expected - 1:.1e}")
    assert result == pytest.approx(expected, rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("waveform", "radius", "qR", "S"),
    [(Pgse(5.0, 15.0), 6.0, 5.0, 0.0256), (Pgse(20.0, 30.0), 10.0, 10.0, 0.0065)],
)
def test_strong_attenuation_in_a_disc_to_a_millionth_of_the_initial_signal(waveform, radius, qR, S):
    # Localised at the wall: a steep profile, which needs the finest mesh.
    expected = disc_signal(waveform, qR / radius, radius, D_C, 50.0).real
    assert expected == pytest.approx(S, rel=0.01)
    system = AffineSystem.at(restricted_disc(4), radius / 0.2, 0.0, (0.6, 0.8))
    assert mesh_signal(system, waveform, qR / radius, 24).real == pytest.approx(expected, abs=1e-6)


# ---- limits ----


def test_impermeable_compartments_add_up():
    b, direction = 0.85, (0.6, 0.8)
    whole = FOUR_DISCS.operators(1)
    q = WAVEFORM.q_of_b(b)
    result = mesh_signal(AffineSystem.at(whole, 15.0, 0.0, direction), WAVEFORM, q, 48)
    parts, sizes = [], whole.cell.measures()
    for a, D in enumerate(FOUR_DISCS.diffusivity):
        alone = bloch_torrey(whole.cell.restrict([a]), Material((D,)))
        parts.append(mesh_signal(AffineSystem.at(alone, 15.0, 0.0, direction), WAVEFORM, q, 48))
    assert result == pytest.approx(sizes @ parts / sizes.sum(), rel=1e-8)
    # The discs differ from each other and from the outside: the sum is not of equal parts.
    assert np.ptp(np.real(parts[1:])) > 0.05


def test_the_outside_of_impermeable_cells_is_that_of_obstacles():
    obstacle = Cell(Discs(DISC.shape.cells, "obstacle"), DISC.diffusivity[:1])
    alone = bloch_torrey(DISC.operators(2).cell.restrict([0]), Material(DISC.diffusivity[:1]))
    q = WAVEFORM.q_of_b(0.85)
    result = mesh_signal(AffineSystem.at(alone, 5.0, 0.0, (0.0, 1.0)), WAVEFORM, q, 12)
    expected = mesh_signal(obstacle.system(2, 5.0, 0.0, (0.0, 1.0)), WAVEFORM, q, 12)
    assert result == pytest.approx(expected, rel=1e-9)


def fitted_order(x: list[float], errors: list[float]) -> float:
    return float(np.polyfit(np.log(x), np.log(errors), 1)[0])


PERMEABILITIES = [1e4, 1e5, 1e6]


@pytest.mark.slow
def test_a_very_permeable_membrane_leaves_a_continuous_field():
    q = WAVEFORM.q_of_b(0.85)
    expected = spectral_signal(THREE_LAYERS, 8.0, math.inf, WAVEFORM, q).real
    errors = [
        mesh_signal(THREE_LAYERS.system(4, 8.0, kappa, (1.0,)), WAVEFORM, q, 96).real / expected - 1
        for kappa in PERMEABILITIES
    ]
    assert fitted_order(PERMEABILITIES, errors) == pytest.approx(-1, abs=0.01)
    assert errors[-1] < 1e-6


def test_very_permeable_cells_of_equal_water_are_free_water():
    same = Cell(DISC.shape, (2.0, 2.0))
    errors = [
        pgse_signal(
            same,
            1,
            period=8.0,
            permeability=kappa,
            b=0.85,
            waveform=WAVEFORM,
            direction=(0.0, 1.0),
            steps=24,
        ).real
        / math.exp(-0.85 * 2.0)
        - 1
        for kappa in PERMEABILITIES
    ]
    assert fitted_order(PERMEABILITIES, errors) == pytest.approx(-1, abs=0.01)
    assert errors[-1] < 1e-6
