"""Signals of a cell: by the cheapest way to the accuracy that is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np
import xarray
from numpy.typing import NDArray

from torrey.base.budgets import quoted
from torrey.base.errors import InputError
from torrey.cell.material import Material
from torrey.cell.motion import derivable_radii, radii_refused
from torrey.config.findings import Findings
from torrey.config.materials import material_facts
from torrey.config.nodes import Node
from torrey.config.scales import check_scales
from torrey.door.averages import average_coordinates, real_where_it_is
from torrey.door.derivatives import Wanted, derivative_coordinates, read_derivatives
from torrey.door.gradients import Gradients
from torrey.door.labels import (
    Coordinates,
    Layout,
    attributes,
    labelled_variable,
)
from torrey.door.quantities import argument, is_list, is_number
from torrey.door.site import Site
from torrey.gradients.protocol import Measurement, Point
from torrey.gradients.sweep import ENCODINGS, REFERENCE, Sweep
from torrey.models import registry
from torrey.models.evaluation import evaluate_models, evaluate_stability
from torrey.models.registry import StudyFacts
from torrey.models.validity import (
    amplification_variable,
    growth_variable,
    validity,
    validity_variable,
)
from torrey.reference.full import reference_signal
from torrey.reference.slab import solve_slab
from torrey.reference.span import Span
from torrey.study.cell_derivatives import Table, of_projected, of_reference, projections

if TYPE_CHECKING:
    from torrey.door.gradients import Directions, Strengths, Waveforms
    from torrey.door.orientations import Orientations

Method = Literal["auto", "full", "projected"]

#: Points from which on a ladder of projected models pays, which takes about as long as one or two
#: of them in full: along one direction, and along several, for which a ladder is larger.
_FEWEST_ALONG_ONE: Final = 2
_FEWEST: Final = 4

#: The least and the largest, as in the configuration.
_TOLERANCES: Final = (1e-8, 1e-1)
_OF_CELLS: Final = ("period", "permeability", "surface_relaxivity")

Array = NDArray[np.float64]

_SIGNAL_NAME: Final = "signal, normalised to the initial magnetisation"
STABILITY: Final = ("growth_rate", "amplification", "validity")
"""Coordinates of the signals of models, as in ``signals.nc``."""
_ERROR_NAME: Final = "estimated error of the discretisation, absolute; not that of a model"


@dataclass(frozen=True)
class Values:
    """Signals of one model, flat in the order of the measurements.

    Attributes
    ----------
    signal : (n,) complex
    error : (n,) float
        Absolute estimate of the numerical error.
    growth, amplification : (n,) float
        See `torrey.models.model.Stability`; the reference has no growth rate.
    method : str
    derivatives : mapping, optional
        See `torrey.study.cell_derivatives`.
    """

    signal: NDArray[np.complex128]
    error: Array
    growth: Array
    amplification: Array
    method: str
    derivatives: Table | None = None

    @property
    def validity(self) -> NDArray[np.int8]:
        """Which signals mean something: see `torrey.models.validity`."""
        return validity(self.signal, self.error, self.amplification)


def signals(
    site: Site,
    layout: Layout,
    tolerance: float,
    method: Method,
    wanted: tuple[str, ...] = (),
) -> xarray.DataArray:
    """Signals of some models, labelled.

    Parameters
    ----------
    site : Site
    layout : Layout
        Of models such as ``reference``, ``R0``, ``R2``, ``P4``.
    tolerance : float
        Of the reference, relative to |S|.
    method : {"auto", "full", "projected"}
        Of the reference.
    wanted : tuple of str
        What derivatives are by: see `torrey.door.derivatives.read_derivatives`.
    """
    found, models, dims = {}, layout.models, layout.dims
    measurements = layout.gradients.measurements
    if REFERENCE in models:
        found[REFERENCE] = _reference(site, measurements, tolerance, method, wanted)
    others = tuple(model for model in models if model != REFERENCE)
    if others:
        found |= _homogenised(site, measurements, others, wanted)

    def table(name: str) -> NDArray[Any]:
        return layout.table([getattr(found[model], name) for model in models])

    error = table("error")
    coordinates: Coordinates = {
        **layout.coordinates(),
        **site.coordinates(),
        "numerical_error": (dims, error, attributes("1", _ERROR_NAME)),
    }
    if wanted:
        coordinates |= _derivatives(site, layout, [found[model] for model in models], wanted)
    meaningless = table("validity") != 0
    coordinates |= average_coordinates(layout.gradients, dims, table("signal"), error, meaningless)
    if others:
        stability = (
            growth_variable(dims, table("growth")),
            amplification_variable(dims, table("amplification")),
            validity_variable(dims, table("validity")),
        )
        for name, variable in zip(STABILITY, stability, strict=True):
            coordinates[name] = labelled_variable(variable)
    about: dict[str, Any] = dict(attributes("1", _SIGNAL_NAME))
    if REFERENCE in models:
        about |= {"tolerance": tolerance, "method": found[REFERENCE].method}
    values = real_where_it_is(table("signal"), error)
    return xarray.DataArray(values, coordinates, dims, "signal", about)


def ask(
    call: str,
    site: Site,
    waveform: Waveforms,
    strengths: Strengths,
    direction: Directions | None,
    model: str | Sequence[str],
    tolerance: float = 1e-4,
    method: Method = "auto",
    orientation: Orientations | None = None,
    derivatives: Wanted = False,
) -> xarray.DataArray:
    """Read what is asked for, check it, and compute it: see `Cell.signal`.

    Parameters
    ----------
    call : str
        For messages.
    site : Site
    strengths : dict
        What was given as b, q and gradient.
    waveform, direction, model, tolerance, method, orientation, derivatives
        See `Cell.signal`.
    """
    site, layout = read_layout(call, site, waveform, strengths, direction, model, orientation)
    check_tolerance(call, tolerance)
    with argument(call, "method"):
        if method not in get_args(Method):
            raise InputError(quoted(str(method)), "auto, full or projected")
    refused = radii_refused(site.medium.material, site.medium.discretisation.shape)
    wanted = read_derivatives(call, derivatives, layout.gradients, layout.models, refused)
    return signals(site, layout, float(tolerance), method, wanted)


def growth_rates(
    call: str,
    site: Site,
    waveform: Waveforms,
    strengths: Strengths,
    direction: Directions | None,
    model: str,
) -> xarray.DataArray:
    """Largest rates at which a model makes a state grow, without its signals.

    Parameters as of `ask`.
    """
    site, layout = read_layout(call, site, waveform, strengths, direction, model)
    sweep = site.sweep(layout.gradients.measurements)
    growth, _ = evaluate_stability(site.medium.levels[-1], sweep, layout.models)
    dims, values, about = labelled_variable(growth_variable(layout.dims, layout.table(growth)))
    coordinates = {**layout.coordinates(), **site.coordinates()}
    return xarray.DataArray(values, coordinates, dims, STABILITY[0], about)


def read_layout(
    call: str,
    site: Site,
    waveform: Waveforms,
    strengths: Strengths,
    direction: Directions | None,
    model: str | Sequence[str],
    orientation: Orientations | None = None,
) -> tuple[Site, Layout]:
    """What was given, checked, and the site with as many axes as the gradients have."""
    site, gradients = site.read(call, waveform, strengths, direction, orientation)
    check_sizes(call, site, gradients.strength, gradients.measurements)
    models = read_models(call, site, gradients, model)
    return site, Layout(models, not isinstance(model, str), gradients)


def read_models(
    call: str, site: Site, gradients: Gradients, model: str | Sequence[str]
) -> tuple[str, ...]:
    """Models that were given, one or several, checked."""
    with argument(call, "model"):
        if not isinstance(model, str) and not is_list(model):
            raise InputError(f"{model}", f"a model or a list of them: {registry.accepted()}")
        models = (model,) if isinstance(model, str) else tuple(model)
        if not models:
            raise InputError("no model", "one or more")
        check_models(site, models, max(w.n_components for w in gradients.waveforms))
    return models


def check_tolerance(call: str, tolerance: float) -> None:
    """Refuse what is no tolerance of a reference."""
    with argument(call, "tolerance"):
        least, most = _TOLERANCES
        if not (is_number(tolerance) and least <= tolerance <= most):
            is_text = isinstance(tolerance, str)
            found = f"{quoted(str(tolerance))}, a text" if is_text else f"{tolerance}"
            raise InputError(found, "a number from 1e-8 to 1e-1, such as 1e-4")


def stability_of(signal: xarray.DataArray) -> xarray.Dataset:
    """What is known of the stability of a model's signals, as a table of its own."""
    found = signal.reset_coords(STABILITY, drop=False)
    return found[list(STABILITY)].drop_vars("numerical_error")


