"""Narrow pulses and bands against the full system, its exponentials, and free water."""

from __future__ import annotations

import numpy as np
import pytest

from torrey.bloch import laws
from torrey.bloch.bands import BandSet, band_basis, band_set
from torrey.bloch.narrow_pulses import (
    evolve,
    magnetisation,
    pulsed_signal,
    short_pulse_magnetisation,
    short_pulse_signals,
    signal_of,
)
from torrey.bloch.sampling import RULES, sample
from torrey.cell.build import levels
from torrey.cell.folding import phase
from torrey.cell.krylov import expm_multiply
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey
from torrey.cell.system import AffineSystem
from torrey.geometry import Disc, Discs, Layers, MeshOptions
from torrey.gradients.waveforms import CosineOgse, Pgse
from torrey.reference.full import mesh_signal

OBSTACLE = Discs((Disc((0.5, 0.5), 0.4),), interior="obstacle")
#: Two discs behind membranes and no centre of symmetry.
DISCS = Discs((Disc((0.27, 0.4), 0.15), Disc((0.75, 0.93), 0.2)))
X, DIAGONAL = (1.0, 0.0), (1.0, 1.0)


def operators(shape, diffusivity=(1.0,), size=0.06, **material) -> BlochTorrey:
    return levels(shape, MeshOptions(size, 0), Material(diffusivity, **material))[0]


def bands_of(cell, direction, pulses, period=1.0, permeability=0.0, resolution=0.06) -> BandSet:
    basis = band_basis(cell, period, permeability, [direction], resolution * period)
    return band_set(basis, direction, pulses)


@pytest.fixture(scope="module")
def obstacle() -> BlochTorrey:
    return operators(OBSTACLE)


@pytest.fixture(scope="module")
def discs() -> BlochTorrey:
    return operators(DISCS, (3.0, 1.7, 1.1), 0.08, density=(1.0, 0.6, 0.3), T2=(80.0, 30.0, 50.0))


def continuous(cell, direction, waveform, q, period=1.0, permeability=0.0, steps=48) -> complex:
    """The full system on the same mesh, without any sampling."""
    unit = np.array(direction) / np.linalg.norm(direction)
    system = AffineSystem.at(cell, period, permeability, unit)
    return mesh_signal(system, waveform, q, steps)


@pytest.mark.parametrize("direction", [X, DIAGONAL])
@pytest.mark.parametrize("rule", RULES)
def test_free_water_gives_the_b_value_of_the_steps(direction, rule):
    """The state is one plane wave of a mesh: exact as long as it is not folded."""
    D, L = 1.4, 3.0
    bands = bands_of(operators(Discs(()), (D,), 0.1), direction, 15, L, resolution=0.2)
    result = pulsed_signal(bands, Pgse(0.5, 0.9), 0.48 * bands.line.width, rule)
    np.testing.assert_allclose(result.signal, np.exp(-D * result.steps.b), rtol=1e-9)
    np.testing.assert_allclose(
        magnetisation(bands, result.state), np.exp(-D * result.steps.b), rtol=1e-9
    )


def test_free_water_stays_free_beyond_the_zone():
    """Folded twice, the state is exp(-2 i G.x), which the mesh holds to order 4 and better."""
    D, errors = 1.0, []
    for size in (0.1, 0.05, 0.025):
        bands = bands_of(operators(Discs(()), (D,), size), X, 8, resolution=0.08)
        result = pulsed_signal(bands, Pgse(0.01, 0.01), 2.0 * bands.line.width)
        errors.append(abs(result.signal / np.exp(-D * result.steps.b) - 1))
    assert np.all(np.log2(np.array(errors[:-1]) / errors[1:]) > 3.3)
    assert errors[-1] < 1e-4


def test_the_error_of_sampling_in_free_water_is_the_published_one():
    """MMG20 (28): with T, the time during which there is a gradient."""
    D, delta = 1.0, 0.2
    cell = operators(Discs(()), (D,), 0.1)
    waveform = Pgse(delta, 2 * delta)
    for direction, period in ((X, 1.0), (DIAGONAL, 1 / np.sqrt(2.0))):
        bands = bands_of(cell, direction, 20, resolution=0.2)
        q = 0.4 * bands.line.width
        error = 1 - pulsed_signal(bands, waveform, q).signal.real / np.exp(-D * waveform.b_value(q))
        expected = laws.sampling_error(20, D, 2 * delta, period)
        np.testing.assert_allclose(error, expected, rtol=1e-7)


@pytest.mark.parametrize("direction", [X, DIAGONAL])
def test_sampling_converges_with_the_square_of_the_pulse(direction):
    """Against the continuous gradient on the same mesh, beyond the boundary of the zone."""
    cell = operators(OBSTACLE, size=0.03)
    waveform = Pgse(0.08, 0.12)
    basis = band_basis(cell, 1.0, 0.0, [direction], 0.05)
    q = basis.lines[0].width
    exact = continuous(cell, direction, waveform, q, steps=32).real
    counts = (12, 24, 48)
    found = [
        pulsed_signal(band_set(basis, direction, pulses), waveform, q).signal.real
        for pulses in counts
    ]
    error = 1 - np.array(found) / exact
    np.testing.assert_allclose(np.log2(error[:-1] / error[1:]), 2.0, atol=0.05)
    # Obstacles slow diffusion down: MMG20 (28) is the error in free water.
    free = np.array([laws.sampling_error(n, 1.0, 0.16, 2 * np.pi / q) for n in counts])
    assert np.all((error > 0.5 * free) & (error < free))


