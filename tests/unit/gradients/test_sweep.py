"""A sweep is the product of its lists, and travels as text without losing a digit."""

from __future__ import annotations

import json
import math
import random
from itertools import product

import pytest
from support.waveform_cases import GRIDDED, PLANE, PULSES, SAMPLED, TRIANGLES, name_of

from torrey.gradients.protocol import Measurement, Point
from torrey.gradients.sweep import Acquisition, Product, Samples, Sweep, WaveformGrid
from torrey.gradients.waveforms import KINDS, DoublePgse, Pgse, Waveform


def pgse(deltas: tuple[float, ...], Deltas: tuple[float, ...]) -> WaveformGrid:
    return WaveformGrid("pgse", (("delta", deltas), ("Delta", Deltas)))


SWEEP = Sweep(
    periods=(5.0, 10.0),
    permeability_kind="permeability",
    permeabilities=(0.0, 0.05),
    protocol=Product(
        pgse((2.0,), (10.0, 20.0, 30.0)),
        encoding_kind="b",
        encodings=(0.0, 0.5, 1.0),
        directions=((1.0, 0.0), (0.6, 0.8)),
    ),
)

#: Values of the parameters of every kind; each combination is possible.
VALUES = {
    "delta": (4.0, 1 / 0.3),
    "Delta": (12.0, 40 / 3, 20.0),
    "rise_time": (0.1, 0.25),
    "cycles": (1.0, 2.0),
    "mixing_time": (0.0, 7.5),
    "angle": (-45.0, 0.0, 90.0),
    "b_delta": (-0.5, 0.0, 1.0),
    "tau": (4.0, 9.0),
    "delta_filter": (1.0, 2.0),
    "Delta_filter": (6.0,),
    "b_filter": (0.0, 0.5, 2.0),
}


def grid(kind: str) -> WaveformGrid:
    names = KINDS[kind].parameter_names()
    return WaveformGrid(kind, tuple((name, VALUES[name]) for name in names))


def with_shapes(shapes: WaveformGrid | Samples) -> Sweep:
    protocol = Product(shapes, "b", (0.5, 1.0), ((1.0, 0.0), (0.6, 0.8)))
    return Sweep((5.0, 10.0), "sigma0", (20.0,), protocol)


ROWS = (
    Measurement(Pgse(4.0, 12.0), 0.0, (1.0, 0.0)),
    Measurement(Pgse(4.0, 12.0), 1 / 3, (0.6, 0.8)),
    Measurement(PULSES, 0.2, (0.0, 1.0)),
    Measurement(DoublePgse(3.0, 10.0, 2.0, 60.0), 0.1, (1.0, 0.0)),
    Measurement(PLANE, 0.2, (1.0, 0.0)),
    Measurement(Pgse(4.0, 12.0), 1 / 3, (0.6, 0.8)),
)
ACQUIRED = Sweep((5.0, 10.0), "permeability", (0.0, 0.05), Acquisition("b", ROWS))


def random_sweep(rng: random.Random) -> Sweep:
    def numbers(low: float, high: float) -> tuple[float, ...]:
        return tuple(rng.uniform(low, high) for _ in range(rng.randint(1, 4)))

    directions = tuple((math.cos(a), math.sin(a)) for a in numbers(0, 7))
    if rng.random() < 0.3:
        rows = tuple(
            Measurement(rng.choice(GRIDDED), rng.random(), rng.choice(directions))
            for _ in range(rng.randint(1, 5))
        )
        protocol: Product | Acquisition = Acquisition(rng.choice(["b", "gradient"]), rows)
    else:
        shapes = pgse(numbers(1, 5), numbers(5, 60))
        kind = rng.choice(["b", "q", "gradient"])
        protocol = Product(shapes, kind, numbers(0, 4), directions)
    kind = rng.choice(["permeability", "sigma0"])
    return Sweep(numbers(1, 20), kind, numbers(0, 1), protocol)


def assert_survives(sweep: Sweep) -> None:
    again = Sweep.from_json(sweep.to_json())
    assert again == sweep
    assert hash(again) == hash(sweep)
    assert again.points() == sweep.points()
    assert again.axes() == sweep.axes()
    assert again.to_json() == sweep.to_json()


def test_sweeps_come_back_from_text_as_they_were():
    rng = random.Random(11)
    for sweep in [SWEEP, ACQUIRED, *(random_sweep(rng) for _ in range(300))]:
        assert_survives(sweep)


@pytest.mark.parametrize("kind", KINDS)
def test_grids_of_every_kind_come_back_from_text(kind):
    assert_survives(with_shapes(grid(kind)))


@pytest.mark.parametrize("waveform", SAMPLED, ids=name_of)
def test_samples_come_back_from_text(waveform):
    assert_survives(with_shapes(Samples((waveform,))))
    assert_survives(with_shapes(Samples((waveform, TRIANGLES))))


def test_the_text_does_not_depend_on_how_numbers_were_given():
    # A parameter that reads otherwise recomputes what depends on it.
    for sweep in (SWEEP, ACQUIRED, with_shapes(Samples((PULSES,)))):
        text = sweep.to_json()
        assert Sweep.from_json(text).to_json() == text
        assert list(json.loads(text)) == sorted(json.loads(text))


def test_waveforms_that_rows_share_are_written_once():
    plain = json.loads(ACQUIRED.to_json())["protocol"]
    assert len(plain["waveforms"]) == 4
    assert [row[0] for row in plain["rows"]] == [0, 0, 1, 2, 3, 0]


