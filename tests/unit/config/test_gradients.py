"""Waveforms, acquisitions and methods are read in internal units, from the right folder."""

from __future__ import annotations

import math
import re

import jsonschema
import numpy as np
import pytest
import yaml
from support.configurations import B_VALUES, GOOD, Yaml12Loader, edited
from support.gradient_files import (
    DIRECTIONS,
    FSL,
    ONE_PGSE,
    WAVEFORM,
    double,
    with_gradients,
    write_files,
)

from torrey.base.units import PROTON_GYROMAGNETIC_RATIO
from torrey.config import load
from torrey.config.schema import json_schema
from torrey.gradients.sweep import Acquisition, Samples
from torrey.gradients.waveforms import (
    KINDS,
    AtEcho,
    BTensor,
    CosineOgse,
    DoublePgse,
    FilterExchange,
    Pgse,
    SampledWaveform,
    SineOgse,
    StimulatedEcho,
    TrapezoidalOgse,
    TrapezoidalPgse,
    TriplePgse,
)
from torrey.workflow.layout import Layout

MILLITESLA_40 = PROTON_GYROMAGNETIC_RATIO * 0.04 * 1e-9  # per m, in rad/um/ms


@pytest.fixture
def read_gradients(tmp_path, read):
    """Reads the study `mine` with other lines, beside files that they may name."""
    write_files(tmp_path)
    return lambda *lines: read(with_gradients(*lines)).studies["mine"]


GRIDS = [
    (
        "waveform: {kind: trapezoid, delta: 4e3 us, Delta: [12 ms, 0.02 s], rise_time: 300 us}",
        {"delta": (4.0,), "Delta": (12.0, 20.0), "rise_time": (0.3,)},
        TrapezoidalPgse(4.0, 12.0, 0.3),
    ),
    (
        "waveform: {kind: sine-ogse, delta: 10 ms, Delta: 20 ms, cycles: [1, 2, 4]}",
        {"delta": (10.0,), "Delta": (20.0,), "cycles": (1.0, 2.0, 4.0)},
        SineOgse(10.0, 20.0, 1.0),
    ),
    (
        "waveform: {kind: cosine-ogse, delta: [10 ms, 8 ms], Delta: 20 ms, "
        "cycles: {start: 1, stop: 5, num: 3}}",
        {"delta": (10.0, 8.0), "Delta": (20.0,), "cycles": (1.0, 3.0, 5.0)},
        CosineOgse(10.0, 20.0, 1.0),
    ),
    (
        "waveform: {kind: trapezoid-ogse, delta: 10 ms, Delta: 20 ms, cycles: 2, "
        "rise_time: [0.1 ms, 0.2 ms]}",
        {"delta": (10.0,), "Delta": (20.0,), "cycles": (2.0,), "rise_time": (0.1, 0.2)},
        TrapezoidalOgse(10.0, 20.0, 2.0, 0.1),
    ),
    (
        double(
            Delta="10 ms",
            mixing_time="[0 ms, 5e3 us]",
            angle="{start: -90 deg, stop: 180 deg, num: 4}",
        ),
        {
            "delta": (3.0,),
            "Delta": (10.0,),
            "mixing_time": (0.0, 5.0),
            "angle": (-90.0, 0.0, 90.0, 180.0),
        },
        DoublePgse(3.0, 10.0, 0.0, -90.0),
    ),
    (
        "waveform: {kind: b-tensor, delta: 3 ms, Delta: [20 ms, 30 ms], b_delta: 1}",
        {"delta": (3.0,), "Delta": (20.0, 30.0), "b_delta": (1.0,)},
        BTensor(3.0, 20.0, 1.0),
    ),
    (
        "waveform: {kind: stimulated-echo, delta: 3 ms, Delta: [100 ms, 0.2 s], tau: 8 ms}",
        {"delta": (3.0,), "Delta": (100.0, 200.0), "tau": (8.0,)},
        StimulatedEcho(3.0, 100.0, 8.0),
    ),
    (
        "waveform: {kind: filter-exchange, delta: 3 ms, Delta: 10 ms, delta_filter: 4 ms, "
        "Delta_filter: 12 ms, b_filter: [0 s/mm^2, 900 s/mm^2], mixing_time: [20 ms, 0.1 s]}",
        {
            "delta": (3.0,),
            "Delta": (10.0,),
            "delta_filter": (4.0,),
            "Delta_filter": (12.0,),
            "b_filter": (0.0, 0.9),
            "mixing_time": (20.0, 100.0),
        },
        FilterExchange(3.0, 10.0, 4.0, 12.0, 0.0, 20.0),
    ),
]


