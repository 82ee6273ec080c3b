"""Files of samples without names or times, rasters, held values and 180 degree pulses."""

from __future__ import annotations

import numpy as np
import pytest

from torrey.base.errors import InputError
from torrey.gradients.acquisition import SampleOptions, read_waveform
from torrey.gradients.acquisition.columns import half_unit
from torrey.gradients.waveforms import Pgse, TrapezoidalPgse

CORNERS = (0, 0.3, 10, 10.3, 30, 30.3, 40, 40.3)
PLAYED = (0, 60, 60, 0, 0, 60, 60, 0)
NAMED = TrapezoidalPgse(10.0, 30.0, 0.3)
HEAD = "time (ms),gx (mT/m)\n"
RF = "time (ms),gx (mT/m),rf\n"


@pytest.fixture
def read(tmp_path):
    def read(text, **options):
        path = tmp_path / "w.csv"
        path.write_text(text, encoding="utf-8")
        return read_waveform(path, SampleOptions(**options))

    return read


def rows(*columns):
    return "".join(",".join(f"{x:g}" for x in row) + "\n" for row in zip(*columns, strict=True))


def check_same(found, named, tolerance=1e-12):
    waveform = found.waveform()
    assert waveform.echo_time == pytest.approx(named.echo_time, rel=1e-12)
    t = np.linspace(0.0011, named.echo_time - 0.0011, 499)
    np.testing.assert_allclose(waveform.sample(t, 0), named.sample(t, 0), atol=tolerance)


# ---- the sign ----


@pytest.mark.parametrize("instants", [(20.0,), (10.3,), (30.0,), (12.0, 14.0, 25.0)])
def test_the_sign_is_turned_from_an_instant_on(read, instants):
    found = read(HEAD + rows(CORNERS, PLAYED), refocus=instants)
    check_same(found, NAMED)
    assert f"the sign turned from {', '.join(f'{t:g}' for t in instants)} ms on" in found.summary()


def test_the_sign_may_turn_where_the_gradient_acts(read):
    # A gradient that acts all the time, through the pulse in its middle.
    found = read(HEAD + "0,40\n20,40\n", refocus=(10.0,))
    check_same(found, Pgse(10.0, 10.0))
    assert found.times == (0, 10, 10, 20)


@pytest.mark.parametrize("marks", [(1, 1, 1, 1, -1, -1, -1, -1), (0, 0, 0, 180, 180, 0, 0, 0)])
def test_a_column_tells_the_pulses(read, marks):
    found = read(RF + rows(CORNERS, PLAYED, marks))
    check_same(found, NAMED)
    assert "the sign turned from 20.15 ms on" in found.summary()


def test_a_pulse_at_a_sample_jumps_there(read):
    found = read(RF + "0,40,0\n10,40,180\n20,40,0\n")
    check_same(found, Pgse(10.0, 10.0))


def test_a_file_without_the_sign_names_the_pulse_and_the_key(read):
    with pytest.raises(InputError) as refusal:
        read(HEAD + rows(CORNERS, PLAYED)).waveform()
    assert "`refocus: 20.15 ms`" in str(refusal.value)


def test_the_sign_may_turn_where_the_gradient_crosses_zero(read):
    # Nothing of the line from 20 to -20 is left out: it falls to zero and rises again.
    played = read(HEAD + "0,0\n2,20\n4,-20\n6,0\n10,0\n12,30\n14,0\n", refocus=(3.0,))
    acting = read(HEAD + "0,0\n2,20\n3,0\n4,20\n6,0\n10,0\n12,-30\n14,0\n")
    check_same(played, acting.waveform())


@pytest.mark.parametrize("marks", [(1, 1, -1, -1, -1, -1), (0, 180, 0, 0, 0, 0)])
def test_a_column_turns_whole_steps_of_held_values(read, marks):
    # Crushers about the pulse, each held for a step of its own.
    times, centre = (0, 10, 12, 14, 24, 34), 11.0 if 180 in marks else 12.0
    found = read(RF + rows(times, (40, 10, 10, 40, 0, 0), marks), between="hold")
    turned = read(HEAD + rows(times, (40, 10, 10, 40, 0, 0)), between="hold", refocus=(centre,))
    assert found.values == turned.values
    assert found.times == turned.times