def test_a_complex_signal_of_an_asymmetric_cell_with_membranes():
    """Densities differ, so that S is complex: the sign of every phase counts."""
    cell = operators(DISCS, (3.0, 1.7, 1.1), 0.08, density=(0.2, 1.0, 0.0))
    waveform, q, L, kappa = Pgse(1.0, 3.0), 0.6, 10.0, 0.5
    exact = continuous(cell, X, waveform, q, L, kappa, steps=32)
    basis = band_basis(cell, L, kappa, [X], 0.06 * L)
    errors = []
    for pulses in (8, 16, 32):
        # q is no multiple of a pulse: it is a level of its own.
        errors.append(pulsed_signal(band_set(basis, X, pulses), waveform, q).signal - exact)
    assert abs(errors[-1]) < abs(errors[0]) / 8
    assert abs(errors[-1].imag) < 0.05 * abs(exact.imag)
    assert abs(errors[-1]) < 2e-3 * abs(exact)


def test_other_waveforms_and_directions(discs):
    waveform, q, L = CosineOgse(8.0, 10.0, 2.0), 0.9, 4.0
    direction = (2.0, -1.0)
    exact = continuous(discs, direction, waveform, q, L, 0.02)
    bands = bands_of(discs, direction, 120, L, 0.02, 0.09)
    found = pulsed_signal(bands, waveform, q, "midpoint").signal
    np.testing.assert_allclose(found, exact, rtol=3e-3)


def test_the_residual_wave_number_counts_over_a_long_pause(obstacle):
    waveform = Pgse(0.05, 1.0)
    bands = bands_of(obstacle, X, 12)
    q = 3.45 * bands.pulse
    exact = continuous(obstacle, X, waveform, q).real
    explicit, sampled = (
        pulsed_signal(bands, waveform, q, "round", plateaus).signal.real
        for plateaus in ("explicit", "sampled")
    )
    assert abs(explicit / exact - 1) < 0.01
    assert abs(sampled / exact - 1) > 0.2


def test_half_the_steps_give_the_signal_of_all(obstacle):
    bands = bands_of(obstacle, X, 12, resolution=0.05)
    for waveform in (Pgse(0.05, 0.05), Pgse(0.05, 0.11)):
        steps = sample(waveform, 0.9 * bands.line.width, bands.pulse)
        whole = evolve(bands, steps).signal
        np.testing.assert_allclose(signal_of(bands, steps), whole, rtol=1e-4)


def test_modes_beyond_those_of_the_paper_do_not_matter(obstacle):
    """The truncation of MMG20 3.1: few modes suffice at weak gradients."""
    bands = bands_of(obstacle, X, 12, resolution=0.05)
    waveform = Pgse(0.08, 0.08)
    q = 1.5 * bands.line.width
    whole = pulsed_signal(bands, waveform, q).signal.real
    error = [
        abs(pulsed_signal(bands.truncate(n), waveform, q).signal.real / whole - 1)
        for n in (4, 12, 36)
    ]
    assert error[0] > 4 * error[1] > 16 * error[2]
    assert error[2] < 1e-3


def blurred(cell, g, time, period=1.0, permeability=0.0, wave=1.0):
    """The whole mesh under a constant wave vector, from a wave times the initial density."""
    system = AffineSystem.at(cell, period, permeability, np.eye(2))
    M = cell.mass_matrix
    after = expm_multiply(M, system.matrix(np.array(g)), wave * cell.rho + 0j, time, 1e-12)
    after = np.conj(wave) * after
    readout = M @ np.ones(len(after))
    return after, complex(readout @ after) / float(readout @ cell.rho)


@pytest.mark.parametrize(
    ("direction", "turns"), [(X, 7 / 3), (X, -1.2), (DIAGONAL, 7 / 3), (DIAGONAL, 0.4)]
)
def test_infinitely_narrow_pulses_give_the_exponential_of_the_whole_mesh(direction, turns):
    """From the wave exp(-i j G.x) on the mesh: what is left is the error of the basis."""
    cell = operators(OBSTACLE, size=0.03)
    bands = bands_of(cell, direction, 6, resolution=0.03)
    q, zone = turns * bands.line.width, round(turns)
    wave = phase(cell.cell, tuple(zone * m for m in bands.line.integers))
    for time in (0.01, 0.09, 1.0):
        p = (turns - zone) * bands.line.width * bands.line.direction
        field, expected = blurred(cell, p, time, wave=wave)
        (found,) = short_pulse_signals(bands, [q], [time])[0]
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-8)
        rest = short_pulse_magnetisation(bands, q, time) - field
        norm = np.sqrt(np.vdot(field, cell.mass_matrix @ field).real)
        assert np.sqrt(np.vdot(rest, cell.mass_matrix @ rest).real) < 2e-3 * norm


