"""Waiting times: gradients in the middle of the time to the echo."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from torrey.base.errors import InputError
from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.cell.system import AffineSystem
from torrey.config import ConfigError, load
from torrey.geometry import Disc, Discs, MeshOptions
from torrey.gradients.sweep import Sweep
from torrey.gradients.waveforms import AtEcho, DoublePgse, Pgse, from_dict
from torrey.models.projection import project
from torrey.reference.full import mesh_signal

INNER = Pgse(3.0, 8.0)
WAVEFORM = AtEcho(INNER, 40.0)


def test_only_the_echo_is_later():
    assert WAVEFORM.echo_time == pytest.approx(40.0, rel=1e-15)
    assert WAVEFORM.b_factor == pytest.approx(INNER.b_factor, rel=1e-14)
    assert WAVEFORM.symmetry == 1
    assert len(WAVEFORM.segments) == len(INNER.segments) + 2
    assert WAVEFORM.segments[0].duration == WAVEFORM.segments[-1].duration
    assert WAVEFORM.label == "pgse-3-8-te40"
    assert AtEcho(INNER, 11.0).segments == INNER.segments


@pytest.mark.parametrize("waveform", [WAVEFORM, AtEcho(DoublePgse(2.0, 5.0, 1.0, 60.0), 90.0)])
def test_it_comes_back_from_plain_values(waveform):
    assert from_dict(waveform.to_dict()) == waveform


@pytest.mark.parametrize("time", [10.9, 0.0, -1.0, math.nan, math.inf])
def test_gradients_must_fit(time):
    with pytest.raises(InputError, match="as long as the gradients take"):
        AtEcho(INNER, time)


@pytest.fixture(scope="module")
def shape() -> Discs:
    return Discs((Disc((0.5, 0.5), 0.35),))


def test_relaxation_runs_to_the_echo(shape):
    # Impermeable compartments of their own T2: waiting multiplies each by exp(-wait/T2).
    T2 = (80.0, 20.0)
    q, wait = 0.3, WAVEFORM.echo_time - INNER.echo_time
    parts = []
    for density in ((1.0, 0.0), (0.0, 1.0)):
        material = Material((3.0, 1.7), T2=T2, density=density)
        system = AffineSystem.at(
            levels(shape, MeshOptions(0.2, 0), material)[0], 6.0, 0.0, (1.0, 0.0)
        )
        short, long = (mesh_signal(system, w, q, 24) for w in (INNER, WAVEFORM))
        relaxed = T2[density.index(1.0)]
        assert long == pytest.approx(short * math.exp(-wait / relaxed), rel=1e-9)
        parts.append(long)
    assert parts[0] != pytest.approx(parts[1], rel=1e-2)


def test_without_relaxation_waiting_changes_nothing(shape):
    operators = levels(shape, MeshOptions(0.2, 0), Material((3.0, 1.7)))[0]
    model = project(operators, (1.0, 0.0), 3)
    short, long = (model.signal(w, 0.3, 6.0, 0.01) for w in (INNER, WAVEFORM))
    assert long == pytest.approx(short, abs=1e-9)


STUDY = """\
geometries:
  cell: {kind: discs, cells: [{center: [0.5, 0.5], radius: 0.3}]}
studies:
  mine:
    geometry: cell
    diffusivity: {outside: 3e-3 mm^2/s, inside: 1.7e-3 mm^2/s}
    T2: {outside: 80 ms, inside: 40 ms}
    period: 6 um
    permeability: 5e-5 m/s
    GRADIENTS
    models: [reference, R2]
"""
PULSES = "waveform: {kind: pgse, delta: 3 ms, Delta: [8 ms, 12 ms], echo_time: ECHO}\n"
REST = "    b: 500 s/mm^2\n    directions: [[1, 0]]"


def write(folder: Path, gradients: str) -> Path:
    path = folder / "study.yaml"
    path.write_text(STUDY.replace("GRADIENTS", gradients))
    return path


def test_a_configuration_gives_it(tmp_path):
    path = write(tmp_path, PULSES.replace("ECHO", "60 ms") + REST)
    study = load([path]).studies["mine"]
    waveforms = {point.waveform for point in study.points().values()}
    assert waveforms == {AtEcho(Pgse(3.0, Delta), 60.0) for Delta in (8.0, 12.0)}
    assert Sweep.from_json(study.sweep.to_json()) == study.sweep
    assert list(study.sweep.axes())[2:4] == ["delta", "Delta"]


def test_a_configuration_with_too_short_a_time_is_refused(tmp_path):
    path = write(tmp_path, PULSES.replace("ECHO", "14 ms") + REST)
    with pytest.raises(ConfigError, match=r"waveform.echo_time.*at least 15 ms"):
        load([path])


def test_a_scheme_gives_one_to_each_row(tmp_path):
    (tmp_path / "dwi.scheme").write_text(
        "VERSION: STEJSKALTANNER\n"
        "0 0 0 0.0 0.02 0.005 0.06\n"
        "1 0 0 0.04 0.02 0.005 0.06\n"
        "0 1 0 0.04 0.03 0.005 0.08\n"
    )
    path = write(tmp_path, "acquisition: {scheme: dwi.scheme}")
    rows = load([path]).studies["mine"].sweep.protocol.measurements
    np.testing.assert_allclose([row.waveform.echo_time for row in rows], [60, 60, 80], rtol=1e-14)
    assert [row.q > 0 for row in rows] == [False, True, True]
