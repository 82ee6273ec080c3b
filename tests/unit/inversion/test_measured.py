"""Tables of measured signals: their columns, and means over directions."""

from __future__ import annotations

import numpy as np
import pytest

from torrey.base.errors import InputError
from torrey.gradients.protocol import Measurement
from torrey.gradients.waveforms import Pgse
from torrey.inversion.measured import (
    powder_average,
    protocol_of_columns,
    protocol_of_measurements,
)


def shells(count: int = 12):
    n = np.random.default_rng(5).standard_normal((2 * count + 2, 3))
    b = np.concatenate([[0.0, 0.0], np.full(count, 1.0), np.full(count, 2.0)])
    b[3:6] += [0.005, -0.01, 0.02]
    return protocol_of_columns(b, 5.0, 20.0, directions=n)


def test_columns_and_measurements_are_the_same_table():
    table = protocol_of_columns([0.0, 1.0, 2.0], [5, 5, 7], [20, 20, 30], directions=np.eye(3) * 4)
    assert np.linalg.norm(table.directions, axis=1) == pytest.approx(1.0)
    found = table.measurements()
    assert [m.waveform for m in found] == [Pgse(5.0, 20.0)] * 2 + [Pgse(7.0, 30.0)]
    assert [m.b for m in found] == pytest.approx([0.0, 1.0, 2.0])
    again = protocol_of_measurements(found)
    assert again.b == pytest.approx(table.b)
    assert again.delta.tolist() == table.delta.tolist() == [5.0, 5.0, 7.0]
    assert np.array_equal(again.directions, table.directions)
    assert not again.powder
    assert protocol_of_measurements(found, powder=True).powder


def test_rows_without_gradient_need_no_direction():
    table = protocol_of_columns(
        [0.0, 1.0], 5.0, 20.0, directions=[[0.0, 0.0, 0.0], [0.0, 2.0, 0.0]]
    )
    assert table.measurements()[1] == Measurement(
        Pgse(5.0, 20.0), table.measurements()[1].q, (0, 1, 0)
    )
    with pytest.raises(InputError, match="length 1"):
        protocol_of_columns([0.0, 1.0], 5.0, 20.0, directions=[[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])


def test_means_over_directions_and_their_errors():
    table = shells()
    signals = np.exp(-table.b) * (1.0 + 0.1 * table.directions[:, 0])
    found = powder_average(table, np.stack([signals, 2 * signals]), sigma=[0.03, 0.06])
    assert found.protocol.weights.tolist() == [2.0, 12.0, 12.0]
    assert found.protocol.powder
    assert found.protocol.b == pytest.approx([0.0, table.b[2:14].mean(), 2.0])
    expected = [signals[:2].mean(), signals[2:14].mean(), signals[14:].mean()]
    assert found.signals == pytest.approx(np.array([expected, 2.0 * np.array(expected)]))
    assert found.errors == pytest.approx(np.outer([0.03, 0.06], 1.0 / np.sqrt([2.0, 12.0, 12.0])))
    assert found.spread[0, 2] == pytest.approx(signals[14:].std(ddof=1))
    assert found.shell.tolist() == [0] * 2 + [1] * 12 + [2] * 12


def test_shells_of_other_times_are_not_averaged_together():
    table = protocol_of_columns(np.ones(4), 5.0, [20.0, 30.0, 20.0, 30.0], TE=[50, 50, 50, 60])
    found = powder_average(table, np.arange(4.0))
    assert found.signals[0].tolist() == [1.0, 1.0, 3.0]
    assert found.errors is None
    assert np.isnan(found.spread[0, 1])
    # Weights count: means of means are means of all.
    again = powder_average(found.protocol, found.signals, 0.1)
    assert again.errors[0] == pytest.approx([0.1 / np.sqrt(2.0), 0.1, 0.1])


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"b": []}, "without rows"),
        ({"b": [1.0, -1.0]}, r"b\[1\]: found -1"),
        ({"b": [1.0, np.nan]}, r"b\[1\]"),
        ({"b": [1.0, 2.0], "delta": [1.0, 2.0, 3.0], "Delta": 9.0}, "delta: found shape"),
        ({"b": [1.0], "weights": 0.0}, "weights"),
        ({"b": [1.0], "TE": -3.0}, "TE"),
        ({"b": [1.0, 1.0], "directions": [[1.0, 0.0, 0.0]]}, "directions: found 1 rows"),
    ],
)
def test_impossible_columns_are_refused(columns, words):
    with pytest.raises(InputError, match=words):
        protocol_of_columns(**columns)


def test_what_is_missing_is_named():
    with pytest.raises(InputError, match="without timings"):
        protocol_of_columns([1.0]).measurements()
    with pytest.raises(InputError, match="a mean over directions"):
        protocol_of_columns([1.0], 5.0, 20.0).measurements()
    with pytest.raises(InputError, match="3 signals"):
        powder_average(shells(), [1.0, 2.0, 3.0])
    with pytest.raises(InputError, match="sigma: found noise of shape"):
        powder_average(shells(), np.ones((2, 26)), [1.0, 2.0, 3.0])
