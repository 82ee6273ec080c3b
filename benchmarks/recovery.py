"""Fits of measured tables with noise: what they find, and whether they know how well.

    OMP_NUM_THREADS=1 python benchmarks/recovery.py [--fits 1000] [--models NAME ...] [--write]

Signals of each model at an SNR of 50 (of one signal, without gradients) are fitted, each time with
other noise of one seed. For every parameter: the bias over the standard error of the mean, the mean
standard error over the spread of the estimates, and how many of the profile likelihood's intervals
of 95 % hold the truth. The bias is that of the first 200 fits, all else of all. With --write the
table replaces benchmarks/recovery.md.
"""

from __future__ import annotations

import argparse
import platform
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from torrey.inversion.likelihood import NoiseKind
from torrey.inversion.measured import MeasuredProtocol, protocol_of_columns
from torrey.inversion.noise import add_noise
from torrey.inversion.table_models import table_model, table_signals
from torrey.inversion.voxel_fit import TableFit, fit_table

SNR, SEED, FIRST = 50.0, 20, 200
NOISES: tuple[NoiseKind, ...] = ("gaussian", "rician")


@dataclass(frozen=True)
class Case:
    """A model, the truth, and a protocol in which its parameters are identifiable."""

    model: str
    truth: tuple[float, ...]
    protocol: MeasuredProtocol
    words: str


def products(*columns: list[float]) -> list[np.ndarray]:
    """All combinations of values, one column each."""
    return [grid.ravel() for grid in np.meshgrid(*columns, indexing="ij")]


def isotropic(repeats: int) -> MeasuredProtocol:
    """Rows for two isotropic compartments, each measured several times."""
    b = [0.0, 0.2, 0.5, 0.8, 1.2, 1.6, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0]
    _, Delta, b = products(list(range(repeats)), [10.0, 25.0, 60.0, 120.0], b)
    return protocol_of_columns(b, 6.0, Delta)


def in_space(directions: int) -> MeasuredProtocol:
    """Rows along directions on a spiral over the half sphere."""
    i = np.arange(directions) + 0.5
    z, angle = 1.0 - i / directions, i * np.pi * (3.0 - np.sqrt(5.0))
    n = np.column_stack([np.sqrt(1 - z**2) * np.cos(angle), np.sqrt(1 - z**2) * np.sin(angle), z])
    b = [0.0, 0.3, 0.8, 1.5, 2.5, 4.0, 6.0]
    Delta, b, which = products([12.0, 35.0, 90.0], b, list(range(directions)))
    return protocol_of_columns(b, 6.0, Delta, directions=n[which.astype(int)])


def shells(b: list[float], Delta: list[float], delta: float, directions: int) -> MeasuredProtocol:
    """Means over directions."""
    Delta, b = products(Delta, b)
    return protocol_of_columns(b, delta, Delta, weights=directions)


def filtered(repeats: int) -> MeasuredProtocol:
    """Filter exchange: one filter and six mixing times, and none."""
    pairs = [(0.0, 20.0)] + [(1.0, t) for t in (15.0, 40.0, 80.0, 150.0, 250.0, 400.0)]
    b = [0.0, 0.3, 0.6, 0.9, 1.3]
    which, b, _ = products(list(range(len(pairs))), b, list(range(repeats)))
    table = np.array(pairs)[which.astype(int)]
    return protocol_of_columns(b, b_filter=table[:, 0], mixing_time=table[:, 1])