def check_models(site: Site, models: tuple[str, ...], components: int = 1) -> None:
    """Refuse what is no model, or none of this cell.

    Parameters
    ----------
    site : Site
    models : tuple of str
    components : int
        Of the waveforms.

    Raises
    ------
    InputError
        At the first such model.
    """
    facts = _facts(site, components)
    for i, model in enumerate(models):
        at = (i,) if len(models) > 1 else ()
        try:
            name = registry.parse(str(model))
        except InputError as error:
            raise InputError(error.found, error.accepted, at) from None
        if models.index(model) != i:
            raise InputError(f"{model} a second time", "each model once", at)
        if accepted := name.refusal(facts):
            raise InputError(model, accepted, at)


def _facts(site: Site, components: int) -> StudyFacts:
    """What a model may be refused for."""
    material, shape = site.medium.material, site.medium.discretisation.shape
    given = {
        "T2": material.T2,
        "T1": material.T1,
        "density": material.density,
        "permeability_factors": material.membranes,
    }
    return StudyFacts(
        dimension=shape.dimension,
        membranes=tuple((m.outside, m.inside) for m in shape.membranes()),
        permeability_kind=site.permeability_kind,
        permeable=site.permeability > 0.0,
        material_keys=tuple(key for key, values in given.items() if values),
        n_components=components,
        **material_facts(material, shape),
    )


