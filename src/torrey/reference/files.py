"""One reference signal as a NetCDF file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import Variable
from torrey.gradients.protocol import Point
from torrey.reference.full import ReferenceSignal


def write_reference(
    path: str | Path, reference: ReferenceSignal, point: Point, provenance: Provenance
) -> None:
    """Write one reference signal."""
    scalars = {
        "signal": ("1", "normalised signal", reference.signal),
        "coarse_signal": ("1", "signal on the coarsest mesh", reference.coarse_signal),
    }
    variables = {}
    for name, (units, long_name, value) in scalars.items():
        value = complex(value)
        variables[f"{name}_real"] = Variable((), value.real, units, f"{long_name}, real part")
        variables[f"{name}_imag"] = Variable((), value.imag, units, f"{long_name}, imaginary part")
    estimates = {
        "space_error": ("estimated error of the mesh", reference.space_error),
        "time_error": ("estimated error of the time steps", reference.time_error),
        "coarse_time_error": (
            "estimated error of the time steps on the coarsest mesh",
            reference.coarse_time_error,
        ),
    }
    for name, (long_name, value) in estimates.items():
        variables[name] = Variable((), float(value), "1", f"{long_name}, absolute")
    variables["level"] = Variable((), np.int32(reference.level), "1", "mesh, 0 is the coarsest")
    variables["steps"] = Variable((), np.int32(reference.steps), "1", "time steps per ramp")
    variables["b_value"] = Variable((), point.b, "ms um-2", "b-value")
    artifacts.write(path, variables, provenance, compress=False)
