"""Tables 5.1 to 5.5 of Coatleven, Haddar and Li 2014: inversions, beside the paper's numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from torrey.base import artifacts
from torrey.tables.chl14_published import ORDER, PUBLISHED, Published
from torrey.tables.writing import (
    RESOLVED,
    Column,
    Table,
    TableFiles,
    plain_unit,
    zero_within,
)

Array = NDArray[np.float64]
Data = Mapping[str, NDArray[Any]]

#: 1/us in 1/ms, and mm^2/s in um^2/ms.
_UNITS: Final = 1e3

_NAMES: Final = {
    "reference": "reference (non-homogenised)",
    "R0": "R0 (homogenised)",
    "lumped-R0": "R0, cells lumped",
}


@dataclass(frozen=True)
class _Row:
    """One parameter of one fit."""

    data: str
    fit: str
    parameter: str
    unit: str
    values: dict[str, float]
    found: bool
    error: float
    """How far the homogenised parameter may be off, and whatever is fitted to its signals."""


def table5_1(files: TableFiles) -> Table:
    """One cell, single initial guesses."""
    return _table(files, "5.1", each=True)


def table5_2(files: TableFiles) -> Table:
    """One cell, the best of several initial guesses."""
    return _table(files, "5.2", each=False)


def table5_3(files: TableFiles) -> Table:
    """One cell, single initial guesses, with the constraint."""
    return _table(files, "5.3", each=True)


def table5_4(files: TableFiles) -> Table:
    """One cell, the best of several initial guesses, with the constraint."""
    return _table(files, "5.4", each=False)


def table5_5(files: TableFiles) -> Table:
    """Four cells, the best of several initial guesses, with the constraint."""
    return _table(files, "5.5", each=False)


def table5_3directions(files: TableFiles) -> Table:
    """Table 5.5 with a third direction, which the paper lacks: all entries of D_e are found."""
    return _table(files, "5.5", each=False)


def _table(files: TableFiles, number: str, each: bool) -> Table:
    """All parameters of every fit; ``each`` start, or the best of some number of them."""
    (path,) = files.files["fit"].values()
    data = artifacts.read(path)
    rows = [row for i in range(len(data["data"])) for row in _rows(data, i, number, each)]
    columns = [
        Column("data", "signals", [row.data for row in rows]),
        Column("fit", "initial guess" if each else "initial guesses", [row.fit for row in rows]),
        Column("parameter", "parameter", [row.parameter for row in rows]),
        Column("unit", "unit", [row.unit for row in rows]),
    ]
    for name, label in _LABELS.items():
        values = [row.values[name] for row in rows]
        # What the paper prints is not ours to round.
        errors = [0.0 if name.startswith("paper") else row.error for row in rows]
        texts = [_digits(value) for value in zero_within(values, errors)]
        columns.append(Column(name, label, values, "1", texts, errors))
    columns.append(
        Column("identifiable", "identifiable", ["yes" if row.found else "no" for row in rows])
    )
    directions = "" if _hides(data) else ", with a direction between the axes"
    title = f"Inversion of CHL14, table {number}{directions}"
    return Table(title, tuple(columns), _notes(data))


def _hides(data: Data) -> bool:
    """Whether the signals tell nothing of an entry of D_e."""
    return not data["identifiable"].all()


_LABELS: Final = {
    "initial": "start",
    "homogenised": "homogenised",
    "estimate": "estimate",
    "standard_error": "standard error",
    "paper_initial": "paper: start",
    "paper_homogenised": "paper: homogenised",
    "paper_inversion": "paper: inversion",
}


def _rows(data: Data, i: int, number: str, each: bool) -> list[_Row]:
    """Rows of one set of signals."""
    name = str(data["data"][i])
    counts = range(1, data["estimate"].shape[1] + 1) if each else map(int, data["starts"])
    rows = []
    for k, count in enumerate(counts):
        start = k if each else int(data["best_start"][i, k])
        paper = _published(number, name, count)
        for p, parameter in enumerate(map(str, data["parameter"])):
            values = {
                "initial": data["initial_guess"][start, p],
                "homogenised": data["truth"][p],
                "estimate": data["estimate"][i, start, p],
                "standard_error": data["standard_error"][i, start, p],
                **_paper_values(paper, parameter),
            }
            rows.append(
                _Row(
                    data=_NAMES.get(name, name),
                    fit=f"number {count}" if each else f"best of {count}",
                    parameter=parameter,
                    unit=plain_unit(str(data["parameter_unit"][p])) if p != 2 else "1",
                    values={key: float(value) for key, value in values.items()},
                    found=bool(data["identifiable"][i, p]),
                    error=RESOLVED * _scale(data, parameter),
                )
            )
    return rows


def _scale(data: Data, parameter: str) -> float:
    """The parameter itself, or the largest entry of the tensor that it belongs to."""
    kind = parameter.rpartition("_")[0] if parameter.startswith("D_") else parameter
    of_a_kind = [str(name).startswith(kind) for name in data["parameter"]]
    return float(np.abs(data["truth"][of_a_kind]).max())


def _published(number: str, data: str, fit: int) -> Published | None:
    return next((p for p in PUBLISHED[number] if (p.data, p.fit) == (data, fit)), None)


def _paper_values(paper: Published | None, parameter: str) -> dict[str, float]:
    """The paper's numbers in this project's units; not a number where it prints none."""
    place = ORDER.index(parameter)
    factor = 1.0 if parameter == "theta_c" else _UNITS
    columns = {
        "paper_initial": paper.initial if paper else (),
        "paper_homogenised": paper.homogenised if paper else (),
        "paper_inversion": paper.inversion if paper else (),
    }
    found = {name: values[place] if values else None for name, values in columns.items()}
    return {name: np.nan if value is None else factor * value for name, value in found.items()}


def _digits(value: float) -> str:
    return f"{value:.4g}" if np.isfinite(value) else ("inf" if np.isinf(value) else "")


def _notes(data: Data) -> tuple[str, ...]:
    """What biases the estimates, and what the data cannot tell."""
    notes = [
        "The off-diagonal entries of D_e do not enter signals along the two axes: a fit leaves "
        "them where it started, here as in the paper, and their standard error is infinite."
        if _hides(data)
        else "Signals along a direction between the axes depend on the off-diagonal entry of D_e, "
        "which is symmetric here: the fit finds it, as the paper's two directions cannot."
    ]
    for i, name in enumerate(map(str, data["data"])):
        notes.append(
            f"{_NAMES.get(name, name)}: {int(data['measurements'][i])} signals. At the homogenised "
            f"parameters the model misses them by {data['model_error_rms'][i]:.2g} (root mean "
            f"square; {data['model_error_max'][i]:.2g} at most), their numerical error is "
            f"{data['numerical_error_rms'][i]:.1g}: {_cause(data, i)}."
        )
    notes.append(
        "Standard errors come from the Jacobian and the misfit of the fit. The paper's numbers are "
        "its own, with other random starts; its units, 1/us and mm^2/s, are 1000 1/ms and "
        "1000 um^2/ms."
    )
    notes.append(
        f"A number of at most {RESOLVED:g} of its homogenised parameter, or of the largest entry "
        "of D_e, cannot be told from errors of the mesh, and is printed as 0."
    )
    return tuple(notes)


def _cause(data: Data, i: int) -> str:
    error, numerical = data["model_error_rms"][i], data["numerical_error_rms"][i]
    if error < 1e-9:
        return "the fit recovers the truth"
    if error > 3.0 * numerical:
        return "what biases the estimates is the error of the model, not that of the signals"
    return "error of the model and of the signals are of one size"
