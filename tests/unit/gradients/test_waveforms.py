"""Waveforms of every kind: F(t) follows its gradient, and what is derived belongs to it."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest
from scipy.integrate import quad_vec
from support.waveform_cases import (
    EVERY,
    GRIDDED,
    PLANE,
    PULSES,
    SAMPLED,
    SPACE_Q,
    echo_time,
    gradient,
    name_of,
)

from torrey.gradients.waveforms import (
    KINDS,
    BTensor,
    CosineOgse,
    DoublePgse,
    FilteredEncoding,
    FilterExchange,
    Pgse,
    SampledWaveform,
    SineOgse,
    StimulatedEcho,
    TrapezoidalOgse,
    TrapezoidalPgse,
    TriplePgse,
    Waveform,
    from_dict,
)

every_waveform = pytest.mark.parametrize("waveform", EVERY, ids=name_of)


def inner_times(waveform: Waveform, count: int = 400) -> np.ndarray:
    """Times off the jumps of the gradient and off their mirror images."""
    return waveform.echo_time * np.random.default_rng(5).uniform(size=count)


def on_segments(waveform: Waveform, count: int = 4001) -> np.ndarray:
    """F and dF/dt on a fine grid of every segment, ends included: (n, 2, k)."""
    jets = [s.jet(np.linspace(0.0, s.duration, count), 1) for s in waveform.segments]
    return np.concatenate(jets)


def test_every_kind_is_tested():
    kinds = {waveform.kind for waveform in EVERY}
    assert kinds == {*KINDS, SampledWaveform.kind}
    assert {w.n_components for w in EVERY if w.kind == "file"} == {1, 2, 3}
    shapes = {**KINDS, FilteredEncoding.kind: FilteredEncoding}
    assert all(shapes[waveform.kind] is type(waveform) for waveform in GRIDDED)


@every_waveform
def test_f_follows_the_gradient_of_the_definition(waveform):
    t = inner_times(waveform)
    slope, expected = waveform.sample(t, 1)[:, 1], gradient(waveform, t)
    factor = np.sum(slope * expected) / np.sum(expected**2)
    assert factor > 0
    np.testing.assert_allclose(slope, factor * expected, atol=1e-9 * waveform.peak_slope)


@every_waveform
def test_f_is_continuous_and_zero_at_both_ends(waveform):
    segments = waveform.segments
    assert all(segment.duration > 0 for segment in segments)
    for before, after in zip(segments[:-1], segments[1:], strict=True):
        np.testing.assert_allclose(before.end, after.start, atol=1e-12)
    np.testing.assert_allclose(segments[0].start, 0.0, atol=1e-15)
    np.testing.assert_allclose(segments[-1].end, 0.0, atol=1e-12)


@every_waveform
def test_the_largest_f_is_one(waveform):
    norms = np.linalg.norm(on_segments(waveform)[:, 0], axis=1)
    assert norms.max() <= 1 + 1e-13
    assert norms.max() == pytest.approx(1.0, abs=1e-6)  # the grid may miss the place
    ends = [np.linalg.norm(segment.end) for segment in waveform.segments]
    if all(segment.linear for segment in waveform.segments):
        assert max(ends) == pytest.approx(1.0, abs=1e-15)


@every_waveform
def test_the_echo_is_at_the_end_of_the_last_gradient(waveform):
    assert waveform.echo_time == pytest.approx(echo_time(waveform), rel=1e-14)
    durations = [segment.duration for segment in waveform.segments]
    assert waveform.echo_time == pytest.approx(sum(durations), rel=1e-14)


def b_tensor_by_quadrature(waveform: Waveform) -> np.ndarray:
    """The integral of F F^T by adaptive quadrature between the changes of the gradient."""

    def product(t: float, segment) -> np.ndarray:
        F = segment.jet(t, 0)[0]
        return np.multiply.outer(F, F)

    total = np.zeros((waveform.n_components, waveform.n_components))
    for segment in waveform.segments:
        # A breakpoint at least in each half of a period.
        turns = segment.wave.omega * segment.duration / np.pi if segment.wave else 1
        knots = np.linspace(0.0, segment.duration, math.ceil(turns) + 1)
        for a, b in zip(knots[:-1], knots[1:], strict=True):
            part, _ = quad_vec(lambda t, s=segment: product(t, s), a, b, epsabs=1e-13)
            total += part
    return total


@every_waveform
def test_the_b_tensor_is_the_integral_of_f_with_itself(waveform):
    expected = b_tensor_by_quadrature(waveform)
    scale = np.trace(expected)
    np.testing.assert_allclose(waveform.b_tensor_factor, expected, rtol=0, atol=1e-10 * scale)
    assert waveform.b_factor == pytest.approx(scale, rel=1e-10)
    assert np.linalg.eigvalsh(waveform.b_tensor_factor)[0] >= -1e-14 * scale


@every_waveform
def test_the_peak_slope_is_the_largest_gradient(waveform):
    norms = np.linalg.norm(on_segments(waveform)[:, 1], axis=1)
    assert norms.max() <= waveform.peak_slope * (1 + 1e-13)
    assert norms.max() == pytest.approx(waveform.peak_slope, rel=1e-6)


@every_waveform
def test_derivatives_are_those_of_finite_differences(waveform):
    for segment in waveform.segments:
        h = 1e-4 * segment.duration
        t = segment.duration * np.linspace(0.05, 0.95, 19)
        near = [segment.jet(t + s * h, 4) for s in (-2, -1, 1, 2)]
        differences = (near[0] - 8 * near[1] + 8 * near[2] - near[3]) / (12 * h)
        here = segment.jet(t, 5)
        for n in range(5):
            # What rounding of the values makes of a difference over h.
            rounding = 1e-14 * np.abs(here[:, n]).max() / h
            np.testing.assert_allclose(
                differences[:, n], here[:, n + 1], rtol=1e-7, atol=1e-7 * scale_of(here, n + 1)
                + 10 * rounding,
            )  # fmt: skip


def scale_of(jets: np.ndarray, n: int) -> float:
    return float(np.abs(jets[:, n]).max())


@every_waveform
def test_jets_have_an_axis_of_derivatives_and_one_of_components(waveform):
    k = waveform.n_components
    segment = waveform.segments[0]
    assert segment.jet(0.1, 0).shape == (1, k)
    assert segment.jet(np.zeros((5, 2)), 3).shape == (5, 2, 4, k)
    assert waveform.sample(inner_times(waveform), 2).shape == (400, 3, k)
    np.testing.assert_array_equal(segment.jet(0.1, 3)[:2], segment.jet(0.1, 1))


SYMMETRY = {
    Pgse: 1,
    TrapezoidalPgse: 1,
    SineOgse: -1,
    CosineOgse: 1,
    TrapezoidalOgse: 1,
    DoublePgse: {0.0: 1, 180.0: -1},
    TriplePgse: 0,
    BTensor: {1.0: 1},
    StimulatedEcho: 1,
    FilteredEncoding: 0,
}


@every_waveform
def test_the_symmetry_is_the_one_that_samples_show(waveform):
    t = inner_times(waveform)
    F, back = (waveform.sample(x, 0)[:, 0] for x in (t, waveform.echo_time - t))
    seen = [sign for sign in (1, -1) if np.abs(back - sign * F).max() < 1e-11]
    assert waveform.symmetry == (seen[0] if seen else 0)
    if not seen:  # and by far
        assert min(np.abs(back - F).max(), np.abs(back + F).max()) > 0.1


@pytest.mark.parametrize("waveform", GRIDDED, ids=name_of)
def test_every_kind_has_its_symmetry(waveform):
    expected = SYMMETRY[type(waveform)]
    if isinstance(expected, dict):
        values = waveform.parameters
        expected = expected.get(values.get("angle", values.get("b_delta")), 0)
    assert waveform.symmetry == expected


def test_samples_may_have_every_symmetry():
    assert [waveform.symmetry for waveform in SAMPLED] == [1, 1, 0, 0, 0, 0, 1]
    odd = SampledWaveform("odd", "gradient", (0, 1, 3, 4), ((3.0,), (-1.0,), (-1.0,), (3.0,)))
    assert odd.symmetry == -1


@every_waveform
def test_plain_values_describe_the_whole_waveform(waveform):
    plain = waveform.to_dict()
    assert all(type(value) in (str, int, float) for value in plain.values())
    again = from_dict(json.loads(json.dumps(plain)))
    assert again == waveform
    assert hash(again) == hash(waveform)
    assert again.label == waveform.label
    assert again.segments == waveform.segments


def test_labels_name_the_kind_and_every_parameter():
    labels = [waveform.label for waveform in EVERY]
    assert len(set(labels)) == len(labels)
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+", label) for label in labels)
    assert Pgse(3.25, 7.5).label == "pgse-3.25-7.5"
    assert TrapezoidalPgse(4.0, 12.0, 0.5).label == "trapezoid-4-12-0.5"
    assert SineOgse(10.0, 20.0, 2.0).label == "sine-ogse-10-20-2"
    assert CosineOgse(10.0, 20.0, 2.0).label == "cosine-ogse-10-20-2"
    assert TrapezoidalOgse(10.0, 20.0, 1.0, 0.5).label == "trapezoid-ogse-10-20-1-0.5"
    assert DoublePgse(3.0, 10.0, 0.0, 90.0).label == "double-pgse-3-10-0-90"
    assert re.fullmatch(r"file-pulses-[0-9a-f]{8}", PULSES.label)


def test_the_label_of_samples_depends_on_all_of_them():
    same = SampledWaveform(PULSES.name, PULSES.samples, PULSES.times, PULSES.values)
    assert same.label == PULSES.label
    later = SampledWaveform(
        PULSES.name, "gradient", tuple(2 * t for t in PULSES.times), same.values
    )
    assert later.label != PULSES.label


@pytest.mark.parametrize("name", ["my wave", "a,b", "x{1}", "50% (new)", "größe", ".hidden"])
def test_the_label_of_samples_is_safe_in_names_of_files(name):
    waveform = SampledWaveform(name, PULSES.samples, PULSES.times, PULSES.values)
    assert re.fullmatch(r"file-[A-Za-z0-9_-]+-[0-9a-f]{8}", waveform.label)
    # The name itself is not lost, and tells waveforms apart.
    assert from_dict(waveform.to_dict()).name == name
    assert waveform.label != PULSES.label


@pytest.mark.parametrize("waveform", [w for w in EVERY if w.scales], ids=name_of)
def test_encodings_are_inverse_to_each_other(waveform):
    assert waveform.b_value(waveform.q_of_b(0.85)) == pytest.approx(0.85, rel=1e-14)
    assert waveform.q_of_b(0.0) == 0.0
    assert waveform.gradient_of_q(waveform.q_of_gradient(0.015)) == pytest.approx(0.015)
    assert waveform.b_value(0.3) == pytest.approx(0.09 * waveform.b_factor, rel=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_random_waveforms_are_closed_and_as_large_as_one(kind):
    rng = np.random.default_rng(sum(map(ord, kind)))
    for _ in range(25):
        delta = rng.uniform(0.5, 30)
        cycles = int(rng.integers(1, 8))
        values = {
            "delta": delta,
            "Delta": delta * rng.uniform(2, 5),
            "cycles": cycles,
            "rise_time": delta * rng.uniform(0.01, 1) / (6 * cycles + 1),
            "mixing_time": rng.uniform(0, 10),
            "angle": rng.uniform(-360, 360),
            "b_delta": rng.uniform(-0.5, 1),
            "tau": delta * rng.uniform(1, 2),
            "delta_filter": delta,
            "Delta_filter": delta * rng.uniform(1, 5),
            "b_filter": rng.uniform(0, 3),
        }
        cls = KINDS[kind]
        waveform = cls(*(values[name] for name in cls.parameter_names()))
        waveform, _ = waveform.measure("b", rng.uniform(0, 3))
        norms = np.linalg.norm(on_segments(waveform, 401)[:, 0], axis=1)
        assert 1 - 1e-3 < norms.max() <= 1 + 1e-13
        assert np.linalg.norm(waveform.segments[-1].end) < 1e-12
        expected = b_tensor_by_quadrature(waveform)
        found = waveform.b_tensor_factor
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 * np.trace(expected))


# ---- what cannot be ----

NAN, INF = math.nan, math.inf
IMPOSSIBLE = [
    *(
        (Pgse, times, "delta", "not longer than Delta")
        for times in ((0.0, 5.0), (-1.0, 5.0), (6.0, 5.0), (NAN, 5.0), (5.0, NAN), (5.0, INF))
    ),
    (TrapezoidalPgse, (4.0, 12.0, 0.0), "rise_time", "above zero"),
    (TrapezoidalPgse, (4.0, 12.0, -1.0), "rise_time", "above zero"),
    (TrapezoidalPgse, (4.0, 12.0, NAN), "rise_time", "above zero"),
    (TrapezoidalPgse, (4.0, 12.0, 4.1), "rise_time", "not longer than 4 ms"),
    (TrapezoidalPgse, (4.0, 4.2, 0.5), "delta", "rise time of 0.5 ms"),
    (TrapezoidalPgse, (4.0, INF, 0.5), "delta", "not longer than Delta"),
    (SineOgse, (6.0, 5.0, 1), "delta", "not longer than Delta"),
    (SineOgse, (5.0, 6.0, 0), "cycles", "a whole number, at least 1"),
    (SineOgse, (5.0, 6.0, 1.5), "cycles", "a whole number, at least 1"),
    (SineOgse, (5.0, 6.0, NAN), "cycles", "a whole number, at least 1"),
    (CosineOgse, (6.0, 5.0, 1), "delta", "not longer than Delta"),
    (CosineOgse, (5.0, 6.0, -1), "cycles", "a whole number, at least 1"),
    (CosineOgse, (5.0, 6.0, INF), "cycles", "a whole number, at least 1"),
    (TrapezoidalOgse, (10.0, 9.0, 1, 0.1), "delta", "not longer than Delta"),
    (TrapezoidalOgse, (10.0, 20.0, 2.5, 0.1), "cycles", "a whole number, at least 1"),
    (TrapezoidalOgse, (10.0, 20.0, 1, 0.0), "rise_time", "above zero"),
    (TrapezoidalOgse, (13.0, 20.0, 2, 1.01), "rise_time", "not longer than 1 ms"),
    (DoublePgse, (5.0, 4.0, 1.0, 90.0), "delta", "not longer than Delta"),
    (DoublePgse, (5.0, 9.0, -0.1, 90.0), "mixing_time", "at least 0 ms"),
    (DoublePgse, (5.0, 9.0, NAN, 90.0), "mixing_time", "at least 0 ms"),
    (DoublePgse, (5.0, 9.0, INF, 90.0), "mixing_time", "at least 0 ms"),
    (DoublePgse, (5.0, 9.0, 1.0, INF), "angle", "a finite angle"),
    (DoublePgse, (5.0, 9.0, 1.0, NAN), "angle", "a finite angle"),
    (TriplePgse, (5.0, 4.0, 1.0), "delta", "not longer than Delta"),
    (TriplePgse, (5.0, 9.0, -1.0), "mixing_time", "at least 0 ms"),
    (BTensor, (5.0, 4.0, 0.0), "delta", "not longer than Delta"),
    (BTensor, (5.0, 5.0, 0.0), "Delta", "Delta longer than delta"),
    (BTensor, (5.0, 9.0, 1.1), "b_delta", "from -0.5 to 1"),
    (BTensor, (5.0, 9.0, -0.6), "b_delta", "from -0.5 to 1"),
    (BTensor, (5.0, 9.0, NAN), "b_delta", "from -0.5 to 1"),
    (StimulatedEcho, (5.0, 4.0, 5.0), "delta", "not longer than Delta"),
    (StimulatedEcho, (5.0, 50.0, 4.0), "tau", "tau from delta to Delta"),
    (StimulatedEcho, (5.0, 50.0, 51.0), "tau", "tau from delta to Delta"),
    (StimulatedEcho, (5.0, 50.0, NAN), "tau", "tau from delta to Delta"),
    (FilterExchange, (5.0, 4.0, 1.0, 9.0, 1.0, 9.0), "delta", "not longer than Delta"),
    (FilterExchange, (5.0, 9.0, 2.0, 1.0, 1.0, 9.0), "delta_filter", "not longer than Delta"),
    (FilterExchange, (5.0, 9.0, 1.0, 9.0, -1.0, 9.0), "b_filter", "at least 0 s/mm"),
    (FilterExchange, (5.0, 9.0, 1.0, 9.0, INF, 9.0), "b_filter", "at least 0 s/mm"),
    (FilterExchange, (5.0, 9.0, 1.0, 9.0, 1.0, -9.0), "mixing_time", "at least 0 ms"),
]


@pytest.mark.parametrize(("kind", "values", "at", "accepted"), IMPOSSIBLE)
def test_impossible_parameters_are_refused(kind, values, at, accepted):
    with pytest.raises(ValueError, match=f"^{at}: found .*accepted: .*{accepted}"):
        kind(*values)


def test_samples_that_do_not_close_are_refused_with_what_is_left():
    pulses = ((40.0,), (40.0,), (-40.0,), (-40.0,))
    assert SampledWaveform("w", "gradient", (0.0, 3.0, 3.0, 6.0), pulses).echo_time == 6.0
    # 20 of 120 mT/m ms are left; in wave vectors, one component of two.
    with pytest.raises(ValueError, match=r"^found a wave vector g\(T_E\) at the echo of 0\.167 "):
        SampledWaveform("w", "gradient", (0.0, 3.0, 3.0, 5.5), pulses)
    with pytest.raises(
        ValueError, match=r"echo of 0\.5 times the largest \|g\|, accepted: .* zero"
    ):
        SampledWaveform(
            "open", "wave_vector", (0.0, 1.0, 2.0), ((0.0, 0.0), (0.0, 2.0), (1.0, 0.0))
        )


def test_a_residual_of_rounding_is_no_residual():
    values = tuple((x,) for x in (0.1, 0.1, -0.1 / 3, -0.1 / 3))
    waveform = SampledWaveform("w", "gradient", (0.0, 1.0, 1.0, 4.0), values)
    assert np.abs(waveform.segments[-1].end) < 1e-12
    assert SampledWaveform("w", "wave_vector", (0.0, 1.0, 2.0), ((0.0,), (1.0,), (9e-7,))).b_factor
    with pytest.raises(ValueError, match="1.1e-06 times"):
        SampledWaveform("w", "wave_vector", (0.0, 1.0, 2.0), ((0.0,), (1.0,), (1.1e-6,)))


@pytest.mark.parametrize(
    ("times", "values", "message"),
    [
        ((0.0, 1.0), ((0.0,), (0.0,)), "a waveform without gradient"),
        ((0.0,), ((0.0,),), "1 times with 1 values, accepted: two samples or more"),
        ((0.0, 1.0, 2.0), ((0.0,), (0.0,)), "3 times with 2 values"),
    ],
)
def test_samples_that_are_no_waveform_are_refused(times, values, message):
    with pytest.raises(ValueError, match=message):
        SampledWaveform("w", "gradient", times, values)


@pytest.mark.parametrize("waveform", [PLANE, SPACE_Q], ids=name_of)
def test_the_size_of_samples_plays_no_part(waveform):
    larger = SampledWaveform(
        waveform.name,
        waveform.samples,
        waveform.times,
        tuple(tuple(7.0 * x for x in row) for row in waveform.values),
    )
    t = inner_times(waveform)
    np.testing.assert_allclose(larger.sample(t, 1), waveform.sample(t, 1), atol=1e-14)
    assert larger.b_factor == pytest.approx(waveform.b_factor, rel=1e-14)
