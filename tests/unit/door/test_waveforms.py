"""Waveforms of the door are those of the library."""

from __future__ import annotations

import inspect
from dataclasses import fields

import pytest

import torrey as tr
from torrey.gradients import waveforms
from torrey.gradients.waveforms import AtEcho, SampledWaveform


@pytest.mark.parametrize("cls", waveforms.KINDS.values(), ids=lambda cls: cls.__name__)
def test_each_kind_has_a_function_with_its_parameters(cls):
    signature = inspect.signature(getattr(tr.waveforms, cls.__name__))
    assert list(signature.parameters) == [*(f.name for f in fields(cls)), "echo_time"]


@pytest.mark.parametrize(
    ("made", "own"),
    [
        (tr.Pgse("5 ms", 25), waveforms.Pgse(5.0, 25.0)),
        (tr.TrapezoidalPgse(5, 25, "500 us"), waveforms.TrapezoidalPgse(5.0, 25.0, 0.5)),
        (tr.DoublePgse(3, 15, 10, "90 deg"), waveforms.DoublePgse(3.0, 15.0, 10.0, 90.0)),
        (tr.DoublePgse(3, 15, 0, "-1 rad"), waveforms.DoublePgse(3.0, 15.0, 0.0, -57.2957795131)),
        (tr.SineOgse("20 ms", 30, 2), waveforms.SineOgse(20.0, 30.0, 2.0)),
        (tr.CosineOgse("20 ms", 30, 2), waveforms.CosineOgse(20.0, 30.0, 2.0)),
        (tr.TrapezoidalOgse(20, 30, 2, 0.5), waveforms.TrapezoidalOgse(20.0, 30.0, 2.0, 0.5)),
        (tr.waveforms.TriplePgse("3 ms", 15, 2), waveforms.TriplePgse(3.0, 15.0, 2.0)),
        (tr.waveforms.BTensor("5 ms", 30, -0.5), waveforms.BTensor(5.0, 30.0, -0.5)),
        (tr.StimulatedEcho(3, "0.2 s", 8), waveforms.StimulatedEcho(3.0, 200.0, 8.0)),
        (
            tr.waveforms.FilterExchange(5, 20, 4, 15, "900 s/mm^2", "0.1 s"),
            waveforms.FilterExchange(5.0, 20.0, 4.0, 15.0, 0.9, 100.0),
        ),
        (tr.Pgse(5, 25, echo_time="60 ms"), AtEcho(waveforms.Pgse(5.0, 25.0), 60.0)),
    ],
)
def test_quantities_become_the_waveform_of_the_library(made, own):
    assert made == own


def test_samples_from_a_file(tmp_path):
    file = tmp_path / "pulses.csv"
    file.write_text("time (ms),g (mT/m)\n0,40\n5,40\n5,-40\n10,-40\n")
    made = tr.read_waveform(file)
    assert isinstance(made, SampledWaveform)
    assert made.b_factor == pytest.approx(waveforms.Pgse(5.0, 5.0).b_factor)
    assert tr.read_waveform(file, echo_time="30 ms").echo_time == 30.0


def test_what_a_file_of_samples_does_not_say_is_given(tmp_path):
    file = tmp_path / "played.txt"
    file.write_text("40\n0\n40\n")
    raster = {"columns": ["g"], "dt": "5 ms", "between": "hold", "first": "half"}
    made = tr.read_waveform(file, refocus="7.5 ms", **raster)
    assert made.b_factor == pytest.approx(waveforms.Pgse(5.0, 10.0).b_factor)
    assert tr.read_waveform(file, refocus=["6 ms", 7, 8], **raster).segments == made.segments
    with pytest.raises(tr.InputError, match=r"read_waveform\(between=...\).*linear or hold"):
        tr.read_waveform(file, **{**raster, "between": "spline"})
    with pytest.raises(tr.InputError, match=r"read_waveform\(dt=...\)"):
        tr.read_waveform(file, **{**raster, "dt": "5 um"})
