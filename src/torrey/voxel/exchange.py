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

import numpy as np
from numpy.typing import ArrayLike, NDArray

from torrey.base.stored import stored
from torrey.gradients.waveforms import Waveform
from torrey.models.rates import RateModel

Array = NDArray[np.float64]


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


def lumped_signal(found: Homogenised, waveform: Waveform, q: ArrayLike) -> Array:
    """R0 with all discs in one compartment, at wave numbers q (rad/um) of any shape."""
    return _exchange(np.array([found.fraction]), np.array([found.eta_c]), found.D, waveform, q)


def class_signal(
    found: Homogenised, permeability: float, waveform: Waveform, q: ArrayLike
) -> Array:
    """R0 with a compartment for each class of radii, at wave numbers q (rad/um) of any shape."""
    eta = permeability * found.class_surface
    return _exchange(found.class_fraction, eta, found.D, waveform, q)


def cell_signal(found: Homogenised, waveform: Waveform, q: ArrayLike) -> Array:
    """R0 of the square cell with one disc, at wave numbers q (rad/um) of any shape."""
    return _exchange(np.array([found.fraction]), np.array([found.eta_c]), found.cell_D, waveform, q)


def _exchange(theta: Array, eta: Array, D: float, waveform: Waveform, q: ArrayLike) -> Array:
    """Signal of closed compartments that exchange with one in which water diffuses."""
    outside = 1.0 - float(theta.sum())
    # G of dm/dt = -G m, the outside first, without the gradient; and -g^2 of its first entry.
    exchange = np.zeros((1 + len(theta),) * 2)
    exchange[1:, 1:] = np.diag(eta)
    exchange[0, 1:] = -eta
    exchange[:, 0] = -exchange[:, 1:] @ theta / outside
    diffusion = np.zeros_like(exchange)
    diffusion[0, 0] = -D
    # Powers of each component of g, of those of g', and of the permeability.
    none = [0] * (2 * waveform.n_components + 1)
    rates = {tuple(none): exchange, (2, *none[1:]): diffusion}
    model = RateModel((rates,), np.concatenate([[outside], theta]), waveform.n_components)
    return np.asarray(model.signal(waveform, q, 1.0, 1.0).real)
