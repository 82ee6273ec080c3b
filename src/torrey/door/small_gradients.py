"""What gradients that are not strong see of a cell: exact cumulants, and dispersion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray

from torrey.base.errors import InputError
from torrey.base.stored import group_of
from torrey.bloch.dispersion import run_dispersion
from torrey.door.labels import attributes, dataset, gradient_coordinates, keep
from torrey.door.quantities import argument, arguments, quantities
from torrey.door.signals import Site, check_tolerance, read_models
from torrey.study.cumulants import model_cumulants

if TYPE_CHECKING:
    from torrey.door.gradients import Directions, Waveforms
    from torrey.door.quantities import Quantities

#: Results, with their unit and name.
_RESULTS = {
    "adc": ("um2 ms-1", "apparent diffusion coefficient, b -> 0"),
    "adc_error": ("um2 ms-1", "numerical error of the apparent diffusion coefficient"),
    "kurtosis": ("1", "apparent kurtosis, b -> 0"),
    "kurtosis_error": ("1", "numerical error of the apparent kurtosis"),
    "s0": ("1", "signal without gradients"),
}


def cumulants(
    site: Site,
    waveform: Waveforms,
    direction: Directions | None,
    model: str | Sequence[str],
    tolerance: float,
) -> xarray.Dataset:
    """Exact apparent diffusivities and kurtoses, for `Cell.cumulants`."""
    call = "Cell.cumulants"
    site, gradients = site.read(call, waveform, {"q": 1.0}, direction)
    models = read_models(call, site, gradients, model)
    check_tolerance(call, tolerance)
    several = not isinstance(model, str)
    axes = {"model": several, **{axis: axis in gradients.dims for axis in gradients.axes}}
    dims = tuple(axis for axis, listed in axes.items() if listed)
    sweep = site.sweep(gradients.measurements)
    with arguments(call):
        found = model_cumulants(site.medium.levels, sweep, models, float(tolerance))
    results: dict[str, Any] = {}
    for name, about in _RESULTS.items():
        values = np.array([np.ravel(getattr(found[one], name)) for one in models])
        table = keep(axes, values.reshape(len(models), *gradients.shape))
        results[name] = (dims, table, attributes(*about))
    strengths = ("b", "q", "gradient")
    coordinates = {
        **({"model": (("model",), np.array(models))} if several else {"model": ((), models[0])}),
        **{k: v for k, v in gradient_coordinates(gradients).items() if k not in strengths},
        **site.coordinates(),
    }
    return xarray.Dataset(results, coordinates)


def dispersion(
    site: Site, direction: Directions | None, times: Quantities, frequencies: Quantities
) -> xarray.Dataset:
    """Diffusivity and kurtosis against time and frequency, for `Cell.dispersion`."""
    call = "Cell.dispersion"
    with argument(call, "direction"):
        site, n = site.along(direction)
    levels = site.medium.levels
    with argument(call, "times"):
        t = sorted(set(quantities(times, "time", "positive")))
    with argument(call, "frequencies"):
        f = sorted(set(quantities(frequencies, "frequency", "positive")))
    if not (levels[0].conserves(site.permeability) and np.all(levels[0].rho == 1.0)):
        raise InputError(
            "water that relaxes or differs in density",
            "a cell without T2, density and surface_relaxivity",
            (f"{call}()",),
        )
    with arguments(call):
        found = run_dispersion(levels[-2:], site.period, site.permeability, [np.array(n)], t, f)
    table = dataset(group_of(found)).isel(line=0).drop_vars(["period", "permeability"])
    return table.assign_coords(site.coordinates())