_STRONG = [0.0, 1.0, 2.0, 3.0, 4.5, 6.0, 8.0, 10.0, 13.0, 17.0]
CASES = (
    Case(
        "karger",
        (2.2, 0.4, 0.4, 40.0),
        isotropic(8),
        "8 x 12 b from 0 to 6 ms/um^2, delta 6 ms, Delta 10, 25, 60, 120 ms",
    ),
    Case(
        "karger-tensor",
        (2.4, 1.7, 1.5, 0.2, -0.15, 0.1, 0.35, 0.4, 35.0),
        in_space(20),
        "20 directions x 7 b from 0 to 6 ms/um^2, delta 6 ms, Delta 12, 35, 90 ms",
    ),
    Case(
        "nexi",
        (2.2, 0.9, 0.45, 25.0),
        shells(_STRONG, [12.0, 25.0, 50.0, 100.0], 4.0, 240),
        "means over 240 directions, 10 b up to 17 ms/um^2, delta 4 ms, Delta 12 to 100 ms",
    ),
    Case(
        "smex",
        (2.2, 0.9, 0.45, 25.0),
        shells(_STRONG, [15.0, 25.0, 50.0, 100.0], 12.0, 240),
        "means over 240 directions, 10 b up to 17 ms/um^2, delta 12 ms, Delta 15 to 100 ms",
    ),
    Case(
        "sandix",
        (2.2, 0.9, 0.55, 25.0, 0.25, 7.0),
        shells([*_STRONG, 25.0, 40.0], [15.0, 25.0, 40.0, 70.0, 110.0], 10.0, 1000),
        "means over 1000 signals, 12 b from 0 to 40 ms/um^2, delta 10 ms, Delta 15 to 110 ms",
    ),
    Case(
        "fexi-axr",
        (1.1, 0.35, 0.006),
        filtered(12),
        "12 x 5 b from 0 to 1.3 ms/um^2, without filter and b_f = 1 with 6 t_m of 15 to 400 ms",
    ),
)


def signals(case: Case, noise: NoiseKind, count: int, seed: int = SEED) -> np.ndarray:
    """Signals with noise: each row a mean of as many as its weight."""
    clean = table_signals(case.model, case.protocol, case.truth)
    generator = np.random.default_rng(seed)
    total = np.zeros((count, clean.shape[1]))
    each = int(case.protocol.weights[0])
    for _ in range(each):
        total += add_noise(np.broadcast_to(clean, total.shape), noise, 1.0 / SNR, generator)
    return total / each


def report(case: Case, noise: NoiseKind, fit: TableFit, took: float) -> list[str]:
    """A line for each parameter."""
    lines = []
    for i, (name, unit) in enumerate(zip(fit.names, fit.units, strict=True)):
        known = np.isfinite(fit.estimate[:, i])
        x, error = fit.estimate[known, i], fit.standard_error[known, i]
        spread = x.std(ddof=1)
        first = x[:FIRST]
        bias = first.mean() - case.truth[i]
        low, high = fit.interval[known, i].T
        hold = 100.0 * np.mean((low <= case.truth[i]) & (case.truth[i] <= high))
        lines.append(
            f"| {case.model} | {noise} | {name} ({unit}) | {case.truth[i]:g} | {bias:+.3g} "
            f"| {spread:.3g} | {bias / spread * np.sqrt(len(first)):+.1f} "
            f"| {np.nanmean(error) / spread:.2f} | {hold:.1f} % | {np.sum(~known)} |"
        )
        print(lines[-1], f"{1e3 * took:.1f} ms", flush=True)
    return lines


def main() -> None:
    """Fit and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fits", type=int, default=1000)
    parser.add_argument("--models", nargs="*", default=[case.model for case in CASES])
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    lines, words = [], []
    for case in CASES:
        if case.model not in given.models:
            continue
        parameters = table_model(case.model).names
        words.append(f"- `{case.model}` ({', '.join(parameters)}): {case.words}.")
        for noise in NOISES:
            y = signals(case, noise, given.fits)
            start = time.process_time()
            fit = fit_table(case.model, case.protocol, y, 1.0 / SNR, noise, intervals=True)
            lines += report(case, noise, fit, (time.process_time() - start) / given.fits)
    if given.write:
        text = TEXT.format(
            machine=f"Python {platform.python_version()}, numpy {np.__version__}, {date.today()}",
            fits=given.fits,
            seed=SEED,
            first=FIRST,
            words="\n".join(words),
            lines="\n".join(lines),
        )
        Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")


TEXT = """\
# What fits of measured tables recover

{machine}; {fits} fits of each, seed {seed} (`benchmarks/recovery.py`). SNR 50 of one signal without
gradients; of a mean over n directions each of the n has it.

{words}

The bias is that of the first {first} fits, beside its standard error (beyond 2 it is chance in one
of 20, beyond 3 one of the method: estimates of a likelihood have a bias that falls like the square
of the noise). All fits count for the spread of the estimates, for the standard errors that the fits
state over that spread, and for how many of the profile likelihood's intervals of 95 % hold the
truth. Missing are estimates that cannot be identified.

| model | noise | parameter | truth | bias | spread | bias/error | stated/spread | held | missing |
|-|-|-|-|-|-|-|-|-|-|
{lines}
"""


if __name__ == "__main__":
    main()