def check_sizes(
    call: str, site: Site, strength: str, measurements: tuple[Measurement, ...]
) -> None:
    """Refuse values that leave no signal, or systems too badly conditioned for one.

    Parameters
    ----------
    call : str
        For messages.
    site : Site
    strength : str
        Name of the argument that says how strong the gradients are.
    measurements : tuple of Measurement
    """
    check_sweep(call, "Cell", strength, site.sweep(measurements), site.medium.material)


def check_sweep(call: str, owner: str, strength: str, sweep: Sweep, material: Material) -> None:
    """The same of a sweep; ``owner`` is the call that has the period and the permeability."""
    keys = (*ENCODINGS, "acquisition", *_OF_CELLS, "T2", "T1")
    findings = Findings(Node({key: Node(None, "", 0) for key in keys}, "", 0))
    check_scales(findings, (), sweep, material)
    for problem in findings.problems:
        (name,) = problem.path
        of_gradients = name in ("acquisition", *ENCODINGS)
        place = owner if name in _OF_CELLS else "Cell"
        where = f"{call}({strength}=...)" if of_gradients else f"{place}({name}=...)"
        raise InputError(problem.found, problem.accepted, (where,))


def _reference(
    site: Site,
    measurements: tuple[Measurement, ...],
    tolerance: float,
    method: Method,
    wanted: tuple[str, ...] = (),
) -> Values:
    span = Span.of(site.sweep(measurements))
    material, shape = site.medium.material, site.medium.discretisation.shape
    sticks = material_facts(material, shape)["sticks"]
    if wanted and (sticks or method == "full"):
        found = "a cell with sticks" if sticks else 'method="full" with derivatives'
        accepted = "signals by projected models, where derivatives are wanted"
        raise InputError(found, accepted, ("Cell.signal(derivatives=...)",))
    if method == "auto":
        fewest = _FEWEST_ALONG_ONE if len(span.axes) == 1 else _FEWEST
        # In space one signal in full takes longer than the ladder.
        fewest = 1 if shape.dimension == 3 or wanted else fewest
        count = len({(m.waveform, m.q, m.direction, m.roll) for m in measurements if m.q})
        method = "projected" if (count >= fewest and not sticks) or wanted else "full"
    if method == "full":
        return _in_full(site, measurements, tolerance)
    ladders = site.medium.ladders.of(span)
    sweep = site.sweep(measurements)
    table = solve_slab(sweep, tolerance, ladders, site.medium.finer, for_models=False)
    values = Values(table.signals.signal, table.signals.error, *_nothing(measurements), method)
    if not wanted:
        return values
    place = (site.period, site.permeability)
    solved, ladders_of = table.signals, site.medium.ladders
    derived = of_reference(ladders_of, span, place, measurements, solved, wanted, tolerance)
    return replace(values, derivatives=derived)


