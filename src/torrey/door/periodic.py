"""Bands and spectra of a cell as labelled tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import xarray

from torrey.base.errors import InputError
from torrey.base.stored import group_of
from torrey.bloch.bands import band_basis, band_set
from torrey.bloch.files import BandLine
from torrey.bloch.spectrum_runs import run_spectrum
from torrey.bloch.zone_lines import zone_line
from torrey.door.gradients import read_direction
from torrey.door.labels import dataset
from torrey.door.quantities import argument, arguments, quantities, quantity
from torrey.door.site import Site

if TYPE_CHECKING:
    from torrey.door.gradients import Directions
    from torrey.door.quantities import Quantities, Quantity

#: Length to which bands are resolved, over the period.
_RESOLUTION: Final = 0.1
_MOST_PULSES: Final = 10_000
_MOST_BRANCHES: Final = 100


def bands(
    site: Site, direction: Directions | None, resolution: Quantity | None, pulses: int
) -> xarray.Dataset:
    """Bands along one line, for `Cell.bands`."""
    call, shape = "Cell.bands", site.medium.discretisation.shape
    _check_motion(call, site)
    with argument(call, "direction"):
        n = read_direction(direction, shape.dimension, within=True)
        zone_line(shape.periods, site.period, n)
    site = site.within
    length = _RESOLUTION * site.period
    if resolution is not None:
        with argument(call, "resolution"):
            length = quantity(resolution, "length", "positive")
    with argument(call, "pulses"):
        _check_count(pulses, 2, _MOST_PULSES)
    with arguments(call):
        basis = band_basis(site.medium.levels[-1], site.period, site.permeability, [n], length)
    found = dataset(group_of(BandLine.of(band_set(basis, n, pulses))))
    return found.assign_coords(site.coordinates())


def spectrum(
    site: Site, direction: Directions | None, gradient: Quantities, count: int
) -> xarray.Dataset:
    """Eigenvalues against the gradient, for `Cell.spectrum`."""
    call, shape = "Cell.spectrum", site.medium.discretisation.shape
    _check_motion(call, site)
    with argument(call, "direction"):
        n = read_direction(direction, shape.dimension, within=True)
        k = zone_line(np.asarray(shape.periods), site.period, n).integers
    with argument(call, "gradient"):
        gradients = sorted(quantities(gradient, "gradient", "positive"))
    with argument(call, "count"):
        _check_count(count, 1, _MOST_BRANCHES)
    levels = site.within.medium.levels[-2:]
    found = run_spectrum(levels, site.period, site.permeability, k, gradients, count)
    return dataset(group_of(found)).assign_coords(site.coordinates())


def _check_motion(call: str, site: Site) -> None:
    """Refuse water that does not move along all axes: its eigenvalues at zero are countless."""
    shape = site.medium.discretisation.shape
    moving = site.medium.material.axes_of_motion(shape.dimension)
    if np.any(moving < shape.dimension):
        name = shape.region_names[int(np.argmin(moving))]
        raise InputError(
            f"{name}, in which nothing moves along some axis",
            "a diffusivity above zero along all axes of the cell",
            (f"{call}()",),
        )


def _check_count(count: object, least: int, most: int) -> None:
    if not (isinstance(count, int) and least <= count <= most):
        raise InputError(f"{count}", f"a whole number, {least} to {most:,}")
