"""Files of an acquisition are read exactly, or refused with their line and the reason."""

from __future__ import annotations

import math

import pytest

from torrey.base.errors import InputError
from torrey.base.units import parse
from torrey.gradients.acquisition import (
    GradientTable,
    SampledGradient,
    SchemeRow,
    read_fsl,
    read_scheme,
    read_waveform,
    scheme_summary,
)
from torrey.gradients.acquisition.scheme import SCHEME as SCHEME_READER

BVAL = "0 1000 3000 850\n"
BVEC = "0 1 0 0.6\n0 0 1 0\n0 0 0 -0.8\n"
BVEC_TRANSPOSED = "0 0 0\n1 0 0\n0 1 0\n0.6 0 -0.8\n"
DIRECTIONS = ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0.6, 0, -0.8))

VERSION = "VERSION: STEJSKALTANNER\n"
SCHEME = VERSION + "0 0 0 0 0 0 0.08\n0.6 0 -0.8 0.04 0.0432 0.0106 0.0538\n"

MILLITESLA_40 = 2.6752218744e8 * 0.04 * 1e-9  # gamma G of 40 mT/m in rad/um/ms


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif content is not None:
            path.write_text(content, encoding="utf-8")
        return path

    return write


@pytest.fixture
def fsl(write):
    return lambda bval, bvec: read_fsl(write("dwi.bval", bval), write("dwi.bvec", bvec))


# FSL


@pytest.mark.parametrize("bval", [BVAL, BVAL.replace(" ", "\n"), "\n " + BVAL])
@pytest.mark.parametrize("bvec", [BVEC, BVEC_TRANSPOSED, BVEC.replace(" ", "\t")])
def test_fsl_files_are_read_in_both_orientations(fsl, bval, bvec):
    table = fsl(bval, bvec)
    assert table.b == (0.0, 1.0, 3.0, 0.85)
    assert table.directions == DIRECTIONS


def test_three_by_three_is_in_the_orientation_of_fsl(fsl):
    table = fsl("1000 1000 1000", "0 0 1\n1 0 0\n0 1 0\n")
    assert table.directions == ((0, 1, 0), (0, 0, 1), (1, 0, 0))


@pytest.mark.parametrize("bvec", ["1\n0\n0\n", "1 0 0\n"])
def test_one_measurement_is_a_table(fsl, bvec):
    table = fsl("1000\n", bvec)
    assert (table.b, table.directions) == ((1.0,), ((1.0, 0.0, 0.0),))


def test_measurements_know_their_place(fsl):
    assert fsl(BVAL, BVEC).where(3) == "line 1 of dwi.bval, entry 4"
    assert fsl("0\n\n1000\n3000\n850\n", BVEC).where(3) == "line 5 of dwi.bval, entry 4"


@pytest.mark.parametrize("bvec", ["0.577 0.577 0.577", "0.99 0 0", "0 -1.01 0"])
def test_rounded_directions_get_length_one(fsl, bvec):
    (direction,) = fsl("1000", bvec).directions
    assert math.hypot(*direction) == pytest.approx(1, abs=1e-15)
    x, y, z = map(float, bvec.split())
    assert direction == pytest.approx((x, y, z), abs=0.011)


@pytest.mark.parametrize("bval", ["0", "5", "49.9"])
@pytest.mark.parametrize(
    "bvec", ["nan nan nan", "NaN 0 0", "0 0 -0", "10 0 0", "0.5 0 0", "inf 0 0"]
)
def test_what_is_said_of_vectors_at_zero_b_plays_no_part(fsl, bval, bvec):
    table = fsl(f"{bval} 1000", f"{bvec}\n1 0 0")
    assert (table.b[0], table.directions[0]) == (0.0, (0, 0, 0))


def test_a_direction_at_zero_b_is_kept(fsl):
    assert fsl("0", "0 0 1").directions == ((0, 0, 1),)


def test_a_table_says_what_was_read(fsl):
    assert fsl(BVAL, BVEC).summary() == (
        "4 measurements, b from 0 to 3000 s/mm^2 (read as s/mm^2): 1 at b = 0, 1 at 850, 1 at "
        "1000, 1 at 3000, 3 directions"
    )
    assert fsl("850", "1 0 0").summary() == "1 measurement, b = 850 s/mm^2 (read as s/mm^2)"


