"""Derivatives of the signals of a study: the table of ``derivatives.nc``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from torrey.base import artifacts
from torrey.base.lazy import at_hand
from torrey.base.stored import Group, Variable
from torrey.cell.operators import BlochTorrey
from torrey.gradients.axes import coordinates, measurement_variables
from torrey.gradients.derivable import BY, needs_fields
from torrey.gradients.protocol import Axes, Measurement
from torrey.gradients.slabs import Slab, slabs_of
from torrey.gradients.sweep import ENCODINGS, REFERENCE, Sweep
from torrey.models.projection import ProjectedModel
from torrey.reference.derivatives import Derivative
from torrey.reference.methods import read_methods
from torrey.reference.outcome import ProjectedSignals
from torrey.reference.sensitive import LadderSource, MaterialLadders, StoredLadders
from torrey.reference.span import Span, spans_of
from torrey.study.cell_derivatives import (
    Table,
    by_strength,
    of_projected,
    of_reference,
    of_region,
    projections,
    together,
)
from torrey.study.dictionary import Progress, Say

if TYPE_CHECKING:
    # Who reads slopes makes none.
    from torrey.cell.radii import Slopes

PathLike = str | Path

#: Values of derivatives that there are none of are not numbers, and their errors infinite.
_MISSING: Final = {"allow_missing": True}
_FURTHER: Final = {"D": ("region",), "R": ("radius",), "direction": ("axis",)}


def _unsaid(text: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Asked:
    """What is to be derived.

    Attributes
    ----------
    sweep : Sweep
    models : tuple of str
        Those that have derivatives: ``reference``, P_n.
    by : tuple of str
        See `torrey.gradients.derivable`.
    tolerance : float
        Of the reference.
    regions : tuple of str
        Names of the regions of the cell.
    radii : tuple of str
        Names of the radii that its signals may be derived by.
    """

    sweep: Sweep
    models: tuple[str, ...]
    by: tuple[str, ...]
    tolerance: float
    regions: tuple[str, ...]
    radii: tuple[str, ...] = ()


def ladders_for(
    levels: Sequence[BlochTorrey],
    asked: Asked,
    bases: Sequence[Sequence[ProjectedModel]],
    slopes: Sequence[Sequence[Slopes]] = (),
) -> LadderSource:
    """Ladders of stored bases if these are enough, or ladders that are made anew.

    Parameters
    ----------
    levels : sequence of BlochTorrey
        By mesh, coarsest first.
    asked : Asked
    bases : sequence of sequence of ProjectedModel
        Those of the spans of the sweep by mesh, in the order of `spans_of`; empty without any.
    slopes : sequence of sequence of Slopes
        See `derive_signals`.
    """
    if needs_fields(asked.by):
        return MaterialLadders(levels, slopes, turned=1)
    return StoredLadders(levels, dict(zip(spans_of(asked.sweep), bases, strict=True)))


def derive_signals(
    levels: Sequence[BlochTorrey],
    asked: Asked,
    slabs: Sequence[PathLike],
    bases: Sequence[Sequence[ProjectedModel]] = (),
    slopes: Sequence[Sequence[Slopes]] = (),
    say: Say = _unsaid,
) -> Group:
    """Variables of ``derivatives.nc``.

    Parameters
    ----------
    levels : sequence of BlochTorrey
        By mesh, coarsest first.
    asked : Asked
    slabs : sequence of path
        Files of the slabs of the reference by projected models, if that is among the models.
    bases : sequence of sequence of ProjectedModel
        See `ladders_for`.
    slopes : sequence of sequence of Slopes
        What each radius changes, by mesh, where derivatives by radii are asked for.
    say : callable
        Is told how many signals are derived, and how long the others will take.
    """
    tables, progress = {}, Progress(asked.sweep.size * len(asked.models), say)
    for model in asked.models:
        if model == REFERENCE:
            ladders = ladders_for(levels, asked, bases, slopes)
            tables[model] = _reference_table(ladders, asked, slabs, progress)
        else:
            tables[model] = _model_table(at_hand(levels), asked, model, progress)
    return _variables(asked, tables, np.flatnonzero(levels[0].axes_of_motion == 0).tolist())


def _reference_table(
    ladders: LadderSource, asked: Asked, files: Sequence[PathLike], progress: Progress
) -> Table:
    """Derivatives at all points of a study, flat.

    Slabs of one span and one direction come one after the other, so that the ladders of few
    directions are in memory at once.
    """
    cut = slabs_of(asked.sweep)
    found = [read_slab(file) for file in files]
    groups: dict[tuple[Span, Axes], list[tuple[int, list[int]]]] = {}
    for number, slab in enumerate(cut):
        span = Span.of(slab.sweep)
        for axes, rows in _by_axes(slab.sweep.protocol.measurements).items():
            groups.setdefault((span, axes), []).append((number, rows))
    parts: list[tuple[Sequence[int], Table]] = []
    for (span, _), members in groups.items():
        for number, rows in members:
            slab, signals = cut[number], found[number].take(np.array(rows))
            chosen = [slab.sweep.protocol.measurements[row] for row in rows]
            where = _cell(slab), chosen, signals
            table = of_reference(ladders, span, *where, asked.by, asked.tolerance)
            parts.append(([slab.places[row] for row in rows], table))
            progress.add(len(rows))
    return together(parts, asked.sweep.size)


def _model_table(
    levels: Sequence[BlochTorrey], asked: Asked, model: str, progress: Progress
) -> Table:
    at, sizes = projections(levels, model), (len(asked.regions), len(asked.radii))
    parts: list[tuple[Sequence[int], Table]] = []
    for slab in slabs_of(asked.sweep):
        measurements = slab.sweep.protocol.measurements
        parts.append((slab.places, of_projected(at, sizes, _cell(slab), measurements)))
        progress.add(len(measurements))
    return together(parts, asked.sweep.size)


def _by_axes(measurements: Sequence[Measurement]) -> dict[Axes, list[int]]:
    groups: dict[Axes, list[int]] = {}
    for row, measurement in enumerate(measurements):
        axes = tuple(map(tuple, measurement.frame.tolist()))
        groups.setdefault(axes, []).append(row)
    return groups


def _cell(slab: Slab) -> tuple[float, float]:
    (cell,) = slab.sweep.cells()
    return cell


def read_slab(file: PathLike) -> ProjectedSignals:
    """Reference signals of a slab by projected models, flat.

    Parameters
    ----------
    file : path
        See `torrey.reference.slab_files`.
    """
    data = {name: values.ravel() for name, values in artifacts.read(file).items()}
    return ProjectedSignals(
        signal=data["signal_real"] + 1j * data["signal_imag"],
        space_error=data["space_error"],
        basis_error=data["basis_error"],
        time_error=data["time_error"],
        method=read_methods(data["method"]),
        level=data["level"].astype(np.int64),
        rung=data["rung"].astype(np.int64),
        steps=data["steps"].astype(np.int64),
        coarse_signal=data["coarse_signal_real"] + 1j * data["coarse_signal_imag"],
        coarse_error=data["coarse_error"],
        # A file is written where all points are.
        reached=np.ones(len(data["level"]), dtype=bool),
    )


def _variables(asked: Asked, tables: Mapping[str, Table], immobile: Sequence[int]) -> Group:
    sweep = asked.sweep
    names = np.array(list(tables))
    group: dict[str, Variable] = {
        "model": Variable(("model",), names, "", "reference or model"),
    }
    if "D" in asked.by:
        regions = np.array(asked.regions)
        group["region"] = Variable(("region",), regions, "", "region of the cell")
    if "R" in asked.by:
        radii = np.array(asked.radii)
        group["radius"] = Variable(("radius",), radii, "", "ball or coat whose radius it is")
    for by in asked.by:
        found = [_of(table, by, asked, immobile) for table in tables.values()]
        group |= _by(by, sweep, found)
    return {**group, **measurement_variables(sweep), **coordinates(sweep)}


def _of(table: Table, by: str, asked: Asked, immobile: Sequence[int]) -> Derivative:
    """Derivatives by one thing, over points and regions or axes."""
    if by == "D":
        columns = [of_region(table, i, immobile) for i in range(len(asked.regions))]
        values = np.stack([column.value for column in columns], axis=1)
        return Derivative(values, np.stack([column.error for column in columns], axis=1))
    if by not in ENCODINGS:
        return table[by]
    waveforms = [m.waveform for m in asked.sweep.protocol.measurements]
    n_cells = len(list(asked.sweep.cells()))
    return by_strength(table, by, waveforms * n_cells)


def _by(by: str, sweep: Sweep, found: Sequence[Derivative]) -> dict[str, Variable]:
    """Variables of the derivatives by one thing, of all models."""
    units, meaning = BY[by]
    dims = ("model", *sweep.axes(), *_FURTHER.get(by, ()))
    text = f"derivative of the signal by the {meaning}"

    def table(values: Sequence[NDArray[Any]]) -> NDArray[Any]:
        return np.array([one.reshape(*sweep.shape, *one.shape[1:]) for one in values])

    value, error = table([one.value for one in found]), table([one.error for one in found])
    return {
        f"dS_d{by}_real": Variable(dims, value.real, units, f"{text}, real part", _MISSING),
        f"dS_d{by}_imag": Variable(dims, value.imag, units, f"{text}, imaginary part", _MISSING),
        f"dS_d{by}_error": Variable(
            dims, error, units, f"{text}: numerical error, absolute", _MISSING
        ),
    }
