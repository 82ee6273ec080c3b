"""Signals of sampled waveforms: those of names, and of every straight line on its own."""

from __future__ import annotations

import numpy as np
import pytest

from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.cell.system import AffineSystem
from torrey.geometry import Disc, Discs, MeshOptions
from torrey.gradients.waveforms import SampledWaveform, TrapezoidalPgse, merging
from torrey.models.integration import Points, projected_signal
from torrey.models.projection import project
from torrey.reference.full import mesh_signal

PERIOD, KAPPA, D, TIME = 8.0, 0.02, 2.5, 40.0


@pytest.fixture(scope="module")
def operators():
    shape = Discs((Disc((0.5, 0.5), 0.35),))
    return levels(shape, MeshOptions(0.3, 0), Material((D, 1.2)))[0]


@pytest.fixture(scope="module")
def signal(operators):
    """A signal of the projected model P_2 at b = 2,000 s/mm^2."""
    model = project(operators, np.eye(2), 2)

    def signal(waveform, steps, q=None):
        points = Points.of(q or waveform.q_of_b(2.0), PERIOD, KAPPA / PERIOD)
        return projected_signal(model, waveform, points, steps)[0]

    return signal


def turning(count):
    """A gradient that turns in the plane, on a raster with six digits, and comes to an echo."""
    t = np.linspace(0.0, TIME, count)
    x = t / TIME
    G = np.stack([np.sin(2 * np.pi * x) ** 3, np.sin(2 * np.pi * x) * np.sin(np.pi * x)], axis=1)
    values = tuple(map(tuple, np.round(G, 6)))
    return SampledWaveform("turning", "gradient", tuple(t), values, (5e-7, 5e-7))


def test_a_raster_has_the_signal_of_its_name(operators):
    t = np.round(np.arange(4031) * 0.01, 9)
    G = np.interp(t, [0, 0.3, 10, 10.3, 30, 30.3, 40, 40.3], [0, 60, 60, 0, 0, -60, -60, 0])
    raster = SampledWaveform("raster", "gradient", tuple(t), tuple((x,) for x in G), (5e-7,))
    named = TrapezoidalPgse(10.0, 30.0, 0.3)
    system = AffineSystem.at(operators, PERIOD, KAPPA, (1.0, 0.0))
    a, b = (mesh_signal(system, w, w.q_of_b(1.0), 12) for w in (raster, named))
    assert a == pytest.approx(b, abs=1e-11)
    assert 0.2 < b.real < 0.8


def test_curves_have_the_signal_of_every_line_on_its_own(signal, monkeypatch):
    curves = turning(301)
    monkeypatch.setattr(merging, "_FEW", 1000)
    lines = turning(301)
    assert len(curves.segments) < 60 < 290 < len(lines.segments)
    q = lines.q_of_b(2.0)
    fine, coarse = signal(lines, 24), signal(lines, 12)
    curved = signal(curves, 96)
    assert 0.05 < abs(fine) < 0.8
    assert abs(curved - fine) < 3e-8 + abs(fine - coarse)
    # The bound of the theory is far above.
    assert abs(curved - fine) < 0.1 * q * np.sqrt(2 * D * TIME) * curves.departure


def test_more_samples_change_the_signal_by_the_square_of_the_step(signal):
    signals = [signal(turning(count), 96) for count in (21, 41, 2001)]
    errors = [abs(found - signals[-1]) for found in signals[:-1]]
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.25)
