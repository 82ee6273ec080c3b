"""Small systems for points in any direction: the span of states that some points pass in full.

Along a vector of the reciprocal lattice Bloch functions of three wave vectors span all fields. In
other directions, and for waveforms of several components, gradients pass wave vectors all over the
zone, whose functions are too many. But the states under the weakest, the strongest and some other
gradients of a table span those of all of them, with far fewer directions. They are computed on the
mesh with few time steps, which hardly change the span. The points halfway between tell what the
first ones miss, and then join them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from torrey.bloch.folded_basis import FoldedModel, model_on, span_of
from torrey.bloch.visited import Case
from torrey.cell.folding import Integers, Stretch, Zone
from torrey.cell.operators import BlochTorrey
from torrey.cell.system import AffineSystem, CellSystem
from torrey.gradients.waveforms import Segment
from torrey.reference.flow import States, propagate

#: Points that are computed in full at first; those halfway between two of them follow.
_FIRST: Final = 4
FEWEST_CASES: Final = 2 * _FIRST
"""Points from which on there are others between the first ones."""

#: Time steps for a change of g by one turn, and for each segment at least.
_STEPS_PER_TURN, _FEWEST_STEPS = 8, 24
#: Directions with a smaller part in all states are left out, relative to the tolerance.
_LEAST: Final = 0.05


def trained_models(
    operators: BlochTorrey,
    period: float,
    permeability: float,
    cases: Sequence[Case],
    tolerance: float,
) -> tuple[FoldedModel, FoldedModel]:
    """A small system for some points, and a smaller one that tells the error of the first.

    Parameters
    ----------
    operators : BlochTorrey
    period : float, um
    permeability : float, um/ms
    cases : sequence of Case
        Of one component each, `FEWEST_CASES` at least.
    tolerance : float
        Relative error of signals that is aimed at.

    Returns
    -------
    fine, coarse : FoldedModel
        ``coarse`` is trained by four of the points, ``fine`` by those between them as well.
    """
    zone = Zone(operators.cell.lattice, period)
    system = AffineSystem.at(operators, period, permeability, np.eye(operators.n_axes))
    order = np.argsort([case.q for case in cases], kind="stable")
    places = np.unique(np.linspace(0, len(cases) - 1, _FIRST).round().astype(int))
    between = np.unique((places[:-1] + places[1:]) // 2)
    first = [_states(system, zone, cases[order[place]]) for place in places]
    second = [_states(system, zone, cases[order[place]]) for place in between]
    folds = sorted(set().union(*(_folds(zone, case) for case in cases)))
    least = _LEAST * tolerance
    fine, coarse = (
        model_on(operators, zone, permeability, span_of(operators, states, least), folds)
        for states in ([*first, *second], first)
    )
    return fine, coarse


def _states(system: CellSystem, zone: Zone, case: Case) -> States:
    """Normalised fields on the way of a signal, shape (n_dofs, n)."""
    operators = system.operators
    sources = np.stack([operators.rho, np.ones_like(operators.rho)], axis=1).astype(complex)
    u = sources[:, :1] if np.array_equal(sources[:, 0], sources[:, 1]) else sources
    found = [u]
    turns = zone.reach(case.waveform.segments, case.frame, case.q) / (2.0 * np.pi)
    steps = max(_FEWEST_STEPS, math.ceil(_STEPS_PER_TURN * turns))
    for stretches in _needed(zone, case):
        for stretch in stretches:
            u = stretch.enter(operators.cell, u)
            found.append(u)
            for segment in _pieces(stretch.segment):
                u = propagate(system, segment, case.q, u, steps, found)
                found.append(u)
    states = np.concatenate(found, axis=1)
    sizes = np.sqrt(np.einsum("ni,ni->i", states.conj(), operators.mass_matrix @ states).real)
    result: States = states / np.maximum(sizes, np.finfo(float).tiny)
    return result


def _needed(zone: Zone, case: Case) -> tuple[tuple[Stretch, ...], ...]:
    """Parts of a waveform that its signal is computed from: half of a symmetric one."""
    parts = zone.fold(case.waveform.segments, case.frame, case.q)
    return parts[: -(-len(parts) // 2)] if case.waveform.symmetry else parts


def _pieces(segment: Segment) -> list[Segment]:
    """A segment; where g stands still, pieces of it, since what decays is gone soon."""
    if not segment.constant:
        return [segment]
    ends = segment.duration * np.array([0.0, 1 / 64, 1 / 16, 1 / 4, 1 / 2, 1.0])
    return [replace(segment, duration=float(piece)) for piece in np.diff(ends)]


def _folds(zone: Zone, case: Case) -> set[Integers]:
    """Vectors by which the gradients of a case fold, one of k and -k."""
    parts = zone.fold(case.waveform.segments, case.frame, case.q)
    every = {stretch.fold for part in parts for stretch in part if any(stretch.fold)}
    return {max(k, tuple(-x for x in k)) for k in every}
