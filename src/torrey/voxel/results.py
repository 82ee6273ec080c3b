"""A signal of a voxel and its error."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from torrey.base.errors import TorreyError
from torrey.base.stored import stored


class VoxelError(TorreyError, ArithmeticError):
    """A signal of a voxel is not what was asked for."""


@dataclass(frozen=True)
class VoxelSignal:
    """A signal and what is known of its error."""

    signal: complex = field(metadata=stored((), "1", "normalised signal", dtype=complex))
    space_error: float = field(metadata=stored((), "1", "estimated error of the mesh, absolute"))
    time_error: float = field(
        metadata=stored((), "1", "estimated error of time steps and solvers, absolute")
    )
    unknowns: int = field(metadata=stored((), "1", "degrees of freedom on the finest mesh"))
    steps: int = field(metadata=stored((), "1", "time steps on the finest mesh", dtype=np.int32))
    iterations: int = field(
        metadata=stored((), "1", "iterations of the solver on the finest mesh", dtype=np.int32)
    )

    @property
    def error(self) -> float:
        """Absolute estimate of the whole numerical error."""
        return self.space_error + self.time_error