def test_axes_are_in_the_order_of_the_dimensions():
    assert list(SWEEP.axes()) == ["period", "permeability", "delta", "Delta", "b", "direction"]
    assert SWEEP.shape == (2, 2, 1, 3, 3, 2)
    assert len(SWEEP.points()) == 72


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("pgse", ["delta", "Delta"]),
        ("trapezoid", ["delta", "Delta", "rise_time"]),
        ("sine-ogse", ["delta", "Delta", "cycles"]),
        ("cosine-ogse", ["delta", "Delta", "cycles"]),
        ("trapezoid-ogse", ["delta", "Delta", "cycles", "rise_time"]),
        ("double-pgse", ["delta", "Delta", "mixing_time", "angle"]),
        ("triple-pgse", ["delta", "Delta", "mixing_time"]),
        ("b-tensor", ["delta", "Delta", "b_delta"]),
        ("stimulated-echo", ["delta", "Delta", "tau"]),
        (
            "filter-exchange",
            ["delta", "Delta", "delta_filter", "Delta_filter", "b_filter", "mixing_time"],
        ),
    ],
)
def test_every_parameter_of_a_waveform_is_an_axis(kind, parameters):
    axes = with_shapes(grid(kind)).axes()
    assert list(axes) == ["period", "sigma0", *parameters, "b", "direction"]
    assert all(axes[name] == VALUES[name] for name in parameters)


def test_samples_have_no_axes_and_an_acquisition_has_one():
    assert list(with_shapes(Samples((PULSES,))).axes()) == ["period", "sigma0", "b", "direction"]
    assert with_shapes(Samples((PULSES,))).shape == (2, 1, 2, 2)
    several = with_shapes(Samples((PULSES, TRIANGLES), 40.0))
    assert list(several.axes()) == ["period", "sigma0", "waveform", "b", "direction"]
    assert several.axes()["waveform"] == ("pulses", "triangles")
    found = [point.waveform.inner for point in several.points().values()]
    assert found[:8] == [PULSES] * 4 + [TRIANGLES] * 4
    assert list(ACQUIRED.axes()) == ["period", "permeability", "measurement"]
    assert ACQUIRED.axes()["measurement"] == (0.0, 1.0, 2.0, 3.0, 4.0, 5.0)
    assert ACQUIRED.shape == (2, 2, 6)


def test_points_are_the_product_with_the_last_axis_fastest():
    points = SWEEP.points()
    assert list(points) == list(product(*map(range, SWEEP.shape)))
    waveform = Pgse(2.0, 30.0)
    assert points[1, 0, 0, 2, 1, 1] == Point(10.0, 0.0, waveform, waveform.q_of_b(0.5), (0.6, 0.8))


@pytest.mark.parametrize("kind", KINDS)
def test_each_point_has_the_values_of_its_index(kind):
    sweep = with_shapes(grid(kind))
    axes = sweep.axes()
    for index, point in sweep.points().items():
        values = {name: axes[name][i] for (name, i) in zip(axes, index, strict=True)}
        assert point.period == values["period"]
        assert point.permeability == sweep.kappa(values["period"], values["sigma0"])
        assert point.waveform.parameters.items() <= values.items()
        assert point.b == pytest.approx(values["b"], rel=1e-13)
        assert point.direction == values["direction"]


def test_points_of_an_acquisition_are_its_rows_in_every_cell():
    points = ACQUIRED.points()
    assert list(points) == list(product(range(2), range(2), range(6)))
    for (i, j, row), point in points.items():
        assert (point.period, point.permeability) == (ACQUIRED.periods[i], (0.0, 0.05)[j])
        assert point.measurement == ROWS[row]


@pytest.mark.parametrize("kind", KINDS)
def test_every_point_of_a_product_has_a_key_of_its_own(kind):
    points = with_shapes(grid(kind)).points()
    assert len({point.key("b") for point in points.values()}) == len(points)


def test_rows_that_repeat_a_measurement_share_its_key():
    keys = [point.key("b") for point in ACQUIRED.points().values()]
    assert keys[1] == keys[5]
    assert len(set(keys)) == 4 * 5


@pytest.mark.parametrize(
    ("kind", "value", "q"),
    [("b", 0.5, math.sqrt(0.5 / (20 - 4 / 3))), ("q", 0.2, 0.2), ("gradient", 0.015, 0.06)],
)
def test_each_encoding_gives_its_wave_number(kind, value, q):
    protocol = Product(pgse((4.0,), (20.0,)), kind, (value,), ((1.0,),))
    sweep = Sweep((5.0,), "permeability", (0.0,), protocol)
    (point,) = sweep.points().values()
    assert point.q == pytest.approx(q, rel=1e-14)
    assert list(sweep.axes())[4] == kind


@pytest.mark.parametrize("waveform", GRIDDED, ids=name_of)
@pytest.mark.parametrize("kind", ["b", "q", "gradient"])
def test_encodings_are_those_of_the_waveform(waveform: Waveform, kind):
    parameters = tuple((name, (value,)) for name, value in waveform.parameters.items())
    protocol = Product(WaveformGrid(waveform.kind, parameters), kind, (0.3,), ((1.0, 0.0),))
    (measurement,) = protocol.measurements
    # The shape of filter exchange is another one at another strength.
    assert measurement.waveform == waveform.measure(kind, 0.3)[0]
    assert (measurement.waveform == waveform) == waveform.scales
    assert getattr(measurement, kind) == pytest.approx(0.3, rel=1e-14)


def test_sigma0_grows_with_the_period():
    protocol = Product(pgse((4.0,), (20.0,)), "b", (1.0,), ((1.0,),))
    sweep = Sweep((5.0, 10.0), "sigma0", (20.0,), protocol)
    assert [point.permeability for point in sweep.points().values()] == [0.1, 0.2]
    # kappa / period is the same along the sweep, in all the digits that a name keeps.
    assert len({point.sigma for point in sweep.points().values()}) == 1
    assert list(sweep.axes())[1] == "sigma0"