@pytest.mark.parametrize(
    ("bval", "bvec", "message"),
    [
        (None, BVEC, "dwi.bval: No such file"),
        (BVAL, None, "dwi.bvec: No such file"),
        ("", BVEC, "dwi.bval: an empty file"),
        (BVAL, " \n# nothing\n", "dwi.bvec: an empty file"),
        (b"\x1f\x8b\xff\xfe", BVEC, "dwi.bval: not a text in UTF-8"),
        (BVAL, b"\0\0\0\0", "dwi.bvec: not a text (it has null bytes)"),
        ("0 abc 3000 850", BVEC, 'line 1 of dwi.bval: "abc"'),
        ("0, 1000, 3000, 850", BVEC, 'line 1 of dwi.bval: "0,"'),
        ("0 1_000 3000 850", BVEC, 'line 1 of dwi.bval: "1_000"'),
        (BVAL, BVEC + "x" * 99, f'line 4 of dwi.bvec: "{"x" * 60}..."'),
        ("0 1000\n3000 850\n", BVEC, "line 2 of dwi.bval: 2 numbers, accepted: one row"),
        ("0 1000 -5 850", BVEC, "line 1 of dwi.bval, entry 3: b = -5 s/mm^2"),
        ("0\n1000\n-5\n850", BVEC, "line 3 of dwi.bval, entry 3: b = -5 s/mm^2"),
        ("0 nan 5 850", BVEC, "line 1 of dwi.bval, entry 2: b = nan s/mm^2"),
        ("0 inf 5 850", BVEC, "line 1 of dwi.bval, entry 2: b = inf s/mm^2"),
        ("0 1000 3000", BVEC, "dwi.bvec: 3 rows of 4 numbers for 3 b-values in dwi.bval"),
        (BVAL, BVEC_TRANSPOSED + "1 0 0", "5 rows of 3 numbers for 4 b-values"),
        (BVAL, "0 1 0 1\n0 0 1 0\n", "dwi.bvec: 2 rows of 4 numbers"),
        (BVAL, "0 1 0 1\n0 0 1\n0 0 0 0\n", "line 2 of dwi.bvec: 3 numbers, accepted: 4"),
        (BVAL, "0 1 0 0.6\n0 0 1 0\n0 0 0 -0.7\n", "dwi.bvec, entry 4: the direction (0.6, 0, -0"),
        (
            BVAL,
            "0 0 0\n1 0 0\n0 2 0\n1 0 0",
            "line 3 of dwi.bvec, entry 3: the direction (0, 2, 0)",
        ),
        ("1000", "1.02 0 0", "(1.02, 0, 0) at b = 1000 s/mm^2, accepted: a vector of length 1"),
        ("50", "0 0 0", "entry 1: the direction (0, 0, 0) at b = 50 s/mm^2"),
        ("50", "nan nan nan", "entry 1: the direction (nan, nan, nan) at b = 50 s/mm^2"),
        ("1000", "inf 0 0", "entry 1: the direction (inf, 0, 0)"),
    ],
)
def test_fsl_files_that_leave_something_open(fsl, bval, bvec, message):
    with pytest.raises(InputError) as refusal:
        fsl(bval, bvec)
    assert message in str(refusal.value)


def test_a_directory_is_no_file(tmp_path):
    with pytest.raises(InputError, match="Is a directory"):
        read_fsl(tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("b", "directions", "at"),
    [
        ((), (), ("b",)),
        ((1.0, 1.0), ((1.0, 0.0, 0.0),), ("b",)),
        ((-1.0,), ((1.0, 0.0, 0.0),), ("b", 0)),
        ((1.0,), ((0.999, 0.0, 0.0),), ("directions", 0)),
        ((1.0,), ((0.6, 0.8),), ("directions", 0)),
    ],
)
def test_tables_of_a_notebook_are_checked_too(b, directions, at):
    with pytest.raises(InputError) as refusal:
        GradientTable(b, directions, ("here",) * len(b))
    assert refusal.value.at == at


