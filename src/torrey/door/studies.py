"""A study of a configuration file, and its signals where they have been computed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from torrey.base import artifacts
from torrey.base.budgets import quoted
from torrey.base.errors import InputError, TorreyError
from torrey.config import domain, load
from torrey.door.cell import Cell
from torrey.door.quantities import argument, quantity

if TYPE_CHECKING:
    import xarray

    from torrey.door.quantities import Quantity

#: As `torrey.workflow.layout.SIGNALS` names it.
SIGNALS: Final = "results/studies/{study}/signals.nc"


@dataclass(frozen=True, repr=False)
class Study:
    """A study as a configuration describes it.

    Attributes
    ----------
    definition : torrey.config.Study
        Its shape, material, sweep, models and tolerance, in um and ms.
    files : tuple of Path
        The configuration.
    folder : Path
        Where the workflow runs: its results are in there.
    """

    definition: domain.Study
    files: tuple[Path, ...]
    folder: Path

    def __repr__(self) -> str:
        axes = (f"{len(values)} of {name}" for name, values in self.axes.items())
        state = self.path if self.has_signals else f"no signals yet: {self.command}"
        return (
            f"Study {self.definition.name} of {self.definition.geometry}: "
            f"{', '.join(self.definition.models)} at {', '.join(axes)}\n  {state}"
        )

    @property
    def axes(self) -> dict[str, tuple[Any, ...]]:
        """Values that are swept, by name, in um and ms."""
        return self.definition.sweep.axes()

    @property
    def path(self) -> Path:
        """File of the signals, whether it is there or not."""
        return self.folder / SIGNALS.format(study=self.definition.name)

    @property
    def command(self) -> str:
        """What to run, in the folder, for the signals."""
        target = SIGNALS.format(study=self.definition.name)
        here = self.folder == Path(".")
        files = " ".join(str(file if here else file.resolve()) for file in self.files)
        return f"snakemake -j8 {target} --configfile {files}"

    @property
    def has_signals(self) -> bool:
        """Whether the signals have been computed."""
        return self.path.exists()

    @property
    def signals(self) -> xarray.Dataset:
        """Table of all signals with their errors: see docs/artifacts.md.

        Raises
        ------
        TorreyError
            If the signals have not been computed, or belong to another sweep or other models than
            the configuration now has: the message says what to run.
        """
        if not self.has_signals:
            raise TorreyError(f"{self.path} is not there yet. Run: {self.command}")
        found = artifacts.open_dataset(self.path)
        asked = {
            "sweep": self.definition.sweep.to_json(),
            "models": ",".join(self.definition.models),
        }
        made = json.loads(found.attrs["parameters"])
        if any(made.get(name) != value for name, value in asked.items()):
            raise TorreyError(
                f"{self.path} was made for another configuration. Run: {self.command}"
            )
        return found

    def cell(self, period: Quantity | None = None, permeability: Quantity | None = None) -> Cell:
        """Make the cell of the study, for what the study does not sweep.

        Parameters
        ----------
        period, permeability : quantity, optional
            By default the first of the sweep.

        Returns
        -------
        Cell

        Examples
        --------
        >>> import torrey as tr
        >>> study = tr.load_study("mine.yaml")  # doctest: +SKIP
        >>> study.cell(period="8 um").plot()  # doctest: +SKIP
        """
        length, kappa = next(self.definition.sweep.cells())
        if period is not None:
            with argument("Study.cell", "period"):
                length = quantity(period, "length", "positive")
            kappa = self.definition.sweep.kappa(length, self.definition.sweep.permeabilities[0])
        if permeability is not None:
            with argument("Study.cell", "permeability"):
                kappa = quantity(permeability, "permeability", "zero")
        study = self.definition
        return Cell.of(study.shape, study.material, length, kappa, study.mesh)


def load_study(
    files: str | PathLike[str] | Sequence[str | PathLike[str]],
    name: str | None = None,
    *,
    folder: str | PathLike[str] = ".",
) -> Study:
    """Read a study from configuration files.

    Parameters
    ----------
    files : path or list of paths
        YAML files, which merge as in the workflow.
    name : str, optional
        Of the study, if the files have several.
    folder : path, optional
        Where the workflow runs; by default where Python does.

    Returns
    -------
    Study

    Raises
    ------
    ConfigError
        If anything is wrong in the files: the message names file and line.
    InputError
        If there is no such study, or there are several and no name.

    Examples
    --------
    >>> import torrey as tr
    >>> study = tr.load_study("mine.yaml")  # doctest: +SKIP
    >>> study.signals.signal_real.sel(model="reference")  # doctest: +SKIP
    """
    given = [files] if isinstance(files, str | PathLike) else files
    paths = tuple(Path(file) for file in given)
    studies = load(paths).studies
    names = ", ".join(studies) or "none: the files have no study"
    with argument("load_study", "name"):
        if name is None and len(studies) != 1:
            raise InputError(f"{len(studies)} studies and no name", f"one of {names}")
        if name is not None and name not in studies:
            raise InputError(quoted(str(name)), f"one of {names}")
    return Study(studies[name or next(iter(studies))], paths, Path(folder))
