"""Waveforms, cells and signals that the tests of waveforms share."""

from __future__ import annotations

from functools import cache

from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey
from torrey.cell.system import AffineSystem
from torrey.geometry import Disc, Discs, Layers, MeshOptions, Shape
from torrey.gradients.protocol import Measurement
from torrey.gradients.waveforms import (
    CosineOgse,
    DoublePgse,
    Pgse,
    SampledWaveform,
    SineOgse,
    TrapezoidalOgse,
    TrapezoidalPgse,
    Waveform,
)
from torrey.models.model import SmallModel
from torrey.reference.full import mesh_signal

#: A closed polygon in the plane, of no symmetry.
POLYGON = SampledWaveform(
    "polygon",
    "wave_vector",
    (0.0, 2.0, 5.0, 9.0, 11.0),
    ((0.0, 0.0), (1.0, 0.3), (0.2, -0.8), (-0.6, 0.4), (0.0, 0.0)),
)
PULSES = Pgse(5.0, 15.0)
PAIRS = DoublePgse(3.0, 8.0, 2.0, 60.0)
EVERY_KIND = [
    PULSES,
    TrapezoidalPgse(4.0, 12.0, 1.0),
    SineOgse(6.0, 8.0, 1),
    CosineOgse(6.0, 7.0, 1),
    TrapezoidalOgse(6.0, 7.0, 1, 0.5),
    PAIRS,
    POLYGON,
]
FREE = Discs(())
DISC = Discs((Disc((0.5, 0.5), 0.2),))
#: Two discs and no centre of symmetry; the second one reaches across the boundary.
ASYMMETRIC = Discs((Disc((0.27, 0.4), 0.15), Disc((0.75, 0.93), 0.2)))
#: No order of these layers is its own mirror image.
THREE_LAYERS = Layers((0.3, 0.5, 0.2))
OBLIQUE = (0.6, 0.8)
TENSOR = ((2.5, 0.4), (0.4, 1.2))


@cache
def operators(shape: Shape, material: Material, level: int = 0) -> BlochTorrey:
    return levels(shape, MeshOptions(0.5, level), material)[level]


def measure(waveform: Waveform, b: float, direction: tuple[float, ...]) -> Measurement:
    return Measurement(waveform, waveform.q_of_b(b), direction)


def full_signal(
    cell: BlochTorrey, measurement: Measurement, period: float, permeability: float, steps: int
) -> complex:
    system = AffineSystem.at(cell, period, permeability, measurement.frame)
    return mesh_signal(system, measurement.waveform, measurement.q, steps)


def small_signal(
    model: SmallModel, measurement: Measurement, period: float, permeability: float
) -> complex:
    at = (measurement.waveform, measurement.q, period, permeability / period)
    return complex(model.signal(*at))
