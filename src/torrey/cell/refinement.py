"""What a mesh and its refinement tell of the error of the finer one."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

SPACE_DIVISOR: Final = 5.0
"""Errors in space fall like h^4 at best, by 16 from one mesh to the next. The difference of two
results is divided by less: it over-estimates the error of the finer one by about three."""

ONE_MESH: Final = "one mesh gives no error estimate: allow mesh.refinements of 1 or more"
"""What is said where there is no second mesh."""

_NO_MORE: Final = (
    "there is no finer one. What helps: more mesh.refinements, a smaller mesh.size, or a larger "
    "tolerance"
)


def last_change(coarse: NDArray[Any], fine: NDArray[Any], has_corners: bool) -> NDArray[np.float64]:
    """Estimate the error on a mesh from results on it and on the one before.

    Parameters
    ----------
    coarse, fine : (...) float or complex
    has_corners : bool
        Whether water turns around corners: see `torrey.cell.corners`. Errors fall by 2.5 there from
        one mesh to the next, and 2/3 of the difference is the error of the finer one: it counts
        with all of it.
    """
    change = np.abs(fine - coarse)
    return np.asarray(change if has_corners else change / SPACE_DIVISOR)


def end_of(levels: object) -> str:
    """Say why there is no finer mesh in a sequence of operators, and what would help."""
    return str(getattr(levels, "end", _NO_MORE))
