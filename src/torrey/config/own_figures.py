"""Figures of one's own: which axis of the studies goes where, and what cannot be shown.

A figure has *places* for axes, such as ``x``, ``colour`` and ``panel``. What the user leaves open
is filled here: the axis with most values along x, the next in colours, the next in panels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from torrey.base.budgets import quoted
from torrey.base.errors import KeyPath, either
from torrey.config.domain import FigureRequest, Geometry, Study
from torrey.config.figure_models import AnyOwnFigure
from torrey.config.findings import Findings, nearest
from torrey.gradients.sweep import REFERENCE, WAVEFORM

STUDY: Final = "study"
"""Name of the axis that several studies of one figure are."""

MOST_COLOURS: Final = 8
"""Colours that can be told apart."""
MOST_PANELS: Final = 12
"""Panels of a page."""

X, Y, COLOUR, PANEL = "x", "y", "colour", "panel"
#: Axes whose values are no numbers.
_LABELS: Final = ("direction", "orientation", WAVEFORM, STUDY)
_MOST: Final = {COLOUR: MOST_COLOURS, PANEL: MOST_PANELS}


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
    for section in ("studies", "geometries"):
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
    else:
        settings = _SETTINGS[model.kind](_Reader(findings, path, known), model)
    if len(findings.problems) > before:
        return None
    return FigureRequest(
        name,
        **shown,
        on_request=model.on_request,
        kind=model.kind,
        settings=tuple(settings.items()),
    )


@dataclass(frozen=True)
class _Reader:
    """The studies of a figure, and where to note what it cannot show of them.

    `keys` are those of places that have another name in the file.
    """

    findings: Findings
    path: KeyPath
    studies: Sequence[Study]
    keys: Mapping[str, str] = field(default_factory=dict)

    def refuse(self, key: str, found: str, accepted: str) -> None:
        """Note a problem with a key of the figure, or with the figure where it has no such key."""
        written = self.keys.get(key, key)
        self.findings.add((*self.path, written) if key else self.path, found, accepted)

    @property
    def axes(self) -> dict[str, tuple[Any, ...]]:
        """Values of each axis that all studies have, those of any of them; and the studies."""
        swept = [study.sweep.axes() for study in self.studies]
        shared = [axis for axis in swept[0] if all(axis in axes for axes in swept)]
        found = {
            axis: tuple(dict.fromkeys(value for axes in swept for value in axes[axis]))
            for axis in shared
        }
        if len(self.studies) > 1:
            found[STUDY] = tuple(study.name for study in self.studies)
        return found

    def varies(self, axis: str) -> bool:
        """Whether some study has several values of an axis, which a place must be found for."""
        if axis == STUDY:
            return len(self.studies) > 1
        return any(len(study.sweep.axes().get(axis, ())) > 1 for study in self.studies)

    @property
    def varying(self) -> list[str]:
        """Axes with several values by their number, the largest first."""
        count = {axis: len(values) for axis, values in self.axes.items() if self.varies(axis)}
        return sorted(count, key=lambda axis: -count[axis])


def _signals(reader: _Reader, model: Any) -> dict[str, str]:
    return _places(reader, {place: getattr(model, place) for place in (X, COLOUR, PANEL)})


def _errors(reader: _Reader, model: Any) -> dict[str, str]:
    for i, study in enumerate(reader.studies):
        if REFERENCE not in study.models or not study.homogenised:
            found = f"study {study.name} with the models {_list(study.models)}"
            accepted = f"one with {REFERENCE} and others"
            reader.findings.add((*reader.path, "studies", i), found, accepted)
    if not model.map:
        return _signals(reader, model) | {Y: ""}
    for key in (X, COLOUR):
        if getattr(model, key):
            reader.refuse(key, f"{key} beside map", "no such key: a map has two axes of its own")
    if len(reader.studies) > 1:
        reader.refuse("studies", f"{len(reader.studies)} studies", "one study for a map")
    x, y = model.map
    over_two = replace(reader, keys={X: "map", Y: "map"})
    places = _places(over_two, {X: x, Y: y, PANEL: model.panel})
    maps = len(reader.axes.get(places[PANEL], ("",))) * len(reader.studies[0].homogenised)
    if maps > MOST_PANELS:
        found = f"{maps} maps, one of each model for each value of {places[PANEL] or 'both axes'}"
        reader.refuse("map", found, f"at most {MOST_PANELS}")
    return {COLOUR: "", **places}


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


_SETTINGS: Final = {"signals": _signals, "errors": _errors}


def _places(reader: _Reader, given: Mapping[str, str]) -> dict[str, str]:
    """Find an axis for every place, or note why there is none; empty texts stand for no axis."""
    before = len(reader.findings.problems)
    for place, axis in given.items():
        _check_given(reader, given, place, axis)
    if len(reader.findings.problems) > before:
        return dict(given)
    places = dict(given)
    left = [axis for axis in reader.varying if axis not in given.values()]
    for place, axis in given.items():
        if not axis:
            places[place] = next((one for one in left if _fits(reader, place, one)), "")
            left = [one for one in left if one != places[place]]
    if not places[X]:
        reader.refuse(
            "", f"no axis with several numbers in {_named(reader)}", "a study over b, for example"
        )
        return places
    for axis in left:
        _refuse_left(reader, places, axis)
    for place in (COLOUR, PANEL):
        if axis := places.get(place, ""):
            _check_shared(reader, place, axis)
    return places


def _check_given(reader: _Reader, given: Mapping[str, str], place: str, axis: str) -> None:
    """Note an axis that is not there, that stands at two places or that does not fit its place."""
    if not axis:
        return
    axes = reader.axes
    if axis not in axes:
        near = nearest(axis, list(axes))
        reader.refuse(place, f"{quoted(axis)}{near}", f"an axis of {_named(reader)}: {_list(axes)}")
        return
    others = [other for other, taken in given.items() if taken == axis and other != place]
    if others and list(given).index(others[0]) < list(given).index(place):
        reader.refuse(place, f"{axis}, which {others[0]} shows", "an axis of its own, or no key")
    elif not reader.varies(axis):
        accepted = f"an axis with several values: {_list(reader.varying) or 'there are none'}"
        reader.refuse(place, f"{axis} with one value", accepted)
    elif place in (X, Y) and axis in _LABELS:
        numbers = [one for one in reader.varying if one not in _LABELS]
        accepted = f"an axis of numbers: {_list(numbers) or 'there are none'}"
        reader.refuse(place, f"{axis}, whose values are no numbers", accepted)
    elif place in _MOST and len(axes[axis]) > _MOST[place]:
        accepted = f"at most {_MOST[place]}, or {axis} at another place"
        reader.refuse(place, f"{len(axes[axis])} values of {axis}", accepted)


def _fits(reader: _Reader, place: str, axis: str) -> bool:
    if place == X:
        return axis not in _LABELS
    return len(reader.axes[axis]) <= _MOST[place]


def _refuse_left(reader: _Reader, places: Mapping[str, str], axis: str) -> None:
    """Note an axis with several values for which there is no place."""
    taken = ", ".join(f"{place}: {one}" for place, one in places.items() if one)
    count = len(reader.axes[axis])
    of = f"{count} studies" if axis == STUDY else f"{count} values of {axis}"
    free = [place for place in places if not places[place]]
    if free:
        limits = " and ".join(f"{_MOST[place]} values as {place}" for place in free)
        accepted = f"at most {limits}"
    else:
        remedy = "one study" if axis == STUDY else f"studies with one value of {axis}"
        accepted = f"{remedy}, or {axis} as {either(places)} in the place of another axis"
    reader.refuse("", f"{of} beside {taken}", accepted)


def _check_shared(reader: _Reader, place: str, axis: str) -> None:
    """Note colours or panels that are not the same in all studies."""
    if axis == STUDY or len({study.sweep.axes()[axis] for study in reader.studies}) == 1:
        return
    found = f"different values of {axis} in {_named(reader)}"
    reader.refuse(place, found, "the same in all, in the same order")


def _named(reader: _Reader) -> str:
    names = ", ".join(study.name for study in reader.studies)
    return f"{'studies' if len(reader.studies) > 1 else 'study'} {names}"


def _list(names: Any) -> str:
    return ", ".join(names)
