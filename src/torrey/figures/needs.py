"""What figures and tables can show of a configuration, said before anything is computed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from torrey.base.errors import either
from torrey.geometry.shapes import Shape
from torrey.gradients.sweep import Product, WaveformGrid

if TYPE_CHECKING:
    # Every job that draws would pay for it: half a second.
    from torrey.config import Config
    from torrey.config.domain import BlochRun, Inversion, Study

Direction = tuple[int, ...]


@dataclass(frozen=True)
class StudyNeeds:
    """What the studies of a figure must sweep, and by which models.

    Attributes
    ----------
    x : tuple of str
        Swept quantities along the axes of the panels: there, and the same in all studies.
    over : tuple of str
        Swept quantities with a value for each panel.
    each : tuple of str
        Instead of `x`: what the first study is over, the second, ...
    free : tuple of str, optional
        Others that may have several values; all without it. What is not named has one value.
    several : tuple of str
        Those that need two values or more.
    shared, common : tuple of str
        Those whose values are the same in all studies, or have one that is.
    models, one_of : tuple of str
        Models that must be there, and of which one must.
    compared : bool
        Whether there must be a model beside the reference.
    waveforms : tuple of str
        Kinds of waveforms; any without.
    layered : bool
        Whether all cells but the first have layers.
    closed : bool
        Whether no water may pass membranes or vanish at surfaces.
    """

    x: tuple[str, ...] = ()
    over: tuple[str, ...] = ()
    each: tuple[str, ...] = ()
    free: tuple[str, ...] | None = ()
    several: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    common: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    compared: bool = False
    waveforms: tuple[str, ...] = ()
    layered: bool = False
    closed: bool = False


@dataclass(frozen=True)
class RunNeeds:
    """What runs of the section ``bloch`` must be.

    Attributes
    ----------
    kind : str
    directions : int, optional
        At most.
    along : tuple of tuple of int
        Directions that must be among those of a run.
    along_x : bool
        Whether the first direction must be the first axis.
    shared : tuple of str
        Keys whose values are the same in all runs.
    """

    kind: str
    directions: int | None = None
    along: tuple[Direction, ...] = ()
    along_x: bool = False
    shared: tuple[str, ...] = ()


@dataclass(frozen=True)
class FitNeeds:
    """What inversions must be: their kind, a parameter that they find, and noise.

    ``measured`` are fits of measured signals, ``volumes`` those that have maps.
    """

    kind: Literal["karger", "physical", "exchange", "measured", "volumes"]
    parameter: str = ""
    noise: bool = False


@dataclass(frozen=True)
class Needs:
    """What a figure or a table can show.

    Attributes
    ----------
    least, most : int
        Numbers of entries; any number from `least` without `most`.
    dimension : int, optional
        Of the cells.
    outlines : {"", "membranes", "obstacles"}
        What every cell must have; a surface of an obstacle is drawn as a membrane is.
    studies, runs, fits : optional
        What the entries of these sections must be.
    """

    least: int = 1
    most: int | None = None
    dimension: int | None = None
    outlines: Literal["", "membranes", "obstacles"] = ""
    studies: StudyNeeds | None = None
    runs: RunNeeds | None = None
    fits: FitNeeds | None = None


def studies(
    x: tuple[str, ...] = (),
    over: tuple[str, ...] = (),
    *,
    least: int = 1,
    most: int | None = None,
    dimension: int | None = None,
    **needs: Any,
) -> Needs:
    """Studies over some quantities; others as in `Needs` and `StudyNeeds`."""
    return Needs(least, most, dimension, studies=StudyNeeds(x, over, **needs))


def runs(kind: str, *, most: int | None = 1, dimension: int | None = None, **needs: Any) -> Needs:
    """Runs of one kind, one of them without `most`; others as in `RunNeeds`."""
    return Needs(most=most, dimension=dimension, runs=RunNeeds(kind, **needs))


def unmet(needs: Needs, config: Config, section: str, names: Sequence[str]) -> Iterator[str]:
    """Say what is found, and what would be accepted, of all that is not as needed.

    Parameters
    ----------
    needs : Needs
    config : Config
    section : str
        Of the entries: ``geometries``, ``studies``, ``inversions``, ``bloch`` or ``voxels``.
    names : sequence of str
        The entries that a figure or a table shows.
    """
    yield from _of_count(needs, section, names)
    for name, shape in _shapes(config, section, names):
        yield from _of_shape(needs, name, shape)
    if section == "studies" and needs.studies is not None:
        solved = [config.studies[name] for name in names]
        for i, study in enumerate(solved):
            yield from _of_study(needs.studies, study, i)
        yield from _of_studies(needs.studies, solved)
    if section == "bloch" and needs.runs is not None:
        computed = [config.bloch[name] for name in names]
        for run in computed:
            yield from _of_run(needs.runs, run)
        yield from _of_runs(needs.runs, computed)
    if section == "inversions" and needs.fits is not None:
        for name in names:
            if name in config.fits:
                yield from _of_data_fit(needs.fits, config, name)
            else:
                yield from _of_fit(needs.fits, config.inversions[name])


def _of_count(needs: Needs, section: str, names: Sequence[str]) -> Iterator[str]:
    count, least, most = len(names), needs.least, needs.most
    if least <= count and (most is None or count <= most):
        return
    if most is None:
        accepted = f"{least} or more"
    else:
        accepted = f"{most}" if least == most else f"{least} to {most}"
    yield f"found {count} entries in {section}, accepted: {accepted}"


def _shapes(config: Config, section: str, names: Sequence[str]) -> Iterator[tuple[str, Shape]]:
    """What is shown, in words, and its cell."""
    entries: dict[str, tuple[str, Any]] = {
        "geometries": ("geometry", config.geometries),
        "studies": ("study", config.studies),
        "bloch": ("run", config.bloch),
    }
    if section in entries:
        noun, known = entries[section]
        for name in names:
            yield f"{noun} {name}", known[name].shape


def _of_shape(needs: Needs, name: str, shape: Shape) -> Iterator[str]:
    d = shape.dimension
    if needs.dimension not in (None, d):
        yield f"found {name} in {d} dimensions, accepted: a cell in {needs.dimension} dimensions"
    membranes = shape.membranes()
    if needs.outlines == "membranes" and not membranes:
        yield f"found {name} without membranes, accepted: a cell with membranes or obstacles"
    if needs.outlines == "obstacles" and not any(m.is_surface for m in membranes):
        yield f"found {name} without obstacles, accepted: a cell with obstacles"


# ---- studies ----


def _of_study(needs: StudyNeeds, study: Study, number: int) -> Iterator[str]:
    """What one study, the `number`-th, lacks or has too much of."""
    here = f"found study {study.name}"
    axes = study.sweep.axes()
    own = needs.each[number : number + 1] or needs.x
    needed = dict.fromkeys((*own, *needs.over, *needs.shared, *needs.common))
    for axis in needed:
        if axis not in axes:
            yield f"{here} over {', '.join(axes)}, accepted: one with {axis}"
    if needs.free is not None:
        for axis, values in axes.items():
            if len(values) > 1 and axis not in (*own, *needs.over, *needs.free):
                yield f"{here} with {len(values)} values of {axis}, accepted: one value"
    for axis in needs.several:
        if len(axes.get(axis, (0, 0))) < 2:
            yield f"{here} with one value of {axis}, accepted: two values or more"
    for model in needs.models:
        if model not in study.models:
            yield f"{here} with the models {', '.join(study.models)}, accepted: {model} among them"
    if needs.one_of and not set(needs.one_of) & set(study.models):
        accepted = f"{either(needs.one_of)} among them"
        yield f"{here} with the models {', '.join(study.models)}, accepted: {accepted}"
    if needs.compared and not study.homogenised:
        yield f"{here} with the reference alone, accepted: other models beside it"
    kind = _waveform(study)
    if needs.waveforms and kind not in needs.waveforms:
        yield f"{here} with the waveform {kind}, accepted: {either(needs.waveforms)}"
    if needs.closed and any(study.sweep.permeabilities):
        given = f"{study.sweep.permeability_kind} above zero"
        yield f"{here} with {given}, accepted: one with permeability 0 m/s"
    layer = bool(getattr(study.shape, "layer", 0.0))
    if needs.layered and layer != (number > 0):
        accepted = "one with a layer" if number else "first one with membranes, then with layers"
        yield f"{here} {'with' if layer else 'without'} a layer, accepted: {accepted}"


def _waveform(study: Study) -> str:
    protocol = study.sweep.protocol
    if not isinstance(protocol, Product):
        kinds = {row.waveform.kind for row in protocol.rows}
        return kinds.pop() if len(kinds) == 1 else "of an acquisition"
    return protocol.shapes.kind if isinstance(protocol.shapes, WaveformGrid) else "of a file"


def _of_studies(needs: StudyNeeds, studies: Sequence[Study]) -> Iterator[str]:
    """What must be the same in all studies and is not."""
    swept = [study.sweep.axes() for study in studies]
    named = f"found studies {', '.join(study.name for study in studies)}"
    for axis in dict.fromkeys((*needs.x, *needs.shared)):
        if len({axes[axis] for axes in swept if axis in axes}) > 1:
            yield f"{named} with different values of {axis}, accepted: the same in all"
    for axis in needs.common:
        values = [set(axes[axis]) for axes in swept if axis in axes]
        if values and not set.intersection(*values):
            yield f"{named} without a common value of {axis}, accepted: one that all have"
    if needs.x:
        if len({study.models for study in studies}) > 1:
            yield f"{named} with different models, accepted: the same in all, in the same order"
        if len({frozenset(axes) for axes in swept}) > 1:
            yield f"{named} over different quantities, accepted: the same in all"


# ---- runs and inversions ----

_ALONG: Final = "directions"


def _of_run(needs: RunNeeds, run: BlochRun) -> Iterator[str]:
    if run.kind != needs.kind:
        accepted = f"a run of kind {needs.kind}"
        yield f"found run {run.name} of kind {run.kind}, accepted: {accepted}"
        return
    directions = dict(run.settings).get(_ALONG, ())
    if needs.directions is not None and len(directions) > needs.directions:
        accepted = "one direction" if needs.directions == 1 else f"at most {needs.directions}"
        yield f"found run {run.name} with {len(directions)} directions, accepted: {accepted}"
    if needs.along_x and directions[0] != (1, *(0 for _ in directions[0][1:])):
        yield f"found run {run.name} along {list(directions[0])} first, accepted: the first axis"
    for direction in needs.along:
        if direction not in directions:
            given = ", ".join(str(list(each)) for each in directions)
            yield f"found run {run.name} along {given}, accepted: {list(direction)} among them"


def _of_runs(needs: RunNeeds, runs: Sequence[BlochRun]) -> Iterator[str]:
    chosen = [dict(run.settings) for run in runs if run.kind == needs.kind]
    for key in needs.shared:
        if len({settings[key] for settings in chosen}) > 1:
            named = ", ".join(run.name for run in runs)
            yield f"found runs {named} with different {key}, accepted: the same in all"


def _of_data_fit(needs: FitNeeds, config: Config, name: str) -> Iterator[str]:
    volumes = config.data[config.fits[name].data].is_volume
    if needs.kind not in ("measured", "volumes"):
        yield f"found inversion {name} of measured signals, accepted: one of kind {needs.kind}"
    elif needs.kind == "volumes" and not volumes:
        yield f"found inversion {name} of a table, accepted: one of a NIfTI file"


def _of_fit(needs: FitNeeds, fit: Inversion) -> Iterator[str]:
    here = f"found inversion {fit.name}"
    if needs.kind in ("measured", "volumes"):
        yield f"{here} of studies, accepted: one of measured signals"
        return
    if fit.kind != needs.kind:
        yield f"{here} of kind {fit.kind}, accepted: one of kind {needs.kind}"
        return
    if needs.parameter and needs.parameter not in fit.parameters:
        given = ", ".join(fit.parameters)
        yield f"{here} with the parameters {given}, accepted: {needs.parameter} among them"
    if needs.noise and fit.noise is None:
        yield f"{here} without noise, accepted: one with noise"
