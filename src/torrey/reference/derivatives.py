"""Derivatives of reference signals by projected models, with estimates of their errors.

Each point has a mesh, a rung and a number of time steps at which its signal is good enough
(`torrey.reference.projected`). Its derivatives are taken there, and moved by what the next two
rungs change with half of the steps: not much more work than for the signal and its error. Their
error has the three parts of that of a signal: what these rungs change, what doubling the time steps
changes, and what the last refinement of the mesh changes, less what each of these gains.

What the basis lacks enters a derivative in the first order, where it enters a signal in the second
(`torrey.models.sensitivities`): derivatives are less accurate than the signals beside them. By the
direction they need fields beside the gradient: see `turning_ladders`. Points that no rung reaches
have no derivatives, and an infinite error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from torrey.base.lazy import Lazy
from torrey.cell.operators import BlochTorrey
from torrey.cell.refinement import SPACE_DIVISOR
from torrey.gradients.protocol import frame as frame_of
from torrey.gradients.waveforms import Waveform
from torrey.models.adjoint import converged_steps
from torrey.models.integration import Points
from torrey.models.openings import Opened
from torrey.models.projection import ProjectedModel
from torrey.models.sensitivities import (
    Derivatives,
    RadiusForms,
    RegionForms,
    derivatives,
    radius_forms,
    region_forms,
    shared_derivatives,
)
from torrey.reference.ladder import GrowingLadder, Ladder
from torrey.reference.outcome import ProjectedSignals
from torrey.reference.projected import projected_signals
from torrey.reference.span import LOWEST_RUNG

if TYPE_CHECKING:
    # Who reads slopes makes none.
    from torrey.cell.radii import Slopes

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

NAMES: Final = ("kappa", "D", "L", "q", "q2", "direction", "R")
"""What derivatives are by: see `torrey.models.sensitivities.Derivatives`, and the direction."""

#: Rodas5P gains 2^5 when the steps are doubled, and less on few of them.
_TIME_GAIN: Final = 4.0
#: Of the derivatives of a frame by its direction (rad), central and improved once.
_ANGLE: Final = 1e-3
#: Opposite to x the frame of several components is not a smooth function of the direction.
_OPPOSITE: Final = -1.0 + 1e-6
_ROUNDING: Final = 1e-11
#: Share of the tolerance for time steps where the signal took none.
_TIME_SHARE: Final = 0.1
#: Nodes of collocation where the first pulse is shared, and how many fewer tell their error; the
#: share of the tolerance that it should not exceed, and what the series in q leaves out.
_NODES: Final = (15, 20, 28)
_FEWER: Final = 3
_OWN_SHARE: Final = 0.1
_SERIES: Final = 1e-5
#: By which a tolerance is larger where a rung for derivatives alone is looked for, and the largest.
_LOOSER: Final = (10.0, 100.0)
_LOOSEST: Final = 1e-2


@dataclass(frozen=True)
class Derivative:
    """Derivatives of signals by one quantity, and what is known of their errors.

    Attributes
    ----------
    value : (points, ...) complex
        Not a number where there is none.
    error : (points, ...) float
        Absolute estimate; infinite where there is no value.
    """

    value: ComplexArray
    error: Array

    @classmethod
    def none(cls, *shape: int) -> Derivative:
        """No value known."""
        return cls(np.full(shape, np.nan, dtype=complex), np.full(shape, np.inf))

    def take(self, rows: NDArray) -> Derivative:
        """Some of the points."""
        return Derivative(self.value[rows], self.error[rows])

    def along(self, number: int) -> Derivative:
        """One of several numbers of each point."""
        return Derivative(self.value[:, number], self.error[:, number])


class FieldLadder(Ladder, Protocol):
    """A ladder with operators of its mesh and fields of its basis, such as `GrowingLadder`."""

    @property
    def operators(self) -> BlochTorrey:
        """Of the cell on the mesh."""

    def basis(self, order: int) -> Array:
        """Fields of one rung, shape (n_dofs, r)."""


class SensitiveLadder:
    """A ladder, with what a diffusivity of each region and each radius change on its basis.

    Parameters
    ----------
    ladder : FieldLadder
        Its fields are asked for where diffusivities or radii are.
    slopes : callable, optional
        Returns what radii change in the operators; without, there are no radii.
    """

    def __init__(self, ladder: FieldLadder, slopes: Callable[[], Sequence[Slopes]] = tuple) -> None:
        self._ladder, self._slopes = ladder, slopes
        # Rungs below share their fields with those above, but not with the whole space of a mesh.
        self._forms: dict[bool, RegionForms] = {}
        self._radii: dict[bool, RadiusForms] = {}

    @property
    def operators(self) -> BlochTorrey:
        """Of the cell on its mesh."""
        return self._ladder.operators

    @property
    def n_radii(self) -> int:
        """Number of radii that signals may be derived by."""
        return len(self._slopes())

    @property
    def slope_error(self) -> float:
        """What rounding may make of derivatives by radii in units of the cell."""
        return max((slope.rounding for slope in self._slopes()), default=0.0)

    def reaches(self, rung: int) -> bool:
        """Whether there is such a rung."""
        return self._ladder.reaches(rung)

    def along(self, frame: Array) -> Ladder:
        """The ladder for gradients along some of its axes."""
        return self._ladder.along(frame)

    def model(self, rung: int) -> ProjectedModel:
        """The model of one rung, along all axes of the ladder."""
        return self._ladder.truncate(rung)

    def regions(self, rung: int) -> RegionForms:
        """Forms of the regions on one rung."""
        rank, whole = len(self.model(rung).start), self._ladder.complete(rung)
        if whole not in self._forms or self._forms[whole].K.shape[-1] < rank:
            self._forms[whole] = region_forms(self.operators, self._ladder.basis(rung))
        return self._forms[whole].truncate(rank)

    def radii(self, rung: int) -> RadiusForms | None:
        """Forms of the radii on one rung; None where there are none."""
        rank, whole = len(self.model(rung).start), self._ladder.complete(rung)
        if whole not in self._radii or len(self._radii[whole].start) < rank:
            forms = radius_forms(self.operators, self._slopes(), self._ladder.basis(rung))
            if forms is None:
                return None
            self._radii[whole] = forms
        return self._radii[whole].truncate(rank)


def turning_ladders(
    levels: Sequence[BlochTorrey], direction: ArrayLike, highest: int
) -> Lazy[GrowingLadder]:
    """Ladders on a sequence of meshes for one direction, and for small turns of it.

    Parameters
    ----------
    levels : sequence of BlochTorrey
        By mesh, coarsest first.
    direction : (d,) float
    highest : int
        See `ladder.climb_meshes`.
    """
    n = np.asarray(direction, dtype=float)
    beside = tangents(n)

    def ladder(level: int) -> GrowingLadder:
        rungs = max(highest - 1, LOWEST_RUNG) if level else highest
        return GrowingLadder(levels[level], n[None], rungs, beside)

    return Lazy.of(ladder, len(levels))


def tangents(direction: Array) -> Array:
    """Orthonormal axes across a direction, shape (d - 1, d)."""
    _, _, axes = np.linalg.svd(np.asarray(direction, dtype=float)[None])
    result: Array = axes[1:]
    return result


def within_reach(
    ladders: Sequence[SensitiveLadder],
    frame: Array,
    waveform: Waveform,
    points: Points,
    found: ProjectedSignals,
    tolerance: float,
) -> ProjectedSignals:
    """Points that other methods have solved, on finer meshes or rungs that serve derivatives.

    Parameters
    ----------
    ladders, waveform, points, found
        See `signal_derivatives`.
    frame : (c, d) float
        Axes of the waveform.
    tolerance : float
        Of the signals; that of the rungs may be larger, and the derivatives' errors say so.
    """
    rest = np.flatnonzero(~(found.reached & (found.method == "projected")))
    if not len(rest):
        return found
    along = Lazy.over(ladders, lambda ladder: ladder.along(frame))
    # A basis fills a coarse mesh long before it is good enough there.
    last = min(3 - ladders[0].operators.cell.dimension, len(ladders) - 2)
    attempts = [(first, 1.0) for first in range(1, last + 1)]
    attempts += [(first, looser) for looser in _LOOSER for first in range(last + 1)]
    for first, looser in attempts:
        if not len(rest):
            break
        some, wanted = points[rest], min(looser * tolerance, _LOOSEST)
        again = projected_signals(along[first:], waveform, some, wanted)
        again = replace(again, level=again.level + first)
        found = found.merge(rest[again.reached], again.take(again.reached))
        rest = rest[~again.reached]
    return found


def signal_derivatives(
    ladders: Sequence[SensitiveLadder],
    waveform: Waveform,
    points: Points,
    direction: Array,
    found: ProjectedSignals,
    tolerance: float,
    *,
    roll: float = 0.0,
    diffusivities: bool = True,
    turns: bool = True,
    radii: bool = False,
    opened: Opened | None = None,
) -> Mapping[str, Derivative]:
    """Derivatives of the signals of points under one waveform and in one direction.

    Parameters
    ----------
    ladders : sequence of SensitiveLadder
        By mesh, coarsest first: `turning_ladders` of the direction, or along all axes.
    waveform : Waveform
    points : Points
    direction : (d,) float
    found : ProjectedSignals
        Of these points.
    tolerance : float
        Of the signals, relative.
    roll : float
        See `torrey.gradients.protocol.Measurement`.
    diffusivities, turns, radii : bool
        Whether derivatives by diffusivities, by the direction, and by radii are wanted.
    opened : Opened, optional
        The points, where they share their first pulse and none took time steps; the waveform is
        that of any of them.

    Returns
    -------
    mapping of str to Derivative
        By `NAMES`: shape (points,), of ``D`` (points, n_regions), of ``R`` (points, n_radii), of
        ``direction`` (points, d), a vector across the direction: dS = dS_ddirection . dn, in 1/rad.
    """
    run = _Run(
        tolerance, ladders, waveform, points, direction, roll, diffusivities, turns, radii, opened
    )
    d, n_regions = len(direction), ladders[0].operators.cell.n_regions
    n_radii = ladders[0].n_radii if radii else 0
    last = {"D": (n_regions,) if diffusivities else (0,), "direction": (d,) if turns else (0,)}
    last["R"] = (n_radii,)
    table = {name: Derivative.none(len(points), *last.get(name, ())) for name in NAMES}
    known = np.flatnonzero(found.reached & (found.method == "projected"))
    steps_of = run.with_steps(found.take(known), points[known])
    settings = np.stack([found.level[known], found.rung[known], steps_of], axis=1)
    different, which = np.unique(settings, axis=0, return_inverse=True)
    for number, (level, rung, steps) in enumerate(different.tolist()):
        rows = known[which.ravel() == number]
        for name, part in run.at(level, rung, steps, rows).items():
            table[name].value[rows], table[name].error[rows] = part.value, part.error
    return table


@dataclass(frozen=True)
class _Run:
    """Derivatives of points under one waveform; see `signal_derivatives`."""

    tolerance: float
    ladders: Sequence[SensitiveLadder]
    waveform: Waveform
    points: Points
    direction: Array
    roll: float
    diffusivities: bool
    turns: bool
    radii: bool
    opened: Opened | None

    def with_steps(self, found: ProjectedSignals, points: Points) -> NDArray[np.int64]:
        """Time steps of points, also of those whose signals took none (`reference.shared`)."""
        steps = found.steps.copy()
        if self.opened is not None:
            return steps
        for rung in np.unique(found.rung[steps == 0]):
            rows = np.flatnonzero((found.steps == 0) & (found.rung == rung))
            model = self.ladders[0].along(self._frame).truncate(int(rung))
            enough = _TIME_SHARE * self.tolerance * np.abs(found.signal[rows])
            _, steps[rows] = converged_steps(model, self.waveform, points[rows], enough)
        return steps

    def at(self, level: int, rung: int, steps: int, rows: NDArray) -> Mapping[str, Derivative]:
        """Derivatives of some points, from those on two rungs, two meshes, and twice the steps."""
        # Finer meshes have fewer rungs than the coarsest, which signals are taken from.
        rung = next(r for r in range(rung, -1, -1) if self.ladders[level].reaches(r))
        few, others = max(steps // 2, 1), self._others(level, rung)
        if self.opened is None:
            best, here = (self._on(level, rung, n, rows) for n in (steps, few))
            time = {name: np.abs(best[name] - here[name]) / _TIME_GAIN for name in best}
        else:
            best, time, few = self._opened(level, rung, rows)
            here = best
        there = [self._on(level, other, few, rows) for other in others]
        coarse = self._on(level - 1, rung, few, rows) if level else here
        corners = self.ladders[level].operators.has_corners
        result = {}
        for name, value in best.items():
            changes = [one[name] - here[name] for one in there]
            space = np.abs(here[name] - coarse[name]) / (1.0 if corners else SPACE_DIVISOR)
            # Where nothing changes, what is left is of the size of a rounded S.
            rounding = _ROUNDING * np.maximum(np.abs(value), 1.0)
            if name == "R":
                slopes = self.ladders[level].slope_error
                rounding = rounding + slopes / self.points.period[rows, None]
            basis = np.max(np.abs(changes), axis=0) if changes else np.inf
            error = basis + time[name] + space + rounding
            moved = value + changes[0] if others and others[0] > rung else value
            result[name] = Derivative(moved, error)
        return result

    def _others(self, level: int, rung: int) -> list[int]:
        """Rungs that tell the error of the basis, the best one first.

        In a cell with a centre of symmetry every other rung may change nothing by some diffusivity:
        it takes two rungs to tell.
        """
        near = [other for other in (rung + 2, rung + 1) if self.ladders[level].reaches(other)]
        below = [other for other in (rung - 1, rung - 2) if other >= LOWEST_RUNG]
        return near[:1] if len(near) == 2 else [*near, *below][:2]

    def _opened(
        self, level: int, rung: int, rows: NDArray
    ) -> tuple[dict[str, ComplexArray], dict[str, Array], int]:
        """Derivatives that share their first pulse, errors in time, and the nodes that do."""
        for nodes in _NODES:
            found, change = self._shared(level, rung, (nodes, nodes - _FEWER), rows)
            values = self._table(found)
            time = {name: np.abs(one) for name, one in self._table(change).items()}
            # By the direction there may be next to no change.
            beside = {**values, "direction": found.frame}
            scales = {name: np.max(np.abs(beside[name]), initial=0.0) for name in time}
            if all(
                np.all(time[name] <= _OWN_SHARE * self.tolerance * scales[name]) for name in time
            ):
                break
        return values, time, nodes

    def _shared(
        self, level: int, rung: int, nodes: tuple[int, int | None], rows: NDArray
    ) -> tuple[Derivatives, Derivatives]:
        assert self.opened is not None
        ladder, opened = self.ladders[level], self.opened.take(rows)
        accuracy = _SERIES * self.tolerance
        model, forms = ladder.model(rung), self._forms(level, rung)
        return shared_derivatives(model, opened, self._frame, accuracy, nodes, *forms)

    def _forms(self, level: int, rung: int) -> tuple[RegionForms | None, RadiusForms | None]:
        ladder = self.ladders[level]
        regions = ladder.regions(rung) if self.diffusivities else None
        return regions, ladder.radii(rung) if self.radii else None

    def _on(self, level: int, rung: int, steps: int, rows: NDArray) -> dict[str, ComplexArray]:
        """With a number of time steps, or of nodes where the first pulse is shared."""
        if self.opened is not None:
            return self._table(self._shared(level, rung, (steps, None), rows)[0])
        points, frame, model = self.points[rows], self._frame, self.ladders[level].model(rung)
        forms = self._forms(level, rung)
        return self._table(derivatives(model, self.waveform, points, frame, steps, *forms))

    def _table(self, found: Derivatives) -> dict[str, ComplexArray]:
        """By `NAMES`."""
        table = {f.name: getattr(found, f.name) for f in fields(Derivatives) if f.name in NAMES}
        if self.turns:
            change = np.einsum("pax,tax->pt", found.frame, self._frame_changes)
            table["direction"] = change @ tangents(self.direction)
        return table

    @cached_property
    def _frame(self) -> Array:
        return frame_of(tuple(self.direction), self.waveform.n_components, self.roll)

    @cached_property
    def _frame_changes(self) -> Array:
        """What a turn of the direction towards each tangent changes in the frame, (t, c, d)."""
        across, c = tangents(self.direction), self.waveform.n_components
        if c == 1:
            return across[:, None]
        if len(self.direction) == 3 and self.direction[0] < _OPPOSITE:
            return np.full((len(across), c, 3), np.nan)

        @cache
        def turned(tangent: int, angle: float) -> Array:
            n = np.cos(angle) * self.direction + np.sin(angle) * across[tangent]
            return frame_of(tuple(n), c, self.roll)

        def slope(tangent: int, angle: float) -> Array:
            return (turned(tangent, angle) - turned(tangent, -angle)) / (2.0 * angle)

        return np.array(
            [(4.0 * slope(t, _ANGLE / 2.0) - slope(t, _ANGLE)) / 3.0 for t in range(len(across))]
        )
