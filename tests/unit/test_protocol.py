"""A point has one name, however its gradient was given."""

from __future__ import annotations

import random

import pytest

from torrey.keys import round_significant
from torrey.protocol import Point
from torrey.waveforms import Pgse

WAVEFORM = Pgse(5.0, 25.0)


def point(q: float, waveform: Pgse = WAVEFORM) -> Point:
    return Point(10.0, 0.05, waveform, q, (0.0, 1.0))


def test_keys_show_what_was_given():
    assert point(WAVEFORM.q_of_b(4.0)).key() == "L10_kappa0.05_pgse-5-25_b4_n0_1"
    assert point(0.2).key("q") == "L10_kappa0.05_pgse-5-25_q0.2_n0_1"
    gradient = point(WAVEFORM.q_of_gradient(0.015))
    assert gradient.key("gradient") == "L10_kappa0.05_pgse-5-25_G0.015_n0_1"


def test_keys_survive_the_way_to_q_and_back():
    rng = random.Random(4)
    for _ in range(2000):
        waveform = Pgse(rng.uniform(0.1, 5), rng.uniform(5, 90))
        b = round_significant(rng.random() * 10.0 ** rng.randint(-6, 3))
        assert f"_b{b:.12g}_".replace("e-0", "e-") in point(waveform.q_of_b(b), waveform).key()


def test_derived_quantities():
    assert point(0.2).b == pytest.approx(0.04 * (25 - 5 / 3))
    assert point(0.2).gradient == pytest.approx(0.04)
    assert point(0.2).sigma == pytest.approx(0.005)


@pytest.mark.parametrize("direction", [(1.0,), (0.6, 0.8), (0.0, 0.0, 1.0)])
def test_plain_values_describe_the_whole_point(direction):
    original = Point(10.0, 0.05, WAVEFORM, 1 / 3, direction)
    plain = original.to_dict()
    assert all(type(value) in (str, int, float) for value in plain.values())
    assert Point.from_dict(plain) == original
