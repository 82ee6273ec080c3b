"""What a configuration may say of measured signals, and of fits to them."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from torrey.config.quantities import Model, OrOne
from torrey.config.waveform_models import AnyAcquisition, AnyWaveform

TABLE_MODELS: Final = ("karger", "karger-tensor", "nexi", "smex", "sandix", "fexi-axr")
"""Names of `torrey.inversion.table_models.MODELS`, which takes long to import."""
PHYSICAL: Final = "physical"
"""The model that is a cell of a study."""

_BESIDE: Final = "from the folder of this file"
_MODELS: Final = f"one of {', '.join(TABLE_MODELS)}"
_MOST_CHUNKS: Final = 1_000

TableName = Literal["karger", "karger-tensor", "nexi", "smex", "sandix", "fexi-axr"]
FitName = Literal["karger", "karger-tensor", "nexi", "smex", "sandix", "fexi-axr", "physical"]
ParameterName = Literal["kappa", "radius", "D_e", "D_c"]


def _nothing() -> Any:
    """Stand for a mapping that is not there, which a key in a file cannot be."""
    return None


def _all_parameters() -> list[ParameterName]:
    return ["kappa", "D_e", "D_c"]


class DataModel(Model):
    """Measured signals: a table, or volumes with what was measured."""

    table: str = Field(
        "",
        description=f"a table (.csv, .tsv) of signals with names and units in its first line, "
        f"{_BESIDE}; or nifti in its place",
    )
    nifti: str = Field(
        "", description=f"a NIfTI file (.nii, .nii.gz) of one volume per measurement, {_BESIDE}"
    )
    mask: str = Field(
        "",
        description=f"a NIfTI file of one volume, above zero where voxels are fitted, {_BESIDE}; "
        "without it, all voxels that have a signal",
    )
    protocol: str = Field(
        "",
        description=f"a table (.csv, .tsv) of what was measured, a row for each volume, {_BESIDE}; "
        "or acquisition in its place",
    )
    acquisition: AnyAcquisition = Field(default_factory=_nothing)
    waveform: AnyWaveform = Field(default_factory=_nothing)
    sigma: str = Field(
        "",
        description="standard deviation of the noise of one signal: a number above 0 in the units "
        f"of the signals, or a NIfTI file of one volume, {_BESIDE}",
    )
    noise: Literal["gaussian", "rician"] = Field("gaussian", description="gaussian or rician")


class TableFitModel(Model):
    """What fits of a model of tables share, be the signals measured or those of studies."""

    starts: int = Field(
        3, ge=1, le=100, description="a whole number of starts of each fit, 1 to 100"
    )
    seed: int = Field(1, ge=0, le=2**32 - 1, description="a whole number, at least 0, below 2^32")
    fixed: Any = Field(
        default_factory=dict,
        description="a mapping from parameters to values, such as {D_i: 2 um^2/ms}",
    )
    bounds: Any = Field(
        default_factory=dict,
        description="a mapping from parameters to two values, such as {t_ex: [2 ms, 200 ms]}",
    )
    anisotropic: bool = Field(
        False,
        description="true or false, of nexi, smex and sandix: whether the outside has D_e_par and "
        "D_e_perp in the place of D_e",
    )
    D_sphere: str = Field(
        "", description='of sandix: diffusivity in the spheres, such as "3 um^2/ms"'
    )


class DataFitModel(TableFitModel):
    """A model fitted to measured signals."""

    data: str = Field(description="the name of an entry of data")
    model: FitName = Field(description=f"{_MODELS}, or {PHYSICAL}")
    profiles: bool = Field(
        False, description="true or false: intervals of 95 % by profile likelihoods"
    )
    compare: Annotated[list[TableName], Field(min_length=1, max_length=6), OrOne()] = Field(
        default_factory=list, description=f"models to compare with: a list of {_MODELS}"
    )
    chunks: int | None = Field(
        None,
        ge=1,
        le=_MOST_CHUNKS,
        description=f"a whole number of jobs that share the voxels, 1 to {_MOST_CHUNKS}; without "
        "it one for each 1,000 voxels of a volume, at most 200",
    )
    study: str = Field(
        "",
        description=f"of {PHYSICAL}: the name of a study, whose cell, diffusivities, period and "
        "permeability are those of the parameters that are not fitted",
    )
    by: str = Field("R2", description=f"of {PHYSICAL}: the model of the cell, such as R2 or P4")
    parameters: Annotated[list[ParameterName], Field(min_length=1), OrOne()] = Field(
        default_factory=_all_parameters,
        description=f"of {PHYSICAL}: one or more of kappa, D_e, D_c; the others are known",
    )


class ExchangeInversionModel(TableFitModel):
    """A model of measured tables fitted to signals of studies, to see how it errs."""

    kind: Literal["exchange"] = Field(description="exchange")
    studies: Annotated[list[str], Field(min_length=1, max_length=100), OrOne()] = Field(
        description="the name of a study, or a list of them; each of their cells is a fit"
    )
    model: TableName = Field(description=_MODELS)
    signals: str = Field(
        "reference", description="a model of the studies, such as reference: the signals fitted"
    )
    snr: float | None = Field(
        None,
        ge=1e-3,
        le=1e9,
        description="a number above 0 (1e-3 to 1e9): S(b = 0) over the noise of one signal behind "
        "the standard errors; without it the misfit of each fit",
    )
