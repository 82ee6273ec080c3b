"""Figures of one's own: what each kind of them shows, and what it cannot show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from torrey.base.errors import KeyPath
from torrey.config.domain import FigureRequest, Geometry, Study
from torrey.config.figure_models import AnyOwnFigure
from torrey.config.findings import Findings
from torrey.config.nodes import listed
from torrey.config.own_cuts import check_models, chosen, fixed_places
from torrey.config.own_places import COLOUR, MOST_PANELS, PANEL, Reader, X, Y, example, places_of
from torrey.gradients.instants import distinct, still_times
from torrey.gradients.sweep import ENCODINGS, REFERENCE

DIRECTION: Final = "direction"
_FEWEST_DIRECTIONS: Final = 3


def read_own_figure(
    findings: Findings,
    name: str,
    geometries: Mapping[str, Geometry],
    studies: Mapping[str, Study],
) -> FigureRequest | None:
    """Build the request of a figure with a kind, or note what it cannot show and return None.

    Parameters
    ----------
    findings : Findings
        Holds the files and collects the problems.
    name : str
        Name of the figure.
    geometries, studies : mapping
        Those without problems; a figure of others is not checked against them.
    """
    path = ("figures", name)
    before = len(findings.problems)
    model: Any = findings.validate(path, AnyOwnFigure)
    if model is None:
        return None
    shown: dict[str, Any] = {}
    for section in ("studies", "geometries", "bloch", "inversions"):
        names = getattr(model, section, [])
        for i, entry in enumerate(names):
            findings.require_entry((*path, section, i), entry, section)
        findings.require_once((*path, section), names)
        shown[section] = tuple(names)
    known = [studies[entry] for entry in shown["studies"] if entry in studies]
    if len(findings.problems) > before or len(known) < len(shown["studies"]):
        return None
    if model.kind == "geometry":
        settings = _geometry(findings, path, model, geometries)
    elif model.kind == "magnetisation":
        settings = _magnetisation(Reader(findings, path, known), model)
    elif model.kind in _SETTINGS:
        settings = _of_studies(Reader(findings, path, known), model)
    else:
        settings = {}
    if len(findings.problems) > before:
        return None
    return FigureRequest(
        name,
        **shown,
        on_request=model.on_request,
        kind=model.kind,
        settings=tuple(settings.items()),
    )


def _of_studies(reader: Reader, model: Any) -> dict[str, Any]:
    """Settings of a kind that shows studies, or the part of them that ``models`` and ``at`` say."""
    reader = replace(reader, **_READS.get(model.kind, {}))
    check_models(reader, model.models)
    fixed = fixed_places(reader, model.at)
    reader = replace(reader, fixed=frozenset(model.at))
    cut: dict[str, Any] = {"models": tuple(model.models)} if model.models else {}
    return _SETTINGS[model.kind](reader, model) | cut | ({"at": fixed} if model.at else {})


def _signals(reader: Reader, model: Any) -> dict[str, str]:
    return places_of(reader, {place: getattr(model, place) for place in (X, COLOUR, PANEL)})


def _angles(reader: Reader, model: Any) -> dict[str, Any]:
    for i, study in enumerate(reader.studies):
        count = len(study.sweep.axes().get(DIRECTION, ()))
        if count < _FEWEST_DIRECTIONS:
            found = f"study {study.name} with {count} direction{'' if count == 1 else 's'}"
            accepted = f"one with {_FEWEST_DIRECTIONS} or more in directions"
            reader.findings.add((*reader.path, "studies", i), found, accepted)
    if len({study.sweep.protocol.n_axes for study in reader.studies}) > 1:
        found = "directions in the plane and in space"
        reader.refuse("studies", found, "studies with the one or with the other")
    if model.sphere:
        return _sphere(reader, model)
    return places_of(reader, {COLOUR: model.colour, PANEL: model.panel})


def _sphere(reader: Reader, model: Any) -> dict[str, Any]:
    if any(study.sweep.protocol.n_axes < 3 for study in reader.studies):
        reader.refuse("sphere", "directions in the plane", "false, or directions in space")
    if model.colour:
        reader.refuse(COLOUR, "colour beside sphere", "no such key: colours are those of signals")
    places = places_of(reader, {PANEL: model.panel})
    models = {name for study in reader.studies for name in chosen(study.models, model.models)}
    _check_maps(reader, "sphere", places[PANEL], len(models))
    return {COLOUR: "", **places, "sphere": True}


def _check_maps(reader: Reader, key: str, panel: str, models: int) -> None:
    """Note more maps, one of each model in each panel, than a page has room for."""
    maps = len(reader.axes.get(panel, ("",))) * models
    if maps > MOST_PANELS:
        each = f" for each value of {panel}" if panel else ""
        reader.refuse(key, f"{maps} maps, one of each model{each}", f"at most {MOST_PANELS}")


def _orders(reader: Reader, model: Any) -> dict[str, str]:
    _check_compared(reader, model)
    for i, study in enumerate(reader.studies):
        if not study.has_orders and study.homogenised and REFERENCE in study.models:
            found = f"study {study.name} with one period"
            reader.findings.add((*reader.path, "studies", i), found, "one with several periods")
    return places_of(reader, {PANEL: model.panel})


def _cumulants(reader: Reader, model: Any) -> dict[str, str]:
    for i, study in enumerate(reader.studies):
        if not study.cumulants:
            found = f"study {study.name} without cumulants"
            reader.findings.add(
                (*reader.path, "studies", i), found, "one with the key cumulants: true"
            )
    return places_of(reader, {X: model.x, COLOUR: model.colour})


def _check_compared(reader: Reader, model: Any) -> None:
    """Note what has no errors: studies without a reference or other models, and the reference."""
    for i, study in enumerate(reader.studies):
        if REFERENCE not in study.models or not study.homogenised:
            found = f"study {study.name} with the models {listed(study.models)}"
            accepted = f"one with {REFERENCE} and others"
            reader.findings.add((*reader.path, "studies", i), found, accepted)
    if model.models and REFERENCE in model.models and len(model.models) == 1:
        reader.refuse("models", REFERENCE, "models whose errors by it are drawn")


def _errors(reader: Reader, model: Any) -> dict[str, str]:
    _check_compared(reader, model)
    if not model.map:
        return _signals(reader, model) | {Y: ""}
    for key in (X, COLOUR):
        if getattr(model, key):
            reader.refuse(key, f"{key} beside map", "no such key: a map has two axes of its own")
    if len(reader.studies) > 1:
        reader.refuse("studies", f"{len(reader.studies)} studies", "one study for a map")
    x, y = model.map
    over_two = replace(reader, keys={X: "map", Y: "map"})
    places = places_of(over_two, {X: x, Y: y, PANEL: model.panel})
    models = chosen(reader.studies[0].homogenised, model.models)
    _check_maps(reader, "map", places[PANEL], len(models))
    return {COLOUR: "", **places}


def _magnetisation(reader: Reader, model: Any) -> dict[str, Any]:
    """The measurement of one study that is shown, and the times of the stills."""
    if len(reader.studies) > 1:
        reader.refuse("studies", f"{len(reader.studies)} studies", "one study")
        return {}
    study = reader.studies[0]
    fixed = fixed_places(reader, model.at)
    reader = replace(reader, fixed=frozenset(model.at))
    for axis in reader.varying:
        found, one = f"{len(reader.axes[axis])} values of {axis}", example(reader, axis)
        reader.refuse("", found, f"one of them, such as {one}")
    if reader.varying or set(model.at) - set(reader.axes):
        return {}
    waveform = study.sweep.point_at(fixed[study.name]).waveform
    echo = waveform.echo_time
    for i, time in enumerate(model.times):
        if time > echo * (1.0 + 1e-9):
            accepted = f"a time from 0 ms to the echo at {echo:.10g} ms"
            reader.findings.add((*reader.path, "times", i), f"{time:.10g} ms", accepted)
    times = distinct([min(t, echo) for t in model.times], echo) or still_times(waveform)
    return {"at": fixed, "times": times, "value": model.value}


def _geometry(
    findings: Findings, path: KeyPath, model: Any, geometries: Mapping[str, Geometry]
) -> dict[str, Any]:
    findings.require_once((*path, "show"), model.show)
    for name in model.geometries:
        solid = name in geometries and geometries[name].shape.dimension == 3
        if solid and "extension" in model.show:
            accepted = "an extension of cells in one or two dimensions"
            findings.add((*path, "show"), f"extension of {name}, a cell in space", accepted)
    count = len(model.show) * len(model.geometries)
    if count > MOST_PANELS:
        found = f"{count} panels, {len(model.show)} for each geometry"
        findings.add(path, found, f"at most {MOST_PANELS}")
    return {"show": tuple(model.show)}


_SETTINGS: Final = {
    "signals": _signals,
    "errors": _errors,
    "angles": _angles,
    "orders": _orders,
    "cumulants": _cumulants,
}
#: What the files of a kind are over: an axis that is drawn along, and axes that they lack.
_READS: Final[Mapping[str, Mapping[str, Any]]] = {
    "angles": {"along": DIRECTION},
    "orders": {"along": "period"},
    "cumulants": {"without": ENCODINGS},
}
