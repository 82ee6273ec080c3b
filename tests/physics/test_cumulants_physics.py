"""Cumulants at b -> 0 against exact solutions: mixtures, discs, spheres, signals at small q.

For D_app and K_app see `torrey.models.cumulants`.
"""

from __future__ import annotations

import numpy as np
import pytest
from support import confined
from support.cells import ASYMMETRIC, DISC, LARGE_DISC, discs, layers
from support.waveform_cases import LINE_Q

from torrey.cell.assembly import assemble
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey, bloch_torrey
from torrey.cell.system import AffineSystem
from torrey.geometry import MeshOptions, Sphere, Spheres
from torrey.geometry.meshing import build_meshes
from torrey.gradients.sweep import Product, Sweep, WaveformGrid
from torrey.gradients.waveforms import CosineOgse, DoublePgse, Pgse, Waveform
from torrey.models.cumulants import Cumulants, cumulants_of
from torrey.models.evaluation import build_models
from torrey.models.resolvents import resolvent_model, shifts_between
from torrey.reference.cumulants import reference_cumulants
from torrey.reference.full import mesh_signal

PGSE = Pgse(5.0, 25.0)


def sweep(
    period: float, kappa: float, *directions: tuple[float, ...], Deltas: tuple[float, ...] = (25.0,)
) -> Sweep:
    grid = WaveformGrid("pgse", (("delta", (5.0,)), ("Delta", Deltas)))
    return Sweep((period,), "permeability", (kappa,), Product(grid, "q", (1.0,), directions))


def resolved(
    operators: BlochTorrey, waveform: Waveform, period: float, kappa: float, frame: np.ndarray
) -> Cumulants:
    """Cumulants of one mesh, by the basis of the reference."""
    time = waveform.echo_time
    shifts = shifts_between(0.5 / time, 500.0 / time)
    model = resolvent_model(operators, frame, period, kappa, shifts)
    return cumulants_of(model.taylor(waveform, period, kappa / period), waveform.b_factor)


def inside(size: float, count: int) -> list[BlochTorrey]:
    """Water in a disc of radius 0.4 alone."""
    cell = discs((0.5, 0.5, 0.4), size=size)
    return [
        bloch_torrey(cell.operators(k).cell.restrict([1]), Material((1.7,))) for k in range(count)
    ]


# ---- mixtures of Gaussian waters ----


@pytest.mark.parametrize("waveform", [PGSE, CosineOgse(10.0, 20.0, 2.0)], ids=["pgse", "ogse"])
def test_water_on_both_sides_of_walls_that_the_gradient_runs_along_is_a_mixture(waveform):
    cell = layers((0.35, 0.65), (3.0, 1.2), dimension=2)
    share, D = np.array([0.35, 0.65]), np.array([3.0, 1.2])
    mean = share @ D
    variance = share @ D**2 - mean**2
    along = np.array([[0.0, 1.0]])
    found = [resolved(cell.operators(0), waveform, 6.0, 0.0, along)]
    for model in build_models(cell.operators(0), along, ["R0", "R2", "R4", "P3", "Pade"]):
        found.append(cumulants_of(model.taylor(waveform, 6.0, 0.0), waveform.b_factor))
    for each in found:
        assert each.adc == pytest.approx(mean, rel=1e-9)
        assert each.kurtosis == pytest.approx(3.0 * variance / mean**2, rel=1e-8)


@pytest.mark.parametrize("waveform", [PGSE, Pgse(2.0, 2.0)], ids=lambda w: w.label)
def test_exchange_of_two_waters_is_that_of_karger(waveform):
    """K = 3 var(D) int int F^2 F'^2 exp(-k |t - t'|) / (beta <D>)^2 for a process of two states."""
    cell, kappa, L = layers((0.35, 0.65), (3.0, 1.2), dimension=2), 0.02, 6.0
    share, D = np.array([0.35, 0.65]), np.array([3.0, 1.2])
    mean = share @ D
    rate = 2.0 * kappa / L * (1.0 / 0.35 + 1.0 / 0.65)
    t = (np.arange(4000) + 0.5) * waveform.echo_time / 4000
    F2 = waveform.sample(t, 0)[:, 0, 0] ** 2
    double = F2 @ np.exp(-rate * np.abs(t[:, None] - t)) @ F2 * (t[1] - t[0]) ** 2
    expected = 3.0 * (share @ D**2 - mean**2) * double / (waveform.b_factor * mean) ** 2
    (model,) = build_models(cell.operators(0), np.array([[0.0, 1.0]]), ["R0"])
    found = cumulants_of(model.taylor(waveform, L, kappa / L), waveform.b_factor)
    assert found.adc == pytest.approx(mean, rel=1e-9)
    assert found.kurtosis == pytest.approx(expected, rel=1e-6)


