"""Derivatives of signals by what a cell and its gradients are made of, as coordinates of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np

from torrey.base.budgets import quoted
from torrey.base.errors import InputError
from torrey.door.gradients import Gradients
from torrey.door.labels import Coordinates, Layout, attributes
from torrey.door.medium import Medium
from torrey.door.quantities import argument, is_list
from torrey.gradients.protocol import Measurement, group_measurements
from torrey.gradients.sweep import REFERENCE
from torrey.gradients.waveforms import Waveform
from torrey.models import registry
from torrey.models.adjoint import converged_steps
from torrey.models.integration import Points
from torrey.models.projection import project
from torrey.models.sensitivities import derivatives
from torrey.reference.derivatives import NAMES, Derivative, signal_derivatives, within_reach
from torrey.reference.projected import ProjectedSignals
from torrey.reference.span import Span

Wanted: TypeAlias = bool | str | Sequence[str]
Table: TypeAlias = Mapping[str, Derivative]

#: Unit and meaning of what signals are derived by.
_BY: Final = {
    "kappa": ("ms um-1", "permeability"),
    "D": ("ms um-2", "diffusivity, equal along all axes"),
    "L": ("um-1", "period, of one shape"),
    "b": ("um2 ms-1", "b-value"),
    "q": ("um", "largest wave number"),
    "gradient": ("um ms", "largest gradient gamma G"),
    "direction": ("1", "gradient direction, across it and per rad"),
}
#: Of the integration of projected models in time.
_TIME_TOLERANCE: Final = 1e-8
_ERROR: Final = "numerical error, absolute"


def read_derivatives(
    call: str, given: Wanted, gradients: Gradients, models: Sequence[str]
) -> tuple[str, ...]:
    """What derivatives are wanted by, of ``kappa, D, L, b`` (or ``q, gradient``), ``direction``.

    Parameters
    ----------
    call : str
        For messages.
    given : bool, str or sequence of str
        True for all that there are.
    gradients : Gradients
    models : sequence of str

    Raises
    ------
    InputError
        If one of them is not known, or a model has no derivatives.
    """
    # Bases along all axes, which several components need, miss the fields of small turns, and two
    # of their rungs do not tell.
    single = all(m.waveform.n_components == 1 for m in gradients.measurements)
    turning = gradients.n_axes > 1 and gradients.fibres is None and single
    every = ("kappa", "D", "L", gradients.strength, *(("direction",) if turning else ()))
    with argument(call, "derivatives"):
        if given is False or given is None:
            return ()
        names: tuple[Any, ...] = every if given is True else _listed(given)
        for name in names:
            if name not in every:
                raise InputError(quoted(str(name)), f"True, or some of {', '.join(every)}")
        for model in models:
            if model != REFERENCE and not _is_projected(model):
                found = f"the model {model}"
                raise InputError(found, "the reference, or projected models such as P4")
    return tuple(name for name in every if name in names)


def _listed(given: Wanted) -> tuple[Any, ...]:
    return tuple(given) if is_list(given) else (given,)  # type: ignore[arg-type]


def _is_projected(model: str) -> bool:
    return registry.parse(model).kind.pattern == "P<n>"


def of_reference(
    medium: Medium,
    span: Span,
    period: float,
    permeability: float,
    measurements: Sequence[Measurement],
    found: ProjectedSignals,
    wanted: Sequence[str],
    tolerance: float,
) -> Table:
    """Derivatives of reference signals of some measurements in one cell.

    Parameters
    ----------
    medium : Medium
    span : Span
        That the signals were found with.
    period, permeability : float
        L (um) and kappa (um/ms).
    measurements : sequence of Measurement
    found : ProjectedSignals
    wanted : sequence of str
        See `read_derivatives`.
    tolerance : float
        Of the signals.

    Returns
    -------
    mapping of str to Derivative
        By `torrey.reference.derivatives.NAMES`.
    """
    parts: list[tuple[list[int], Table]] = []
    turns = "direction" in wanted
    for axes, members in group_measurements(measurements).items():
        for waveform, rows in members.items():
            first = measurements[rows[0]]
            if turns:
                ladders = medium.turning(first.direction, span.rungs)
            else:
                ladders = medium.sensitive(span)
            points = _points(measurements, rows, period, permeability)
            part, frame = found.take(np.array(rows)), np.array(axes)
            part = within_reach(ladders, frame, waveform, points, part, tolerance)
            table = signal_derivatives(
                ladders,
                waveform,
                points,
                frame[0],
                part,
                tolerance,
                roll=first.roll,
                diffusivities="D" in wanted,
                turns=turns,
            )
            parts.append((rows, table))
    return _together(parts, len(measurements))


def of_projected(
    medium: Medium,
    model: str,
    period: float,
    permeability: float,
    measurements: Sequence[Measurement],
) -> Table:
    """Derivatives of a projected model P_l, whose error is that in space alone.

    Its basis depends on the diffusivities, and on the direction: by those there are none.

    Parameters
    ----------
    medium : Medium
    model : str
        Its name.
    period, permeability, measurements
        See `of_reference`.
    """
    order, parts = registry.parse(model).order, []
    shape = {
        "D": (medium.levels[-1].cell.n_regions,),
        "direction": (len(measurements[0].direction),),
    }
    for axes, members in group_measurements(measurements).items():
        models = [project(level, np.array(axes), order) for level in medium.levels[-2:]]
        for waveform, rows in members.items():
            points, frame = _points(measurements, rows, period, permeability), np.array(axes)
            _, steps = converged_steps(models[-1].along(frame), waveform, points, _TIME_TOLERANCE)
            found = [derivatives(one, waveform, points, frame, steps) for one in models]
            table = {name: Derivative.none(len(rows), *shape.get(name, ())) for name in NAMES}
            for name in ("kappa", "L", "q", "q2"):
                coarse, fine = getattr(found[0], name), getattr(found[-1], name)
                table[name] = Derivative(fine, np.abs(fine - coarse))
            parts.append((rows, table))
    return _together(parts, len(measurements))


def _points(
    measurements: Sequence[Measurement], rows: Sequence[int], period: float, permeability: float
) -> Points:
    q = np.array([measurements[row].q for row in rows])
    return Points.of(q, period, permeability / period)


def _together(parts: Sequence[tuple[list[int], Table]], count: int) -> Table:
    table = {}
    for name in NAMES:
        shape = parts[0][1][name].value.shape[1:]
        table[name] = Derivative.none(count, *shape)
        for rows, part in parts:
            table[name].value[rows], table[name].error[rows] = part[name].value, part[name].error
    return table


def derivative_coordinates(
    tables: Sequence[Table],
    wanted: Sequence[str],
    layout: Layout,
    regions: Sequence[str],
    immobile: Sequence[int],
) -> Coordinates:
    """Derivatives and their errors as coordinates of signals.

    Parameters
    ----------
    tables : sequence of mapping
        Of each model.
    wanted : sequence of str
        See `read_derivatives`.
    layout : Layout
    regions : sequence of str
        Names.
    immobile : sequence of int
        Numbers of regions whose water is immobile: nothing passes to them as long as it is, so that
        there is no derivative by their diffusivity.
    """
    found: Coordinates = {}

    def put(name: str, by: str, more: str, columns: Sequence[Derivative]) -> None:
        values = layout.table([column.value for column in columns])
        errors = layout.table([column.error for column in columns])
        units, text = _BY[by]
        known = np.isfinite(values) & np.isfinite(errors)
        if np.all(np.abs(values.imag[known]) <= errors[known]):
            values = values.real
        text = f"derivative of the signal by the {text}{more}"
        found[f"dS_d{name}"] = (layout.dims, values, attributes(units, text))
        found[f"dS_d{name}_error"] = (layout.dims, errors, attributes(units, f"{text}: {_ERROR}"))

    for by in wanted:
        if by in ("kappa", "L"):
            put(by, by, "", [table[by] for table in tables])
        elif by == "D":
            for i, region in enumerate(regions):
                columns = [_column(table["D"], i, i in immobile) for table in tables]
                put(f"D_{region}", by, f", {region}", columns)
        elif by == "direction":
            for i, axis in enumerate("xyz"[: layout.gradients.n_axes]):
                columns = [_column(table["direction"], i, False) for table in tables]
                put(f"direction_{axis}", by, f", {axis}", columns)
        else:
            put(by, by, "", [_by_strength(table, layout.gradients) for table in tables])
    return found


def _column(table: Derivative, number: int, none: bool) -> Derivative:
    if none:
        return Derivative.none(len(table.value))
    return Derivative(table.value[:, number], table.error[:, number])


def _by_strength(table: Table, gradients: Gradients) -> Derivative:
    """By the strength that the gradients were given as."""
    strength, by = gradients.strength, table["q2" if gradients.strength == "b" else "q"]
    factors = np.array([_factor(m.waveform, strength) for m in gradients.measurements])
    # A waveform whose shape depends on the strength has no such derivative here.
    error = np.where(np.isfinite(factors), np.abs(factors) * by.error, np.inf)
    return Derivative(factors * by.value, error)


def _factor(waveform: Waveform, strength: str) -> float:
    """What turns a derivative by q^2 into one by b, or one by q into one by q or gradient."""
    if not waveform.scales:
        return float("nan")
    if strength == "b":
        return 1.0 / waveform.b_factor
    return 1.0 if strength == "q" else 1.0 / waveform.peak_slope
