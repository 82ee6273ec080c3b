"""Measured signals of a configuration: what was measured, and whether the files fit each other."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from torrey.base.budgets import quoted
from torrey.base.errors import InputError, KeyPath
from torrey.config.acquisitions import acquire, named_reader
from torrey.config.data_models import DataModel
from torrey.config.domain import MeasuredData
from torrey.config.findings import Findings
from torrey.config.protocols import read_shapes
from torrey.config.waveform_models import AnyWaveform
from torrey.gradients.acquisition.text import counted
from torrey.gradients.sweep import Acquisition
from torrey.gradients.waveforms import AtEcho
from torrey.inversion.measured import MeasuredProtocol, protocol_of_measurements
from torrey.inversion.nifti import Header, read_header
from torrey.inversion.signal_tables import check_strengths, read_signal_table, spread_in_words

#: Keys that belong to volumes.
_OF_VOLUMES: Final = ("mask", "protocol", "acquisition", "waveform")
_ROUNDING: Final = 1e-9
_NO_ECHO: Final = "no echo times in the files: all rows have one signal without gradients"
_NOISE: Final = "a number above 0 in the units of the signals, or a NIfTI file"


def read_data(findings: Findings, name: str) -> MeasuredData | None:
    """Build an entry of the section ``data``, or note what is wrong with it and return None."""
    path = ("data", name)
    before = len(findings.problems)
    model = findings.validate(path, DataModel)
    if model is None:
        return None
    _require_one(findings, path, model, ("table", "nifti"))
    given = findings.keys(path)
    if "table" in given:
        for key in (key for key in _OF_VOLUMES if key in given):
            findings.add((*path, key), key, "no such key beside a table, which says it itself")
    if len(findings.problems) > before:
        return None
    found = None
    if model.table:
        found = _of_table(findings, path, name, model)
    else:
        found = _of_volumes(findings, path, name, model)
    if found is not None and model.noise == "rician" and not found.has_sigma:
        accepted = f"{_NOISE}: magnitudes alone do not tell noise from signal"
        findings.add_missing((*path, "sigma"), accepted)
    return found if len(findings.problems) == before else None


def _require_one(
    findings: Findings, path: KeyPath, model: DataModel, keys: tuple[str, ...]
) -> None:
    """Note a problem unless exactly one of the keys says something."""
    given = [key for key in keys if getattr(model, key)]
    if len(given) != 1:
        names = ", ".join(keys)
        findings.add(path, " and ".join(given) or f"none of {names}", f"exactly one of {names}")


def _file(findings: Findings, path: KeyPath, name: str) -> Path:
    """Path of a file, from the folder of the configuration that names it."""
    return Path(list(findings.root.walk(path))[-1].file).parent / name


def _of_table(
    findings: Findings, path: KeyPath, name: str, model: DataModel
) -> MeasuredData | None:
    sigma = _sigma(findings, path, model)
    if model.sigma and sigma is None:
        findings.add((*path, "sigma"), quoted(model.sigma), "a number above 0, or a column sigma")
        return None
    file = _file(findings, path, model.table)
    with findings.under(*path, "table"):
        table = read_signal_table(file)
        if table.sigma is not None and sigma is not None:
            raise InputError("a column sigma beside the key sigma", "one of them")
        assert table.signals is not None
        return MeasuredData(
            name=name,
            files=(("table", str(file)),),
            protocol=table.protocol,
            noise=model.noise,
            sigma=sigma,
            has_sigma=sigma is not None or table.sigma is not None,
            voxels=len(table.voxels),
            notes=(table.summary, spread_in_words(table.protocol)),
        )
    return None


def _of_volumes(
    findings: Findings, path: KeyPath, name: str, model: DataModel
) -> MeasuredData | None:
    files = {"nifti": _file(findings, path, model.nifti)}
    protocol, notes = _protocol(findings, path, model)
    skipped = tuple(sorted(set(getattr(model.acquisition, "skip", ()))))
    sigma = _sigma(findings, path, model)
    header: Header | None = None
    with findings.under(*path, "nifti"):
        header = read_header(files["nifti"])
    if header is not None:
        with findings.under(*path, "nifti"):
            _check_volumes(header, protocol, skipped, files["nifti"])
    others = {"mask": model.mask, "sigma": model.sigma if sigma is None else ""}
    for key, file in others.items():
        if file:
            files[key] = _file(findings, path, file)
            with findings.under(*path, key):
                _check_grid(read_header(files[key]), header, files[key])
    if header is None or protocol is None:
        return None
    grid = " x ".join(map(str, header.grid))
    return MeasuredData(
        name=name,
        files=tuple((key, str(file)) for key, file in files.items()),
        protocol=protocol,
        noise=model.noise,
        sigma=sigma,
        has_sigma=bool(model.sigma),
        voxels=math.prod(header.grid),
        shape=header.grid,
        volumes=tuple(i for i in range(header.volumes) if i not in skipped) if skipped else (),
        notes=(f"{header.volumes} volumes of {grid} voxels", *notes),
    )


def _check_volumes(
    header: Header, protocol: MeasuredProtocol | None, skipped: tuple[int, ...], file: Path
) -> None:
    if protocol is None or header.volumes == len(protocol) + len(skipped):
        return
    said = f"{len(protocol)}, one for each measurement"
    if skipped:
        said = f"{len(protocol) + len(skipped)}: {said}, and those that skip leaves out"
    raise InputError(f"{file.name} with {counted(header.volumes, 'volume')}", said)


def _check_grid(header: Header, volumes: Header | None, file: Path) -> None:
    if header.volumes > 1:
        raise InputError(f"{file.name} with {counted(header.volumes, 'volume')}", "one volume")
    if volumes is not None and header.grid != volumes.grid:
        found, wanted = (" x ".join(map(str, one.grid)) for one in (header, volumes))
        raise InputError(f"{file.name} of {found} voxels", f"{wanted}, as the volumes have")


def _sigma(findings: Findings, path: KeyPath, model: DataModel) -> float | None:
    """The noise if it is a number."""
    try:
        value = float(model.sigma)
    except ValueError:
        return None
    if not 0.0 < value < math.inf:
        findings.add((*path, "sigma"), quoted(model.sigma), _NOISE)
    return value


def _protocol(
    findings: Findings, path: KeyPath, model: DataModel
) -> tuple[MeasuredProtocol | None, tuple[str, ...]]:
    """What was measured, of a table or of the files of an acquisition."""
    before = len(findings.problems)
    _require_one(findings, path, model, ("protocol", "acquisition"))
    if len(findings.problems) > before:
        return None, ()
    if model.protocol:
        if model.waveform is not None:
            findings.add((*path, "waveform"), "a waveform", "no such key beside a protocol")
        with findings.under(*path, "protocol"):
            file = _file(findings, path, model.protocol)
            protocol = read_signal_table(file, with_signals=False).protocol
            return protocol, (spread_in_words(protocol),)
        return None, ()
    shapes, notes = read_shapes(findings, path, model.waveform)
    reader = named_reader(findings.keys((*path, "acquisition")))
    if model.waveform is None and reader is not None and reader.has_waveforms is False:
        findings.add_missing((*path, "waveform"), AnyWaveform.accepted())
        return None, ()
    given = shapes.waveforms if shapes is not None else None
    with findings.under(*path, "acquisition"):
        found, summary = acquire(findings, path, model.acquisition, given)
        if found is not None:
            protocol = _of_acquisition(found)
            check_strengths(protocol, "the acquisition")
            words = () if np.isfinite(protocol.TE).any() else (_NO_ECHO,)
            return protocol, (*notes, summary, *words)
    return None, ()


def _of_acquisition(found: Acquisition) -> MeasuredProtocol:
    """The rows; waiting times round the gradients change nothing but the echo time."""
    rows = [m.waveform for m in found.rows]
    plain = [
        replace(m, waveform=m.waveform.inner) if isinstance(m.waveform, AtEcho) else m
        for m in found.rows
    ]
    # Readers put an echo that no file says at the end of the gradients.
    said = any(
        isinstance(one, AtEcho) and one.time > one.inner.echo_time * (1 + _ROUNDING) for one in rows
    )
    return protocol_of_measurements(plain, TE=[one.echo_time for one in rows] if said else math.nan)
