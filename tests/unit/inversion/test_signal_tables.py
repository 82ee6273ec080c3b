"""Tables of measured signals: what they may say, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from torrey.base.errors import InputError
from torrey.inversion.signal_tables import read_signal_table


def read(tmp_path, text: str, **options):
    file = tmp_path / "signals.csv"
    file.write_text(text, encoding="utf-8")
    return read_signal_table(file, **options)


ONE = "b (s/mm^2),delta (ms),Delta (ms),TE (s),x,y,z,S,sigma\n"


def test_columns_come_in_any_order_and_unit(tmp_path):
    table = read(
        tmp_path,
        "S  b (ms/um^2)  Delta (s)  delta (us)  x y z  comment  b_delta\n"
        "100  0  0.02  5000  0 0 0  first  n/a\n# a remark\n"
        "40   1.5  0.02  5000  0 2e-3 1  second  1\n",
    )
    protocol = table.protocol
    assert protocol.b.tolist() == [0.0, 1.5]
    assert protocol.delta.tolist() == [5.0, 5.0]
    assert protocol.Delta.tolist() == [20.0, 20.0]
    assert np.linalg.norm(protocol.directions[1]) == pytest.approx(1.0)
    assert table.signals.tolist() == [[100.0, 40.0]]
    assert table.sigma is None
    assert table.voxels == ("",)
    assert '"comment"' in table.summary


def test_cells_of_a_csv_may_be_quoted(tmp_path):
    text = '"voxel", "b (s/mm^2)",S\n"left, upper","0",9\n"left, upper",800,-\n'
    table = read(tmp_path, text)
    assert table.voxels == ("left, upper",)
    assert table.protocol.b.tolist() == [0.0, 0.8]
    assert table.signals[0, 0] == 9.0
    assert np.isnan(table.signals[0, 1])


def test_voxels_share_their_rows_which_may_be_mixed(tmp_path):
    text = "voxel\tb [s/mm^2]\tS\tsigma\n" + "".join(
        f"{name}\t{b}\t{s}\t0.1\n" for b, s in ((0, 9), (800, 5)) for name in ("here", "there")
    )
    table = read(tmp_path, text)
    assert table.voxels == ("here", "there")
    assert table.signals.tolist() == [[9.0, 5.0], [9.0, 5.0]]
    assert table.sigma.tolist() == [[0.1, 0.1], [0.1, 0.1]]
    assert table.protocol.powder
    assert np.isnan(table.protocol.delta).all()


def test_filter_exchange_and_means_over_directions(tmp_path):
    text = (
        "b (s/mm^2),b_filter (s/mm^2),tm (ms),directions,S\n"
        "0,0,20,1,1\n1000,0,20,16,0.4\n1000,900,20,16,n/a\n"
    )
    table = read(tmp_path, text)
    assert table.protocol.filter_exchange
    assert table.protocol.weights.tolist() == [1.0, 16.0, 16.0]
    assert np.isnan(table.signals[0, 2])


def test_rows_without_signals_say_what_volumes_are(tmp_path):
    table = read(tmp_path, "b (s/mm^2)\tx\ty\tz\n0\t0\t0\t0\n700\t1\t0\t0\n", with_signals=False)
    assert table.signals is None
    assert len(table.protocol) == 2


ROW = "0,5,20,0.08,0,0,0,1,0.1\n"
REFUSED = {
    "no names": ("0,1,2\n", "line 1 of signals.csv: no column b"),
    "no signals": ("b (s/mm^2)\n0\n", "line 1 of signals.csv: no column S"),
    "no rows": (ONE, "no row below its names"),
    "no unit": ("b,S\n0,1\n", "line 1 of signals.csv: a column b without a unit"),
    "wrong unit": ("b (ms),S\n0,1\n", r'b in "ms" \(a time\)'),
    "no such unit": ("b (zz),S\n0,1\n", "unknown unit"),
    "a cell without end": ('b (s/mm^2),S\n0,"' + 200_000 * "1" + "\n", "line 2 .*larger than"),
    "twice": ("b (s/mm^2),bval (s/mm^2),S\n0,0,1\n", "a second column"),
    "a direction of two": ("b (s/mm^2),x,y,S\n0,1,0,1\n", "x and y without the others"),
    "delta alone": ("b (s/mm^2),delta (ms),S\n0,1,1\n", "delta without the others"),
    "a filter alone": ("b (s/mm^2),b_filter (s/mm^2),S\n0,1,1\n", "b_filter without the others"),
    "too few cells": (ONE + ROW + "0,5,20\n", "line 3 of signals.csv: 3 columns"),
    "no number": (ONE + ROW + ROW.replace("20", "zwanzig"), 'line 3 of signals.csv: "zwanzig"'),
    "negative b": (ONE + ROW + "-1,5,20,0.08,1,0,0,1,0.1\n", "line 3 of signals.csv: b = -0.001"),
    "missing b": (ONE + ROW + "n/a,5,20,0.08,1,0,0,1,0.1\n", "line 3 of signals.csv: b = nan"),
    "swapped times": (ONE + ROW + "900,20,5,0.08,1,0,0,1,0.1\n", "delta = 20 ms, Delta = 5 ms"),
    "times in another unit": ("b (s/mm^2),TE (s),S\n0,80,1\n", "line 2 .* TE = 80000 ms"),
    "one time": (ONE + ROW + "900,20,,0.08,1,0,0,1,0.1\n", "one of delta and Delta"),
    "no direction": (ONE + ROW + "900,5,20,0.08,0,0,0,1,0.1\n", "a direction of length 0"),
    "long direction": (ONE + ROW + "900,5,20,0.08,5,0,0,1,0.1\n", "a direction of length 5"),
    "weight": ("b (s/mm^2),weight,S\n0,0,1\n", "weight = 0"),
    "b in other units": ("b (ms/um^2),S\n0,1\n1000,0.5\n", r"b-values up to 1000 ms/um\^2"),
    "b too small": ("b (s/mm^2),S\n0,1\n3,0.5\n", r"b-values up to 0.003 ms/um\^2"),
    "a spherical b-tensor": (
        "b (s/mm^2),b_delta,S\n0,0,9\n900,1,5\n900,0,6\n",
        "line 4 of signals.csv: b_delta = 0",
    ),
    "a row less": (
        "voxel,b (s/mm^2),S\na,0,1\na,900,1\nb,0,1\n",
        'line 4 of signals.csv: the last of 1 rows of voxel "b"',
    ),
    "other rows": (
        "voxel,b (s/mm^2),S\na,0,1\na,900,1\nb,0,1\nb,800,1\n",
        r'line 5 of signals.csv: b = 0.8 ms/um\^2 of voxel "b"',
    ),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_a_table_that_cannot_be_used_is_refused_with_its_line(tmp_path, text, message):
    with pytest.raises(InputError, match=message) as error:
        read(tmp_path, text)
    assert error.value.accepted


def test_all_bad_rows_are_told_at_once(tmp_path):
    bad = "900,20,5,0.08,1,0,0,1,0.1\n"
    with pytest.raises(InputError, match=r"line 3 .*line 4 .*and 4 more"):
        read(tmp_path, ONE + ROW + 9 * bad)


def test_volumes_hold_signals_themselves(tmp_path):
    with pytest.raises(InputError, match="a column S"):
        read(tmp_path, "b (s/mm^2),S\n0,1\n", with_signals=False)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a\0b", b""])
def test_what_is_no_text_is_refused(tmp_path, content):
    file = tmp_path / "signals.csv"
    file.write_bytes(content)
    with pytest.raises(InputError, match="signals.csv"):
        read_signal_table(file)