# ---- confined water ----


def test_the_bessel_series_knows_the_moments_of_disc_and_sphere():
    for dimension, second, fourth in ((2, 1 / 4, 1 / 8), (3, 1 / 5, 3 / 35)):
        _, B = confined.eigenbasis(dimension, 60.0)
        assert (B @ B)[0, 0] == pytest.approx(second, rel=1e-4)
        assert (B @ B @ B @ B)[0, 0] == pytest.approx(fourth, rel=1e-4)


def test_water_in_a_disc_converges_to_the_bessel_series():
    exact = cumulants_of(confined.taylor(PGSE, 2, 4.0, 1.7), PGSE.b_factor)
    found = [resolved(op, PGSE, 10.0, 0.0, np.array([[1.0, 0.0]])) for op in inside(0.1, 3)]
    errors = np.array([[abs(x.adc - exact.adc), abs(x.kurtosis - exact.kurtosis)] for x in found])
    # Of elements of order 2 on curved triangles: x^2 is none of their functions.
    rates = np.log2(errors[:-1] / errors[1:])
    assert errors[2, 0] < 2e-8
    assert errors[2, 1] < 4e-6
    assert rates[:, 0].min() > 3.4
    assert rates[1, 1] > 3.0


@pytest.mark.slow
@pytest.mark.parametrize("Delta", [5.0, 25.0])
def test_water_in_a_disc_is_that_of_the_bessel_series_to_a_millionth(Delta):
    waveform = Pgse(5.0, Delta)
    exact = cumulants_of(confined.taylor(waveform, 2, 4.0, 1.7, 100.0), waveform.b_factor)
    levels = inside(0.1, 4)
    found = reference_cumulants(levels, sweep(10.0, 0.0, (1.0, 0.0), Deltas=(Delta,)), 1e-8)
    adc, kurtosis = found.adc.item(), found.kurtosis.item()
    assert adc == pytest.approx(exact.adc, rel=1e-6)
    assert kurtosis == pytest.approx(exact.kurtosis, abs=1e-6)
    assert abs(adc - exact.adc) <= found.adc_error.item()
    assert abs(kurtosis - exact.kurtosis) <= found.kurtosis_error.item()


@pytest.mark.slow
def test_water_in_a_sphere_is_within_its_error_of_the_bessel_series():
    exact = cumulants_of(confined.taylor(PGSE, 3, 4.0, 1.7), PGSE.b_factor)
    shape = Spheres((Sphere((0.5, 0.5, 0.5), 0.4),))
    meshes = build_meshes(shape, MeshOptions(0.2, 1))
    levels = [
        bloch_torrey(assemble(mesh, np.array([(0, 1)])).restrict([1]), Material((1.7,)))
        for mesh in meshes
    ]
    found = reference_cumulants(levels, sweep(10.0, 0.0, (1.0, 0.0, 0.0)), 1e-8)
    assert found.adc.item() == pytest.approx(exact.adc, rel=2e-4)
    assert found.kurtosis.item() == pytest.approx(exact.kurtosis, abs=4e-3)
    assert abs(found.adc.item() - exact.adc) <= found.adc_error.item()
    assert abs(found.kurtosis.item() - exact.kurtosis) <= found.kurtosis_error.item()


# ---- signals at small q ----


