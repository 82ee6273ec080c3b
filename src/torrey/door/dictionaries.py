"""Tables of very many signals of a cell, in memory that does not depend on how many they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from numpy.typing import NDArray

from torrey.base import artifacts
from torrey.base.budgets import (
    MOST_DICTIONARY_SIGNALS,
    MOST_MATERIALS,
    MOST_MEASUREMENTS,
    quoted,
)
from torrey.base.errors import InputError
from torrey.base.provenance import Provenance
from torrey.cell.material import NO_CELL_PROBLEM
from torrey.config.materials import material_facts
from torrey.door.cell import Cell
from torrey.door.gradients import Gradients
from torrey.door.quantities import argument, inside, quantities
from torrey.door.signals import check_sweep, check_tolerance, read_models
from torrey.door.site import Site
from torrey.door.threads import single_threaded
from torrey.gradients.blocks import blocks_of
from torrey.gradients.protocol import EncodingKind
from torrey.gradients.sweep import (
    REFERENCE,
    Acquisition,
    Product,
    Samples,
    Sweep,
    WaveformGrid,
)
from torrey.gradients.waveforms import KINDS, SampledWaveform, Waveform
from torrey.reference.span import Span
from torrey.study.dictionary import BlockSignals, Places, Progress, write_dictionary
from torrey.study.model_blocks import model_block
from torrey.study.reference_blocks import reference_block

if TYPE_CHECKING:
    import xarray

    from torrey.door.gradients import Directions, Strengths, Waveforms
    from torrey.door.orientations import Orientations
    from torrey.door.quantities import Quantities

_CALL: Final = "dictionary"
_PARTS: Final = ("outside", "inside", "layer", "coat")


@single_threaded
def dictionary(
    cell: Cell,
    waveform: Waveforms,
    *,
    b: Quantities | None = None,
    q: Quantities | None = None,
    gradient: Quantities | None = None,
    direction: Directions | None = None,
    orientation: Orientations | None = None,
    period: Quantities | None = None,
    permeability: Quantities | None = None,
    diffusivities: Mapping[str, Quantities] | None = None,
    model: str | Sequence[str] = REFERENCE,
    tolerance: float = 1e-4,
    path: str | PathLike[str] | None = None,
    progress: Callable[[str], None] | None = None,
) -> xarray.Dataset:
    """Signals of many cells that differ in period, permeability and diffusivities.

    It is the table of the section ``dictionaries`` of a configuration, computed block by block.

    Parameters
    ----------
    cell : Cell
    waveform, b, q, gradient, direction, orientation, model, tolerance
        See `Cell.signal`; the reference is by projected models.
    period, permeability : quantity or list of quantity, optional
        By default those of the cell. A permeability is that of all membranes.
    diffusivities : mapping, optional
        For every part of the cell (``outside``, ``inside``, ...) a quantity or a list of them.
    path : path, optional
        A NetCDF file to write.
    progress : callable, optional
        Takes lines on what is done and how long the rest will take, such as `print`.

    Returns
    -------
    Dataset
        ``signal_real``, ``signal_imag``, ``numerical_error`` and ``validity``: docs/artifacts.md.

    Raises
    ------
    InputError, ToleranceError
        If an argument cannot be used, or the meshes do not reach the tolerance.

    Examples
    --------
    >>> import torrey as tr
    >>> cell = tr.Cell(tr.Layers((1.0,)), 2.0, "10 um", "1e-5 m/s")
    >>> table = tr.dictionary(cell, tr.Pgse(5, 25), b=[0.5, 1.0], period=[8, 10, 12], model="R2")
    >>> table.signal_real.sel(model="R2", b=1.0).round(2).values.ravel().tolist()
    [0.92, 0.9, 0.89]
    """
    strengths: Strengths = {"b": b, "q": q, "gradient": gradient}
    check_tolerance(_CALL, tolerance)
    cells, places = _read_cells(cell, permeability, diffusivities)
    asked = waveform, strengths, direction, orientation
    task = _read(cells, places, period, _read_permeabilities(permeability), asked, model)
    return replace(task, tolerance=float(tolerance)).write(path, progress or _nothing_said)


def _read(
    cells: Callable[[], Iterator[Cell]],
    places: Places,
    period: Quantities | None,
    kappas: tuple[float, ...],
    asked: tuple[Any, Any, Any, Any],
    model: str | Sequence[str],
) -> _Task:
    """Check what is asked for, in every cell."""
    first = next(cells())
    site, gradients = first.site.read(_CALL, *asked)
    with argument(_CALL, "period"):
        periods = (first.period,) if period is None else quantities(period, "length", "positive")
    kind = site.permeability_kind
    sweep = Sweep(periods, kind, kappas or (site.permeability,), _protocol(gradients))
    models = read_models(_CALL, site, gradients, model)
    _spend(sweep, places, len(models))
    for one in cells():
        site, _ = one.site.read(_CALL, *asked)
        read_models(_CALL, site, gradients, model)
        _check(site, models, gradients, sweep)
    return _Task(cells, gradients, sweep, places, models)


@dataclass(frozen=True)
class _Task:
    """What is to be computed: see `dictionary`."""

    cells: Callable[[], Iterator[Cell]]
    gradients: Gradients
    sweep: Sweep
    places: Places
    models: tuple[str, ...]
    tolerance: float = 1e-4

    def write(self, path: str | PathLike[str] | None, say: Callable[[str], None]) -> xarray.Dataset:
        """Compute and write all signals; without a path the file is gone at the end."""
        if path is None:
            with TemporaryDirectory() as folder:
                return self.write(Path(folder) / "dictionary.nc", say)
        path, source = Path(path), Provenance(_CALL, self._parameters())
        blocks = self._blocks(say)
        write_dictionary(path, self.places, self.sweep, self.models, blocks, source)
        return artifacts.open_dataset(path)

    def _parameters(self) -> dict[str, str | int | float]:
        """What the signals depend on but for the diffusivities that are axes of the table."""
        medium = next(self.cells()).medium
        shape, options = medium.discretisation.shape, medium.discretisation.options
        return {
            "models": ",".join(self.models),
            "tolerance": self.tolerance,
            "sweep": self.sweep.to_json(),
            "mesh": repr(options),
            **{f"geometry_{key}": value for key, value in shape.to_dict().items()},
            **{f"material_{key}": value for key, value in medium.material.to_dict().items()},
        }

    def _blocks(self, say: Callable[[str], None]) -> Iterator[Mapping[str, NDArray[Any]]]:
        """Values of all blocks, in the order of the table."""
        count = len(self.models) * math.prod(len(values) for _, values in self.places)
        progress = Progress(count * self.sweep.size, say)
        for model in self.models:
            for cell in self.cells():
                medium = cell.medium.for_axes(self.gradients.n_axes)
                for block in blocks_of(self.sweep):
                    yield self._solve(model, block.sweep, medium, progress).values()

    def _solve(self, model: str, sweep: Sweep, medium: Any, progress: Progress) -> BlockSignals:
        if model != REFERENCE:
            return model_block(sweep, model, medium.levels, progress)
        ladders = medium.ladders.of(Span.of(sweep))
        return reference_block(sweep, self.tolerance, ladders, medium.finer, progress)


def _nothing_said(_: str) -> None:
    """Nobody wants to know."""


def _read_cells(
    cell: Cell, permeability: Quantities | None, diffusivities: Mapping[str, Quantities] | None
) -> tuple[Callable[[], Iterator[Cell]], Places]:
    """What makes the cells of all combinations of diffusivities, one at a time; and their axes."""
    kappas = _read_permeabilities(permeability)
    with argument(_CALL, "permeability"):
        base = cell.with_(permeability=max(kappas)) if kappas else cell
    places = []
    with argument(_CALL, "diffusivities"):
        if not isinstance(diffusivities, Mapping | None):
            raise InputError(
                quoted(str(diffusivities)), 'a mapping, such as {"inside": [1.0, 2.0]}'
            )
        for part, values in (diffusivities or {}).items():
            if part not in _PARTS:
                raise InputError(quoted(str(part)), f"some of {', '.join(_PARTS)}")
            with inside(part):
                places.append((part, quantities(values, "diffusivity", "zero")))
        count = math.prod(len(values) for _, values in places)
        if count > MOST_MATERIALS:
            raise InputError(f"{count} combinations", f"at most {MOST_MATERIALS}")

    def cells() -> Iterator[Cell]:
        for values in product(*(values for _, values in places)):
            given = {part: value for (part, _), value in zip(places, values, strict=True)}
            yield base.with_(diffusivity=given) if given else base

    return cells, tuple(places)


def _read_permeabilities(permeability: Quantities | None) -> tuple[float, ...]:
    with argument(_CALL, "permeability"):
        return () if permeability is None else quantities(permeability, "permeability", "zero")


def _protocol(gradients: Gradients) -> Product | Acquisition:
    """The gradients as a product of axes if they are one, or as rows."""
    shapes = _shapes(gradients.waveforms)
    if shapes is None:
        kind: EncodingKind = "gradient" if gradients.strength == "gradient" else "b"
        return Acquisition(kind, gradients.in_scanner, gradients.fibres)
    return Product(
        shapes,
        gradients.strength,
        gradients.strengths,
        gradients.directions,
        gradients.sphere,
        gradients.fibres,
    )


def _shapes(waveforms: tuple[Waveform, ...]) -> WaveformGrid | Samples | None:
    """Waveforms as a product of their parameters, or as those of files, if they are."""
    samples = tuple(one for one in waveforms if isinstance(one, SampledWaveform))
    names = {one.name for one in samples}
    if len(names) == len(waveforms):
        return Samples(samples)
    kind = waveforms[0].kind
    if KINDS.get(kind) is not type(waveforms[0]):
        return None
    axes = {
        name: tuple(dict.fromkeys(one.parameters.get(name) for one in waveforms))
        for name in KINDS[kind].parameter_names()
    }
    if any(one.kind != kind for one in waveforms):
        return None
    grid = WaveformGrid(kind, tuple(axes.items()))  # type: ignore[arg-type]
    return grid if grid.waveforms == waveforms else None


def _spend(sweep: Sweep, places: Places, models: int) -> None:
    """Refuse more signals, or measurements of a cell, than a dictionary may have."""
    rows = math.prod(sweep.shape[2:])
    total = models * sweep.size * math.prod(len(values) for _, values in places)
    for found, count, most in (
        ("measurements of each cell", rows, MOST_MEASUREMENTS),
        ("signals", total, MOST_DICTIONARY_SIGNALS),
    ):
        if count > most:
            raise InputError(f"{count} {found}", f"at most {most}", (f"{_CALL}(...)",))


def _check(site: Site, models: tuple[str, ...], gradients: Gradients, sweep: Sweep) -> None:
    """Refuse values that leave no signal, and a reference that projected models cannot give."""
    material, shape = site.medium.material, site.medium.discretisation.shape
    check_sweep(_CALL, _CALL, gradients.strength, sweep, material)
    if REFERENCE in models and material_facts(material, shape)["sticks"]:
        raise InputError(*NO_CELL_PROBLEM, (f"{_CALL}(model=...)",))