@pytest.mark.parametrize(("line", "parameters", "first"), GRIDS, ids=[g[2].kind for g in GRIDS])
def test_waveforms_are_read_in_internal_units(read_gradients, line, parameters, first):
    study = read_gradients(line, B_VALUES, DIRECTIONS)
    axes = study.sweep.axes()
    assert list(axes) == ["period", "permeability", *parameters, "b", "direction"]
    assert {name: axes[name] for name in parameters} == parameters
    waveforms = study.sweep.protocol.shapes.waveforms
    assert waveforms[0] == first
    assert len(waveforms) == math.prod(map(len, parameters.values()))
    assert len(study.points()) == 2 * len(waveforms) * 2


def test_every_kind_of_waveform_is_read_here():
    # Three blocks along three axes need a cell in space, below.
    assert {first.kind for _, _, first in GRIDS} | {"pgse", "triple-pgse"} == set(KINDS)


@pytest.mark.parametrize(
    ("line", "first"),
    [
        ("{kind: triple-pgse, delta: 3 ms, Delta: 9 ms, mixing_time: 1 ms}", TriplePgse(3, 9, 1)),
        (
            "{kind: b-tensor, delta: 3 ms, Delta: 20 ms, b_delta: [-0.5, 0, 1]}",
            BTensor(3, 20, -0.5),
        ),
    ],
)
def test_waveforms_of_three_components_are_read_in_space(read, line, first):
    text = with_gradients(f"waveform: {line}", B_VALUES, "directions: [[0, 0, 1]]")
    old = text[text.index("  tissue:") : text.index("  stones:")]
    balls = "  tissue: {kind: spheres, cells: [{center: [0.5, 0.5, 0.5], radius: 0.3}]}\n"
    study = read(text.replace(old, balls)).studies["mine"]
    assert study.sweep.protocol.shapes.waveforms[0] == first
    assert study.sweep.axes().get("b_delta", (0.0,))[-1] in (0.0, 1.0)


def test_each_strength_of_filter_exchange_is_a_shape_of_its_own(read_gradients):
    study = read_gradients(GRIDS[-1][0], "b: [0 s/mm^2, 500 s/mm^2]", DIRECTIONS)
    points = list(study.points().values())
    assert [point.b for point in points[:2]] == pytest.approx([0.0, 0.5])
    assert len({point.waveform for point in points}) == 8
    assert len({point.key("b") for point in points}) == len(points)


def test_several_files_are_an_axis_with_their_names(read_gradients, tmp_path):
    (tmp_path / "second.csv").write_text("time (ms),g (mT/m)\n0,40\n3,40\n3,-40\n6,-40\n")
    line = "waveform: {kind: file, path: [bipolar.csv, second.csv], echo_time: 30 ms}"
    study = read_gradients(line, B_VALUES, DIRECTIONS)
    axes = study.sweep.axes()
    assert axes["waveform"] == ("bipolar", "second")
    assert list(axes) == ["period", "permeability", "waveform", "b", "direction"]
    shapes = study.sweep.protocol.shapes.waveforms
    assert [shape.inner.times[-1] for shape in shapes] == [12.0, 6.0]
    assert len(study.notes) == 2
    # One in a list is one.
    one = read_gradients("waveform: {kind: file, path: [bipolar.csv]}", B_VALUES, DIRECTIONS)
    same = read_gradients("waveform: {kind: file, path: bipolar.csv}", B_VALUES, DIRECTIONS)
    assert one.sweep == same.sweep


