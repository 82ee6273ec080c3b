"""A sweep is the product of its lists, and travels as text without losing a digit."""

from __future__ import annotations

import json
import math
import random
from itertools import product

import pytest

from torrey.protocol import Point
from torrey.sweep import Sweep
from torrey.waveforms import Pgse

SWEEP = Sweep(
    periods=(5.0, 10.0),
    permeability_kind="permeability",
    permeabilities=(0.0, 0.05),
    deltas=(2.0,),
    Deltas=(10.0, 20.0, 30.0),
    encoding_kind="b",
    encodings=(0.0, 0.5, 1.0),
    directions=((1.0, 0.0), (0.6, 0.8)),
)


def random_sweep(rng: random.Random) -> Sweep:
    def numbers(low: float, high: float) -> tuple[float, ...]:
        return tuple(rng.uniform(low, high) for _ in range(rng.randint(1, 4)))

    angles = numbers(0, 7)
    return Sweep(
        numbers(1, 20),
        rng.choice(["permeability", "sigma0"]),
        numbers(0, 1),
        numbers(1, 5),
        numbers(5, 60),
        rng.choice(["b", "q", "gradient"]),
        numbers(0, 4),
        tuple((math.cos(a), math.sin(a)) for a in angles),
    )


def test_sweeps_come_back_from_text_as_they_were():
    rng = random.Random(11)
    for sweep in [SWEEP, *(random_sweep(rng) for _ in range(300))]:
        again = Sweep.from_json(sweep.to_json())
        assert again == sweep
        assert hash(again) == hash(sweep)
        assert again.points() == sweep.points()


def test_the_text_does_not_depend_on_how_numbers_were_given():
    # A parameter that reads otherwise recomputes what depends on it.
    text = SWEEP.to_json()
    assert Sweep.from_json(text).to_json() == text
    assert list(json.loads(text)) == sorted(json.loads(text))


def test_axes_are_in_the_order_of_the_dimensions():
    assert list(SWEEP.axes()) == ["period", "permeability", "delta", "Delta", "b", "direction"]
    assert SWEEP.shape == (2, 2, 1, 3, 3, 2)


def test_points_are_the_product_with_the_last_axis_fastest():
    points = SWEEP.points()
    assert list(points) == list(product(*map(range, SWEEP.shape)))
    waveform = Pgse(2.0, 30.0)
    assert points[1, 0, 0, 2, 1, 1] == Point(10.0, 0.0, waveform, waveform.q_of_b(0.5), (0.6, 0.8))


@pytest.mark.parametrize(
    ("kind", "value", "q"),
    [("b", 0.5, math.sqrt(0.5 / (20 - 4 / 3))), ("q", 0.2, 0.2), ("gradient", 0.015, 0.06)],
)
def test_each_encoding_gives_its_wave_number(kind, value, q):
    sweep = Sweep((5.0,), "permeability", (0.0,), (4.0,), (20.0,), kind, (value,), ((1.0,),))
    (point,) = sweep.points().values()
    assert point.q == pytest.approx(q, rel=1e-14)
    assert list(sweep.axes())[4] == kind


def test_sigma0_grows_with_the_period():
    sweep = Sweep((5.0, 10.0), "sigma0", (20.0,), (4.0,), (20.0,), "b", (1.0,), ((1.0,),))
    assert [point.permeability for point in sweep.points().values()] == [0.1, 0.2]
    # kappa / period is the same along the sweep, in all the digits that a name keeps.
    assert len({point.sigma for point in sweep.points().values()}) == 1
    assert list(sweep.axes())[1] == "sigma0"
