"""The measurements of a study: a product of lists, or the rows of an acquisition's files."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Final, TypeVar

from torrey.base.budgets import MOST_SEGMENTS
from torrey.base.errors import InputError, KeyPath
from torrey.base.keys import format_number
from torrey.base.units import UNITS, Kind
from torrey.config.findings import Findings
from torrey.config.models import ENCODING_KEYS, GRADIENT_KEYS, StudyModel
from torrey.config.quantities import Model
from torrey.config.waveform_models import AcquisitionModel, SampledModel
from torrey.gradients import acquisition
from torrey.gradients.protocol import EncodingKind, Measurement, Vector, frame
from torrey.gradients.sweep import Acquisition, Product, Samples, WaveformGrid
from torrey.gradients.waveforms import KINDS, AtEcho, Pgse, SampledWaveform, Waveform

T = TypeVar("T")

_UNITS: Final[Mapping[str, Kind]] = {
    "period": "length",
    "permeability": "permeability",
    "sigma0": "permeability",
    "surface_relaxivity": "permeability",
    "delta": "time",
    "Delta": "time",
    "rise_time": "time",
    "mixing_time": "time",
    "angle": "angle",
    "b": "b_value",
    "q": "q",
    "gradient": "gradient",
}


def check_keys(findings: Findings, path: KeyPath) -> None:
    """Note keys of the gradients that are missing, or exclude each other."""
    given = findings.keys(path)
    if not given:
        return
    require_one(findings, path, GRADIENT_KEYS)
    by_files = "acquisition" in given
    scheme = by_files and "scheme" in findings.keys((*path, "acquisition"))
    if "waveform" not in given and not scheme:
        findings.add_missing(
            (*path, "waveform"), "a mapping, such as {kind: pgse, delta: 5 ms, Delta: 15 ms}"
        )
    if "directions" not in given and not by_files:
        findings.add_missing((*path, "directions"), "a list of vectors, such as [[1, 0]]")
    if "waveform" in given and scheme:
        findings.add((*path, "waveform"), "a waveform", "no such key: a scheme file has its own")
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
    shapes, notes = _shapes(findings, path, model)
    if shapes is not None and dimension is not None:
        with findings.under(*path, "waveform"):
            for waveform in shapes.waveforms:
                frame((1.0,) * dimension, waveform.n_components)
    if model.acquisition is not None:
        rows: tuple[Measurement, ...] = ()
        with findings.under(*path, "acquisition"):
            rows, note = _acquire(findings, path, model.acquisition, shapes, dimension)
            notes = (*notes, note)
        if len(findings.problems) > before:
            return None, ()
        kind: EncodingKind = "gradient" if model.acquisition.scheme else "b"
        return Acquisition(kind, rows), notes
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


def swept(findings: Findings, path: KeyPath, holder: Model, key: str) -> tuple[float, ...]:
    """Return the values of a key, each of them once; none if it is absent."""
    with findings.under(*path, key):
        values = getattr(holder, key).values()
        unit = UNITS[_UNITS[key]].internal if key in _UNITS else ""
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


def _shapes(
    findings: Findings, path: KeyPath, model: StudyModel
) -> tuple[WaveformGrid | Samples | None, tuple[str, ...]]:
    """Return the waveforms of a study, and notes on files read."""
    if model.waveform is None:
        return None, ()
    place = (*path, "waveform")
    echo_time = float(model.waveform.echo_time or 0.0)
    if isinstance(model.waveform, SampledModel):
        with findings.under(*place, "path"):
            sampled = acquisition.read_waveform(_beside(findings, path, model.waveform.path))
            findings.spend("segments of waveforms", len(sampled.times), MOST_SEGMENTS)
            samples = Samples(_sampled_waveform(sampled), echo_time)
            with findings.under(*place):
                _ = samples.waveforms
                return samples, (sampled.summary(),)
        return None, ()
    kind = model.waveform.kind
    names = KINDS[kind].parameter_names()
    values = {name: swept(findings, place, model.waveform, name) for name in names}
    if not all(values.values()):
        return None, ()
    grid = WaveformGrid(kind, tuple(values.items()), echo_time)
    with findings.under(*place):
        findings.spend("segments of waveforms", _n_segments(values), MOST_SEGMENTS)
        for waveform in grid.waveforms:
            _ = waveform.segments  # the shape itself may be refused
        return grid, ()
    return None, ()


def _n_segments(values: Mapping[str, tuple[float, ...]]) -> int:
    """Stretches of time of all waveforms of a grid, before any is made: at most so many."""
    lobes = values.get("cycles", ()) if "rise_time" in values else ()
    waveforms = math.prod(map(len, values.values()))
    return round(waveforms * (9 + 12 * math.fsum(lobes) / max(1, len(lobes))))


def _sampled_waveform(sampled: acquisition.SampledGradient) -> SampledWaveform:
    return SampledWaveform(sampled.name, sampled.kind, sampled.times, sampled.values)


def _acquire(
    findings: Findings,
    path: KeyPath,
    model: AcquisitionModel,
    shapes: WaveformGrid | Samples | None,
    dimension: int | None,
) -> tuple[tuple[Measurement, ...], str]:
    """Read the files of an acquisition, and say in words what they hold."""
    if model.scheme and not (model.bval or model.bvec):
        file = _beside(findings, path, model.scheme)
        scheme = acquisition.read_scheme(file)
        times = {(row.delta, row.Delta, row.echo_time) for row in scheme}
        findings.spend("segments of waveforms", 5 * len(times), MOST_SEGMENTS)
        # Rows with the same times share one waveform, whose integrals are made once.
        pulses = cache(_pulses)
        rows = tuple(
            _measurement(
                pulses(bool(row.gradient), row.delta, row.Delta, row.echo_time),
                row.gradient,
                "gradient",
                row.direction,
                dimension,
                f"line {row.line} of {file.name}",
            )
            for row in scheme
        )
        return rows, acquisition.scheme_summary(scheme)
    if model.scheme or not (model.bval and model.bvec):
        given = [key for key in ("bval", "bvec", "scheme") if getattr(model, key)]
        raise InputError(" and ".join(given) or "no file", "both bval and bvec, or scheme alone")
    table = acquisition.read_fsl(
        _beside(findings, path, model.bval), _beside(findings, path, model.bvec)
    )
    if shapes is None:
        return (), ""
    if len(shapes.waveforms) != 1:
        raise InputError(
            f"files of an acquisition with {len(shapes.waveforms)} waveforms",
            "one value for each time of the waveform: the files do not give them",
        )
    (waveform,) = shapes.waveforms
    rows = tuple(
        _measurement(waveform, b, "b", n, dimension, table.where(i))
        for i, (b, n) in enumerate(zip(table.b, table.directions, strict=True))
    )
    return rows, table.summary()


def _pulses(gradient: bool, delta: float, Delta: float, echo_time: float) -> Waveform:
    """Rectangular pulses in the middle of the time to the echo of a row."""
    if gradient:
        return AtEcho(Pgse(delta, Delta), echo_time)
    # Without gradient its shape plays no part, but its echo time does where water relaxes.
    half = echo_time / 2 or 1.0
    return Pgse(half, half)


def _measurement(
    waveform: Waveform,
    value: float,
    kind: str,
    direction: Vector,
    dimension: int | None,
    where: str,
) -> Measurement:
    """One row, with its direction in the plane or along the line of the cell."""
    d = dimension or 3
    q = waveform.q_of_b(value) if kind == "b" else waveform.q_of_gradient(value)
    if q == 0.0:
        return Measurement(waveform, 0.0, (1.0, *(0.0,) * (d - 1)))
    inside, across = direction[:d], math.hypot(*direction[d:])
    if across > _ACROSS:
        raise InputError(
            f"{where}: the direction {_in_brackets(direction)}",
            f"directions along the {d} dimension{'s' if d > 1 else ''} of the cell: the other "
            "components are 0",
        )
    norm = math.hypot(*inside)
    return Measurement(waveform, q, tuple(x / norm + 0.0 for x in inside))


#: Files hold directions with few digits.
_ACROSS = 1e-3
#: Of a direction: shorter and longer ones lose digits when they are brought to length 1.
_LEAST_LENGTH = 1e-6


def _beside(findings: Findings, path: KeyPath, name: str) -> Path:
    """Path of a file that a configuration names: from the folder where that is."""
    file = list(findings.root.walk(path))[-1].file
    return Path(file).parent / name


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
