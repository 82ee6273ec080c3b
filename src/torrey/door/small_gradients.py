"""What gradients that are not strong see of a cell: exact cumulants, and dispersion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import xarray

from torrey.base.errors import InputError
from torrey.base.stored import group_of, stacked
from torrey.bloch.dispersion import run_dispersion
from torrey.door.labels import dataset, labelled_variable
from torrey.door.quantities import argument, arguments, quantities
from torrey.door.signals import check_sizes, check_tolerance, read_layout
from torrey.door.site import Site
from torrey.gradients.protocol import Measurement
from torrey.gradients.waveforms import Pgse
from torrey.study.cumulants import model_cumulants

if TYPE_CHECKING:
    from torrey.door.gradients import Directions, Waveforms
    from torrey.door.quantities import Quantities

#: Duration of pulses that are as good as none, over the time between them.
_NARROW: Final = 1e-9


def cumulants(
    site: Site,
    waveform: Waveforms,
    direction: Directions | None,
    model: str | Sequence[str],
    tolerance: float,
) -> xarray.Dataset:
    """Exact apparent diffusivities and kurtoses, for `Cell.cumulants`."""
    call = "Cell.cumulants"
    # What is at b -> 0 has no strength: it is that of none which is checked.
    site, layout = read_layout(call, site, waveform, {"q": 0.0}, direction, model)
    check_tolerance(call, tolerance)
    sweep = site.sweep(layout.gradients.measurements)
    with arguments(call):
        found = model_cumulants(site.medium.finer, sweep, layout.models, float(tolerance))
    parts = [found[one].reshape([-1]) for one in layout.models]
    results = {
        name: labelled_variable(replace(one, dims=layout.dims, values=layout.table(one.values)))
        for name, one in stacked(parts, "model", line=("measurement",)).items()
    }
    strengths = ("b", "q", "gradient")
    kept = {k: v for k, v in layout.coordinates().items() if k not in strengths}
    return xarray.Dataset(results, {**kept, **site.coordinates()})


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
    narrow = Measurement(Pgse(_NARROW * t[-1], t[-1]), 0.0, n)
    check_sizes(call, site, "times", (narrow,))
    with arguments(call):
        found = run_dispersion(levels[-2:], site.period, site.permeability, [np.array(n)], t, f)
    table = dataset(group_of(found)).isel(line=0).drop_vars(["period", "permeability"])
    return table.assign_coords(site.coordinates())