# Camino


def test_schemes_are_read_in_internal_units(write):
    rows = read_scheme(write("dwi.scheme", SCHEME))
    assert rows == (
        SchemeRow((0, 0, 0), 0.0, 0.0, 0.0, 80.0, line=2),
        SchemeRow((0.6, 0, -0.8), rows[1].gradient, 43.2, 10.6, 53.8, line=3),
    )
    assert rows[1].gradient == pytest.approx(MILLITESLA_40, rel=1e-12)
    assert rows[1].gradient == parse("40 mT/m", "gradient")


def test_comments_blank_lines_and_the_old_name_of_a_scheme(write):
    text = "# made by hand\n\nVERSION: 1\n# gx ...\n1 0 0 0.04 0.03 0.01 0.05 # last\n\n"
    (row,) = read_scheme(write("dwi.scheme", text))
    assert (row.Delta, row.delta, row.echo_time, row.line) == (30.0, 10.0, 50.0, 5)


def test_without_a_gradient_direction_and_times_do_not_matter(write):
    (row,) = read_scheme(write("dwi.scheme", VERSION + "0.3 0 0 0 0.01 0.02 0\n"))
    assert row == SchemeRow((0, 0, 0), 0.0, 10.0, 20.0, 0.0, line=2)


def test_rounded_directions_of_a_scheme_get_length_one(write):
    (row,) = read_scheme(write("dwi.scheme", VERSION + "0.577 0.577 0.577 0.04 0.03 0.01 0.05"))
    assert row.direction == pytest.approx((3**-0.5,) * 3, abs=1e-15)


def test_schemes_say_what_was_read(write):
    assert scheme_summary(read_scheme(write("dwi.scheme", SCHEME))) == (
        "2 measurements, |G| from 0 to 40 mT/m (read as T/m), "
        "DELTA = 43.2 ms, delta = 10.6 ms, TE = 53.8 ms (read as s)"
    )
    rows = read_scheme(write("dwi.scheme", VERSION + "0 0 0 0 0 0 0"))
    assert scheme_summary(rows) == "1 measurement without a gradient"


