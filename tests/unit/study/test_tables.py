"""The table of a study: marks of signals that mean nothing, through the files of a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray
from support.cells import LARGE_DISC
from support.slab_files import write_slabs

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.gradients.sweep import Product, Sweep, WaveformGrid
from torrey.models.evaluation import evaluate_models
from torrey.study.files import gather_signals, meaningless_signals

PROVENANCE = Provenance("test")
#: 4,000, 8,000 and 200,000 s/mm^2: R2 is sound, lets states grow, and leaves all numbers.
B = (4.0, 8.0, 200.0)


def table_of(directory: Path, models: tuple[str, ...]) -> tuple[xarray.Dataset, list[str]]:
    """Signals of a cell that is too large for the strongest gradients, by way of its files."""
    shapes = WaveformGrid("pgse", (("delta", (5.0,)), ("Delta", (25.0,))))
    sweep = Sweep((10.0,), "permeability", (0.05,), Product(shapes, "b", B, ((0.0, 1.0),)))
    levels = [LARGE_DISC.operators(0), LARGE_DISC.operators(0)]
    slabs = write_slabs(directory, sweep, evaluate_models(levels, sweep, models), PROVENANCE)
    group = gather_signals(sweep, models, [], slabs)
    artifacts.write(directory / "signals.nc", group, PROVENANCE)
    return artifacts.open_dataset(directory / "signals.nc").squeeze(), meaningless_signals(group)


def test_what_blows_up_is_missing_and_marked_and_said(tmp_path: Path) -> None:
    table, said = table_of(tmp_path, ("R0", "R2", "P3"))
    marks = dict(zip(table.model.values.tolist(), table.validity.values.tolist(), strict=True))
    assert marks == {"R0": [0, 0, 0], "R2": [0, 1, 3], "P3": [0, 0, 0]}
    signal = table.signal_real + 1j * table.signal_imag
    assert np.isfinite(signal).equals(table.validity != 3)
    r2 = table.sel(model="R2")
    assert np.isnan(r2.signal_real[2])
    assert np.isnan(r2.signal_imag[2])
    assert r2.amplification.values.tolist() == [1.0, r2.amplification[1].item(), 1e6]
    assert 1.2 < r2.amplification[1].item() < 1.3
    assert r2.growth_rate[0] == 0.0 < r2.growth_rate[1] < r2.growth_rate[2]
    assert (table.amplification.sel(model=["R0", "P3"]) == 1.0).all()
    assert table.validity.attrs["flag_meanings"] == "sound amplified exceeds_one overflowed"
    assert said == [
        "R2: 2 of 3 signals mean nothing (1 amplified, 1 overflowed), at b 8 to 200 ms um-2"
    ]


def test_nothing_is_said_of_a_table_without_marks(tmp_path: Path) -> None:
    table, said = table_of(tmp_path, ("R0",))
    assert said == []
    assert (table.validity == 0).all()
    assert np.isfinite(table.signal_real).all()
