"""Derivatives of signals by what a cell and its gradients are made of, as coordinates of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np

from torrey.base.budgets import quoted
from torrey.base.errors import InputError
from torrey.door.gradients import Gradients
from torrey.door.labels import Coordinates, Layout, attributes
from torrey.door.quantities import argument, is_list
from torrey.gradients.derivable import BY, ON_REQUEST, derivable
from torrey.models import registry
from torrey.reference.derivatives import Derivative
from torrey.study.cell_derivatives import Table, by_strength, of_radius, of_region

Wanted: TypeAlias = bool | str | Sequence[str]

_ERROR: Final = "numerical error, absolute"


def read_derivatives(
    call: str, given: Wanted, gradients: Gradients, models: Sequence[str], refused: str
) -> tuple[str, ...]:
    """What derivatives are wanted by: ``kappa, D, L, b`` (or ``q, gradient``), ``direction, R``.

    Parameters
    ----------
    call : str
        For messages.
    given : bool, str or sequence of str
        True for all that there are but those by radii.
    gradients : Gradients
    models : sequence of str
    refused : str
        Why there are none by radii; empty where there are some.

    Raises
    ------
    InputError
        If one of them is not known, or a model has no derivatives.
    """
    most = max(w.n_components for w in gradients.waveforms)
    turned = gradients.fibres is not None
    every = derivable(gradients.strength, gradients.n_axes, most, turned=turned, radii=not refused)
    usual = tuple(name for name in every if name not in ON_REQUEST)
    with argument(call, "derivatives"):
        if given is False or given is None:
            return ()
        names: tuple[Any, ...] = usual if given is True else _listed(given)
        for name in names:
            if name not in every:
                why = f": {refused}" if name in ON_REQUEST and refused else ""
                raise InputError(quoted(str(name)), f"True, or some of {', '.join(every)}{why}")
        for model in models:
            if not registry.has_derivatives(model):
                found = f"the model {model}"
                raise InputError(found, "the reference, or projected models such as P4")
    return tuple(name for name in every if name in names)


def _listed(given: Wanted) -> tuple[Any, ...]:
    return tuple(given) if is_list(given) else (given,)  # type: ignore[arg-type]


def derivative_coordinates(
    tables: Sequence[Table],
    wanted: Sequence[str],
    layout: Layout,
    regions: Sequence[str],
    immobile: Sequence[int],
    radii: Sequence[str],
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
    radii : sequence of str
        Names.
    """
    found: Coordinates = {}

    def put(name: str, by: str, more: str, columns: Sequence[Derivative]) -> None:
        values = layout.table([column.value for column in columns])
        errors = layout.table([column.error for column in columns])
        units, text = BY[by]
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
                columns = [of_region(table, i, immobile) for table in tables]
                put(f"D_{region}", by, f", {region}", columns)
        elif by == "R":
            for i, ball in enumerate(radii):
                columns = [of_radius(table, i) for table in tables]
                put(f"R_{ball}", by, f", {ball}", columns)
        elif by == "direction":
            for i, axis in enumerate("xyz"[: layout.gradients.n_axes]):
                columns = [table["direction"].along(i) for table in tables]
                put(f"direction_{axis}", by, f", {axis}", columns)
        else:
            strengths = [m.waveform for m in layout.gradients.measurements]
            put(by, by, "", [by_strength(table, by, strengths) for table in tables])
    return found
