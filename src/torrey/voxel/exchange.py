"""R0 of a packing: of all discs together, of classes of them, and of one disc in a square cell.

With D the homogenised diffusivity of the room between the discs, a mean over that room, and closed
discs, which have none, R0 reads (CHL14 (4.3), KL23 (4.4))::

    dm_e/dt = -(g.D g + sum_k eta_e^k) m_e + sum_k eta_c^k m_k
    dm_k/dt = -eta_c^k m_k + eta_e^k m_e,    eta_c^k = kappa |Gamma_k|/|Y_k|,
                                             eta_e^k = kappa |Gamma_k|/|Y_e|

where k counts discs that are alike. All of them as one compartment (lumped) would be the limit of
small cells only if they had one radius; a compartment for each class of radii is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from torrey.base.stored import stored
from torrey.gradients.waveforms import Segment, Waveform

Array = NDArray[np.float64]

#: Tolerance of the equations in time.
_EXACT: Final = 1e-10


@dataclass(frozen=True)
class Homogenised:
    """What R0 needs of a packing, and of one disc in a square cell that stands for it."""

    fraction: float = field(metadata=stored((), "1", "part of the area inside discs, theta_c"))
    surface: float = field(metadata=stored((), "um-1", "|Gamma|/|Y_c| of all discs"))
    eta_c: float = field(metadata=stored((), "ms-1", "rate at which water leaves the discs"))
    eta_e: float = field(metadata=stored((), "ms-1", "rate at which water leaves the outside"))
    D: float = field(
        metadata=stored(
            (),
            "um2 ms-1",
            "homogenised diffusivity outside along the gradient, a mean over the outside",
        )
    )
    D_error: float = field(metadata=stored((), "um2 ms-1", "estimated error of the mesh"))
    class_fraction: Array = field(
        metadata=stored(("class",), "1", "part of the area in each class of radii, 0 in empty ones")
    )
    class_surface: Array = field(
        metadata=stored(("class",), "um-1", "|Gamma|/|Y_c| of each class of radii")
    )
    cell_period: float = field(
        metadata=stored(
            (), "um", "side of the square cell with one disc of the same fraction and |Gamma|/|Y_c|"
        )
    )
    cell_radius: float = field(metadata=stored((), "um", "radius of that disc"))
    cell_D: float = field(
        metadata=stored((), "um2 ms-1", "homogenised diffusivity outside of that cell")
    )


def lumped_signal(found: Homogenised, waveform: Waveform, q: float) -> float:
    """R0 with all discs in one compartment."""
    return _exchange(np.array([found.fraction]), np.array([found.eta_c]), found.D, waveform, q)


def class_signal(found: Homogenised, permeability: float, waveform: Waveform, q: float) -> float:
    """R0 with a compartment for each class of radii."""
    eta = permeability * found.class_surface
    return _exchange(found.class_fraction, eta, found.D, waveform, q)


def cell_signal(found: Homogenised, waveform: Waveform, q: float) -> float:
    """R0 of the square cell with one disc."""
    return _exchange(np.array([found.fraction]), np.array([found.eta_c]), found.cell_D, waveform, q)


def _exchange(theta: Array, eta: Array, D: float, waveform: Waveform, q: float) -> float:
    """Signal of closed compartments that exchange with one in which water diffuses."""
    outside = 1.0 - float(theta.sum())
    back = eta * theta / outside
    m = np.concatenate([[outside], theta])

    for segment in waveform.segments:
        change = partial(_slope, segment, q, D, eta, back)
        span = (0.0, segment.duration)
        found = solve_ivp(change, span, m, method="LSODA", rtol=_EXACT, atol=_EXACT * 1e-2)
        m = found.y[:, -1]
    return float(m.sum())


def _slope(
    segment: Segment, q: float, D: float, eta: Array, back: Array, t: float, m: Array
) -> Array:
    """dm/dt; the outside first."""
    flow = eta * m[1:] - back * m[0]
    rate = D * (q * float(segment.jet(t, 0)[0, 0])) ** 2
    return np.concatenate([[flow.sum() - rate * m[0]], -flow])