def test_a_wave_vector_beyond_the_zone_is_folded_to_the_order_of_the_mesh():
    """Against the whole mesh under the wave vector itself, where nothing is folded."""
    errors = []
    for size in (0.1, 0.05, 0.025):
        cell = operators(OBSTACLE, size=size)
        bands = bands_of(cell, X, 6, resolution=0.05)
        q = 4 / 3 * bands.line.width
        _, expected = blurred(cell, (q, 0.0), 0.03)
        errors.append(abs(short_pulse_signals(bands, [q], [0.03])[0, 0] / expected - 1))
    assert np.all(np.log2(np.array(errors[:-1]) / errors[1:]) > 3.0)
    assert errors[-1] < 2e-4


def test_infinitely_narrow_pulses_in_an_asymmetric_cell(discs):
    L, kappa = 5.0, 0.05
    bands = bands_of(discs, X, 6, L, kappa, 0.05)
    zone = 2
    p = 1.9 - zone * bands.line.width
    _, expected = blurred(discs, (p, 0.0), 3.0, L, kappa, phase(discs.cell, (zone, 0)))
    (found,) = short_pulse_signals(bands, [1.9], [3.0])[0]
    np.testing.assert_allclose(found, expected, rtol=3e-4)


def test_layers_in_one_dimension_by_cosines():
    """Narrow pulses on an impermeable layer: the exponential of its cosine modes."""
    L, D, q, time = 2.0, 1.3, 9.0, 0.05
    cell = operators(Layers((1.0,)), (D,), 0.02)
    bands = bands_of(cell, (1.0,), 8, L, resolution=0.03)
    found = short_pulse_signals(bands, [q], [time])[0, 0]
    x = (np.arange(4000) + 0.5) * L / 4000
    k = np.pi * np.arange(200) / L
    form = np.exp(1j * q * x) @ np.cos(np.outer(x, k)) * np.sqrt(2.0 - (k == 0)) / 4000
    np.testing.assert_allclose(
        found, np.sum(np.abs(form) ** 2 * np.exp(-D * k**2 * time)), rtol=1e-4
    )


def test_wave_numbers_beyond_the_bands_are_refused(obstacle):
    bands = bands_of(obstacle, X, 6, resolution=0.1)
    with pytest.raises(ArithmeticError, match="smaller resolution"):
        short_pulse_signals(bands, [40.0], [0.01])


def test_long_times_leave_the_lowest_band(obstacle):
    """MMG20 (A.6): at small p the lowest band is p^2 times the diffusivity of the medium."""
    bands = bands_of(obstacle, X, 200, resolution=0.05)
    tortuosity = bands.values[1:4, 0] / bands.p[1:4] ** 2
    # Perrins, McKenzie and McPhedran (1979), square array: 4.342 at area fraction 0.6 and 3.080 at
    # 0.5; the disc fills 0.503 of the cell.
    effective = (1 / 3.080 + (1 / 4.342 - 1 / 3.080) * 0.0265) / (1 - 0.16 * np.pi)
    np.testing.assert_allclose(tortuosity, effective, rtol=3e-3)
    slope = -np.log(short_pulse_signals(bands, [bands.p[1]], [3.0, 4.0])[0].real)
    np.testing.assert_allclose(slope[1] - slope[0], bands.values[1, 0], rtol=1e-6)


def test_debye_porod_at_short_times():
    """S tends to (A.4) as q l_Delta grows, where opposite sides of obstacles do not matter yet."""
    cell = operators(OBSTACLE, size=0.035)
    bands = bands_of(cell, DIAGONAL, 20, resolution=0.025)
    l, sigma = 0.1, 2 * np.pi * 0.4 / (1 - 0.16 * np.pi)
    q = bands.pulse * np.array([60, 80, 100])
    excess = short_pulse_signals(bands, q, [l**2])[:, 0].real / laws.debye_porod(q, l, sigma) - 1
    assert np.all(np.diff(excess) < 0)
    assert abs(excess[-1]) < 0.02


@pytest.mark.slow
def test_localisation_law_with_its_prefactor():
    """The ratio of signal and (35) tends to 1 like (l_g / R)^(3/2), the next order."""
    cell = operators(OBSTACLE, size=0.03)
    area = 1 - 0.16 * np.pi
    ratio = []
    lengths = np.array([0.07, 0.05, 0.035])
    for l_g in lengths:
        bands = bands_of(cell, DIAGONAL, 20, resolution=0.55 * l_g)
        delta = (3 * l_g) ** 2
        steps = sample(Pgse(delta, delta), delta / l_g**3, bands.pulse)
        prefactor = laws.localisation_prefactor(l_g, 0.4, area)
        ratio.append(signal_of(bands, steps).real / laws.localisation(3 * l_g, l_g, 0.4, prefactor))
    excess = np.array(ratio) - 1
    assert np.all(excess > 0)
    order = np.diff(np.log(excess)) / np.diff(np.log(lengths))
    assert np.all((order > 1.2) & (order < 2.3))
    assert excess[-1] < 0.22