@pytest.mark.parametrize(
    ("cell", "waveform", "direction", "steps"),
    [
        (LARGE_DISC, PGSE, (1.0, 0.0), 48),
        (ASYMMETRIC, Pgse(2.0, 8.0), (0.6, 0.8), 48),
        pytest.param(DISC, CosineOgse(10.0, 20.0, 2.0), (0.0, 1.0), 24, marks=pytest.mark.slow),
    ],
    ids=["disc", "asymmetric", "ogse"],
)
def test_signals_at_small_q_tend_to_the_cumulants(cell, waveform, direction, steps):
    operators = cell.operators(0)
    system = cell.system(0, 10.0, 0.05, direction)
    b = np.array([0.02, 0.04, 0.08, 0.16, 0.32])
    S = [mesh_signal(system, waveform, waveform.q_of_b(x), steps) for x in b]
    # -log S / b is a polynomial in b: its value and slope at zero from five b-values.
    series = np.polynomial.polynomial.polyfit(b, -np.log(np.abs(S)) / b, 4)
    found = resolved(operators, waveform, 10.0, 0.05, np.array([direction]))
    assert found.adc == pytest.approx(series[0], rel=2e-6)
    assert found.kurtosis == pytest.approx(-6.0 * series[1] / series[0] ** 2, rel=1e-3)


def test_the_numbers_of_a_disc_in_a_cell():
    """D = 1.16509 um^2/ms and K = 1.65048, made with another basis on a mesh of this size."""
    cell = discs((0.5, 0.5, 0.4), size=0.1)
    found = resolved(cell.operators(0), PGSE, 10.0, 0.05, np.array([[1.0, 0.0]]))
    assert found.adc == pytest.approx(1.16509, rel=1e-4)
    assert found.kurtosis == pytest.approx(1.65048, rel=1e-4)


@pytest.mark.slow
def test_what_figure_7_of_kl23_says_when_nothing_is_fitted():
    """Measured: see docs/theory.md."""
    cell = discs((0.5, 0.5, 0.4), size=0.1)
    times = (10.0, 25.0, 60.0)
    levels = cell.levels(3)
    reference = reference_cumulants(levels, sweep(10.0, 0.05, (0.0, 1.0), Deltas=times), 1e-5)
    np.testing.assert_allclose(reference.adc.ravel(), [1.227713, 1.164942, 1.142489], rtol=5e-6)
    np.testing.assert_allclose(reference.kurtosis.ravel(), [1.90907, 1.65063, 1.12003], rtol=1e-5)
    models = build_models(cell.operators(2), np.array([[0.0, 1.0]]), ["R0", "R2"])
    R0, R2 = (
        [cumulants_of(m.taylor(w, 10.0, 0.005), w.b_factor) for w in (Pgse(5.0, t) for t in times)]
        for m in models
    )
    for each in R0:
        assert each.adc == pytest.approx(0.96628, abs=1e-5)
    assert R0[0].kurtosis == pytest.approx(2.6123, abs=1e-4)
    assert R2[0].kurtosis == pytest.approx(2.9947, abs=1e-4)
    # The kurtosis of R2 is farther off than that of R0 at the shortest time, and closer later.
    nearer = [
        abs(a.kurtosis - x) < abs(b.kurtosis - x)
        for a, b, x in zip(R2, R0, reference.kurtosis.ravel(), strict=True)
    ]
    assert nearer == [False, True, True]


# ---- errors ----


@pytest.mark.slow
@pytest.mark.parametrize("kappa", [0.0, 0.05])
def test_errors_hold_what_a_finer_mesh_and_more_shifts_change(kappa):
    levels = ASYMMETRIC.levels(3)
    # Water in three compartments, and a time between pulses short beside their sizes.
    wanted = sweep(12.0, kappa, (1.0, 0.0), (0.6, 0.8), Deltas=(5.0, 40.0))
    rough = reference_cumulants(levels[:2], wanted, 1e-12)
    fine = reference_cumulants(levels, wanted, 1e-12)
    for name in ("adc", "kurtosis"):
        change = np.abs(getattr(rough, name) - getattr(fine, name))
        assert np.all(change <= getattr(rough, f"{name}_error"))
        assert np.all(getattr(fine, f"{name}_error") < getattr(rough, f"{name}_error"))


def test_one_mesh_tells_no_error():
    with pytest.raises(ValueError, match="one mesh gives no error"):
        reference_cumulants(DISC.levels(1), sweep(10.0, 0.05, (1.0, 0.0)), 1e-4)


