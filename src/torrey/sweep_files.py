"""The axes of a sweep as coordinates of a NetCDF file."""

from __future__ import annotations

import numpy as np

from torrey.artifacts import Group, Variable
from torrey.sweep import Sweep

#: Attributes of values that may be infinite: the signals of an unstable model.
MAY_OVERFLOW = {"allow_missing": True}

AXIS_UNITS = {
    "period": ("um", "physical size of the cell"),
    "permeability": ("um ms-1", "membrane permeability kappa"),
    "sigma0": ("um ms-1", "sigma0, where kappa = sigma0 * period / (1 mm)"),
    "delta": ("ms", "duration of a gradient pulse"),
    "Delta": ("ms", "time between the beginnings of the two pulses"),
    "b": ("ms um-2", "b-value (1 ms um-2 is 1000 s mm-2)"),
    "q": ("rad um-1", "wave number gamma G delta"),
    "gradient": ("rad um-1 ms-1", "gradient gamma G"),
}


def coordinates(sweep: Sweep) -> Group:
    """Return the coordinate of each axis, and the vectors of the directions."""
    variables = {
        name: Variable((name,), np.array(values, dtype=float), *AXIS_UNITS[name])
        for name, values in sweep.axes().items()
        if name != "direction"
    }
    directions = np.array(sweep.directions, dtype=float)
    variables["direction_vector"] = Variable(
        ("direction", "axis"), directions, "1", "unit vector of the gradient"
    )
    return variables