def test_a_row_without_times_has_the_echo_of_the_others(write):
    text = VERSION + "0 0 0 0 0 0 0\n1 0 0 0.04 0.03 0.01 0.06\n"
    scan = SCHEME_READER.read(scheme=write("dwi.scheme", text))
    assert [scan.waveforms[row.waveform]().echo_time for row in scan.rows] == [60.0, 60.0]
    assert "TE of 1 row is 0: read as 60 ms" in scan.summary
    with pytest.raises(InputError, match="line 2 of dwi.scheme: TE = 0 where other rows have"):
        SCHEME_READER.read(scheme=write("dwi.scheme", text + "1 0 0 0.04 0.03 0.01 0.07\n"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "dwi.scheme: No such file"),
        ("", "dwi.scheme: an empty file"),
        (b"\xff\xfe\x00", "dwi.scheme: not a text in UTF-8"),
        ("1 0 0 0.04 0.03 0.01 x", 'line 1 of dwi.scheme: "1 0 0 0.04 0.03 0.01 x"'),
        ("VERSION: BVECTOR\n1 0 0 1e9", "dwi.scheme: a scheme without rectangular pulses"),
        ("VERSION: 4\n1 0 0 1e9", 'line 1 of dwi.scheme: "VERSION: 4"'),
        ("VERSION: 0\n0.04\n2", "line 1 of dwi.scheme: VERSION: 0, which has diffusion times"),
        ("0.04\n2\n1", 'line 1 of dwi.scheme: "0.04", a scheme of VERSION 0'),
        ("1 0 0 1000", 'line 1 of dwi.scheme: "1 0 0 1000", 4 columns without the unit of b'),
        ("VERSION: TRSE\n", "line 1 of dwi.scheme: VERSION: TRSE, a twice-refocused sequence"),
        ("VERSION: DPFG\n", 'accepted: a first line "VERSION: STEJSKALTANNER"'),
        (VERSION, "dwi.scheme: no row below its first line"),
        (SCHEME + "1 0 0 0.04 0.03 0.01", "line 4 of dwi.scheme: 6 columns, accepted: 7: gx gy"),
        (SCHEME + "\n1 0 0 0.04 0.03 0.01 0.05 1", "line 5 of dwi.scheme: 8 columns"),
        (SCHEME + "1 0 0 0.04 x 0.01 0.05", 'line 4 of dwi.scheme: "x", accepted: a number'),
        (SCHEME + "1 0 0 -0.04 0.03 0.01 0.05", "line 4 of dwi.scheme: |G| = -0.04"),
        (SCHEME + "1 0 0 0.04 0.03 -0.01 0.05", "line 4 of dwi.scheme: delta = -0.01"),
        (SCHEME + "1 0 0 0.04 inf 0.01 0.05", "line 4 of dwi.scheme: DELTA = inf"),
        (SCHEME + "1 0 0 0 0 0 -1", "line 4 of dwi.scheme: TE = -1"),
        (SCHEME + "1 nan 0 0.04 0.03 0.01 0.05", "line 4 of dwi.scheme: gy = nan"),
        (SCHEME + "1 0 0 0.04 0.01 0.03 0.05", "line 4 of dwi.scheme: DELTA = 10 ms, delta = 30"),
        (SCHEME + "1 0 0 0.04 0.03 0.01 0.039", "TE = 39 ms, accepted: DELTA + delta not longer"),
        (SCHEME + "1 0 0 0.04 0.03 0 0.05", "line 4 of dwi.scheme: DELTA = 30 ms, delta = 0 ms w"),
        (SCHEME + "1 0 0 0.04 0 0 0.05", "delta = 0 ms with |G| = 0.04 T/m, accepted: both times"),
        (SCHEME + "0 0 0 0.04 0.03 0.01 0.05", "line 4 of dwi.scheme: the direction (0, 0, 0) wi"),
        (SCHEME + "1 1 0 0.04 0.03 0.01 0.05", "line 4 of dwi.scheme: the direction (1, 1, 0) wi"),
    ],
)
def test_schemes_that_leave_something_open(write, text, message):
    with pytest.raises(InputError) as refusal:
        read_scheme(write("dwi.scheme", text))
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"gradient": -1.0}, "gradient"),
        ({"echo_time": math.inf}, "echo_time"),
        ({"gradient": 0.0}, "direction"),
        ({"delta": 31.0}, "delta"),
    ],
)
def test_rows_of_a_notebook_are_checked_too(changes, at):
    row = {"direction": (1.0, 0.0, 0.0), "gradient": 0.01, "Delta": 30.0, "delta": 10.0}
    with pytest.raises(InputError) as refusal:
        SchemeRow(**(row | {"echo_time": 50.0} | changes))
    assert refusal.value.at == (at,)


# Waveforms

CSV = "time (ms),gx (mT/m),gy (mT/m)\n0,0,0\n1,40,-40\n2.5,0,0\n"
TEXT = (
    "# Scanner (3 T) probe (mine)\n# time (ms)  gx (mT/m)  gy (mT/m)\n\n"
    "0 0 0\n1\t40   -40\n# half\n2.5 0 0\n"
)
SAVED = "# time (ms),gx (mT/m),gy (mT/m)\n0e0,0e0,0e0\n1e0,4e1,-4e1\n2.5e0,0e0,0e0\n"
IN_SECONDS = (
    "\ufeff# t (s) counts from the pulse\nT (s) , Gx (mT/m) , Gy (T/m)\r\n"
    "0,0,0\r\n0.001, 40, -.04\r\n25e-4,0,0\r\n"
)
ONE_COMPONENT = "time (ms),g (mT/m)\n"


@pytest.mark.parametrize("text", [CSV, TEXT, SAVED, IN_SECONDS])
def test_gradients_are_read_in_internal_units(write, text):
    wave = read_waveform(write("bipolar.csv", text))
    G = parse("40 mT/m", "gradient")
    assert wave.times == (0.0, 1.0, 2.5)
    assert wave.values == ((0, 0), (G, -G), (0, 0))
    assert pytest.approx(MILLITESLA_40, rel=1e-12) == G
    assert (wave.kind, wave.name) == ("gradient", "bipolar")