@pytest.mark.parametrize("angle", ["90 deg", "0.25 turn", "1.5707963267948966 rad", "90 degree"])
def test_angles_are_read_in_degrees(read_gradients, angle):
    study = read_gradients(double(angle=angle), B_VALUES, DIRECTIONS)
    assert study.sweep.axes()["angle"] == (90.0,)


# ---- samples ----


def test_samples_are_read_from_a_file(read_gradients):
    study = read_gradients("waveform: {kind: file, path: bipolar.csv}", "b: 1 ms/um^2", DIRECTIONS)
    (waveform,) = study.sweep.protocol.shapes.waveforms
    assert isinstance(study.sweep.protocol.shapes, Samples)
    assert isinstance(waveform, SampledWaveform)
    assert (waveform.name, waveform.samples) == ("bipolar", "gradient")
    t = np.linspace(0.01, 11.99, 100)
    np.testing.assert_allclose(waveform.sample(t, 1), Pgse(3.0, 9.0).sample(t, 1), atol=1e-14)
    assert list(study.sweep.axes()) == ["period", "permeability", "b", "direction"]
    assert study.notes == (
        "bipolar: 6 samples of 1 component over 12 ms, |gamma G| up to 0.0107009 rad/um/ms "
        "(40 mT/m of protons), read as time (ms), g (mT/m)",
    )


def test_a_configuration_says_what_a_file_of_samples_does_not(read_gradients):
    keys = "columns: [g], dt: 3 ms, between: hold, first: half, refocus: [6 ms]"
    study = read_gradients(
        f"waveform: {{kind: file, path: played.txt, {keys}}}", "b: 1 ms/um^2", DIRECTIONS
    )
    (waveform,) = study.sweep.protocol.shapes.waveforms
    t = np.linspace(0.01, 11.99, 100)
    np.testing.assert_allclose(waveform.sample(t, 1), Pgse(3.0, 9.0).sample(t, 1), atol=1e-14)
    assert study.notes == (
        "played: 7 samples of 1 component over 12 ms, in units of their own, read as g, each held "
        "until the next, in the middle of the steps of the raster, the sign turned from 6 ms on",
    )


def test_what_the_digits_of_a_file_leave_is_said(read_gradients):
    study = read_gradients("waveform: {kind: file, path: five.csv}", "b: 1 ms/um^2", DIRECTIONS)
    assert study.notes[0].endswith(
        "read as time (ms), g (mT/m); |g(T_E)| at the echo is 1e-05 of the largest |g|, which the "
        "digits of the file explain up to 2e-05: spread over the gradient"
    )


def test_samples_may_have_two_components_in_a_plane(read_gradients):
    study = read_gradients(
        "waveform: {kind: file, path: turn.csv}", "q: 0.1 rad/um", "directions: [0, 1]"
    )
    (measurement,) = study.sweep.protocol.measurements
    assert measurement.waveform.n_components == 2
    np.testing.assert_allclose(
        measurement.waveform.sample(np.array([4.0, 8.0]), 0)[:, 0], [[1, 0], [0, 0.5]]
    )


