"""What ``fit.nc`` says of the fits of all voxels, and maps of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from torrey.base import artifacts
from torrey.base.stored import Group, Variable
from torrey.gradients.acquisition.text import counted
from torrey.inversion.criteria import criterion_weights
from torrey.inversion.fit_settings import FitSettings
from torrey.inversion.nifti import header_of, write_map
from torrey.inversion.table_runs import CRITERIA
from torrey.inversion.voxel_data import HEADER, PathLike, VoxelData

Array = NDArray[np.float64]
Arrays = Mapping[str, NDArray[Any]]

STATUS_FLAGS: Final = (
    "fitted",
    "bounded_or_not_identified",
    "not_converged",
    "unusable_signals",
    "unusable_noise",
    "failed",
)
"""Of voxels, by their numbers: see `torrey.inversion.voxel_fit.STATUS`."""
_MISSING: Final = {"allow_missing": True}
_VOXEL: Final = ("voxel",)
_LONG_NAMES: Final = {
    "log_likelihood": "largest log likelihood",
    "aic": "Akaike's information criterion",
    "aicc": "Akaike's information criterion for few signals",
    "bic": "Bayesian information criterion",
}


def gathered(
    parts: Sequence[PathLike], data: VoxelData, settings: FitSettings
) -> tuple[Group, dict[str, str], list[str]]:
    """Put the parts of a fit together.

    Parameters
    ----------
    parts : sequence of path
        Files with what `fit_part` returned, in the order of the voxels.
    data : VoxelData
        Of all voxels: their places or names are kept beside the estimates.
    settings : FitSettings

    Returns
    -------
    group : mapping of str to Variable
        Of ``fit.nc``.
    attributes : dict of str to str
    remarks : list of str
        How many voxels were fitted, and what became of the others.
    """
    group, remarks = report([artifacts.read(part) for part in parts], data, settings)
    attributes = {HEADER: data.header, "model": settings.model, "noise_kind": settings.noise}
    return group, attributes, remarks


def report(
    tables: Sequence[Arrays], data: VoxelData, settings: FitSettings
) -> tuple[Group, list[str]]:
    """As `gathered`, of the values of the parts by their names."""
    first = tables[0]
    names, units, meanings = (
        list(map(str, first[name])) for name in ("parameter", "parameter_unit", "parameter_meaning")
    )
    every: Arrays = {
        name: np.concatenate([table[name] for table in tables])
        for name in first
        if not name.startswith("parameter")
    }
    group: dict[str, Variable] = {}
    for i, described in enumerate(zip(names, units, meanings, strict=True)):
        group |= _of_parameter(*described, every, i)
    group |= _of_fit(every, names)
    if settings.compare:
        group |= _compared(every, (settings.model, *settings.compare))
    group |= _places(data)
    counts = np.bincount(every["status"], minlength=len(STATUS_FLAGS))
    said = [
        f"{count} {flag.replace('_', ' ')}"
        for count, flag in zip(counts, STATUS_FLAGS, strict=True)
        if count
    ]
    return group, [f"of {counted(len(data), 'voxel')}: {', '.join(said)}"]


def _of_parameter(name: str, unit: str, meaning: str, every: Arrays, i: int) -> dict[str, Variable]:
    found = {
        name: Variable(_VOXEL, every["estimate"][:, i], unit, meaning, _MISSING),
        f"{name}_error": Variable(
            _VOXEL,
            every["standard_error"][:, i],
            unit,
            f"standard error of {name}; missing on a bound",
            _MISSING,
        ),
        f"{name}_identifiable": Variable(
            _VOXEL, every["identifiable"][:, i], "1", f"1 if the signals say what {name} is"
        ),
        f"{name}_at_bound": Variable(
            _VOXEL, every["at_bound"][:, i], "1", f"1 if {name} lies on a bound of the fit"
        ),
    }
    if "interval" in every:
        for end, word in enumerate(("lower", "upper")):
            found[f"{name}_{word}"] = Variable(
                _VOXEL,
                every["interval"][:, i, end],
                unit,
                f"{word} end of the profile likelihood interval of 95 %; infinite where the bound "
                "of the fit cuts it off",
                _MISSING,
            )
    if "profile_value" in every:
        over = ("voxel", "profile_point")
        found[f"{name}_profile"] = Variable(
            over, every["profile_value"][:, i], unit, f"value at which {name} is held", _MISSING
        )
        found[f"{name}_deviance"] = Variable(
            over,
            every["profile_height"][:, i],
            "1",
            f"deviance of the best fit with this {name}, over that at the ends of the interval",
            _MISSING,
        )
    return found


def _of_fit(every: Arrays, names: Sequence[str]) -> dict[str, Variable]:
    flags = {
        "flag_values": np.arange(len(STATUS_FLAGS), dtype=np.int8),
        "flag_meanings": " ".join(STATUS_FLAGS),
    }
    over = ("voxel", "amplitude_group")
    one = {
        "noise": "standard deviation of one signal: given, or estimated from the misfit",
        "misfit": "root mean square of signals minus model",
        **_LONG_NAMES,
    }
    return {
        "parameter": Variable(("parameter",), list(names), "", "fitted parameter"),
        "correlation": Variable(
            ("voxel", "parameter", "other_parameter"),
            every["correlation"],
            "1",
            "correlation of the estimates",
            _MISSING,
        ),
        "amplitude": Variable(
            over, every["amplitude"], "1", "signal without gradients, of each echo time", _MISSING
        ),
        "amplitude_error": Variable(
            over, every["amplitude_error"], "1", "standard error of the amplitude", _MISSING
        ),
        **{name: Variable(_VOXEL, every[name], "1", text, _MISSING) for name, text in one.items()},
        "status": Variable(
            _VOXEL, every["status"].astype(np.int8), "1", "what became of the voxel", flags
        ),
        "steps": Variable(_VOXEL, every["steps"], "1", "steps of the minimisation"),
    }


def _compared(every: Arrays, models: Sequence[str]) -> dict[str, Variable]:
    over = ("voxel", "compared")
    # With few rows AICc is infinite, and says nothing of the model that has it.
    known = not np.isinf(every["compared_aicc"]).any()
    values = every["compared_aicc" if known else "compared_aic"]
    found = {
        "compared": Variable(("compared",), list(models), "", "model of the same signals"),
        "weight": Variable(
            over,
            criterion_weights(list(values.T)).T,
            "1",
            f"Akaike weight of a model: the share of the evidence, by {'AICc' if known else 'AIC'}",
            _MISSING,
        ),
    }
    for name in CRITERIA:
        found[f"compared_{name}"] = Variable(
            over, every[f"compared_{name}"], "1", _LONG_NAMES[name], _MISSING
        )
    return found


def _places(data: VoxelData) -> dict[str, Variable]:
    if data.voxels is not None:
        return {"voxel": Variable(_VOXEL, list(data.voxels), "", "name of the voxel")}
    assert data.index is not None
    assert data.affine is not None
    return {
        "index": Variable(
            ("voxel", "axis"), data.index, "1", "place of the voxel in its volume, from 0"
        ),
        "shape": Variable(
            ("axis",), np.array(data.shape), "1", "number of voxels along each axis of a volume"
        ),
        "affine": Variable(
            ("homogeneous", "homogeneous_index"),
            data.affine,
            "1",
            "from indices to places in space (mm)",
        ),
    }


def volume_of(values: NDArray[Any], index: NDArray[Any], shape: Sequence[int]) -> Array:
    """Values of voxels in their places of a volume that is empty elsewhere."""
    volume = np.full(tuple(shape), np.nan)
    volume[tuple(index.T)] = values
    return volume


def write_maps(fit: PathLike, paths: Sequence[PathLike]) -> Group:
    """Write a NIfTI file for each map of a fit.

    Parameters
    ----------
    fit : path
        ``fit.nc`` of volumes.
    paths : sequence of path
        Where the maps go, each named as its variable.

    Returns
    -------
    mapping of str to Variable
        What the maps are, for the file that goes with them.
    """
    table, about = artifacts.read(fit), artifacts.attributes(fit)
    header = header_of(about[HEADER])
    names = [Path(path).name.removesuffix(".nii.gz") for path in paths]
    for name, path in zip(names, paths, strict=True):
        values = _values(table, name)
        write_map(path, volume_of(values, table["index"], table["shape"].tolist()), header)
    over = ("map",)
    return {
        "map": Variable(over, names, "", "name of the map"),
        "voxels": Variable(
            over,
            np.array([np.isfinite(_values(table, name)).sum() for name in names]),
            "1",
            "voxels that have a value",
        ),
    }


def _values(table: Arrays, name: str) -> NDArray[Any]:
    values: NDArray[Any] = table["amplitude"][:, 0] if name == "S0" else table[name]
    return values