def _derivatives(
    site: Site, layout: Layout, found: Sequence[Values], wanted: tuple[str, ...]
) -> Coordinates:
    tables = [values.derivatives for values in found if values.derivatives is not None]
    names = site.medium.discretisation.shape.region_names
    still = np.flatnonzero(site.medium.levels[0].axes_of_motion == 0)
    return derivative_coordinates(tables, wanted, layout, names, still.tolist(), _radii(site))


def _radii(site: Site) -> list[str]:
    """Names of the radii that signals may be derived by."""
    shape, material = site.medium.discretisation.shape, site.medium.material
    return [radius.name for radius in derivable_radii(material, shape)]


def _in_full(site: Site, measurements: tuple[Measurement, ...], tolerance: float) -> Values:
    """Point by point; without gradient its direction plays no part."""
    known: dict[Any, tuple[complex, float]] = {}
    keys = [(m.waveform, m.q, (*m.direction, m.roll) if m.q else ()) for m in measurements]
    for key, m in zip(keys, measurements, strict=True):
        if key not in known:
            point = Point(site.period, site.permeability, m.waveform, m.q, m.direction, m.roll)
            found = reference_signal(site.medium.finer, point, tolerance)
            known[key] = found.signal, found.error
    signal, error = zip(*(known[key] for key in keys), strict=True)
    return Values(np.array(signal), np.array(error), *_nothing(measurements), "full")


def _homogenised(
    site: Site,
    measurements: tuple[Measurement, ...],
    models: tuple[str, ...],
    wanted: tuple[str, ...] = (),
) -> dict[str, Values]:
    """Models on the finest mesh; the one before it tells the error."""
    levels = site.medium.levels[-2:]
    table = evaluate_models(levels, site.sweep(measurements), models)
    n = len(measurements)
    finest = table.signal[:, -1].reshape(len(models), n)
    error = table.space_error().reshape(len(models), n)
    growth, factor = (x.reshape(len(models), n) for x in (table.growth, table.amplification))
    tables: dict[str, Table | None] = dict.fromkeys(models)
    if wanted:
        sizes = levels[-1].cell.n_regions, len(_radii(site))
        cell = site.period, site.permeability
        for model in models:
            at = projections(levels, model)
            tables[model] = of_projected(at, sizes, cell, measurements)
    return {
        model: Values(finest[i], error[i], growth[i], factor[i], "homogenised", tables[model])
        for i, model in enumerate(models)
    }


def _nothing(measurements: tuple[Measurement, ...]) -> tuple[Array, Array]:
    """Growth and amplification of the reference, which dissipates."""
    return np.full(len(measurements), np.nan), np.ones(len(measurements))