@pytest.mark.parametrize(
    ("columns", "row", "expected"),
    [
        ("q (rad/um)", "0.2", (0.2,)),
        ("qx (rad/um)", "0.2", (0.2,)),
        ("qx (rad/um),qy (rad/mm)", "0.2,-300", (0.2, -0.3)),
        ("qx (rad/m),qy (rad/um),qz (rad/mm)", "2e5,0.1,5", (0.2, 0.1, 0.005)),
    ],
)
def test_wave_vectors_are_read_in_internal_units(write, columns, row, expected):
    zero = ",".join("0" * len(expected))
    wave = read_waveform(write("q.csv", f"time (us),{columns}\n0,{zero}\n500,{row}\n"))
    assert (wave.kind, wave.times) == ("wave_vector", (0.0, 0.5))
    assert wave.values[1] == expected


@pytest.mark.parametrize("unit", ["rad/(um ms)", "rad/um/ms"])
def test_gradients_may_come_with_gamma(write, unit):
    wave = read_waveform(write("g.txt", f"# t (ms)  g ({unit})\n0 0.01\n2 0.01\n"))
    assert wave.values == ((0.01,), (0.01,))


def test_a_gradient_jumps_where_a_time_stands_twice(write):
    wave = read_waveform(write("w.csv", ONE_COMPONENT + "0,0\n0,40\n5,40\n5,-40\n10,-40\n10,0\n"))
    assert wave.times == (0, 0, 5, 5, 10, 10)


def test_a_comment_below_the_header_is_no_header(write):
    wave = read_waveform(write("w.csv", ONE_COMPONENT + "# t (s), g (T/m)\n0,0\n1,40\n"))
    assert wave.columns == ("time (ms)", "g (mT/m)")


