"""What signals may be derived by, as configurations, files and notebooks name it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from torrey.gradients.protocol import EncodingKind
from torrey.gradients.sweep import Acquisition, Product

BY: Final[Mapping[str, tuple[str, str]]] = {
    "kappa": ("ms um-1", "permeability"),
    "D": ("ms um-2", "diffusivity, equal along all axes"),
    "L": ("um-1", "period, of one shape"),
    "b": ("um2 ms-1", "b-value"),
    "q": ("um", "largest wave number"),
    "gradient": ("um ms", "largest gradient gamma G"),
    "direction": ("1", "gradient direction, across it and per rad"),
    "R": ("um-1", "radius, at the same period"),
}
"""Unit of the derivative, and meaning of what it is by."""

OF_BASES: Final = ("D", "direction", "R")
"""Those by what a basis of projected models depends on."""

ON_REQUEST: Final = ("R",)
"""Those that are not among all of them: cells are assembled anew for each radius."""


def needs_fields(by: Iterable[str]) -> bool:
    """Whether derivatives need the fields of a basis, which are not kept with it."""
    return any(name in OF_BASES for name in by)


def derivable(
    strength: EncodingKind, n_axes: int, n_components: int, *, turned: bool, radii: bool
) -> tuple[str, ...]:
    """Names of all that signals under some gradients may be derived by.

    Parameters
    ----------
    strength : {"b", "q", "gradient"}
        As which the strength of the gradients is given.
    n_axes : int
        Numbers of a direction.
    n_components : int
        Of the waveform with the most of them.
    turned : bool
        Whether cells have an orientation.
    radii : bool
        Whether the cell has some: see `torrey.cell.motion.derivable_radii`.
    """
    # Bases along all axes, which several components need, miss the fields of small turns, and two
    # of their rungs do not tell.
    turning = n_axes > 1 and not turned and n_components == 1
    further = (*(("direction",) if turning else ()), *(("R",) if radii else ()))
    return ("kappa", "D", "L", strength, *further)


def derivable_in(protocol: Product | Acquisition, *, radii: bool) -> tuple[str, ...]:
    """The same for the measurements of a sweep, without a strength on which their shape depends."""
    waveforms = [m.waveform for m in protocol.measurements]
    most, turned = max(w.n_components for w in waveforms), protocol.fibres is not None
    names = derivable(protocol.encoding_kind, protocol.n_axes, most, turned=turned, radii=radii)
    scales = any(w.scales for w in waveforms)
    return tuple(name for name in names if scales or name != protocol.encoding_kind)
