"""Bands on the basis of a folded model: both schemes on the same fields.

A signal by narrow pulses and one with the gradient as it is then differ by the sampling alone, not
by what two bases leave out. The Bloch functions at the stations of the road are exact, and those
between them as good as the signals of the folded model are.
"""

from __future__ import annotations

import numpy as np

from torrey.bloch.bands import BandBasis, BandSet, band_set
from torrey.bloch.folded_basis import FoldedModel
from torrey.bloch.zone_lines import zone_line
from torrey.cell.folding import Integers
from torrey.cell.operators import BlochTorrey


def folded_bands(
    model: FoldedModel, operators: BlochTorrey, permeability: float, k: Integers, pulses: int
) -> BandSet:
    """Eigenpairs at all multiples of a pulse |G| / P along B k, in the basis of a folded model.

    Parameters
    ----------
    model : FoldedModel
        Made for gradients along B k.
    operators : BlochTorrey
        That the model was made of.
    permeability : float, um/ms
    k : tuple of int
    pulses : int
        P, at least 1.

    """
    system, zone = model.system, model.zone
    line = zone_line(zone.lattice, zone.period, zone.vector(k))
    rates = np.linalg.eigvalsh(system.matrix(line.width / 2 * line.direction))
    basis = BandBasis(
        period=zone.period,
        permeability=permeability,
        diffusivity=float(np.linalg.eigvalsh(operators.inner_diffusivity).max()),
        bound=float(rates[-1]),
        frame=np.eye(len(zone.lattice)),
        static=system.static,
        C=system.C,
        N=system.N,
        vectors=model.basis,
        places=operators.cell.places,
        lines=(line,),
        folds=model.fold(k)[None],
        waves=model.start[None, None].astype(complex),
        reads=model.readout[None, None].astype(complex),
    )
    return band_set(basis, line.direction, pulses)