def test_waveforms_say_what_was_read(write):
    assert read_waveform(write("w.csv", CSV)).summary() == (
        "w: 3 samples of 2 components over 2.5 ms, |gamma G| up to 0.0151333 rad/um/ms "
        "(56.5685 mT/m of protons), read as time (ms), gx (mT/m), gy (mT/m)"
    )
    wave = SampledGradient((0.0, 5.0), ((0.0,), (0.2,)), "wave_vector", "mine")
    assert wave.summary() == "mine: 2 samples of 1 component over 5 ms, |g| up to 0.2 rad/um"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "w.csv: No such file"),
        ("", "w.csv: an empty file"),
        ("# time (ms)  g (mT/m)\n", "w.csv: an empty file"),
        (b"PK\x03\x04\x00\x00", "w.csv: not a text (it has null bytes)"),
        (b"\x89PNG", "w.csv: not a text in UTF-8"),
        (ONE_COMPONENT, "w.csv: 0 times and 0 values, accepted: two samples or more"),
        (ONE_COMPONENT + "0,0\n", "w.csv: 1 time and 1 value"),
        # Headers
        ("0,0\n1,1\n", 'line 1 of w.csv: "0,0", accepted: names of columns'),
        ("# by hand\n0 0\n1 1\n", 'line 2 of w.csv: "0 0", accepted: names of columns'),
        ("# by hand\n# time gx\n0 0\n1 1\n", 'line 2 of w.csv: "time gx", accepted: names'),
        ("time,gx\n0,0\n1,1\n", 'line 1 of w.csv: "time,gx", accepted: names of columns, each w'),
        ("time (ms),gx\n0,0\n1,1\n", 'line 1 of w.csv: "time (ms),gx", accepted: names of columns'),
        ("time (ms);gx (mT/m)\n0;0\n", 'line 1 of w.csv: "time (ms);gx (mT/m)", accepted'),
        ("# t (ms) g (T/m)\n# t (s) g (T/m)\n0 0\n1 1\n", "line 2 of w.csv: a second line with"),
        ("time (ms)\n0\n1\n", 'line 1 of w.csv: "time (ms)", accepted: names'),
        ("gx (mT/m),time (ms)\n0,0\n", "line 1 of w.csv: the columns gx, time"),
        ("time (ms),gy (mT/m),gx (mT/m)\n", "line 1 of w.csv: the columns time, gy, gx"),
        ("time (ms),gx (mT/m),gz (mT/m)\n", "line 1 of w.csv: the columns time, gx, gz"),
        ("time (ms),gx (mT/m),gx (mT/m)\n", "line 1 of w.csv: the columns time, gx, gx"),
        ("time (ms),gx (mT/m),qy (rad/um)\n", "line 1 of w.csv: the columns time, gx, qy"),
        ("time (ms),b (s/mm^2)\n0,0\n", "line 1 of w.csv: the columns time, b"),
        # Units
        ("time (m),g (mT/m)\n", 'line 1 of w.csv: time in "m" (a length), accepted: a time'),
        ("time (ms),gx (rad/um)\n", 'line 1 of w.csv: gx in "rad/um" (a wave number), accepted'),
        ("time (ms),qx (mT/m)\n", 'line 1 of w.csv: qx in "mT/m" (not a wave number)'),
        ("time (ms),q (1/um)\n", 'line 1 of w.csv: q in "1/um", accepted: a wave number'),
        ("time (ms),g (newton/inches)\n", "accepted: a gradient with its unit"),
        ("time (ms),g (foo)\n", 'line 1 of w.csv: g in "foo" (unknown unit "foo")'),
        ("time (ms),g ()\n", 'line 1 of w.csv: g in "", accepted: a gradient'),
        # Rows
        (ONE_COMPONENT + "0,0\n1,abc\n", 'line 3 of w.csv: "abc", accepted: a number'),
        (ONE_COMPONENT + "0,0\n1,\n", 'line 3 of w.csv: "", accepted: a number'),
        (ONE_COMPONENT + "0,0\n1,2,3\n", "line 3 of w.csv: 3 columns, accepted: 2"),
        (ONE_COMPONENT + "0 0\n1 2\n", "line 2 of w.csv: 1 column, accepted: 2"),
        ("# t (ms) g (T/m)\n0 0\n1, 1\n", 'line 3 of w.csv: "1,", accepted: a number'),
        (ONE_COMPONENT + "0,0\n1,nan\n", "line 3 of w.csv: (nan), accepted: finite values"),
        (ONE_COMPONENT + "0,0\ninf,1\n", "line 3 of w.csv: the time inf ms after 0 ms"),
        (ONE_COMPONENT + "0.5,0\n1,1\n", "line 2 of w.csv: the first time 0.5 ms, accepted: 0"),
        (ONE_COMPONENT + "0,0\n\n2,0\n1,1\n", "line 5 of w.csv: the time 1 ms after 2 ms"),
        (ONE_COMPONENT + "0,0\n1,0\n1,1\n1,2\n", "line 5 of w.csv: the time 1 ms after 1 ms"),
        (ONE_COMPONENT + "0,0\n0,0\n0,1\n", "line 4 of w.csv: the time 0 ms after 0 ms"),
        (ONE_COMPONENT + "0,0\n0,1\n", "line 3 of w.csv: no time after 0"),
        ("t (ms),q (rad/um)\n0,0\n1,0\n1,1\n", "line 4 of w.csv: the time 1 ms after 1 ms"),
        ("t (ms),q (rad/um)\n0,0.1\n1,0\n", "line 2 of w.csv: (0.1) rad/um at the beginning"),
    ],
)
def test_waveforms_that_leave_something_open(write, text, message):
    with pytest.raises(InputError) as refusal:
        read_waveform(write("w.csv", text))
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("times", "values", "at"),
    [
        ((0.0, 1.0), ((0.0,),), ("times",)),
        ((0.0, 1.0), ((0.0,), (0.0, 1.0)), ("values", 1)),
        ((0.0, 1.0), ((), ()), ("values", 0)),
        ((0.0, 1.0), ((0.0,) * 4,) * 2, ("values", 0)),
        ((0.0, math.nan), ((0.0,), (0.0,)), ("times", 1)),
    ],
)
def test_waveforms_of_a_notebook_are_checked_too(times, values, at):
    with pytest.raises(InputError) as refusal:
        SampledGradient(times, values, "gradient", "mine")
    assert refusal.value.at == at