# ---- columns and rasters ----


def test_columns_are_named_in_the_configuration(read):
    signs = (0, 60, 60, 0, 0, -60, -60, 0)
    found = read(rows(CORNERS, signs, np.zeros(8)), columns=("t (ms)", "gx", "gy"))
    assert found.waveform().b_factor == pytest.approx(NAMED.b_factor)
    assert "in units of their own, read as t (ms), gx, gy" in found.summary()
    seconds = rows(np.array(CORNERS) / 1e3, signs)
    check_same(read(seconds.replace(",", " "), columns=("T (s)", "g (mT/m)")), NAMED)


def test_a_first_line_may_count_the_samples(read):
    text = "     5\n 0.00 0.0 0.0\n 1.00 0.0 0.0\n 0.00 0.0 0.0\n-1.00 0.0 0.0\n 0.00 0.0 0.0\n"
    found = read(text, columns=("gx", "gy", "gz"), dt=10.0)
    assert found.times == (0, 10, 20, 30, 40)
    # F = t^2/200 and 1 - (t - 10)^2/200 - ... of two triangles.
    triangles = read(HEAD + "0,0\n10,1\n30,-1\n40,0\n").waveform()
    t = np.linspace(0.1, 39.9, 57)
    np.testing.assert_allclose(
        found.waveform().sample(t, 0)[..., 0], triangles.sample(t, 0)[..., 0]
    )


@pytest.mark.parametrize(("first", "begins"), [(None, 0.0), ("zero", 0.0), ("half", 5.0)])
def test_held_values_fill_the_steps_of_the_raster(read, first, begins):
    found = read("40\n0\n-40\n", columns=("g",), dt=10.0, between="hold", first=first)
    check_same(found, Pgse(10.0, 20.0))
    assert "each held until the next" in found.summary()
    assert ("in the middle of the steps" in found.summary()) == (begins > 0.0)


def test_held_values_with_times_end_with_a_row_of_zeros(read):
    check_same(read(HEAD + "0,40\n5,0\n15,-40\n20,0\n", between="hold"), Pgse(5.0, 15.0))
    middles = "5,40\n15,40\n25,0\n35,-40\n45,-40\n"
    check_same(read(HEAD + middles, between="hold"), Pgse(20.0, 30.0))


def test_samples_in_the_middle_of_their_steps_rise_from_zero(read):
    found = read(HEAD + "0.5,40\n1.5,40\n2.5,-40\n3.5,-40\n")
    assert found.times == (0, 0.5, 1.5, 2.5, 3.5, 4)
    assert found.values[0] == found.values[-1] == (0,)
    by_raster = read("40\n40\n-40\n-40\n", columns=("g (mT/m)",), dt=1.0, first="half")
    assert (by_raster.times, by_raster.values) == (found.times, found.values)


def test_a_late_first_sample_can_be_moved_to_zero(read):
    text = HEAD + rows((0.005, *CORNERS[1:]), (0, 60, 60, 0, 0, -60, -60, 0))
    check_same(read(text, first="zero"), NAMED)
    with pytest.raises(
        InputError, match=r"line 2 of w.csv: the first time 0.005 ms.*`first: zero`"
    ):
        read(text)


# ---- digits ----


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1", "-0.33333"], 5e-6),
        (["0", "60"], 0.5),
        (["60.0", "0.25"], 5e-3),
        (["1.2345e-3", "0.0000e0"], 5e-8),
        (["4e1", "0e0"], 5.0),
        ([], 0.5),
    ],
)
def test_half_a_unit_of_the_last_digit(texts, expected):
    assert half_unit(texts) == pytest.approx(expected, rel=1e-12)


