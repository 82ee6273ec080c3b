"""Lumped models: all cells in one compartment, as KL23 takes them, for comparison.

The tensors of all cells are averaged and their membranes are added up. Unless the cells are alike,
the models of these tensors do not converge to the Bloch-Torrey equation as the period shrinks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from torrey.cell.operators import Array, BlochTorrey
from torrey.models.energy import Energy
from torrey.models.rates import RateModel
from torrey.models.tensors import Tensors, burnett, papers_tensors, rate_matrices


def lumped_models(
    operators: BlochTorrey, frame: ArrayLike, orders: Sequence[int]
) -> list[RateModel]:
    """Lumped R_n of orders from 0 to 2, for gradients along one direction.

    As in the paper, without the imaginary first-order terms: KL23 (4.11).
    """
    tensors = lump(papers_tensors(operators))
    (direction,) = np.atleast_2d(np.asarray(frame, dtype=float))
    rates = rate_matrices(tensors, direction, first_order=False)
    # The fields of order one have the energy -g^2 S:nn / |Y_a|.
    S = np.diag(rates[2][1, 1, 0])
    energy = Energy(({(0, 0, 0): 1.0 / tensors.measures}, {}, {(2, 0, 0): S / tensors.measures}))
    axial = operators.along(direction).axial
    model = RateModel(rates, tensors.measures, energy=energy, axial=axial)
    return [model.truncate(order) for order in orders]


def lump(tensors: Tensors, outside: int = 0) -> Tensors:
    """All cells in one compartment c beside the outside e: KL23's two compartments, as printed.

    Averages run over all of Y_c, and eta_c = |Gamma|/|Y_c| is one number. With it (3.23) has no
    solution in Y_c unless all cells have the same |Gamma_m|/|Y_a|, because the load must balance
    on each connected component (CHL14, Lemma 1); psi_c is therefore solved cell by cell, each
    with its own constant. With cells that differ, the model of these tensors does not converge
    to the Bloch-Torrey equation as the period shrinks: it is for comparison only.

    Parameters
    ----------
    tensors : Tensors
        One compartment per connected component.
    outside : int
        The compartment that becomes e, number 0 of the result; all others become c, number 1.

    Returns
    -------
    Tensors
        Of two compartments and one membrane, marked as lumped.

    Raises
    ------
    ValueError
        If there is no membrane, or one that does not lie between the outside and a cell.
    """
    turn = _sides(tensors, outside)
    member = np.zeros((2, len(tensors.measures)))
    member[1] = 1.0
    member[:, outside] = 1.0, 0.0
    measures = member @ tensors.measures
    share = member * tensors.measures / measures[:, None]
    gamma = tensors.interface_measures.sum()
    sign, eta = np.array([1.0, -1.0]), gamma / measures
    weight = turn * tensors.interface_measures / gamma
    D, S, T, diffusivity = (
        np.tensordot(share, X, axes=1)
        for X in (tensors.D, tensors.S, tensors.T, tensors.diffusivity)
    )
    # I without its last term, which has a constant of its own in each compartment.
    bare = tensors.I - np.einsum("ma,am,ajl->amjl", tensors.incidence, tensors.eta, tensors.S)
    I = np.einsum("ea,m,amjl->ejl", share, turn, bare) + (sign * eta)[:, None, None] * S
    Z = np.einsum("ea,cb,m,abmjl->ecjl", share, member, turn, tensors.Z, optimize=True)
    return Tensors(
        D=D,
        S=S,
        T=T,
        B=burnett(T, D, S),
        I=I[:, None],
        Z=Z[:, :, None],
        eta=eta[:, None],
        psi_jump=np.array([[weight @ tensors.psi_jump @ turn]]),
        omega_jump=(weight @ tensors.omega_jump)[None],
        measures=measures,
        interface_measures=np.array([gamma]),
        incidence=sign[None],
        diffusivity=diffusivity,
        volume=tensors.volume,
        lumped=True,
    )


def _sides(tensors: Tensors, outside: int) -> Array:
    """+1 for each membrane that has e on its outside, -1 where e is on its inside."""
    turn = tensors.incidence[:, outside]
    if not (turn.size and turn.all()):
        raise ValueError(f"not every membrane bounds compartment {outside}: nothing to lump")
    return turn
