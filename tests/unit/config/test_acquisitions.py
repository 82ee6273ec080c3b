"""Tables of measurements of all formats mean the same, and say what they mean."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from support.measurement_tables import (
    CELL,
    DELTA,
    ECHO,
    FORMATS,
    PULSES,
    PYPULSEQ,
    ROWS,
    SEPARATION,
    Sequence,
    tesla_per_metre,
)

from torrey.base.units import PROTON_GYROMAGNETIC_RATIO
from torrey.config import ConfigError, load
from torrey.gradients.waveforms import AtEcho, DoublePgse, Pgse, TrapezoidalPgse


@pytest.fixture
def study(tmp_path):
    """Reads a study with these lines on a cell of three dimensions, or another, beside files."""

    def study(lines, files, cell=CELL):
        for name, text in files.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / "mine.yaml").write_text(f"{cell}    {lines}\n", encoding="utf-8")
        return load([tmp_path / "mine.yaml"]).studies["mine"]

    return study


@pytest.fixture
def refusal(study):
    """The problems of such a study."""

    def refusal(lines, files, cell=CELL):
        with pytest.raises(ConfigError) as error:
            study(lines, files, cell)
        return [str(problem) for problem in error.value.problems]

    return refusal


def rows_of(study):
    return study.sweep.protocol.rows


def tensors(rows):
    return np.array([row.b_tensor for row in rows])


EXPECTED = np.array([b * 1e-3 * np.outer(n, n) for b, n in ROWS])


# ---- the same protocol ----


@pytest.mark.parametrize("name", FORMATS)
def test_all_formats_give_the_same_measurements(study, name):
    rows = rows_of(study(*FORMATS[name]))
    np.testing.assert_allclose(tensors(rows), EXPECTED, rtol=1e-9, atol=1e-9)
    assert [row.waveform.echo_time for row in rows] == pytest.approx([ECHO] * len(rows))
    # Where in time the pulses are: g(t) between them, 9 ms before the echo and after it.
    for row in rows[1:]:
        steps = row.q * row.waveform.sample(np.array([9.9, 15.0, 30.0, 50.1]), 0)[:, 0, 0]
        np.testing.assert_allclose(steps, [0, row.q / 2, row.q, 0], atol=1e-9)


def test_trapezoids_of_a_sequence_are_those_of_the_formula(study, monkeypatch):
    monkeypatch.setitem(sys.modules, "pypulseq", PYPULSEQ)
    found = study("acquisition: {pulseq: a.seq}", {"a.seq": "[VERSION]\n"})
    rows = rows_of(found)
    same = AtEcho(TrapezoidalPgse(DELTA, SEPARATION, Sequence.rise * 1e3), ECHO)
    gradients = [PROTON_GYROMAGNETIC_RATIO * 1e-9 * tesla_per_metre(b) for b, _ in ROWS]
    b = [same.b_value(same.q_of_gradient(g)) for g in gradients]
    expected = [x * np.outer(n, n) for x, (_, n) in zip(b, ROWS, strict=True)]
    np.testing.assert_allclose(tensors(rows), expected, rtol=1e-9, atol=1e-12)
    assert [row.waveform.echo_time for row in rows] == pytest.approx([ECHO] * len(rows))
    assert len({row.waveform for row in rows}) == 2  # one without gradient, one of all others
    assert "5 measurements, 2 waveforms of 1 component" in found.notes[0]


def test_samples_of_mcdc_are_joined_by_straight_lines(study):
    """Trapezoids in a plane: 2 ms up, 8 ms, 2 ms down, every 2 ms from 0 to 60 ms."""
    lobe = np.zeros(31)
    lobe[6:10] = 0.04  # 12 to 18 ms, from 10 to 20 ms with its edges
    lobe[21:25] = -0.04
    samples = [np.outer(lobe, (0.6, 0.8, 0.0)), np.outer(lobe, (0.0, 0.0, 0.5)), np.zeros((31, 3))]
    text = "VERSION: WAVEFORM\n0.06 31 3\n" + "".join(
        " ".join(map(repr, row)) + "\n" for block in samples for row in block.tolist()
    )
    rows = rows_of(study("acquisition: {scheme: a.scheme}", {"a.scheme": text}))
    same = TrapezoidalPgse(8.0, 30.0, 2.0)
    b = same.b_value(same.q_of_gradient(PROTON_GYROMAGNETIC_RATIO * 0.04e-9))
    np.testing.assert_allclose(
        tensors(rows)[0], b * np.outer((0.6, 0.8, 0), (0.6, 0.8, 0)), atol=1e-9
    )
    np.testing.assert_allclose(tensors(rows)[1], b / 4 * np.diag((0, 0, 1)), atol=1e-9)
    assert rows[2].b == 0.0
    assert rows[0].waveform == rows[1].waveform


def test_digits_that_leave_a_residual_at_the_echo_are_spread_and_said(study):
    """Lobes of 1 and -1/3, of 5 digits: what is left at the echo is 1e-5 of the largest g."""
    lobes = "0.05 0 0 0 0 0 -0.01667 0 0 -0.01667 0 0 -0.01667 0 0"
    text = f"VERSION: GRADIENT_WAVEFORM\n5 0.01 {lobes}\n"
    found = study("acquisition: {scheme: a.scheme}", {"a.scheme": text})
    (row,) = rows_of(found)
    # In steps of 10 ms: g rises to 1, stays, and falls to 0 in three steps.
    step = PROTON_GYROMAGNETIC_RATIO * 0.05e-9 * 10.0
    assert row.b == pytest.approx(10.0 * step**2 * (1 / 3 + 1 + 1), rel=1e-3)
    assert "spread over the gradient" in found.notes[0]


def test_gradients_of_several_directions_keep_their_components(study):
    text = "VERSION: GRADIENT_WAVEFORM\n4 0.005 0.04 0 0 0 0.04 0.02 -0.04 0 0 0 -0.04 -0.02\n"
    (row,) = rows_of(study("acquisition: {scheme: a.scheme}", {"a.scheme": text}))
    # The wave vector over its final steps by hand: 5 ms each, in units of gamma 0.04 T/m 5 ms.
    x, y, z = ([0, 1, 1, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0.5, 0.5, 0])
    step = PROTON_GYROMAGNETIC_RATIO * 0.04e-9 * 5.0
    expected = [
        [
            5 * step**2 * sum((2 * a[i] * b[i] + a[i] * b[i + 1] + a[i + 1] * b[i]
            + 2 * a[i + 1] * b[i + 1]) / 6 for i in range(4))
            for b in (x, y, z)
        ]
        for a in (x, y, z)
    ]  # fmt: skip
    np.testing.assert_allclose(row.b_tensor, expected, rtol=1e-9)


def test_an_echo_that_a_sequence_defines_is_taken(study, monkeypatch):
    monkeypatch.setitem(sys.modules, "pypulseq", PYPULSEQ)
    found = study("acquisition: {pulseq: a.seq, skip: 0}", {"a.seq": "[VERSION]\nTE 0.07\n"})
    assert [row.waveform.echo_time for row in rows_of(found)] == pytest.approx([70.0] * 4)
    assert "TE = 70 ms" in found.notes[0]
    assert "TE as the file defines it" in found.notes[0]
    assert "; 1 volume skipped (number 0, from 0); b from " in found.notes[0]


# ---- b = 0, scaled vectors, skipped volumes ----

FSL = f"waveform: {PULSES}}}\n    acquisition: {{bval: a.bval, bvec: a.bvec%s}}"


def fsl(bval, bvec):
    return {"a.bval": bval, "a.bvec": bvec}


def test_a_small_b_runs_as_none_and_says_so(study):
    found = study(FSL % "", fsl("5 0 1000 50", "0 10 1 0\n0 0 0 1\n0 0 0 0"))
    assert [row.b for row in rows_of(found)] == pytest.approx([0, 0, 1, 0.05])
    said = "1 with b = 5 s/mm^2, below b0_threshold = 50 s/mm^2, run as b = 0"
    assert said in found.notes[0]
    found = study(FSL % ", b0_threshold: 0 s/mm^2", fsl("5 0 1000", "0 10 1\n1 0 0\n0 0 0"))
    assert [row.b for row in rows_of(found)] == pytest.approx([0.005, 0, 1])
    assert "threshold" not in found.notes[0]


def test_b_values_in_another_unit_are_no_table_of_b_0(refusal):
    (said,) = refusal(FSL % "", fsl("0 1 2.5", "0 1 0\n0 0 1\n0 0 0"))
    assert "b from 1 to 2.5 s/mm^2, all below b0_threshold = 50 s/mm^2" in said
    assert "b0_threshold: 0 s/mm^2" in said


def test_lengths_scale_b_where_that_is_said(study):
    files = fsl("1000 1000 1000", "0.5 0 0\n0 0 0.6\n0 0 0.8")
    found = study(FSL % ", scaled_vectors: true", files)
    np.testing.assert_allclose(
        tensors(rows_of(found)),
        [np.diag((0.25, 0, 0)), np.zeros((3, 3)), np.outer((0, 0.6, 0.8), (0, 0.6, 0.8))],
        atol=1e-12,
    )
    assert "b scaled by the squares of the vectors' lengths, from 0 to 1" in found.notes[0]


def test_trace_volumes_are_skipped(study):
    files = fsl("0 1000 1000 1000", "0 1 0 0\n0 0 1 0\n0 0 0 0")
    found = study(FSL % ", skip: [3]", files)
    assert len(rows_of(found)) == 3
    assert found.notes[0].endswith("; 1 volume skipped (number 3, from 0)")


def test_a_trace_volume_is_named_with_what_leaves_it_out(refusal):
    (said,) = refusal(FSL % "", fsl("0 1000 1000", "0 1 0\n0 0 0\n0 0 0"))
    assert "a.bvec, entry 3: the direction (0, 0, 0) at b = 1000 s/mm^2" in said
    assert "skip: [7]" in said


def test_all_rows_at_fault_are_named_at_once(refusal):
    b = " ".join(["1000"] * 20)
    (said,) = refusal(FSL % "", fsl(b, f"{'0.5 ' * 20}\n{'0 ' * 20}\n{'0 ' * 20}"))
    assert "entry 1: the direction (0.5, 0, 0)" in said
    assert "and 15 more (a.bvec, entry 6, a.bvec, entry 7" in said
    assert "scaled_vectors: true" in said


@pytest.mark.parametrize(
    ("lines", "files", "key", "found", "accepted"),
    [
        (FSL % ", skip: [2]", fsl("0 1", "1 1\n0 0\n0 0"), ".skip", "skip = 2", "from 0 to 1"),
        (FSL % ", skip: [0, 1]", fsl("0 1", "1 1\n0 0\n0 0"), ".skip", "all of 2", "one left"),
        (FSL % ", skip: [-1]", fsl("0 1", "1 1\n0 0\n0 0"), ".skip[0]", '"-1"', "a whole number"),
        (FSL % ", skip: x", fsl("0 1", "1 1\n0 0\n0 0"), ".skip", '"x"', "a whole number"),
        (FSL % ", b0_threshold: 50", fsl("0", "1 0 0"), ".b0_threshold", '"50"', "its unit"),
        (FSL % ", scaled_vectors: 2", fsl("0", "1 0 0"), ".scaled_vectors", '"2"', "true or"),
        (FSL % ", b: 3000 s/mm^2", fsl("0", "1 0 0"), ".b", "b with FSL files", "b0_threshold"),
        (
            "acquisition: {scheme: a.scheme, scaled_vectors: true}",
            FORMATS["camino"][1],
            ".scaled_vectors",
            "scaled_vectors with gradients and times",
            "VERSION: BVECTOR",
        ),
        (
            f"waveform: {PULSES}}}\n    acquisition: {{dvs: a.dvs}}",
            FORMATS["dvs"][1],
            "",
            "a.dvs without a b-value",
            "b: 3000 s/mm^2",
        ),
    ],
)  # fmt: skip
def test_what_is_said_of_files_is_checked(refusal, lines, files, key, found, accepted):
    (said,) = refusal(lines, files)
    assert f"studies.mine.acquisition{key}: found {found}" in said
    assert accepted in said.split(", accepted: ")[1]


# ---- waveforms of the study ----


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("bvector", "VERSION: BVECTOR has no delta and no Delta"),
        ("bids with a waveform", "the sidecar has no DiffusionGradientDuration"),
        ("columns with a waveform", "the table has no columns delta and Delta"),
    ],
)
def test_a_missing_waveform_is_named_with_the_reason(refusal, name, missing):
    lines, files = FORMATS[name]
    (said,) = refusal(lines.split("\n    ")[1], files)
    assert "studies.mine.waveform: found nothing" in said
    assert said.endswith(missing) or missing in said


@pytest.mark.parametrize("name", ["camino", "steps", "bids", "columns"])
def test_a_waveform_beside_times_in_the_files_is_refused(refusal, name):
    lines, files = FORMATS[name]
    (said,) = refusal(f"waveform: {PULSES}}}\n    {lines}", files)
    assert "studies.mine.waveform: found a waveform, accepted: no such key: these files" in said


def test_an_echo_time_is_said_once(study, refusal):
    lines, files = FORMATS["bids with a waveform"]
    other = lines.replace("30.0 ms}", "30.0 ms, echo_time: 61 ms}")
    (said,) = refusal(other, files)
    assert "an echo time of 60 ms in the files with echo_time = 61 ms" in said
    rows = rows_of(study(other.replace("61", "60"), files))
    assert {row.waveform for row in rows} == {AtEcho(Pgse(DELTA, SEPARATION), ECHO)}
    (said,) = refusal(lines, {**files, "a.json": '{"EchoTime": 0.03}'})
    assert "line 1 of a.bval, entry 1: echo_time = 30 ms, accepted: at least 40 ms" in said


FEXI = (
    "waveform: {kind: filter-exchange, delta: 3 ms, Delta: 12 ms, delta_filter: 3 ms, Delta_filter:"
    " 12 ms, b_filter: 900 s/mm^2, mixing_time: 50 ms}\n"
    "    acquisition: {bval: a.bval, bvec: a.bvec}"
)


def test_a_filter_acts_along_the_vector_of_a_row_at_b_0(study, refusal):
    found = study(FEXI, fsl("0 5 500", "0 0 1\n0 1 0\n1 0 0"))
    assert [row.direction for row in rows_of(found)] == [(0, 0, 1), (0, 1, 0), (1, 0, 0)]
    (said,) = refusal(FEXI, fsl("0 0 500", "0 0 1\n0 1 0\n0 0 0"))
    assert "line 1 of a.bval, entry 1: no direction, accepted: the direction of the filter" in said


def test_lengths_that_are_not_known_at_b_0_are_not_said(study):
    found = study(FSL % ", scaled_vectors: true", fsl("30 1000", "nan 1\nnan 0\nnan 0"))
    assert "b scaled by the squares of the vectors' lengths, = 1" in found.notes[0]


# ---- shapes of b-tensors ----

DOUBLE = (
    "waveform: {kind: double-pgse, delta: 3 ms, Delta: 9 ms, mixing_time: 1 ms, angle: %s}\n"
    "    acquisition: {bval: a.bval, bvec: a.bvec, bdelta: a.bdelta}"
)
TILTED = ((0.6, 0, 0.8), (0.6, 0, -0.8), (2 / 3, 2 / 3, 1 / 3))
AXES = [*TILTED, (0, 0, 1), (0, 0, -1), (-1, 0, 0), (0, 1, 0)]


def test_each_row_has_the_waveform_of_its_shape_about_its_axis(study):
    vectors = "\n".join(
        " ".join(repr(float(n[i])) for n in [(0, 0, 0), *AXES, *AXES]) for i in range(3)
    )
    files = fsl(f"0 {'1000 ' * 14}", vectors) | {"a.bdelta": f"0 {'-0.5 ' * 7} {'1 ' * 7}"}
    rows = rows_of(study(DOUBLE % "[0 deg, 90 deg]", files))
    planar, linear = rows[1:8], rows[8:]
    assert {row.waveform for row in planar} == {DoublePgse(3.0, 9.0, 1.0, 90.0)}
    assert {row.waveform for row in linear} == {DoublePgse(3.0, 9.0, 1.0, 0.0)}
    for n, flat, straight in zip(AXES, planar, linear, strict=True):
        # Axes across x are tilted by 1e-5.
        np.testing.assert_allclose(flat.b_tensor, (np.eye(3) - np.outer(n, n)) / 2, atol=1e-5)
        np.testing.assert_allclose(straight.b_tensor, np.outer(n, n), atol=1e-9)


def test_the_built_in_shapes_serve_a_table(study):
    vectors = "\n".join(" ".join(repr(float(n[i])) for n in AXES[:3]) for i in range(3))
    files = fsl("1000 1000 2000", vectors) | {"a.bdelta": "1 0 -0.5"}
    kinds = "{kind: b-tensor, delta: 5 ms, Delta: 20 ms, b_delta: [-0.5, 0, 1]}"
    rows = rows_of(study(f"waveform: {kinds}\n    {DOUBLE.split(chr(10))[1].strip()}", files))
    expected = [
        b / 3 * ((1 - shape) * np.eye(3) + 3 * shape * np.outer(n, n))
        for b, shape, n in zip((1, 1, 2), (1, 0, -0.5), AXES, strict=False)
    ]
    np.testing.assert_allclose(tensors(rows), expected, atol=1e-9)


FLAT = CELL.replace("spheres", "discs").replace("[0.5, 0.5, 0.5]", "[0.5, 0.5]")


def test_a_plane_across_a_flat_cell_is_not_taken_for_its_own(study):
    """About y, the first component is along x and the second along z, out of the plane."""
    files = fsl("1000", "0 0 1") | {"a.bdelta": "-0.5"}
    (row,) = rows_of(study(DOUBLE % "90 deg", files, FLAT))
    np.testing.assert_allclose(row.b_tensor, np.eye(2) / 2, atol=1e-9)
    (row,) = rows_of(study(DOUBLE % "90 deg", {**files, "a.bvec": "0 1 0"}, FLAT))
    # Tilted by a hair: see `torrey.gradients.shapes.turned_to`.
    np.testing.assert_allclose(row.b_tensor, np.diag([0.5, 0.0, 0.5]), atol=1e-5)


def test_a_shape_that_the_study_has_not_is_refused(refusal):
    files = fsl("0 1000", "0 1\n0 0\n0 0") | {"a.bdelta": "1 0"}
    (said,) = refusal(DOUBLE % "[0 deg, 90 deg]", files)
    assert "line 1 of a.bdelta, entry 2: b_delta = 0, accepted: that of a waveform" in said
    assert said.endswith("which is 1, -0.5")


BIPOLAR = "time (ms),g (mT/m)\n0,40\n2,40\n2,-40\n4,-40\n"
#: Three blocks along three axes: a spherical b-tensor.
BLOCKS = "time (ms),gx (mT/m),gy (mT/m),gz (mT/m)\n" + "".join(
    f"{2 * axis + t},{','.join(str(g * (k == axis)) for k in range(3))}\n"
    for axis in range(3)
    for t, g in ((0, 40), (1, 40), (1, -40), (2, -40))
)
TENSORS = DOUBLE.replace(DOUBLE.split("\n")[0], "waveform: {kind: b-tensor, delta: 5 ms, %s}")


def test_two_waveforms_of_one_shape_are_refused(refusal):
    files = fsl("0 1000", "0 1\n0 0\n0 0") | {"a.bdelta": "0 1"}
    (said,) = refusal(TENSORS % "Delta: [20 ms, 30 ms], b_delta: 1", files)
    assert "line 1 of a.bval, entry 2: b_delta = 1, that of 2 waveforms, accepted: one" in said


def test_a_row_without_gradient_has_the_echo_time_of_its_shape(study):
    files = fsl("0 0 0 1000", "0 0 0 1\n0 0 0 0\n0 0 0 0") | {"a.bdelta": "1 0 -0.5 0"}
    files |= {"one.csv": BIPOLAR, "two.csv": BLOCKS}
    lines = "waveform: {kind: file, path: [one.csv, two.csv]}\n    " + DOUBLE.split("\n")[1].strip()
    rows = rows_of(study(lines, files))
    assert [row.waveform.echo_time for row in rows] == [4.0, 6.0, 4.0, 6.0]


@pytest.mark.parametrize(
    "text",
    [
        '"b (s/mm^2)","x","y","z","note, of mine"\n"1000","0","1","0","a, b"\n',
        "b [s/mm^2]  x  y  z  note\n1000  0  1  0  a\n",
        "b [s / mm^2]  x  y  z  note\n1000  0  1  0  a\n",
        "b (s / mm^2)\tx\ty\tz\tnote\n1000\t0\t1\t0\ta b\n",
    ],
)
def test_names_of_columns_are_quoted_or_bracketed(study, text):
    waveform = "waveform: {kind: pgse, delta: 5 ms, Delta: 20 ms}\n    acquisition: {table: a.csv}"
    (row,) = rows_of(study(waveform, {"a.csv": text}))
    np.testing.assert_allclose(row.b_tensor, np.diag([0.0, 1.0, 0.0]), atol=1e-12)


def test_a_shape_may_miss_the_round_number_by_two_hundredths(study):
    files = fsl("1000 1000", "1 0\n0 1\n0 0") | {"a.bdelta": "0.98 -0.48"}
    assert len(rows_of(study(DOUBLE % "[0 deg, 90 deg]", files))) == 2


def test_the_summary_says_shapes(study):
    files = fsl("0 1000 1000", "0 1 0\n0 0 1\n0 0 0") | {"a.bdelta": "1 1 -0.5"}
    (note,) = study(DOUBLE % "[0 deg, 90 deg]", files).notes
    assert note.endswith("1 at b = 0, 2 at 1000, 2 directions, b_delta of 1, -0.5")


# ---- the document ----

DOCUMENT = Path(__file__).parents[3] / "docs" / "acquisitions.md"
FILE = re.compile(r"^`([\w.]+)`[^\n]*(?:\n[^\n`]+)*?\n+```text\n(.*?)```", re.M | re.S)
EXAMPLE = re.compile(r"^```yaml\n(acquisition: .*?)```\n\n> (.*?)$", re.M | re.S)


def test_the_examples_of_the_document_give_what_it_says(study):
    text = DOCUMENT.read_text(encoding="utf-8")
    files, examples = dict(FILE.findall(text)), EXAMPLE.findall(text)
    assert len(files) == len(examples) + 1 == 11  # FSL has two files
    for lines, said in examples:
        found = study(lines.replace("\n", "\n    "), files)
        assert said in found.notes[-1]
