"""The cell of a study as a model of measured signals, from the files of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from torrey.cell.files import lazy_levels
from torrey.cell.material import Material
from torrey.inversion.cell_table import CellTable, physical_table
from torrey.inversion.measured import MeasuredProtocol
from torrey.inversion.radius import RADIUS, radius_problem
from torrey.inversion.run import round_cell


def cell_model(
    options: Mapping[str, Any], protocol: MeasuredProtocol, operators: str | Path
) -> CellTable:
    """The model ``physical`` of some rows.

    Parameters
    ----------
    options : mapping
        ``material``, ``period`` (um), ``by`` (the model of the cell), ``known`` and ``parameters``;
        ``shape`` with its mesh where the radius is fitted, and ``axes``, the number of components
        of the gradients.
    protocol : MeasuredProtocol
        With a waveform and a direction in each row.
    operators : path
        ``operators.nc`` of the cell.
    """
    material = Material.from_dict(options["material"])
    inside = replace(protocol, directions=protocol.directions[:, : options["axes"]])
    period, by, names = options["period"], options["by"], options["parameters"]
    if RADIUS not in names:
        finest = lazy_levels(operators, material)[-1]
        return physical_table(finest, material, inside, period, by, options["known"], names)
    measurements = inside.measurements()
    cell = round_cell(options["shape"], material)
    problem = radius_problem(cell, material, measurements, period, by, options["known"], names)
    return CellTable(problem, measurements)
