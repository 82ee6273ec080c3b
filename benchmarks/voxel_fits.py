"""What a voxel costs: fits of measured tables with their standard errors, by one thread.

    OMP_NUM_THREADS=1 python benchmarks/voxel_fits.py [--voxels 400] [--write]

Process time of a chunk of voxels over their number, its dictionary included. Every voxel has other
parameters and noise. With --write the table replaces benchmarks/voxel_fits.md.
"""

from __future__ import annotations

import argparse
import platform
import time
from datetime import date
from pathlib import Path

import numpy as np

from torrey.inversion.likelihood import NoiseKind
from torrey.inversion.measured import MeasuredProtocol, protocol_of_columns
from torrey.inversion.noise import add_noise
from torrey.inversion.table_models import table_model, table_signals
from torrey.inversion.voxel_fit import fit_table

SIGMA, SEED = 0.02, 7
Run = tuple[str, str, MeasuredProtocol, NoiseKind, bool, float | None]


def clinical() -> MeasuredProtocol:
    """Two shells of 15 directions and 3 rows without gradient, at three times: 99 rows."""
    b = np.tile(np.repeat([0.0, 1.0, 2.5], [3, 15, 15]), 3)
    n = np.random.default_rng(SEED).standard_normal((len(b), 3))
    return protocol_of_columns(b, 8.0, np.repeat([15.0, 30.0, 60.0], 33), directions=n)


def shells() -> MeasuredProtocol:
    """Eight b-values at three times: 24 means over 30 directions."""
    b = np.tile([0.0, 0.5, 1.0, 2.0, 3.5, 5.0, 7.0, 10.0], 3)
    return protocol_of_columns(b, 9.0, np.repeat([20.0, 35.0, 50.0], 8), weights=30)


def filtered() -> MeasuredProtocol:
    """Five b-values, without filter and with six mixing times."""
    times = np.repeat([20.0, 15.0, 40.0, 80.0, 150.0, 250.0, 400.0], 5)
    strength = np.repeat([0.0, 1.0], [5, 30])
    b = np.tile([0.0, 0.3, 0.6, 0.9, 1.3], 7)
    return protocol_of_columns(b, b_filter=strength, mixing_time=times, weights=8)


def runs() -> list[Run]:
    """What is measured: model, words, table, noise, intervals, and what was asked (ms)."""
    table, means, filters = clinical(), shells(), filtered()
    return [
        ("karger", "99 rows", table, "gaussian", False, 20.0),
        ("karger", "99 rows", table, "rician", False, 20.0),
        ("karger", "99 rows, with intervals", table, "rician", True, None),
        ("karger-tensor", "99 rows", table, "rician", False, None),
        ("nexi", "24 means", means, "gaussian", False, 50.0),
        ("nexi", "24 means", means, "rician", False, 50.0),
        ("smex", "24 means", means, "gaussian", False, 50.0),
        ("smex", "24 means", means, "rician", False, 50.0),
        ("smex", "24 means, with intervals", means, "rician", True, None),
        ("sandix", "24 means", means, "rician", False, 50.0),
        ("fexi-axr", "35 rows", filters, "gaussian", False, None),
    ]


def signals(name: str, protocol: MeasuredProtocol, noise: NoiseKind, count: int) -> np.ndarray:
    """Signals of random parameters within the middle of their bounds, with noise."""
    model = table_model(name)
    generator = np.random.default_rng(SEED)
    columns = []
    for one in model.parameters:
        place = generator.uniform(0.25, 0.75, count)
        if one.name.startswith("D_e_") and one.lower < 0.0:
            place = generator.uniform(0.45, 0.55, count)
        ratio = one.upper / one.lower if one.log else 1.0
        linear = one.lower + (one.upper - one.lower) * place
        columns.append(one.lower * ratio**place if one.log else linear)
    clean = table_signals(model, protocol, np.column_stack(columns))
    sigma = SIGMA / np.sqrt(protocol.weights)
    return add_noise(clean / sigma, noise, 1.0, generator) * sigma


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voxels", type=int, default=400)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    lines = []
    for name, words, protocol, noise, intervals, asked in runs():
        y = signals(name, protocol, noise, given.voxels)
        start = time.process_time()
        fit = fit_table(name, protocol, y, SIGMA, noise, intervals=intervals)
        spent = 1e3 * (time.process_time() - start) / given.voxels
        bad = int(np.sum(fit.status >= 2))
        limit = "" if asked is None else f"at most {asked:g} ms"
        lines.append(f"| {name} | {words} | {noise} | {spent:.1f} ms | {limit} | {bad} |")
        print(lines[-1], flush=True)
    if given.write:
        text = TEXT.format(
            machine=f"Python {platform.python_version()}, numpy {np.__version__}, {date.today()}",
            voxels=given.voxels,
            lines="\n".join(lines),
        )
        Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")


TEXT = """\
# What a voxel costs in a fit of a measured table

{machine}; process time of one thread per voxel, of {voxels} voxels at once
(`benchmarks/voxel_fits.py`): dictionary, three searches and standard errors of each; where said,
the profile likelihoods of all parameters too. Voxels have random parameters and an SNR of 50 of
one signal. The last column counts voxels without a minimum.

| model | table | noise | measured | asked | failed |
|-|-|-|-|-|-|
{lines}
"""


if __name__ == "__main__":
    main()
