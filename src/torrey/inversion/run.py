"""An inversion of the configuration, from its files to the variables of ``fit.nc``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from torrey.base import artifacts
from torrey.base.progress import Progress, each, untold
from torrey.base.stored import Group, group_of
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey
from torrey.geometry import MeshOptions, Shape, shape_from_dict
from torrey.gradients.sweep import REFERENCE, Sweep
from torrey.inversion.files import PathLike, read_data
from torrey.inversion.noise import Noise
from torrey.inversion.problem import KargerProblem, homogenised
from torrey.inversion.radius import RADIUS, RoundCell
from torrey.inversion.report import karger_group
from torrey.inversion.study import Options, fit_karger, fit_physical
from torrey.models.karger import FinitePulseKarger

#: Of the meshes for other radii: signals then change by 1e-6 from one mesh to another.
_REFINEMENTS = 1


def run_karger(
    text: str,
    sweeps: Sequence[Sweep],
    signals: Sequence[PathLike],
    tensors: PathLike,
    progress: Progress = untold,
) -> Group:
    """Fit the parameters of two exchanging compartments to the signals of studies.

    Parameters
    ----------
    text : str
        The inversion as JSON.
    sweeps : sequence of Sweep
        Of the studies, each with one cell.
    signals : sequence of path
        ``signals.nc`` of each study.
    tensors : path
        ``tensors.nc`` of their cell: its homogenised parameters are the truth.
    progress : Progress
        Is told how many sets of data are fitted.
    """
    plain = json.loads(text)
    ((period, kappa),) = {cell for sweep in sweeps for cell in sweep.cells()}
    measurements = tuple(m for sweep in sweeps for m in sweep.protocol.measurements)
    problem = KargerProblem(
        FinitePulseKarger(measurements), plain["constraint"], plain["symmetric"]
    )
    truth = homogenised(artifacts.read(tensors), kappa / period)
    options = _options(plain)
    results = [
        fit_karger(problem, truth, read_data(signals, sweeps, name), options)
        for name in each(plain["data"], progress, "fits of sets of signals")
    ]
    return karger_group(results, options)


def run_physical(
    text: str,
    sweep: Sweep,
    signals: PathLike,
    material: Material,
    levels: Sequence[BlochTorrey],
    cell: str,
    progress: Progress = untold,
) -> Group:
    """Fit permeability, diffusivities and the radius to the reference signals of a study.

    Parameters
    ----------
    text : str
        The inversion as JSON.
    sweep : Sweep
        Of the study, with one period.
    signals : path
        ``signals.nc`` of the study.
    material : Material
        Of the study.
    levels : sequence of BlochTorrey
        Operators of its cell by mesh; the finest is taken.
    cell : str
        Its shape and the options of its mesh as JSON, for models with other radii.
    progress : Progress
        Is told how many fits are done.
    """
    plain = json.loads(text)
    (period,) = sweep.periods
    kappas = [kappa for _, kappa in sweep.cells()]
    data = read_data([signals], [sweep], REFERENCE)
    result = fit_physical(
        levels,
        material,
        sweep.protocol.measurements,
        period,
        kappas,
        data.signal.reshape(len(kappas), -1),
        plain["models"],
        plain["parameters"],
        _options(plain),
        round_cell(json.loads(cell), material) if RADIUS in plain["parameters"] else None,
        progress,
    )
    return group_of(result)


def round_cell(plain: Mapping[str, Any], material: Material) -> RoundCell:
    """A cell whose radius is fitted, from its shape and mesh as plain values."""
    # Only fits of the radius make meshes: other jobs start without a mesher in memory.
    from torrey.cell import build

    mesh = MeshOptions(plain["size"], min(plain["refinements"], _REFINEMENTS))

    def operators(shape: Shape) -> BlochTorrey:
        return build.levels(shape, mesh, material)[-1]

    return RoundCell(shape_from_dict(plain), operators)  # type: ignore[arg-type]


def _options(plain: Mapping[str, Any]) -> Options:
    noise = None
    if plain["noise"]:
        kind, snr, repeats = plain["noise"]
        noise = Noise(kind, tuple(snr), repeats, plain["seed"])
    return Options(
        starts=tuple(plain["starts"]),
        seed=plain["seed"],
        spread=plain["spread"],
        profile=plain["profile"],
        noise=noise,
    )
