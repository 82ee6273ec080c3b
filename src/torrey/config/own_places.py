"""Which axis of its studies a figure of one's own shows where.

A figure has *places* for axes, such as ``x``, ``colour`` and ``panel``. What the user leaves open
is filled here: the axis with most values along x, the next in colours, the next in panels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from torrey.base.budgets import quoted
from torrey.base.errors import KeyPath, either
from torrey.base.nearest import did_you_mean
from torrey.config.axis_values import written
from torrey.config.domain import Study
from torrey.config.findings import Findings
from torrey.config.nodes import listed
from torrey.gradients.sweep import WAVEFORM

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


@dataclass(frozen=True)
class Reader:
    """The studies of a figure, and where to note what it cannot show of them.

    `keys` are those of places that have another name in the file; `fixed` are axes of which the
    figure shows one value; `along` is the one along which its kind draws in any case, and `without`
    are those that the files of its kind do not have.
    """

    findings: Findings
    path: KeyPath
    studies: Sequence[Study]
    keys: Mapping[str, str] = field(default_factory=dict)
    fixed: frozenset[str] = frozenset()
    along: str = ""
    without: Sequence[str] = ()

    def refuse(self, key: str, found: str, accepted: str) -> None:
        """Note a problem with a key of the figure, or with the figure where it has no such key."""
        place = (*self.path, self.keys.get(key, key)) if key else self.path
        self.findings.add(place, found, accepted)

    @property
    def axes(self) -> dict[str, tuple[Any, ...]]:
        """Values of each axis that all studies have, those of any of them; and the studies."""
        swept = [study.sweep.axes() for study in self.studies]
        shared = [
            axis
            for axis in swept[0]
            if axis not in self.without and all(axis in axes for axes in swept)
        ]
        found = {
            axis: tuple(dict.fromkeys(value for axes in swept for value in axes[axis]))
            for axis in shared
        }
        if len(self.studies) > 1:
            found[STUDY] = tuple(study.name for study in self.studies)
        return found

    def varies(self, axis: str) -> bool:
        """Whether some study has several values of an axis, which a place must be found for."""
        if axis in self.fixed or axis == self.along:
            return False
        if axis == STUDY:
            return len(self.studies) > 1
        return any(len(study.sweep.axes().get(axis, ())) > 1 for study in self.studies)

    @property
    def varying(self) -> list[str]:
        """Axes with several values by their number, the largest first."""
        count = {axis: len(values) for axis, values in self.axes.items() if self.varies(axis)}
        return sorted(count, key=lambda axis: -count[axis])

    @property
    def named(self) -> str:
        """The studies in words."""
        names = ", ".join(study.name for study in self.studies)
        return f"{'studies' if len(self.studies) > 1 else 'study'} {names}"


def places_of(reader: Reader, given: Mapping[str, str]) -> dict[str, str]:
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
    if not places.get(X, "none"):
        accepted = f"a study over {'Delta' if reader.without else 'b'}, for example"
        reader.refuse("", f"no axis with several numbers in {reader.named}", accepted)
        return places
    for axis in left:
        _refuse_left(reader, places, axis)
    for place in (COLOUR, PANEL):
        if axis := places.get(place, ""):
            _check_shared(reader, place, axis)
    return places


def _check_given(reader: Reader, given: Mapping[str, str], place: str, axis: str) -> None:
    """Note an axis that is not there, that stands at two places or that does not fit its place."""
    if not axis:
        return
    axes = reader.axes
    if axis not in axes:
        near = did_you_mean(axis, list(axes))
        reader.refuse(
            place, f"{quoted(axis)}{near}", f"an axis of {reader.named}: {listed(list(axes))}"
        )
        return
    others = [other for other, taken in given.items() if taken == axis and other != place]
    if others and list(given).index(others[0]) < list(given).index(place):
        if reader.keys and reader.keys.get(place) == reader.keys.get(others[0]):
            reader.refuse(place, f"{axis} twice", "two different axes")
        else:
            accepted = "an axis of its own, or no key"
            reader.refuse(place, f"{axis}, which {others[0]} shows", accepted)
    elif axis == reader.along:
        reader.refuse(place, f"{axis}, along which this kind draws", "another axis, or no key")
    elif axis in reader.fixed:
        accepted = f"an axis without a value in at: {listed(reader.varying) or 'there are none'}"
        reader.refuse(place, f"{axis}, of which at picks one value", accepted)
    elif not reader.varies(axis):
        accepted = f"an axis with several values: {listed(reader.varying) or 'there are none'}"
        reader.refuse(place, f"{axis} with one value", accepted)
    elif place in (X, Y) and axis in _LABELS:
        numbers = [one for one in reader.varying if one not in _LABELS]
        accepted = f"an axis of numbers: {listed(numbers) or 'there are none'}"
        reader.refuse(place, f"{axis}, whose values are no numbers", accepted)
    elif place in _MOST and len(axes[axis]) > _MOST[place]:
        accepted = f"at most {_MOST[place]}, or {axis} at another place"
        reader.refuse(place, f"{len(axes[axis])} values of {axis}", accepted)


def _fits(reader: Reader, place: str, axis: str) -> bool:
    if place == X:
        return axis not in _LABELS
    return len(reader.axes[axis]) <= _MOST[place]


def _refuse_left(reader: Reader, places: Mapping[str, str], axis: str) -> None:
    """Note an axis with several values for which there is no place."""
    taken = ", ".join(f"{place}: {one}" for place, one in places.items() if one)
    count = len(reader.axes[axis])
    of = f"{count} studies" if axis == STUDY else f"{count} values of {axis}"
    free = [place for place in places if not places[place]]
    if free:
        limits = " and ".join(f"{_MOST[place]} values as {place}" for place in free)
        accepted = f"at most {limits}"
    else:
        remedy = "one study" if axis == STUDY else f"one of them, such as {example(reader, axis)}"
        accepted = f"{remedy}, or {axis} as {either(places)} in the place of another axis"
    reader.refuse("", f"{of} beside {taken}", accepted)


def example(reader: Reader, axis: str) -> str:
    """Say how the first value of an axis is picked."""
    first = next(study.sweep.axes()[axis] for study in reader.studies)
    return f"at: {{{axis}: {written(axis, first, 0)}}}"


def _check_shared(reader: Reader, place: str, axis: str) -> None:
    """Note colours or panels that are not the same in all studies."""
    if axis == STUDY or len({study.sweep.axes()[axis] for study in reader.studies}) == 1:
        return
    found = f"different values of {axis} in {reader.named}"
    reader.refuse(place, found, "the same in all, in the same order")
