"""The measurements of a study: a product of lists, or the rows of an acquisition's files."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar, cast

from torrey.base.budgets import MOST_SEGMENTS
from torrey.base.errors import InputError, KeyPath
from torrey.base.keys import format_number
from torrey.base.units import UNITS, Kind
from torrey.config.acquisitions import acquire, files_of, named_reader
from torrey.config.findings import Findings
from torrey.config.models import (
    ENCODING_KEYS,
    GRADIENT_KEYS,
    DistributionModel,
    SphereModel,
    SweepModel,
)
from torrey.config.quantities import OneOrMore
from torrey.config.waveform_models import AnyWaveform
from torrey.gradients import acquisition
from torrey.gradients.acquisition import WaveformReader
from torrey.gradients.orientations import Fibres, Orientation, Watson
from torrey.gradients.protocol import Vector, in_cell, unit_vector
from torrey.gradients.rules import Sphere
from torrey.gradients.sweep import (
    Acquisition,
    Product,
    Samples,
    WaveformGrid,
    axis_declaration,
)
from torrey.gradients.waveforms import KINDS, SampledWaveform

T = TypeVar("T")


def check_keys(findings: Findings, path: KeyPath) -> None:
    """Note keys of the gradients that are missing, or exclude each other."""
    given = findings.keys(path)
    if not given:
        return
    require_one(findings, path, GRADIENT_KEYS)
    by_files = "acquisition" in given
    reader = named_reader(findings.keys((*path, "acquisition"))) if by_files else None
    # Of some files it is known only when they are read: see `acquire`.
    has_waveforms = reader.has_waveforms if reader is not None else False
    if "waveform" not in given and has_waveforms is False:
        findings.add_missing((*path, "waveform"), AnyWaveform.accepted())
    if "directions" not in given and not by_files:
        findings.add_missing((*path, "directions"), "a list of vectors, such as [[1, 0]]")
    if "waveform" in given and reader is not None and has_waveforms:
        accepted = f"no such key: {reader.noun} has its own"
        findings.add((*path, "waveform"), "a waveform", accepted)
    if "directions" in given and by_files:
        findings.add(
            (*path, "directions"), "directions", "no such key: the acquisition has its own"
        )


def require_one(findings: Findings, path: KeyPath, keys: Sequence[str]) -> None:
    """Note a problem unless exactly one of the keys is there."""
    given = findings.keys(path)
    present = [key for key in keys if key in given]
    if given and len(present) != 1:
        found = " and ".join(present) if present else f"none of {', '.join(keys)}"
        findings.add(path, found, f"exactly one of {', '.join(keys)}")


def read_protocol(
    findings: Findings,
    path: KeyPath,
    model: SweepModel,
    dimension: int | None,
    in_space: bool = False,
) -> tuple[Product | Acquisition | None, tuple[str, ...]]:
    """Return the measurements of a study, or None where there are problems, and notes on them.

    Parameters
    ----------
    findings : Findings
    path : tuple of str
        Of the study.
    model : SweepModel
    dimension : int, optional
        Of the cell; without it nothing is checked against it.
    in_space : bool
        Whether directions have three numbers in any case: see `in_cell`.
    """
    before = len(findings.problems)
    fibres = read_fibres(findings, path, model)
    in_space = in_space or fibres is not None
    shapes, notes = read_shapes(findings, path, model.waveform)
    if model.acquisition is not None:
        found: Acquisition | None = None
        given = shapes.waveforms if shapes is not None else None
        with findings.under(*path, "acquisition"):
            found, note = acquire(findings, path, model.acquisition, given)
            notes = (*notes, note)
        if found is not None and dimension is not None:
            found = replace(_rows_in_cell(found, dimension, in_space), fibres=fibres)
        return (None, ()) if len(findings.problems) > before else (found, notes)
    directions: tuple[Vector, ...] = ()
    most = max((w.n_components for w in shapes.waveforms), default=1) if shapes else 1
    sphere = read_sphere(findings, path, model, most > 1)
    with findings.under(*path, "directions"):
        vectors = [_unit_vector(v, (i,)) for i, v in enumerate(_vectors(model, sphere))]
        in_space = in_space or sphere is not None
        if dimension is not None:
            vectors = [*in_cell(vectors, dimension, most, in_space)]
        directions = once(vectors, _in_brackets)
    encodings = {key: swept(findings, path, model, key) for key in ENCODING_KEYS}
    given = [key for key in ENCODING_KEYS if encodings[key]]
    if shapes is None or len(given) != 1 or len(findings.problems) > before:
        return None, ()
    (encoding_kind,) = given
    strengths = encodings[encoding_kind]
    return Product(shapes, encoding_kind, strengths, directions, sphere, fibres), notes


def _vectors(model: SweepModel, sphere: Sphere | None) -> Sequence[Sequence[float]]:
    """Directions as they are given, or the points of a rule."""
    if isinstance(model.directions, SphereModel):
        return sphere.rule.points.tolist() if sphere else []
    return model.directions


def read_sphere(findings: Findings, path: KeyPath, model: SweepModel, whole: bool) -> Sphere | None:
    """Return the rule that stands in the place of directions, if there is one.

    Parameters
    ----------
    findings : Findings
    path : tuple of str
        Of the study.
    model : SweepModel
    whole : bool
        Whether points must lie on all of the sphere: -n is not as good as n where a waveform has
        several components.
    """
    if not isinstance(model.directions, SphereModel):
        return None
    place = (*path, "directions")
    kinds = ("powder", "lebedev")
    given = [key for key in kinds if key in findings.keys(place)]
    if len(given) != 1:
        found = " and ".join(given) or "neither powder nor lebedev"
        findings.add(place, found, "exactly one of powder, lebedev")
        return None
    sphere = Sphere(given[0], getattr(model.directions, given[0]), whole)
    with findings.under(*place, given[0]):
        _ = sphere.rule  # there may be none of this degree
        return sphere
    return None


def read_fibres(findings: Findings, path: KeyPath, model: SweepModel) -> Fibres | None:
    """Return the orientations of a study, or None where it has no such key."""
    given = model.orientation
    place = (*path, "orientation")
    if isinstance(given, DistributionModel):
        w = given.watson
        with findings.under(*place, "watson", "axis"):
            return Fibres.spread(Watson(w.kappa, _axis(w.axis), float(w.roll), w.points))
        return None
    found: list[Orientation] = []
    for i, entry in enumerate(given):
        is_list = isinstance(list(findings.root.walk(place))[-1].content, list)
        with findings.under(*place, *((i,) if is_list else ()), "axis"):
            found.append(Orientation(_axis(entry.axis), float(entry.roll)))
    with findings.under(*place):
        once(found, lambda o: f"{_in_brackets(o.axis)} with roll {format_number(o.roll)} deg")
        return Fibres(tuple(found)) if found else None
    return None


def _axis(vector: Sequence[float]) -> Vector:
    if len(vector) != 3:
        found = f"{len(vector)} component{'s' if len(vector) != 1 else ''}"
        raise InputError(found, "3: the axis of a fibre in space, such as [0, 0, 1]")
    return _unit_vector(vector)


def swept(findings: Findings, path: KeyPath, holder: object, key: str) -> tuple[float, ...]:
    """Return the values of a key, each of them once; none if it is absent."""
    with findings.under(*path, key):
        values = getattr(holder, key).values()
        kind = axis_declaration(key).unit
        unit = UNITS[cast(Kind, kind)].internal if kind else ""
        return once(values, partial(with_unit, unit))
    return ()


def once(values: Sequence[T], show: Callable[[T], str]) -> tuple[T, ...]:
    """Return the values, if no two of them look the same.

    Raises
    ------
    InputError
        At the first value that repeats an earlier one.
    """
    first: dict[str, int] = {}
    for i, value in enumerate(values):
        text = show(value)
        if first.setdefault(text, i) != i:
            raise InputError(f"{text}, the same as entry {first[text]}", "each value once", at=(i,))
    return tuple(values)


def read_shapes(
    findings: Findings, path: KeyPath, model: AnyWaveform | None
) -> tuple[WaveformGrid | Samples | None, tuple[str, ...]]:
    """Return the waveforms at the key ``waveform`` of an entry, and notes on files read.

    Parameters
    ----------
    findings : Findings
    path : tuple of str
        Of the entry.
    model : AnyWaveform, optional
    """
    if model is None:
        return None, ()
    place = (*path, "waveform")
    echo_time = float(model.echo_time or 0.0)
    kind = model.kind
    for reader in acquisition.waveform_readers():
        if reader.name == kind:
            return _shape_of_file(findings, path, reader, model, echo_time)
    names = KINDS[kind].parameter_names()
    values = {name: swept(findings, place, model, name) for name in names}
    if not all(values.values()):
        return None, ()
    grid = WaveformGrid(kind, tuple(values.items()), echo_time)
    with findings.under(*place):
        segments = KINDS[kind].most_segments(values)
        findings.spend("segments of waveforms", segments, MOST_SEGMENTS)
        for waveform in grid.waveforms:
            _ = waveform.segments  # the shape itself may be refused
        return grid, ()
    return None, ()


def _shape_of_file(
    findings: Findings,
    path: KeyPath,
    reader: WaveformReader,
    model: AnyWaveform,
    echo_time: float,
) -> tuple[Samples | None, tuple[str, ...]]:
    """Return the waveforms that files give, and what was read in words."""
    place, key = (*path, "waveform"), next(iter(reader.keys))
    several = len(getattr(model, key)) > 1
    given = {option: _plain(getattr(model, option)) for option in reader.options}
    options = {option: value for option, value in given.items() if value}
    made: list[SampledWaveform] = []
    notes: list[str] = []
    for i, name in enumerate(getattr(model, key)):
        with findings.under(*place):
            try:
                files = files_of(findings, path, reader, model, {key: name})
                found = reader.read(**files, **options)
                findings.spend("segments of waveforms", found.segments, MOST_SEGMENTS)
                waveform = found.make()
                if waveform.name in [one.name for one in made]:
                    raise InputError(
                        f"{waveform.name} a second time",
                        "files of different names: they are labels",
                    )
            except InputError as error:
                # What is not about an option is about the file.
                of_option = error.at and error.at[0] in reader.options
                at = error.at if of_option else (key, *((i,) if several else ()), *error.at)
                raise InputError(error.found, error.accepted, at) from None
            made.append(waveform)
            notes.append("; ".join(filter(None, (found.summary, waveform.notes))))
    if len(made) < len(getattr(model, key)):
        return None, ()
    samples = Samples(tuple(made), echo_time)
    with findings.under(*place):
        _ = samples.waveforms
        return samples, tuple(notes)
    return None, ()


def _plain(value: object) -> object:
    """The value of an option without its model; empty where it is not given."""
    return value.values() if isinstance(value, OneOrMore) else value


def _rows_in_cell(found: Acquisition, dimension: int, in_space: bool) -> Acquisition:
    """The same rows with directions of as many numbers as there are axes: see `in_cell`."""
    rows = found.rows
    most = max(m.waveform.n_components for m in rows)
    # All axes count: of several components, the first may lie in the plane without the others.
    across = max(abs(m.frame[:, dimension:]).max(initial=0.0) for m in rows)
    # Where all rows lie within the cell but for the last digit, they are meant to.
    planar = across <= _ACROSS and most <= dimension and not in_space
    directions = [_inner(m.direction, dimension) if planar else m.direction for m in rows]
    turned = in_cell(directions, dimension, most, in_space)
    return replace(
        found,
        rows=tuple(replace(m, direction=n) for m, n in zip(rows, turned, strict=True)),
    )


def _inner(direction: Vector, dimension: int) -> Vector:
    norm = math.hypot(*direction[:dimension])
    return tuple(x / norm + 0.0 for x in direction[:dimension])


#: Files hold directions with few digits.
_ACROSS = 1e-3


def with_unit(unit: str, value: float) -> str:
    """A value as messages show it."""
    return f"{format_number(value)} {unit}".rstrip()


def _unit_vector(vector: Sequence[float], at: KeyPath = ()) -> Vector:
    if not any(vector):
        raise InputError("a vector of length 0", "a direction such as [1, 0]", at)
    return unit_vector(vector, at)


def _in_brackets(vector: Vector) -> str:
    return f"[{', '.join(map(format_number, vector))}]"
