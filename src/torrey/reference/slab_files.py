"""Reference signals of a slab by projected models as variables of a NetCDF file."""

from __future__ import annotations

import numpy as np

from torrey.base.stored import Group, Variable
from torrey.gradients.axes import coordinates
from torrey.reference.methods import method_variable
from torrey.reference.slab import SlabSignals


def table_variables(table: SlabSignals) -> Group:
    """Variables of the signals of a slab by projected models."""
    sweep, found = table.sweep, table.signals
    dims = tuple(sweep.axes())

    def variable(values: np.ndarray, units: str, name: str) -> Variable:
        return Variable(dims, values.reshape(sweep.shape), units, name)

    return {
        "signal_real": variable(found.signal.real, "1", "signal, real part"),
        "signal_imag": variable(found.signal.imag, "1", "signal, imaginary part"),
        "coarse_signal_real": variable(
            found.coarse_signal.real, "1", "signal on the coarsest mesh, real part"
        ),
        "coarse_signal_imag": variable(
            found.coarse_signal.imag, "1", "signal on the coarsest mesh, imaginary part"
        ),
        "space_error": variable(found.space_error, "1", "estimated error of the mesh, absolute"),
        "basis_error": variable(found.basis_error, "1", "estimated error of the basis, absolute"),
        "time_error": variable(
            found.time_error, "1", "estimated error of the time steps, absolute"
        ),
        "coarse_error": variable(
            found.coarse_error, "1", "estimated error of the signal on the coarsest mesh, absolute"
        ),
        "level": variable(found.level.astype(np.int32), "1", "mesh, 0 is the coarsest"),
        "method": method_variable(dims, found.method.reshape(sweep.shape)),
        "rung": variable(
            found.rung.astype(np.int32), "1", "rung of the ladder; 0 for other methods"
        ),
        "steps": variable(
            found.steps.astype(np.int32),
            "1",
            "time steps for a change of F by one, 0: a series in q",
        ),
        **coordinates(sweep),
    }
