"""The measurements of a study: a product of lists, or the rows of an acquisition's files."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar, cast

from torrey.base.budgets import MOST_SEGMENTS
from torrey.base.errors import InputError, KeyPath
from torrey.base.keys import format_number
from torrey.base.units import UNITS, Kind
from torrey.config.findings import Findings
from torrey.config.models import ENCODING_KEYS, GRADIENT_KEYS, StudyModel
from torrey.config.waveform_models import AnyAcquisition, AnyWaveform
from torrey.gradients import acquisition
from torrey.gradients.acquisition import AcquisitionReader, Reader, Row, WaveformReader
from torrey.gradients.protocol import EncodingKind, Measurement, Vector, frame
from torrey.gradients.sweep import (
    Acquisition,
    Product,
    Samples,
    WaveformGrid,
    axis_declaration,
)
from torrey.gradients.waveforms import KINDS, SampledWaveform, Waveform

T = TypeVar("T")


def check_keys(findings: Findings, path: KeyPath) -> None:
    """Note keys of the gradients that are missing, or exclude each other."""
    given = findings.keys(path)
    if not given:
        return
    require_one(findings, path, GRADIENT_KEYS)
    by_files = "acquisition" in given
    reader = _named(findings.keys((*path, "acquisition"))) if by_files else None
    if "waveform" not in given and reader is None:
        findings.add_missing((*path, "waveform"), AnyWaveform.accepted())
    if "directions" not in given and not by_files:
        findings.add_missing((*path, "directions"), "a list of vectors, such as [[1, 0]]")
    if "waveform" in given and reader is not None:
        accepted = f"no such key: {reader.noun} has its own"
        findings.add((*path, "waveform"), "a waveform", accepted)
    if "directions" in given and by_files:
        findings.add(
            (*path, "directions"), "directions", "no such key: the acquisition has its own"
        )


def _named(keys: Sequence[str]) -> AcquisitionReader | None:
    """Return the reader of files with waveforms of their own that an acquisition names, if any."""
    readers = [r for r in acquisition.acquisition_readers() if set(keys) & set(r.keys)]
    # Readers may share keys: one with just these is meant, not those that have some of them.
    meant = [r for r in readers if set(keys) == set(r.keys)] or readers
    return next((r for r in meant if r.has_waveforms), None)


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
        with findings.under(*path, "acquisition"):
            found, note = _acquire(findings, path, model.acquisition, shapes, dimension)
            notes = (*notes, note)
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
    """Return the waveforms that files give, and what was read in words."""
    place = (*path, "waveform")
    key = next(iter(reader.keys))
    several = len(getattr(model, key)) > 1
    made: list[SampledWaveform] = []
    notes: list[str] = []
    for i, name in enumerate(getattr(model, key)):
        with findings.under(*place, key, *((i,) if several else ())):
            found = reader.read(**_files(findings, path, reader, model, {key: name}))
            findings.spend("segments of waveforms", found.segments, MOST_SEGMENTS)
            made.append(found.make())
            notes.append(found.summary)
            if made[-1].name in [one.name for one in made[:-1]]:
                raise InputError(
                    f"{made[-1].name} a second time", "files of different names: they are labels"
                )
    if len(made) < len(getattr(model, key)):
        return None, ()
    samples = Samples(tuple(made), echo_time)
    with findings.under(*place):
        _ = samples.waveforms
        return samples, tuple(notes)
    return None, ()


def _acquire(
    findings: Findings,
    path: KeyPath,
    model: AnyAcquisition,
    shapes: WaveformGrid | Samples | None,
    dimension: int | None,
) -> tuple[Acquisition | None, str]:
    """Read the files of an acquisition, and say in words what they hold."""
    reader = _reader_of(model)
    scan = reader.read(**_files(findings, path, reader, model))
    if reader.has_waveforms:
        findings.spend("segments of waveforms", scan.segments, MOST_SEGMENTS)
        waveforms = tuple(make() for make in scan.waveforms)
    elif shapes is None:
        return None, ""
    elif len(shapes.waveforms) != 1:
        raise InputError(
            f"files of an acquisition with {len(shapes.waveforms)} waveforms",
            "one value for each time of the waveform: the files do not give them",
        )
    else:
        waveforms = shapes.waveforms
    rows = (
        _measurement(waveforms[row.waveform], row, scan.encoding, dimension) for row in scan.rows
    )
    return Acquisition(scan.encoding, tuple(rows)), scan.summary


def _reader_of(model: AnyAcquisition) -> AcquisitionReader:
    """Return the reader whose keys are given, all of them and no others."""
    readers = acquisition.acquisition_readers()
    known = dict.fromkeys(key for reader in readers for key in reader.keys)
    given = [key for key in known if getattr(model, key)]
    for reader in readers:
        if set(given) == set(reader.keys):
            return reader
    *some, last = (reader.all_keys for reader in readers)
    accepted = f"{', '.join(some)}, or {last}" if some else last
    raise InputError(" and ".join(given) or "no file", accepted)


def _files(
    findings: Findings,
    path: KeyPath,
    reader: Reader,
    model: object,
    chosen: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Path]:
    """Paths of the files of a reader: from the folder of the configuration that names them.

    ``chosen`` holds the one that is meant of a key with several files.
    """
    folder = Path(list(findings.root.walk(path))[-1].file).parent
    return {key: folder / (chosen.get(key) or getattr(model, key)) for key in reader.keys}


def _measurement(
    waveform: Waveform, row: Row, encoding: EncodingKind, dimension: int | None
) -> Measurement:
    """One row, with its direction in the plane or along the line of the cell."""
    d = dimension or 3
    waveform, q = waveform.measure(encoding, row.strength)
    if q == 0.0:
        return Measurement(waveform, 0.0, (1.0, *(0.0,) * (d - 1)))
    inside, across = row.direction[:d], math.hypot(*row.direction[d:])
    if across > _ACROSS:
        raise InputError(
            f"{row.place}: the direction {_in_brackets(row.direction)}",
            f"directions along the {d} dimension{'s' if d > 1 else ''} of the cell: the other "
            "components are 0",
        )
    norm = math.hypot(*inside)
    if norm == 0.0:  # of filter exchange at b = 0
        raise InputError(f"{row.place}: no direction", "the direction of the filter at b = 0")
    return Measurement(waveform, q, tuple(x / norm + 0.0 for x in inside))


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