def test_the_digits_of_the_file_allow_its_residual(read):
    waveform = read(HEAD + "0,1\n1,1\n1,-0.33333\n4,-0.33333\n").waveform()
    assert "1e-05 of the largest |g|" in waveform.notes
    with pytest.raises(InputError, match="explains up to 2e-05"):
        read(HEAD + "0,1\n1,1\n1,-0.33323\n4,-0.33323\n").waveform()


# ---- refusals ----

PLAIN = "0,0\n10,40\n30,-40\n40,0\n"


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (PLAIN, {"columns": ("t (ms)", "b")}, "columns: found the columns t, b"),
        (PLAIN, {"columns": ("t", "gx")}, 'columns: found t in ""'),
        (PLAIN, {"columns": ("t (ms)", "gx in T")}, 'columns[1]: found "gx in T"'),
        (PLAIN, {"columns": ("t (ms)", "gx (um)")}, "columns: found gx in"),
        (PLAIN, {"columns": ("gx", "t (ms)"), "dt": 1.0}, "columns: found the columns gx, t"),
        (PLAIN, {"columns": ("t (ms)", "gx", "gz")}, "the columns t, gx, gz"),
        (PLAIN, {"columns": ("t (ms)", "gx (T/m)", "gy")}, "some components without unit"),
        (PLAIN, {"columns": ("t (ms)", "q", "rf")}, "rf beside a wave vector"),
        (PLAIN, {"columns": ("gx", "gy")}, "dt: found neither dt nor a column of times"),
        (PLAIN, {"columns": ("t (ms)", "gx"), "dt": 1.0}, "dt: found dt beside a column of times"),
        (HEAD + PLAIN, {"dt": 1.0}, "dt: found dt without columns"),
        (HEAD + PLAIN, {"columns": ("t (ms)", "gx")}, 'line 1 of w.csv: "time (ms)", accepted: a'),
        (
            PLAIN,
            {"columns": ("gx", "gy", "gz"), "dt": 1.0},
            "line 1 of w.csv: 2 columns, accepted: 3",
        ),
        ("5\n0 0\n1 1\n", {"columns": ("gx", "gy"), "dt": 1.0}, "line 1 of w.csv: 1 column"),
        (HEAD + PLAIN, {"refocus": (40.0,)}, "refocus: found w.csv: a 180 degree pulse at 40 ms"),
        (HEAD + PLAIN, {"refocus": (20.0, 55.0)}, "pulse at 55 ms, accepted: an instant between"),
        (HEAD + PLAIN, {"refocus": (20.0, 20.0)}, "two 180 degree pulses at 20 ms, accepted: each"),
        (RF + "0,0,1\n1,1,-1\n", {"refocus": (0.5,)}, "refocus: found w.csv: refocus beside a col"),
        (RF + "0,0,1\n1,1,2\n", {}, "w.csv: rf = 2, accepted: 1 and -1"),
        (RF + "0,0,1\n1,1,180\n", {}, "w.csv: rf of 1 or -1 beside 0 or 180"),
        (HEAD + "0,0\n1,40\n", {"between": "hold"}, "w.csv: a last sample that is not zero"),
        ("t (ms),q (rad/um)\n0,0\n1,0\n", {"refocus": (0.5,)}, "beside samples of a wave vector"),
        ("t (ms),q (rad/um)\n0,0\n1,0\n", {"between": "hold"}, "beside samples of a wave vector"),
        (HEAD + "0.4,0\n1.5,40\n2.5,0\n", {}, "line 2 of w.csv: the first time 0.4 ms"),
        (HEAD + "0.5,0\n1.5,40\n2.6,0\n", {}, "line 2 of w.csv: the first time 0.5 ms"),
        (HEAD + "0.5,0\n1.5,nan\n2.5,0\n", {}, "line 3 of w.csv: (nan)"),
        ("time (ms),rf,gx (mT/m)\n0,1,0\n", {}, "line 1 of w.csv: the columns time, rf, gx"),
        ("time (ms),rf\n0,1\n", {}, "line 1 of w.csv: the columns time, rf"),
    ],
)
def test_what_leaves_something_open_is_refused(read, text, options, message):
    with pytest.raises(InputError) as refusal:
        read(text, **options)
    assert message in str(refusal.value)