def test_files_are_looked_for_beside_the_configuration(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, second = tmp_path / "first", tmp_path / "second" / "deep"
    for folder in (first, second / "waves"):
        folder.mkdir(parents=True)
        write_files(folder)
    wave = "waveform: {kind: file, path: %s}"
    (first / "mine.yaml").write_text(with_gradients(wave % "bipolar.csv", B_VALUES, DIRECTIONS))
    text = with_gradients(
        ONE_PGSE, "acquisition: {bval: waves/dwi.bval, bvec: ../deep/waves/dwi.bvec}"
    )
    studies = text[text.index("studies:") : text.index("figures:")].replace("mine:", "yours:")
    (second / "more.yaml").write_text(studies)
    config = load([first / "mine.yaml", second / "more.yaml"])
    assert config.studies["mine"].sweep.protocol.shapes.given[0].name == "bipolar"
    assert len(config.studies["yours"].sweep.protocol.rows) == 4
    # The folder of the process plays no part, nor how the configuration is named.
    relative = load([p.relative_to(tmp_path) for p in (first / "mine.yaml", second / "more.yaml")])
    assert relative.studies["mine"].sweep == config.studies["mine"].sweep


def test_paths_of_results_are_safe_whatever_the_file_is_called(tmp_path, read):
    write_files(tmp_path)
    (tmp_path / "bipolar.csv").rename(tmp_path / "my wave, 1{x}.csv")
    line = 'waveform: {kind: file, path: "my wave, 1{x}.csv"}'
    layout = Layout(read(with_gradients(line, B_VALUES, DIRECTIONS)))
    assert len(layout.jobs) == 4
    assert all(re.fullmatch(r"results/[A-Za-z0-9_./-]+\.nc", path) for path in layout.jobs)


# ---- acquisitions ----


def test_an_acquisition_is_a_row_for_each_b_value_and_direction(read_gradients):
    study = read_gradients(ONE_PGSE, FSL)
    protocol = study.sweep.protocol
    assert isinstance(protocol, Acquisition)
    assert protocol.encoding_kind == "b"
    assert [row.b for row in protocol.rows] == pytest.approx([0.0, 1.0, 3.0, 0.85], rel=1e-13)
    assert {row.waveform for row in protocol.rows} == {Pgse(4.0, 12.0)}
    expected = [[1, 0], [1, 0], [0, 1], [0.6, -0.8]]  # at b = 0 any
    np.testing.assert_allclose(protocol.directions, expected, atol=1e-14)
    assert list(study.sweep.axes()) == ["period", "permeability", "measurement"]
    assert len(study.points()) == 2 * 4
    (note,) = study.notes
    assert note.startswith("4 measurements, b from 0 to 3000 s/mm^2 (read as s/mm^2): 1 at b = 0")


def test_an_acquisition_may_have_a_waveform_of_any_kind(read_gradients):
    line = (
        "waveform: {kind: double-pgse, delta: 3 ms, Delta: 9 ms, mixing_time: 1 ms, angle: 90 deg}"
    )
    study = read_gradients(line, FSL)
    assert {row.waveform for row in study.sweep.protocol.rows} == {DoublePgse(3.0, 9.0, 1.0, 90.0)}
    study = read_gradients("waveform: {kind: file, path: turn.csv}", FSL)
    assert [row.b for row in study.sweep.protocol.rows] == pytest.approx([0.0, 1.0, 3.0, 0.85])
    # Both files are told.
    wave, table = study.notes
    assert wave.startswith("turn: 4 samples of 2 components over 12 ms, |g| up to 0.1 rad/um")
    assert table.startswith("4 measurements, b from 0 to 3000 s/mm^2")


def test_rows_of_filter_exchange_have_shapes_of_their_own(tmp_path, read_gradients):
    line = (
        GRIDS[-1][0]
        .replace("[0 s/mm^2, 900 s/mm^2]", "900 s/mm^2")
        .replace("[20 ms, 0.1 s]", "20 ms")
    )
    (tmp_path / "dwi.bvec").write_text("1 1 0 0.6\n0 0 1 -0.8\n0 0 0 0\n")
    rows = read_gradients(line, FSL).sweep.protocol.rows
    assert [row.b for row in rows] == pytest.approx([0.0, 1.0, 3.0, 0.85], rel=1e-13)
    totals = [np.trace(row.b_tensor) for row in rows]
    assert totals == pytest.approx([0.9, 1.9, 3.9, 1.75], rel=1e-13)
    assert rows[0].direction == (1.0, 0.0)


def test_an_acquisition_fits_a_cell_of_one_dimension(tmp_path, read):
    write_files(tmp_path)
    text = with_gradients(ONE_PGSE, "acquisition: {bval: dwi.bval, bvec: line.bvec}")
    rows = read(text.replace("geometry: tissue", "geometry: layers")).studies["mine"]
    assert rows.sweep.protocol.directions == ((1.0,), (1.0,), (-1.0,), (1.0,))


def test_a_scheme_brings_its_own_pulses(read_gradients):
    study = read_gradients("acquisition: {scheme: pulses.scheme}")
    protocol = study.sweep.protocol
    assert protocol.encoding_kind == "gradient"
    rest, first, second = protocol.rows
    assert rest.q == rest.b == 0.0
    assert first.waveform == AtEcho(Pgse(10.0, 20.0), 60.0)
    assert second.waveform == AtEcho(Pgse(5.0, 30.0), 60.0)
    assert [first.gradient, second.gradient] == pytest.approx([MILLITESLA_40, 2 * MILLITESLA_40])
    np.testing.assert_allclose(protocol.directions[1:], [[0.6, 0.8], [0, -1]], atol=1e-14)
    (note,) = study.notes
    assert note.startswith(
        "3 measurements, |G| from 0 to 80 mT/m (read as T/m), DELTA from 20 to 30"
    )


def test_without_files_nothing_is_noted(read):
    assert read(GOOD).studies["mine"].notes == ()


# ---- methods ----


def test_the_reference_may_be_projected(read, study):
    assert read(GOOD).studies["mine"].method == "full"
    assert study("    tolerance:", "    reference: {method: full}\n    tolerance:").method == "full"
    projected = study("    tolerance:", "    reference: {method: projected}\n    tolerance:")
    assert projected.method == "projected"
    assert projected.sweep == read(GOOD).studies["mine"].sweep


def test_the_reference_is_projected_in_space_where_nothing_is_said(read):
    ball = "layers: {kind: spheres, cells: [{center: [0.5, 0.5, 0.5], radius: 0.3}]}"
    text = edited("layers: {kind: layers, thicknesses: [0.6, 0.4]}", ball)
    text = text.replace("geometry: tissue", "geometry: layers").replace("[[1, 0]]", "[[1, 0, 0]]")
    assert read(text).studies["mine"].method == "projected"
    said = text.replace("    tolerance:", "    reference: {method: full}\n    tolerance:")
    assert read(said).studies["mine"].method == "full"
    # Sticks, whose water moves along one axis, have no small basis.
    none = "0 um^2/ms, 0 um^2/ms, 0 um^2/ms"
    along_x = f"inside: [[1 um^2/ms, {none[11:]}], [{none}], [{none}]]"
    stick = text.replace("inside: 1.2e-3 mm^2/s", along_x).replace("reference, R0, R2", "reference")
    assert read(stick).studies["mine"].method == "full"


# ---- the schema ----


ALLOWED = [
    *([line, B_VALUES, DIRECTIONS] for line, _, _ in GRIDS),
    ["waveform: {kind: file, path: bipolar.csv}", "gradient: 80 mT/m", DIRECTIONS],
    [ONE_PGSE, FSL],
    ["acquisition: {scheme: pulses.scheme}"],
    [WAVEFORM, B_VALUES, DIRECTIONS, "reference: {method: projected}"],
]


@pytest.mark.parametrize("lines", ALLOWED, ids=lambda lines: lines[0][:40])
def test_what_is_read_satisfies_the_schema(read_gradients, lines):
    assert read_gradients(*lines).points()
    jsonschema.validate(yaml.load(with_gradients(*lines), Yaml12Loader), json_schema())


@pytest.mark.parametrize(
    "lines",
    [
        [WAVEFORM.replace("pgse", "ogse"), B_VALUES, DIRECTIONS],
        [WAVEFORM.replace("}", ", cycles: 2}"), B_VALUES, DIRECTIONS],
        [WAVEFORM.replace("pgse", "sine-ogse"), B_VALUES, DIRECTIONS],
        ["waveform:", B_VALUES, DIRECTIONS],
        [ONE_PGSE, "acquisition:"],
        [ONE_PGSE, FSL, B_VALUES],
        [ONE_PGSE, "acquisition: {bvals: dwi.bval, bvec: dwi.bvec}"],
        [double(angle="90"), B_VALUES, DIRECTIONS],
        [GRIDS[1][0].replace("[1, 2, 4]", "0"), B_VALUES, DIRECTIONS],
        [GRIDS[1][0].replace("[1, 2, 4]", "1.5"), B_VALUES, DIRECTIONS],
        [WAVEFORM, B_VALUES, DIRECTIONS, "reference: {method: fast}"],
    ],
    ids=str,
)
def test_what_is_refused_does_not_satisfy_the_schema(messages, lines):
    assert messages(with_gradients(*lines))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.load(with_gradients(*lines), Yaml12Loader), json_schema())
