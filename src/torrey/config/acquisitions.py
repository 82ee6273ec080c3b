"""The rows of an acquisition's files as measurements, with waveforms of theirs or of the study."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from torrey.base.budgets import MOST_SEGMENTS
from torrey.base.errors import InputError, KeyPath
from torrey.config.findings import Findings
from torrey.config.waveform_models import AnyAcquisition, AnyWaveform
from torrey.gradients import acquisition
from torrey.gradients.acquisition import AcquisitionReader, Reader, Row, Scan
from torrey.gradients.acquisition.text import Direction, spread
from torrey.gradients.protocol import EncodingKind, Measurement
from torrey.gradients.shapes import Shape, shape_of, turned_to
from torrey.gradients.sweep import Acquisition
from torrey.gradients.waveforms import AtEcho, SampledWaveform, Waveform

_ECHO = 1e-9
"""Relative difference of echo times that are one."""


def named_reader(keys: Sequence[str]) -> AcquisitionReader | None:
    """Return the reader that the keys of an acquisition name, if any of them is a file."""
    readers = [r for r in acquisition.acquisition_readers() if set(keys) & set(r.keys)]
    files = set(keys) & {key for reader in readers for key in reader.keys}
    # Readers may share keys: one with just these is meant, not those that have some of them.
    meant = [r for r in readers if files == set(r.keys)] or readers
    return meant[0] if meant else None


def acquire(
    findings: Findings, path: KeyPath, model: AnyAcquisition, given: tuple[Waveform, ...] | None
) -> tuple[Acquisition | None, str]:
    """Read the files of an acquisition.

    Parameters
    ----------
    findings : Findings
    path : tuple of str
        Of the study.
    model : AnyAcquisition
    given : tuple of Waveform, optional
        The waveforms of the study; None where it has none or they are refused.

    Returns
    -------
    found : Acquisition, optional
        With directions of three numbers; None where a waveform is missing or one too many.
    summary : str
        What the files hold, in words.

    Raises
    ------
    InputError
        If a file or the waveforms cannot be used.
    """
    reader = _reader_of(model)
    options = _options(findings, path, reader, model)
    scan = reader.read(**files_of(findings, path, reader, model), **options)
    waveforms = _waveforms(findings, path, reader, scan, given)
    if waveforms is None:
        return None, ""
    choice = None if scan.waveforms else _Choice(_only(waveforms, scan))
    rows = [_measurement(row, scan, waveforms, choice) for row in scan.rows]
    summary = scan.summary
    notes = [w.notes for w in waveforms if isinstance(w, SampledWaveform) and w.notes]
    if scan.waveforms and notes:
        more = f" (and so of {len(notes) - 1} more)" if len(notes) > 1 else ""
        summary = f"{summary}; {notes[0]}{more}"
    if scan.encoding == "gradient":  # Of files that say b, the summary has it.
        b = spread(float(f"{1e3 * row.b:.6g}") for row in rows)
        summary = f"{summary}; b {b} s/mm^2"
    return Acquisition(scan.encoding, tuple(rows)), summary


def _waveforms(
    findings: Findings,
    path: KeyPath,
    reader: AcquisitionReader,
    scan: Scan,
    given: tuple[Waveform, ...] | None,
) -> tuple[Waveform, ...] | None:
    """The waveforms of the files, or of the study where the files have none."""
    has_key = "waveform" in findings.keys(path)
    if scan.waveforms:
        if has_key and reader.has_waveforms is None:
            accepted = "no such key: these files have the times of their gradients"
            findings.add((*path, "waveform"), "a waveform", accepted)
            return None
        findings.spend("segments of waveforms", scan.segments, MOST_SEGMENTS)
        return tuple(make() for make in scan.waveforms)
    if given is None and not has_key and reader.has_waveforms is None:
        accepted = f"{AnyWaveform.accepted()}: {scan.missing}"
        findings.add_missing((*path, "waveform"), accepted)
    return given


def _only(waveforms: tuple[Waveform, ...], scan: Scan) -> tuple[Waveform, ...]:
    """Refuse several waveforms where the rows do not say which of them is theirs."""
    if len(waveforms) != 1 and any(row.b_delta is None for row in scan.rows):
        raise InputError(
            f"files of an acquisition with {len(waveforms)} waveforms",
            "one value for each time of the waveform: the files do not give them",
        )
    return waveforms


def _measurement(
    row: Row, scan: Scan, waveforms: tuple[Waveform, ...], choice: _Choice | None
) -> Measurement:
    """One row, with its direction in space."""
    waveform, direction = waveforms[row.waveform], row.direction
    if choice is not None:
        waveform, direction = choice.of(row)
    encoding: EncodingKind = scan.encoding
    waveform, q = waveform.measure(encoding, row.strength)
    if q == 0.0:
        return Measurement(waveform, 0.0, (1.0, 0.0, 0.0))
    norm = math.hypot(*direction)
    if norm == 0.0:  # of filter exchange at b = 0
        raise InputError(f"{row.place}: no direction", "the direction of the filter at b = 0")
    x, y, z = (component / norm + 0.0 for component in direction)
    return Measurement(waveform, q, (x, y, z))


class _Choice:
    """Which waveform of the study a row has, of what echo time, and in which direction."""

    def __init__(self, waveforms: tuple[Waveform, ...]) -> None:
        self._waveforms = waveforms
        # Integrals of a waveform are made once, whatever the number of its rows.
        self._shapes = cache(lambda: [shape_of(waveform) for waveform in waveforms])
        self._at_echo = cache(AtEcho)

    def of(self, row: Row) -> tuple[Waveform, Direction]:
        """Return the waveform and the direction of a row.

        Raises
        ------
        InputError
            If no waveform has its shape, or several have, or its echo is too early.
        """
        if row.b_delta is None:
            return self._timed(row, self._waveforms[0]), row.direction
        pairs = zip(self._waveforms, self._shapes(), strict=True)
        alike = [(waveform, shape) for waveform, shape in pairs if shape.is_like(row.b_delta)]
        if len(alike) > 1:
            raise InputError(
                f"{row.place}: b_delta = {row.b_delta:g}, that of {len(alike)} waveforms",
                "one waveform of each shape: the files do not say which of them is meant",
            )
        if row.strength == 0.0:
            # Without gradient its echo time counts alone.
            waveform = alike[0][0] if alike else self._waveforms[0]
            return self._timed(row, waveform), row.direction
        for waveform, shape in alike:
            timed = self._timed(row, waveform)
            try:
                return timed, turned_to(shape, row.direction)
            except InputError as error:
                raise InputError(f"{row.place}: {error.found}", error.accepted) from None
        raise InputError(
            f"{row.shape_place or row.place}: b_delta = {row.b_delta:g}",
            f"that of a waveform of the study, which is {_said(self._shapes())}",
        )

    def _timed(self, row: Row, waveform: Waveform) -> Waveform:
        """The waveform with the echo time of a row, if the files say it."""
        if row.echo_time is None:
            return waveform
        if isinstance(waveform, AtEcho):
            if abs(waveform.time - row.echo_time) > _ECHO * row.echo_time:
                raise InputError(
                    f"{row.place}: an echo time of {row.echo_time:g} ms in the files with "
                    f"echo_time = {waveform.time:g} ms of the waveform",
                    "a waveform without echo_time",
                )
            return waveform
        try:
            return self._at_echo(waveform, row.echo_time)
        except InputError as error:
            raise InputError(f"{row.place}: {error.found}", error.accepted) from None


def _said(shapes: Sequence[Shape]) -> str:
    said = [
        f"{s.b_delta:.3g}" + (f" with b_eta = {s.b_eta:.2g}" if s.skewed else "") for s in shapes
    ]
    return ", ".join(dict.fromkeys(said))


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


def _options(
    findings: Findings, path: KeyPath, reader: AcquisitionReader, model: AnyAcquisition
) -> dict[str, Any]:
    """What is said of the files.

    Raises
    ------
    InputError
        If something is said that means nothing for these files.
    """
    names = [option.name for option in reader.options]
    for key in findings.keys((*path, "acquisition")):
        if key in acquisition.acquisition_options() and key not in names:
            accepted = f"with {reader.noun}: {', '.join(names) or 'no options'}"
            raise InputError(f"{key} with {reader.noun}", accepted, at=(key,))
    return reader.values({name: getattr(model, name) for name in names})


def files_of(
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