# ---- relaxation, density, several components ----


def relaxing(T2: tuple[float, float], density: tuple[float, float]) -> BlochTorrey:
    return bloch_torrey(DISC.operators(0).cell, Material((3.0, 1.7), T2, density))


@pytest.mark.parametrize(
    ("T2", "density"), [((80.0, 30.0), (1.0, 1.0)), ((80.0, 30.0), (1.0, 0.4))]
)
def test_relaxation_normalises_and_weights(T2, density):
    operators = relaxing(T2, density)
    frame = np.array([[0.6, 0.8]])
    system = AffineSystem.at(operators, 8.0, 0.03, frame)
    b = np.array([0.0, 0.02, 0.04, 0.08, 0.16])
    S = np.array([mesh_signal(system, PGSE, PGSE.q_of_b(x), 32) for x in b])
    ratio = -np.log(np.abs(S[1:] / S[0])) / b[1:]
    series = np.polynomial.polynomial.polyfit(b[1:], ratio, 3)
    found = resolved(operators, PGSE, 8.0, 0.03, frame)
    assert found.s0 == pytest.approx(S[0].real, rel=1e-8)
    assert found.adc == pytest.approx(series[0], rel=2e-6)
    assert found.kurtosis == pytest.approx(-6.0 * series[1] / series[0] ** 2, rel=2e-3)
    for name in ("R2", "P3"):
        (model,) = build_models(operators, frame, [name])
        close = cumulants_of(model.taylor(PGSE, 8.0, 0.03 / 8.0), PGSE.b_factor)
        assert close.s0 == pytest.approx(found.s0, rel=1e-3)
        assert close.adc == pytest.approx(found.adc, rel=5e-2)


def test_two_blocks_at_an_angle_in_free_water_have_no_kurtosis():
    waveform = DoublePgse(3.0, 10.0, 5.0, 60.0)
    cell = layers((0.5, 0.5), (2.0, 2.0), dimension=2)
    frame = np.eye(2)[::-1]
    # Along the walls of one block, across those of the other: only the first is free.
    found = resolved(cell.operators(0), waveform, 5.0, 1e3, frame)
    assert found.adc == pytest.approx(2.0, rel=1e-3)
    assert abs(found.kurtosis) < 1e-3


def test_a_waveform_of_two_components_is_that_of_its_signals():
    waveform = DoublePgse(3.0, 10.0, 5.0, 60.0)
    frame = np.eye(2)
    (model,) = build_models(LARGE_DISC.operators(0), frame, ["P4"])
    b = np.array([0.02, 0.04, 0.08, 0.16])
    q = np.array([waveform.q_of_b(x) for x in b])
    S = model.signal(waveform, q, 10.0, 0.005, 1e-13)
    series = np.polynomial.polynomial.polyfit(b, -np.log(np.abs(S)) / b, 3)
    exact = resolved(LARGE_DISC.operators(0), waveform, 10.0, 0.05, frame)
    own = cumulants_of(model.taylor(waveform, 10.0, 0.005), waveform.b_factor)
    assert own.adc == pytest.approx(series[0], rel=1e-6)
    assert own.kurtosis == pytest.approx(-6.0 * series[1] / series[0] ** 2, rel=1e-3)
    assert exact.adc == pytest.approx(own.adc, rel=1e-4)
    assert exact.kurtosis == pytest.approx(own.kurtosis, rel=1e-3)


def test_a_waveform_without_mirror_symmetry_has_a_phase_and_cumulants_of_the_modulus():
    waveform = LINE_Q
    (model,) = build_models(ASYMMETRIC.operators(0), np.array([[0.6, 0.8]]), ["P3"])
    series = model.taylor(waveform, 10.0, 0.002)
    assert abs(series[1]) < 1e-12
    assert abs(series[3].real) < 1e-12
    q = np.array([0.01, 0.02, 0.04])
    S = model.signal(waveform, q, 10.0, 0.002, 1e-14)
    np.testing.assert_allclose(S.imag / q**3, series[3].imag, atol=2e-3 * abs(series[4]), rtol=0)
