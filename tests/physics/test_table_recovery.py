"""Signals of each model with noise, fitted again: a sample of `benchmarks/recovery.py`.

Bounds are those of 60 fits by chance: a bias of three standard errors of the mean, and as many
intervals of 95 % without the truth as one set of 60 in a thousand has, or fewer.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from torrey.inversion.measured import protocol_of_columns
from torrey.inversion.noise import add_noise
from torrey.inversion.table_models import table_signals
from torrey.inversion.voxel_fit import fit_table

SNR, FITS = 50.0, 60
B = np.array([0.0, 1.0, 2.0, 3.0, 4.5, 6.0, 8.0, 10.0, 13.0, 17.0])
SHELLS = protocol_of_columns(
    np.tile(B, 4), 12.0, np.repeat([15.0, 25.0, 50.0, 100.0], 10), weights=240
)
ROWS = protocol_of_columns(
    np.tile(np.linspace(0.0, 6.0, 24), 8), 6.0, np.repeat([10.0, 25.0, 60.0, 120.0], 48)
)
FILTER = protocol_of_columns(
    np.tile([0.0, 0.3, 0.6, 0.9, 1.3] * 6, 7),
    b_filter=np.repeat([0.0, 1.0], [30, 180]),
    mixing_time=np.repeat([20.0, 15.0, 40.0, 80.0, 150.0, 250.0, 400.0], 30),
)
CASES = {
    "karger": (ROWS, [2.2, 0.4, 0.4, 40.0]),
    "nexi": (SHELLS, [2.2, 0.9, 0.45, 25.0]),
    "smex": (SHELLS, [2.2, 0.9, 0.45, 25.0]),
    "fexi-axr": (FILTER, [1.1, 0.35, 0.006]),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "noise"),
    [
        ("karger", "gaussian"),
        ("karger", "rician"),
        ("nexi", "gaussian"),
        ("nexi", "rician"),
        ("smex", "rician"),
        ("fexi-axr", "rician"),
    ],
)
def test_fits_find_the_truth_and_know_how_well(name, noise):
    protocol, truth = CASES[name]
    clean = np.repeat(table_signals(name, protocol, truth), FITS, axis=0)
    generator = np.random.default_rng(20)
    each = int(protocol.weights[0])
    y = sum(add_noise(clean, noise, 1.0 / SNR, generator) for _ in range(each)) / each
    found = fit_table(name, protocol, y, 1.0 / SNR, noise, intervals=True)
    assert found.identifiable.all()
    spread = found.estimate.std(axis=0, ddof=1)
    bias = found.estimate.mean(axis=0) - truth
    assert np.abs(bias / spread * np.sqrt(FITS)).max() < 3.0
    assert found.standard_error.mean(axis=0) == pytest.approx(spread, rel=3.0 / np.sqrt(2 * FITS))
    low, high = found.interval[..., 0], found.interval[..., 1]
    held = ((low <= truth) & (truth <= high)).sum(axis=0)
    assert (held >= binom.ppf(1e-3, FITS, 0.95)).all()


@pytest.mark.slow
def test_intervals_of_few_rows_hold_where_standard_errors_do_less():
    """What docs/fits.md says of 24 rows."""
    few = protocol_of_columns(
        np.tile([0.0, 0.5, 1.0, 2.0, 3.5, 6.0], 4), 6.0, np.repeat([10.0, 25.0, 60.0, 120.0], 6)
    )
    clean = np.repeat(table_signals("karger", few, CASES["karger"][1]), 300, axis=0)
    y = clean + np.random.default_rng(0).normal(0.0, 1.0 / SNR, clean.shape)
    found = fit_table("karger", few, y, 1.0 / SNR, "gaussian", intervals=True)
    at, truth = found.names.index("t_ex"), CASES["karger"][1][-1]
    time, error = found.estimate[:, at], found.standard_error[:, at]
    low, high = found.interval[:, at].T
    assert np.median(error / time) == pytest.approx(0.4, abs=0.02)
    assert np.percentile(time, [2.5, 97.5]) == pytest.approx([17.0, 103.0], rel=0.05)
    held = np.mean((low <= truth) & (truth <= high))
    assert held == pytest.approx(0.94, abs=0.01)
    assert np.mean(np.abs(time - truth) <= 1.96 * error) < held - 0.02
