"""Signals of the models of measured tables, against formulas and solvers that they do not share."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import erf
from support.confined import taylor

from torrey.base.errors import InputError
from torrey.gradients.protocol import Measurement
from torrey.gradients.waveforms import CosineOgse, Pgse, SampledWaveform, TrapezoidalPgse
from torrey.inversion.measured import protocol_of_columns, protocol_of_measurements
from torrey.inversion.sphere import cosines, sphere_signal
from torrey.inversion.table_models import MODELS, table_model, table_signals
from torrey.models.karger import Exchange, FinitePulseKarger

B = np.array([0.0, 0.5, 1.0, 2.0, 3.5, 5.0, 7.5, 10.0])
SHELLS = protocol_of_columns(np.tile(B, 2), 12.0, np.repeat([20.0, 45.0], len(B)))
ROWS = protocol_of_columns(SHELLS.b, 12.0, SHELLS.Delta, directions=np.eye(3)[[0, 1, 2, 0] * 4])
FILTER = protocol_of_columns(
    np.tile([0.0, 0.4, 1.0], 4),
    b_filter=np.repeat([0.0, 0.9, 0.9, 0.9], 3),
    mixing_time=np.repeat([20.0, 20.0, 100.0, 300.0], 3),
)
CASES = {
    "karger": (ROWS, [2.2, 0.5, 0.35, 25.0]),
    "karger-tensor": (ROWS, [1.9, 1.4, 1.2, 0.2, -0.1, 0.15, 0.4, 0.4, 30.0]),
    "nexi": (SHELLS, [2.3, 0.8, 0.5, 25.0]),
    "smex": (SHELLS, [2.3, 0.8, 0.5, 25.0]),
    "sandix": (SHELLS, [2.3, 0.8, 0.5, 25.0, 0.3, 6.0]),
    "fexi-axr": (FILTER, [1.2, 0.3, 0.004]),
}


def mean_of_sticks(x: np.ndarray) -> np.ndarray:
    """Mean of exp(-x cos^2) over the sphere."""
    root = np.sqrt(np.maximum(x, 1e-300))
    return np.where(x > 0.0, np.sqrt(np.pi) * erf(root) / (2.0 * root), 1.0)


def test_every_model_is_tried():
    assert set(CASES) == set(MODELS)


@pytest.mark.parametrize("name", CASES)
def test_signals_are_one_without_gradient_and_derivatives_are_differences(name):
    protocol, x = CASES[name]
    evaluate = table_model(name).prepare(protocol)
    at = np.array([x])
    signal, by = evaluate(at)
    assert np.abs(signal[0, protocol.b == 0.0] - 1.0).max() < 1e-12
    assert np.abs(evaluate(at, False)[0] - signal).max() < 1e-14
    for i, value in enumerate(x):
        step = np.zeros(len(x))
        step[i] = 1e-5 * abs(value)
        change = evaluate(at + step)[0] - evaluate(at - step)[0]
        assert change / (2.0 * step[i]) == pytest.approx(by[..., i], abs=2e-7 * np.abs(by).max())


@pytest.mark.parametrize(
    "waveform",
    [Pgse(12.0, 12.0), Pgse(8.0, 40.0), TrapezoidalPgse(8.0, 20.0, 2.0), CosineOgse(20.0, 30.0, 2)],
    ids=["no gap", "pgse", "ramps", "oscillating"],
)
def test_karger_is_the_system_by_its_power_series(waveform):
    n = (0.6, 0.8)
    points = [Measurement(waveform, waveform.q_of_b(b), n) for b in (0.3, 1.0, 3.0)]
    D_e, D_c, f, time = 2.0, 0.4, 0.4, 15.0
    exchange = Exchange(f / time, (1.0 - f) / time, f, D_e, D_c)
    expected = FinitePulseKarger(tuple(points)).signal(exchange)
    found = table_signals("karger", protocol_of_measurements(points), [D_e, D_c, f, time])
    assert found[0] == pytest.approx(expected, abs=3e-5)
    tensor = [2.0, 2.0, 2.0, 0.0, 0.0, 0.0, D_c, f, time]
    again = table_signals("karger-tensor", protocol_of_measurements(points), tensor)
    assert again == pytest.approx(found, abs=1e-12)


def test_karger_of_a_waveform_without_symmetry():
    path = (0.0,), (1.0,), (0.6,), (0.0,)
    waveform = SampledWaveform("oblique", "wave_vector", (0.0, 4.0, 20.0, 30.0), path)
    other = Pgse(5.0, 20.0)
    assert waveform.symmetry == 0
    points = [Measurement(w, w.q_of_b(1.5), (1.0, 0.0, 0.0)) for w in (waveform, other)]
    expected = FinitePulseKarger(tuple(points)).signal(Exchange(0.02, 0.03, 0.4, 2.0, 0.3))
    found = table_signals("karger", protocol_of_measurements(points), [2.0, 0.3, 0.4, 20.0])
    assert found[0] == pytest.approx(expected, abs=3e-5)


def test_a_stick_of_smex_is_the_system_in_time():
    # One direction at a time by an adaptive solver, the mean over them by many midpoints.
    D_i, D_e, f, time = 2.3, 0.8, 0.5, 25.0
    delta, Delta, b = 12.0, 20.0, 5.0
    rates = np.array([[f, f - 1.0], [-f, 1.0 - f]]) / time
    factor = Delta - delta / 3.0

    def change(t, m, square):
        F = min(t / delta, 1.0, (Delta + delta - t) / delta)
        loss = b * F**2 / factor * np.array([D_e, D_i * square])
        return -rates @ m - loss * m

    total = 0.0
    nodes = (np.arange(24) + 0.5) / 24.0
    for c in nodes:
        m = np.array([1.0 - f, f])
        for span in ((0.0, delta), (delta, Delta), (Delta, Delta + delta)):
            m = solve_ivp(change, span, m, args=(c**2,), rtol=1e-9, atol=1e-11).y[:, -1]
        total += m.sum() / len(nodes)
    protocol = protocol_of_columns([b], delta, Delta)
    # Midpoints leave 1/(24 N^2) of the change of slope: 7e-5 of about one.
    found = table_signals("smex", protocol, [D_i, D_e, f, time])[0, 0]
    assert found == pytest.approx(total, abs=1e-4)


@pytest.mark.parametrize("name", ["nexi", "smex"])
def test_without_exchange_sticks_and_outside_add_up(name):
    D_i, D_e, f = 2.3, 0.8, 0.45
    found = table_signals(name, SHELLS, [D_i, D_e, f, 1e9])[0]
    expected = f * mean_of_sticks(SHELLS.b * D_i) + (1.0 - f) * np.exp(-SHELLS.b * D_e)
    assert found == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("name", ["nexi", "smex"])
def test_fast_exchange_leaves_one_tensor(name):
    D_i, D_e, f = 2.3, 0.8, 0.45
    expected = np.exp(-SHELLS.b * (1.0 - f) * D_e) * mean_of_sticks(SHELLS.b * f * D_i)
    gaps = [
        np.abs(table_signals(name, SHELLS, [D_i, D_e, f, time])[0] - expected).max()
        for time in (0.02, 0.01)
    ]
    assert gaps[1] < 2e-3
    assert gaps[0] / gaps[1] == pytest.approx(2.0, rel=0.05)


def test_narrow_pulses_are_the_limit_of_finite_ones():
    x = [2.3, 0.8, 0.5, 25.0]
    gaps = []
    for delta in (4.0, 2.0, 1.0):
        protocol = protocol_of_columns(B, delta, 30.0)
        gaps.append(np.abs(np.subtract(*(table_signals(n, protocol, x) for n in ("smex", "nexi")))))
    sizes = [gap.max() for gap in gaps]
    assert sizes[2] < 5e-4
    assert sizes[0] > 1.8 * sizes[1] > 3.2 * sizes[2]


def test_an_anisotropic_outside_holds_the_isotropic_one():
    for name in ("nexi", "smex"):
        one = table_signals(name, SHELLS, [2.3, 0.8, 0.5, 25.0])
        model = table_model(name, anisotropic=True)
        assert model.names == ("D_i", "D_e_par", "D_e_perp", "f", "t_ex")
        assert table_signals(model, SHELLS, [2.3, 0.8, 0.8, 0.5, 25.0]) == pytest.approx(one)
        # A stick without exchange and the outside alone: the mean of a zeppelin.
        outside = table_signals(model, SHELLS, [2.3, 1.5, 0.6, 0.005, 1e9])[0]
        mean = np.exp(-0.6 * SHELLS.b) * mean_of_sticks(0.9 * SHELLS.b)
        sticks = mean_of_sticks(2.3 * SHELLS.b)
        assert outside == pytest.approx(0.995 * mean + 0.005 * sticks, abs=1e-7)


@pytest.mark.parametrize(("radius", "pulses"), [(9.0, (2.0, 12.0)), (4.0, (12.0, 20.0))])
def test_spheres_have_the_exact_second_cumulant(radius, pulses):
    waveform = Pgse(*pulses)
    second = -taylor(waveform, 3, radius, 2.5, highest=14.0)[2].real
    q = 1e-3
    b = np.array([waveform.b_value(q)])
    signal = sphere_signal(b, np.array([pulses[0]]), np.array([pulses[1]]), radius, 2.5)[0, 0]
    assert -np.log(signal) / q**2 == pytest.approx(second, rel=1e-4)


def test_small_spheres_are_motionally_narrowed():
    # Neuman (1974): -log S = (16/175) (gamma G)^2 R^4 delta / D for R^2 << D delta.
    delta, Delta, R, D = 30.0, 60.0, 1.0, 3.0
    G = 0.5
    b = np.array([(G * delta) ** 2 * (Delta - delta / 3.0)])
    signal = sphere_signal(b, np.array([delta]), np.array([Delta]), R, D)[0, 0]
    assert -np.log(signal) == pytest.approx(16.0 / 175.0 * G**2 * R**4 * delta / D, rel=0.01)


@pytest.mark.parametrize("x", [1.0, 10.0, 75.0, 300.0])
def test_means_over_directions_have_their_accuracy(x):
    c, weights = cosines(x)
    assert weights @ np.exp(-x * c**2) == pytest.approx(
        float(mean_of_sticks(np.array(x))), rel=1e-8
    )


def test_filter_exchange_at_both_ends():
    adc, sigma, rate = 1.2, 0.3, 0.004
    signal = table_signals("fexi-axr", FILTER, [adc, sigma, rate])[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = -np.log(signal) / FILTER.b
    at = (FILTER.b == 1.0) & (FILTER.b_filter == 0.0)
    assert found[at] == pytest.approx(adc)
    at = (FILTER.b == 1.0) & (FILTER.b_filter > 0.0)
    early = 1.0 - found[at] / adc
    # To first order in the rate: sigma (1 - AXR t_m).
    slow = table_signals("fexi-axr", FILTER, [adc, sigma, 1e-7])[0]
    assert -np.log(slow[at]) == pytest.approx((1.0 - sigma) * adc, rel=1e-4)
    assert early == pytest.approx(sigma * np.exp(-rate * np.array([20.0, 100.0, 300.0])))
    flat = table_signals("fexi-axr", FILTER, [adc, 0.0, rate])[0]
    assert flat == pytest.approx(np.exp(-adc * FILTER.b))
    groups = table_model("fexi-axr").amplitude_groups(FILTER)
    assert groups.tolist() == np.repeat([0, 1, 2, 3], 3).tolist()


@pytest.mark.parametrize(
    ("name", "protocol", "words"),
    [
        ("nexi", ROWS, "powder_average"),
        ("karger-tensor", SHELLS, "mean over directions"),
        ("smex", protocol_of_columns([0.0, 1.0]), "delta and Delta"),
        ("nexi", protocol_of_columns([0.0, 1.0]), "delta and Delta"),
        ("fexi-axr", ROWS, "mixing_time"),
        (
            "fexi-axr",
            protocol_of_columns([0.0, 1.0], b_filter=[1.0, 2.0], mixing_time=20.0),
            "one strength",
        ),
    ],
)
def test_tables_without_what_a_model_needs_are_refused(name, protocol, words):
    with pytest.raises(InputError, match=words):
        table_model(name).prepare(protocol)


def test_models_and_options_are_known_by_name():
    with pytest.raises(InputError, match="nexi"):
        table_model("nexy")
    with pytest.raises(InputError, match="no options of karger"):
        table_model("karger", anisotropic=True)
    with pytest.raises(InputError, match="D_sphere"):
        table_model("sandix", D_soma=2.0)
    with pytest.raises(InputError, match="D_i, D_e, f, t_ex"):
        table_signals("nexi", SHELLS, [1.0])
