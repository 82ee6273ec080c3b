"""Derivatives of the signals of many measurements in one cell, of the reference and of P_l."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Final, TypeAlias

import numpy as np

from torrey.cell.operators import BlochTorrey
from torrey.gradients.protocol import Axes, Measurement, group_measurements
from torrey.gradients.waveforms import Waveform
from torrey.models import registry
from torrey.models.adjoint import converged_steps
from torrey.models.integration import Points
from torrey.models.openings import Opened, Opening, opening_of
from torrey.models.projection import ProjectedModel, project
from torrey.models.sensitivities import derivatives
from torrey.reference.derivatives import NAMES, Derivative, signal_derivatives, within_reach
from torrey.reference.outcome import ProjectedSignals
from torrey.reference.sensitive import LadderSource
from torrey.reference.span import Span

Table: TypeAlias = Mapping[str, Derivative]
"""By `torrey.reference.derivatives.NAMES`."""
Projections: TypeAlias = Callable[[Axes], Sequence[ProjectedModel]]
"""A projected model along some axes, on the last two meshes."""

#: Of the integration of projected models in time.
_TIME_TOLERANCE: Final = 1e-8


def of_reference(
    ladders: LadderSource,
    span: Span,
    cell: tuple[float, float],
    measurements: Sequence[Measurement],
    found: ProjectedSignals,
    wanted: Sequence[str],
    tolerance: float,
) -> Table:
    """Derivatives of reference signals of some measurements in one cell.

    Parameters
    ----------
    ladders : LadderSource
    span : Span
        That the signals were found with.
    cell : tuple of float
        Period L (um) and permeability kappa (um/ms).
    measurements : sequence of Measurement
    found : ProjectedSignals
        Of these measurements.
    wanted : sequence of str
        See `torrey.gradients.derivable`.
    tolerance : float
        Of the signals.
    """
    parts: list[tuple[list[int], Table]] = []
    turns = "direction" in wanted
    for axes, members in group_measurements(measurements).items():
        for rows, opening in _groups(members, measurements, found):
            first, frame = measurements[rows[0]], np.array(axes)
            if turns:
                along = ladders.turning(first.direction, span.rungs)
            else:
                along = ladders.sensitive(span)
            points = _points(measurements, rows, cell)
            part, opened = found.take(np.array(rows)), None
            if opening is None:
                part = within_reach(along, frame, first.waveform, points, part, tolerance)
            else:
                opened = _opened(opening, measurements, rows, cell)
            table = signal_derivatives(
                along,
                first.waveform,
                points,
                frame[0],
                part,
                tolerance,
                roll=first.roll,
                diffusivities="D" in wanted,
                turns=turns,
                radii="R" in wanted,
                opened=opened,
            )
            parts.append((rows, table))
    return together(parts, len(measurements))


def _groups(
    members: Mapping[Waveform, Sequence[int]],
    measurements: Sequence[Measurement],
    found: ProjectedSignals,
) -> list[tuple[list[int], Opening | None]]:
    """Rows whose signals shared their first pulse, by that; the others, by their waveform."""
    shared: dict[Opening, list[int]] = {}
    others: list[tuple[list[int], Opening | None]] = []
    for waveform, rows in members.items():
        opened, own = opening_of(waveform), []
        for row in rows:
            by_series = found.method[row] == "projected" and found.steps[row] == 0
            if opened and found.reached[row] and by_series and measurements[row].q > 0.0:
                shared.setdefault(opened[0], []).append(row)
            else:
                own.append(row)
        if own:
            others.append((own, None))
    return [*((rows, opening) for opening, rows in shared.items()), *others]


def _opened(
    opening: Opening,
    measurements: Sequence[Measurement],
    rows: Sequence[int],
    cell: tuple[float, float],
) -> Opened:
    period, permeability = cell
    waveforms = [measurements[row].waveform for row in rows]
    halves = [opening_of(waveform) for waveform in waveforms]
    return Opened(
        opening,
        period,
        permeability / period,
        q=np.array([measurements[row].q for row in rows]),
        tau=np.array([half[1] for half in halves if half]),
        b_factor=np.array([waveform.b_factor for waveform in waveforms]),
    )


def projections(levels: Sequence[BlochTorrey], model: str) -> Projections:
    """A projected model along any axes, each made once.

    Parameters
    ----------
    levels : sequence of BlochTorrey
        By mesh, coarsest first.
    model : str
        Its name.
    """
    order = registry.parse(model).order
    return cache(lambda axes: [project(level, np.array(axes), order) for level in levels[-2:]])


def of_projected(
    models: Projections,
    sizes: tuple[int, int],
    cell: tuple[float, float],
    measurements: Sequence[Measurement],
) -> Table:
    """Derivatives of a projected model P_l, whose error is that in space alone.

    Its basis depends on the rest of the cell, and on the direction: by those there are none.

    Parameters
    ----------
    models : Projections
    sizes : tuple of int
        Numbers of regions and of radii of the cell.
    cell, measurements
        See `of_reference`.
    """
    parts = []
    shape = {"D": sizes[:1], "R": sizes[1:], "direction": (len(measurements[0].direction),)}
    for axes, members in group_measurements(measurements).items():
        on_meshes = models(axes)
        for waveform, rows in members.items():
            points, frame = _points(measurements, rows, cell), np.array(axes)
            last = on_meshes[-1].along(frame)
            _, steps = converged_steps(last, waveform, points, _TIME_TOLERANCE)
            found = [derivatives(one, waveform, points, frame, steps) for one in on_meshes]
            table = {name: Derivative.none(len(rows), *shape.get(name, ())) for name in NAMES}
            for name in ("kappa", "L", "q", "q2"):
                coarse, fine = getattr(found[0], name), getattr(found[-1], name)
                table[name] = Derivative(fine, np.abs(fine - coarse))
            parts.append((rows, table))
    return together(parts, len(measurements))


def together(parts: Sequence[tuple[Sequence[int], Table]], count: int) -> Table:
    """Tables of all points of some of their rows.

    Parameters
    ----------
    parts : sequence of (rows, table)
        At least one, all together of all points.
    count : int
        Number of points.
    """
    table = {}
    for name in NAMES:
        shape = parts[0][1][name].value.shape[1:]
        table[name] = Derivative.none(count, *shape)
        for rows, part in parts:
            where, new = np.array(rows), part[name]
            table[name].value[where], table[name].error[where] = new.value, new.error
    return table


def of_radius(table: Table, number: int) -> Derivative:
    """Derivatives by one radius."""
    return table["R"].along(number)


def of_region(table: Table, number: int, immobile: Sequence[int]) -> Derivative:
    """Derivatives by the diffusivity of one region.

    Nothing passes to immobile water as long as it is that: there is no derivative by its
    diffusivity.
    """
    if number in immobile:
        return Derivative.none(len(table["D"].value))
    return table["D"].along(number)


def by_strength(table: Table, strength: str, waveforms: Sequence[Waveform]) -> Derivative:
    """Derivatives by the strength that the gradients were given as.

    Parameters
    ----------
    table : Table
    strength : {"b", "q", "gradient"}
    waveforms : sequence of Waveform
        Of each point.
    """
    by = table["q2" if strength == "b" else "q"]
    factors = np.array([_factor(waveform, strength) for waveform in waveforms])
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


def _points(
    measurements: Sequence[Measurement], rows: Sequence[int], cell: tuple[float, float]
) -> Points:
    period, permeability = cell
    q = np.array([measurements[row].q for row in rows])
    return Points.of(q, period, permeability / period)
