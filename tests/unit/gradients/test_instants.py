"""Times of stills, and of the frames of a film."""

from __future__ import annotations

import numpy as np
import pytest

from torrey.gradients.instants import FRAMES, MOST_STILLS, film_times, frames_of, still_times
from torrey.gradients.waveforms import AtEcho, CosineOgse, DoublePgse, Pgse, TrapezoidalOgse


@pytest.mark.parametrize(
    ("waveform", "times"),
    [
        (Pgse(5.0, 15.0), (0.0, 5.0, 10.0, 15.0, 20.0)),
        # Two pulses alone are few times: their middles are shown, too.
        (Pgse(5.0, 5.0), (0.0, 2.5, 5.0, 7.5, 10.0)),
        (CosineOgse(10.0, 15.0, 2), (0.0, 10.0, 12.5, 15.0, 25.0)),
        # With all middles there would be too many.
        (AtEcho(Pgse(5.0, 15.0), 30.0), (0.0, 2.5, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0)[:0]),
        (TrapezoidalOgse(10.0, 15.0, 3, 0.2), (0.0, 5.0, 10.0, 15.0, 20.0, 25.0)),
    ],
)
def test_stills_are_where_pulses_begin_and_end(waveform, times):
    found = still_times(waveform)
    assert not times or found == pytest.approx(times)
    assert found[0] == 0.0
    assert found[-1] == waveform.echo_time
    assert len(found) <= MOST_STILLS


def test_an_interval_without_gradient_has_its_middle():
    assert still_times(Pgse(1.0, 40.25))[2] == 20.62


def test_a_film_has_all_stills_and_even_frames():
    waveform = DoublePgse(3.0, 20.0, 7.0, 90.0)
    stills = still_times(waveform)
    times = film_times(waveform.echo_time, stills)
    assert set(stills) <= set(times)
    assert list(times) == sorted(times)
    assert FRAMES <= len(times) <= FRAMES + len(stills)
    frames = np.array(times)[frames_of(np.array(times))]
    step = waveform.echo_time / (FRAMES - 1)
    np.testing.assert_allclose(frames, step * np.arange(FRAMES), atol=1e-5 * step)


def test_a_film_from_few_stills_ends_at_the_echo():
    times = film_times(20.0, (3.0,))
    assert times[0] == 0.0
    assert times[-1] == 20.0
    assert len(times) == FRAMES + 1
