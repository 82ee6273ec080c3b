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
from torrey.config.models import ENCODING_KEYS, GRADIENT_KEYS, StudyModel
from torrey.config.waveform_models import AnyWaveform
from torrey.gradients import acquisition
from torrey.gradients.acquisition import WaveformReader
from torrey.gradients.protocol import Measurement, Vector, frame
from torrey.gradients.sweep import (
    Acquisition,
    Product,
    Samples,
    WaveformGrid,
    axis_declaration,
)
from torrey.gradients.waveforms import KINDS

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
    findings: Findings, path: KeyPath, model: StudyModel, dimension: int | None
) -> tuple[Product | Acquisition | None, tuple[str, ...]]:
    """Return the measurements of a study, or None where there are problems, and notes on them.

    Parameters
    ----------
    findings : Findings
    path : tuple of str
        Of the study.
    model : StudyModel
    dimension : int, optional
        Of the cell; without it nothing is checked against it.
    """
    before = len(findings.problems)
    shapes, notes = read_shapes(findings, path, model.waveform)
    if shapes is not None and dimension is not None:
        with findings.under(*path, "waveform"):
            for waveform in shapes.waveforms:
                frame((1.0,) * dimension, waveform.n_components)
    if model.acquisition is not None:
        found: Acquisition | None = None
        given = shapes.waveforms if shapes is not None else None
        with findings.under(*path, "acquisition"):
            found, places, note = acquire(findings, path, model.acquisition, given)
            notes = (*notes, note)
            if found is not None and dimension is not None:
                found = _rows_in_cell(found, places, dimension)
        return (None, ()) if len(findings.problems) > before else (found, notes)
    directions: tuple[Vector, ...] = ()
    with findings.under(*path, "directions"):
        directions = once(
            [_unit_vector(i, v) for i, v in enumerate(model.directions)], _in_brackets
        )
    encodings = {key: swept(findings, path, model, key) for key in ENCODING_KEYS}
    given = [key for key in ENCODING_KEYS if encodings[key]]
    if dimension is not None:
        _check_dimension(findings, path, directions, dimension)
    if shapes is None or len(given) != 1 or len(findings.problems) > before:
        return None, ()
    (encoding_kind,) = given
    return Product(shapes, encoding_kind, encodings[encoding_kind], directions), notes


def swept(findings: Findings, path: KeyPath, holder: object, key: str) -> tuple[float, ...]:
    """Return the values of a key, each of them once; none if it is absent."""
    with findings.under(*path, key):
        values = getattr(holder, key).values()
        kind = axis_declaration(key).unit
        unit = UNITS[cast(Kind, kind)].internal if kind else ""
        return once(values, partial(_with_unit, unit))
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
    """Return the waveform that a file gives, and what was read in words."""
    place = (*path, "waveform")
    with findings.under(*place, next(iter(reader.keys))):
        found = reader.read(**files_of(findings, path, reader, model))
        findings.spend("segments of waveforms", found.segments, MOST_SEGMENTS)
        samples = Samples(found.make(), echo_time)
        with findings.under(*place):
            _ = samples.waveforms
            return samples, (found.summary,)
    return None, ()


def _rows_in_cell(found: Acquisition, places: Sequence[str], dimension: int) -> Acquisition:
    """The same rows with directions in the plane or along the line of the cell."""
    for waveform in dict.fromkeys(row.waveform for row in found.rows):
        frame((1.0,) * dimension, waveform.n_components)
    rows = zip(found.rows, places, strict=True)
    return replace(found, rows=tuple(_in_cell(m, place, dimension) for m, place in rows))


def _in_cell(m: Measurement, place: str, d: int) -> Measurement:
    inside = m.direction[:d]
    # All axes count: of several components, the first may lie in the plane without the others.
    if abs(m.frame[:, d:]).max(initial=0.0) > _ACROSS:
        raise InputError(
            f"{place}: the direction {_in_brackets(m.direction)}",
            f"directions along the {d} dimension{'s' if d > 1 else ''} of the cell: the other "
            "components are 0",
        )
    norm = math.hypot(*inside)
    return replace(m, direction=tuple(x / norm + 0.0 for x in inside))


#: Files hold directions with few digits.
_ACROSS = 1e-3
#: Of a direction: shorter and longer ones lose digits when they are brought to length 1.
_LEAST_LENGTH = 1e-6


def _with_unit(unit: str, value: float) -> str:
    return f"{format_number(value)} {unit}".rstrip()


def _unit_vector(i: int, vector: Sequence[float]) -> Vector:
    norm = math.hypot(*vector)
    if norm == 0:
        raise InputError("a vector of length 0", "a direction such as [1, 0]", at=(i,))
    if not _LEAST_LENGTH <= norm <= 1 / _LEAST_LENGTH:
        accepted = f"a length from {_LEAST_LENGTH:g} to {1 / _LEAST_LENGTH:g}"
        raise InputError(f"a vector of length {norm:g}", accepted, at=(i,))
    return tuple(x / norm + 0.0 for x in vector)  # + 0.0: no negative zeros in names


def _in_brackets(vector: Vector) -> str:
    return f"[{', '.join(map(format_number, vector))}]"


def _check_dimension(
    findings: Findings, path: KeyPath, directions: Sequence[Vector], dimension: int
) -> None:
    for i, direction in enumerate(directions):
        if len(direction) != dimension:
            findings.add(
                (*path, "directions", i),
                f"{len(direction)} components",
                f"{dimension}, as many as the geometry has dimensions",
            )
