"""The design of a protocol as files: ``design.nc``, and measurements in words as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import Group, Variable
from torrey.gradients.axes import axis_variable
from torrey.gradients.listing import Listing
from torrey.gradients.sweep import Sweep
from torrey.inversion.design_settings import DesignSettings
from torrey.inversion.protocol_design import BELOW_ITS_ERROR, MISSING, Bounds, Design

_STATUS: Final = ("known", "below_its_error", "missing")
_INFINITE: Final = {"allow_missing": True}
_UNITS: Final = {"kappa": "um ms-1", "L": "um", "R": "um", "D": "um2 ms-1"}


def save(
    design: Design,
    sweep: Sweep,
    settings: DesignSettings,
    comma: str,
    data: str,
    provenance: Provenance,
) -> None:
    """Write the measurements as CSV, and then all as NetCDF with the digest of that file.

    Parameters
    ----------
    design : Design
    sweep : Sweep
    settings : DesignSettings
    comma, data : str
        Paths.
    provenance : Provenance
    """
    with artifacts.whole(comma) as name:
        name.write_text(to_csv(design, sweep), encoding="utf-8")
    about = {**artifacts.beside(comma), "model": settings.model, "criterion": settings.criterion}
    artifacts.write(data, variables(design, sweep, settings), provenance, attributes=about)


def remarks(design: Design, settings: DesignSettings) -> list[str]:
    """What the log says of derivatives that are not known well enough."""
    status, said = design.sensitivity.status, []
    for kind, text in (
        (BELOW_ITS_ERROR, "are no larger than their errors"),
        (MISSING, "are not known, and their measurements no candidates"),
    ):
        for column, name in enumerate(settings.names):
            if count := int(np.sum(status[..., column] == kind)):
                said.append(f"{count} of {status[..., column].size} derivatives by {name} {text}")
    for which, bounds in (("all", design.whole), ("the chosen", design.best)):
        for column, name in enumerate(settings.names):
            if any(one.error[column] > one.relative[column] for one in bounds):
                said.append(
                    f"the bound of {name} by {which} measurements is less than what errors of the "
                    "derivatives may change in it: a smaller tolerance of the study tells it"
                )
    return said


def variables(design: Design, sweep: Sweep, settings: DesignSettings) -> Group:
    """Variables of ``design.nc``."""
    shape, names = sweep.shape[:2], settings.names
    cells = tuple(sweep.axes())[:2]
    values = dict(zip(names, design.sensitivity.value.T, strict=True))
    counts = np.isin(np.arange(len(names)), settings.columns).astype(np.int8)
    group: dict[str, Variable] = {
        "parameter": Variable(("parameter",), np.array(names), "", "unknown parameter"),
        "counts": Variable(("parameter",), counts, "1", "1 if the criterion is of the parameter"),
        "derivative_status": Variable(
            (*cells, "candidate", "parameter"),
            design.sensitivity.status.reshape(*shape, -1, len(names)),
            "1",
            "what is known of the derivative of the signal by the parameter",
            {
                "flag_values": np.arange(len(_STATUS), dtype=np.int8),
                "flag_meanings": " ".join(_STATUS),
            },
        ),
    }
    for name, value in values.items():
        units = _UNITS[name.split("_")[0]]
        group[f"value_{name}"] = Variable(cells, value.reshape(shape), units, f"value of {name}")
    group |= _of_bounds("", "all measurements", design.whole, cells, shape, values)
    if design.chosen:
        group |= _of_bounds("chosen_", "the chosen", design.best, cells, shape, values)
        group |= _of_choices(design, cells, shape)
    axes = {name: axis_variable(name, sweep.axes()[name]) for name in cells}
    return {**group, **_of_candidates(Listing(sweep.protocol)), **axes}


def _of_bounds(
    prefix: str,
    which: str,
    bounds: Sequence[Bounds],
    cells: tuple[str, ...],
    shape: tuple[int, ...],
    parameters: Mapping[str, NDArray[np.float64]],
) -> dict[str, Variable]:
    def table(name: str) -> NDArray[np.float64]:
        values = np.array([getattr(one, name) for one in bounds])
        return values.reshape(*shape, *values.shape[1:])

    along = (*cells, "parameter")
    least = f"least standard deviation of an estimate from {which} (Cramer and Rao)"
    moved = "how far errors of the derivatives may move it"
    relative = table("relative")
    absolute = {
        f"{prefix}bound_{name}": Variable(
            cells,
            relative[..., column] * value.reshape(shape),
            _UNITS[name.split("_")[0]],
            f"{least} of {name}",
            _INFINITE,
        )
        for column, (name, value) in enumerate(parameters.items())
    }
    return {
        f"{prefix}information": Variable(
            (*along, "other_parameter"),
            table("information"),
            "1",
            f"Fisher information of {which} about the logarithms of the parameters",
        ),
        f"{prefix}bound_relative": Variable(
            along, relative, "1", f"{least}, relative to the parameter", _INFINITE
        ),
        f"{prefix}bound_relative_error": Variable(
            along, table("error"), "1", f"{moved}, relative to the parameter", _INFINITE
        ),
        **absolute,
        f"{prefix}criterion_value": Variable(
            cells,
            table("criterion"),
            "1",
            f"criterion of {which}: log det (D) or trace (A) of the bound of the relative "
            "covariance of the parameters that count",
            _INFINITE,
        ),
    }


def _of_choices(
    design: Design, cells: tuple[str, ...], shape: tuple[int, ...]
) -> dict[str, Variable]:
    chosen = np.array(design.chosen, dtype=np.int32)
    count = design.sensitivity.error.shape[1]
    times = np.array([np.bincount(one, minlength=count) for one in chosen], dtype=np.int32)
    return {
        "chosen": Variable(
            (*cells, "choice"),
            chosen.reshape(*shape, -1),
            "1",
            "number of the candidate, the one that tells most beside those before it first",
        ),
        "times_chosen": Variable(
            (*cells, "candidate"), times.reshape(*shape, -1), "1", "how often it was chosen"
        ),
    }


def _of_candidates(listing: Listing) -> dict[str, Variable]:
    every = listing.in_scanner
    words = np.array([listing.words(number) for number in range(len(every))])

    def table(values: Sequence[float], units: str, text: str) -> Variable:
        return Variable(("candidate",), np.array(values), units, text)

    return {
        "candidate_words": Variable(("candidate",), words, "", "the measurement in words"),
        "candidate_b": table([m.b for m in every], "ms um-2", "b-value"),
        "candidate_q": table([m.q for m in every], "rad um-1", "largest wave number"),
        "candidate_echo_time": table(
            [m.waveform.echo_time for m in every], "ms", "time at which the signal is read"
        ),
        "candidate_direction": Variable(
            ("candidate", "axis"),
            np.array([m.direction for m in every]),
            "1",
            "unit vector of the gradient, in the frame of the scanner",
        ),
    }


def to_csv(design: Design, sweep: Sweep) -> str:
    """Measurements that were chosen, or all without a choice, cell by cell: a line for each."""
    listing, stream = Listing(sweep.protocol), io.StringIO()
    first = ["period (um)", f"{sweep.permeability_kind} (um/ms)"]
    every = np.arange(len(listing.in_scanner))
    # Values as they were given: kappa may be another one.
    cells = [(L, x) for L in sweep.periods for x in sweep.permeabilities]
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*first, "place", "candidate", "measurement", *listing.row(0)])
    for number, (period, permeability) in enumerate(cells):
        for place, row in enumerate(design.chosen[number] if design.chosen else every, start=1):
            values = listing.row(int(row)).values()
            cell = repr(float(period)), repr(float(permeability))
            writer.writerow([*cell, place, int(row), listing.words(int(row)), *values])
    return stream.getvalue()
