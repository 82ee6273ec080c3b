"""Names of the maps of a fit: light, so that the workflow can ask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

BESIDE_PARAMETERS: Final = ("S0", "misfit", "status")
"""Maps beside those of the parameters."""


def map_names(parameters: Sequence[str]) -> tuple[str, ...]:
    """Names of all maps: each parameter, its error, and what became of the voxels."""
    return (*(f"{name}{end}" for name in parameters for end in ("", "_error")), *BESIDE_PARAMETERS)
