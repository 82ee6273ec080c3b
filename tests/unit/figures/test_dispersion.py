"""The figure of dispersion shows what its files say, pale where the mesh does not resolve it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.figure_checks import draw_checked, labels_of, lines, overlapping_texts, texts

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import group_of
from torrey.bloch.dispersion import Dispersion
from torrey.figures.catalogue import paper_of
from torrey.figures.drawing import FigureFiles

TIMES = np.geomspace(0.01, 1000.0, 31)
FREQUENCIES = np.geomspace(1e-4, 10.0, 21)


def write(path: Path, kappa: float, slow: float, times: np.ndarray = TIMES) -> str:
    fade = 1.0 / (1.0 + times)
    high = FREQUENCIES / (0.1 + FREQUENCIES)
    of_time, of_frequency = slow + (2.0 - slow) * fade, slow + (2.0 - slow) * high
    kurtosis = times / (1.0 + times) * (0.4 * np.exp(-times / 50.0) if kappa else 1.0)
    path.parent.mkdir(parents=True)
    found = Dispersion(
        direction=np.array([[1.0, 0.0]]),
        time=times,
        frequency=FREQUENCIES,
        D_time=of_time[None],
        D_time_error=1e-3 * of_time[None],
        K_time=kurtosis[None],
        K_time_error=1e-3 * kurtosis[None],
        D_frequency=of_frequency[None],
        D_frequency_error=1e-3 * of_frequency[None],
        time_resolved=(times > 0.1).astype(np.int8),
        frequency_resolved=(FREQUENCIES < 1.0).astype(np.int8),
        D_slow=np.array([slow]),
        D_slow_error=np.array([1e-4]),
        D_fast=np.array([2.0]),
        wall_slope=0.7,
        rate=np.array([0.048 if kappa else 0.0]),
        rate_error=np.array([1e-6]),
        karger_rate=np.array([0.05 if kappa else 0.0]),
        period=10.0,
        permeability=kappa,
    )
    artifacts.write(path, group_of(found), Provenance("test"))
    return str(path)


def test_both_cells_with_their_limits(tmp_path):
    files = {
        "one": write(tmp_path / "one" / "dispersion.nc", 0.05, 1.3),
        "two": write(tmp_path / "two" / "dispersion.nc", 0.0, 0.9),
    }
    drawing = draw_checked("dispersion", FigureFiles({"dispersion": files}), tmp_path)
    of_time, of_frequency, kurtosis = drawing.figure.axes
    assert labels_of(of_time) == ("$t$ (ms)", r"$D(t)$ ($\mu$m$^2$/ms)")
    for label, slow in (("permeable", 1.3), ("impermeable", 0.9)):
        x, y = map(np.asarray, lines(of_time)[label].get_data())
        np.testing.assert_allclose(x, TIMES)
        np.testing.assert_array_equal(np.isnan(y), TIMES <= 0.1)
        assert y[-1] == pytest.approx(slow, abs=1e-2)
        x, y = map(np.asarray, lines(of_frequency)[label].get_data())
        np.testing.assert_allclose(x, 1000.0 * FREQUENCIES)
        np.testing.assert_array_equal(np.isnan(y), FREQUENCIES >= 1.0)
    law = np.asarray(lines(of_time)["law"].get_ydata())
    np.testing.assert_allclose(law, 2.0 - 0.7 * np.sqrt(TIMES[: len(law)]))
    said = " ".join(texts(drawing.figure))
    assert "0.0480/ms" in said
    assert "0.0500/ms" in said
    assert overlapping_texts(drawing.figure) == []
    np.testing.assert_allclose(drawing.data["D_slow"].values, [1.3, 0.9])
    assert drawing.data["K_time"].dims == ("cell", "time")
    assert kurtosis.get_ylim()[0] == 0.0
    assert paper_of("dispersion") == "torrey"


def test_runs_of_other_times_are_refused(tmp_path):
    files = {
        "one": write(tmp_path / "one" / "dispersion.nc", 0.05, 1.3),
        "two": write(tmp_path / "two" / "dispersion.nc", 0.0, 0.9, 2.0 * TIMES),
    }
    with pytest.raises(ValueError, match="the same times"):
        draw_checked("dispersion", FigureFiles({"dispersion": files}), tmp_path)
