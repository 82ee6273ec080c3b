"""Voxels are read with their units, or refused with their place."""

from __future__ import annotations

import numpy as np
import pytest
from support.configurations import GOOD

from torrey.gradients.waveforms import DoublePgse, Pgse

PACKING = """\
  box: {kind: packing, box: 60 um, radius: {uniform: [2 um, 4 um]}, count: 40, gap: 0.2 um}
studies:
"""
VOXEL = """\
voxels:
  mine:
    geometry: box
    voxel: 40 um
    diffusivity: {outside: 3e-3 mm^2/s, inside: 1e-3 mm^2/s}
    permeability: 1e-5 m/s
    waveform: {kind: pgse, delta: 20 ms, Delta: 30 ms}
    direction: [3, 4]
    b: [0 s/mm^2, 500 s/mm^2, 1 ms/um^2]
    tolerance: 2e-3
"""
PULSES = "{kind: pgse, delta: 20 ms, Delta: 30 ms}"
MEMBRANES = "mm^2/s}\n    permeability:"
TEXT = GOOD.replace("studies:\n", PACKING, 1) + VOXEL


def test_a_voxel_is_read(read):
    voxel = read(TEXT).voxels["mine"]
    assert voxel.domains == {"box": 60.0, "voxel": 40.0}
    assert (voxel.window, voxel.count, voxel.outside, voxel.inside) == (40.0, 40, 3.0, 1.0)
    assert voxel.permeability == pytest.approx(0.01)
    assert voxel.direction == pytest.approx((0.6, 0.8))
    assert voxel.b == (0.0, 0.5, 1.0)
    assert (voxel.tolerance, voxel.segments, voxel.refinements) == (2e-3, 6, 1)
    points = voxel.points("voxel")
    assert [point.period for point in points] == [40.0] * 3
    assert [point.b for point in points] == pytest.approx([0.0, 0.5, 1.0])


def test_without_a_voxel_all_of_the_box_is_one(read):
    voxel = read(TEXT.replace("    voxel: 40 um\n", "")).voxels["mine"]
    assert voxel.domains == {"box": 60.0}
    assert voxel.window == 60.0


@pytest.mark.parametrize(
    ("old", "new", "key", "said"),
    [
        ("geometry: box", "geometry: tissue", "geometry", "a geometry of kind packing"),
        ("geometry: box", "geometry: boxes", "geometry", 'did you mean "box"?'),
        ("count: 40", "count: 40, interior: obstacle", "geometry", "of obstacles"),
        ("voxel: 40 um", "voxel: 58 um", "voxel", "at most 54 um"),
        ("voxel: 40 um", "voxel: 20 um", "voxel", "at least 12 discs"),
        ("voxel: 40 um", "voxel: 40", "voxel", "length"),
        ("[3, 4]", "[0, 0]", "direction", "a vector of length 0"),
        ("[3, 4]", "[1, 0, 0]", "direction", "two numbers"),
        ("delta: 20 ms", "delta: [10 ms, 20 ms]", "waveform.delta", "one value"),
        ("delta: 20 ms", "delta: 40 ms", "waveform.delta", "delta"),
        ("500 s/mm^2", "1000 s/mm^2", "b[2]", "the same as entry 1"),
        (
            "[0 s/mm^2, 500 s/mm^2, 1 ms/um^2]",
            "{start: 0 s/mm^2, stop: 1 ms/um^2, num: 501}",
            "b",
            "at most 1000 in a configuration",
        ),
        ("tolerance: 2e-3", "tolerance: 0.5", "tolerance", "largest error of a signal"),
        ("tolerance: 2e-3", "segments: 5", "segments", "a whole number of 6 to 48"),
        ("1 ms/um^2]", "250 ms/um^2]", "b", "b D up to 750, accepted: at most 600"),
        (
            f"inside: 1e-3 {MEMBRANES} 1e-5 m/s\n    waveform: {PULSES}",
            f"inside: 0.9 {MEMBRANES} 1e-5 m/s\n    waveform: {PULSES.replace('30', '2000')}",
            "waveform",
            "D t / L^2 up to 2.02e+04",
        ),
        (
            f"inside: 1e-3 {MEMBRANES} 1e-5 m/s",
            f"inside: 1e-6 {MEMBRANES} 1 m/s",
            "permeability",
            "kappa^2 t / D up to 5e+10, accepted: at most 1e+08",
        ),
        (
            PULSES,
            "{kind: double-pgse, delta: 5 ms, Delta: 15 ms, mixing_time: 5 ms, angle: 90 degree}",
            "waveform",
            "gradients along more than the first axis, accepted: gradients along one direction",
        ),
        (
            PULSES,
            "{kind: file, path: nowhere.csv}",
            "waveform.path",
            "nowhere.csv",
        ),
        ("permeability: 1e-5 m/s", "kappa: 1e-5 m/s", "kappa", "unknown key"),
    ],
)
def test_what_cannot_be_is_refused(messages, old, new, key, said):
    assert TEXT.count(old) >= 1
    head, tail = TEXT.split("voxels:\n") if old != "count: 40" else (TEXT, "")
    text = f"{head}voxels:\n{tail.replace(old, new, 1)}" if tail else TEXT.replace(old, new)
    found = [m for m in messages(text) if "voxels.mine" in m]
    assert any(f"voxels.mine.{key}" in m and said in m for m in found), found


@pytest.mark.parametrize("angle", [0, 180])
def test_a_waveform_of_two_components_is_taken_if_one_of_them_is_zero(read, angle):
    wave = (
        f"{{kind: double-pgse, delta: 5 ms, Delta: 15 ms, mixing_time: 5 ms, angle: {angle} deg}}"
    )
    voxel = read(TEXT.replace(PULSES, wave)).voxels["mine"]
    assert voxel.waveform == DoublePgse(5.0, 15.0, 5.0, angle)
    assert voxel.points("box")[2].b == pytest.approx(1.0)


def test_a_waveform_comes_from_a_file(read, tmp_path):
    rows = "time (ms),g (mT/m)\n0,40\n3,40\n3,0\n9,0\n9,-40\n12,-40\n"
    (tmp_path / "bipolar.csv").write_text(rows)
    wave = "{kind: file, path: bipolar.csv}"
    voxel = read(TEXT.replace(PULSES, wave)).voxels["mine"]
    t = np.linspace(0.01, 11.99, 20)
    assert voxel.waveform.sample(t, 0) == pytest.approx(Pgse(3.0, 9.0).sample(t, 0))
    assert voxel.points("box")[2].b == pytest.approx(1.0)


def test_a_figure_on_request_says_so(read):
    text = TEXT.replace("figures:\n", "figures:\n  mine: {voxels: [mine], on_request: true}\n")
    figure = read(text).figures["mine"]
    assert figure.on_request
    assert figure.voxels == ("mine",)
    assert not read(text).figures["plot"].on_request
