"""Error and estimate of projected references at random points, beside the full system.

    OMP_NUM_THREADS=1 python benchmarks/projected.py [--points 1000] [--write]

Cells of KL23, one mesh (the error in space is the same on both sides and left out); L from 0.5 to
50 um and kappa from 1e-7 to 1e-3 m/s (a tenth: none), both even on a logarithmic scale; b even
from 0 to 10,000 s/mm^2; four PGSE sequences. Points that no rung of the ladder reaches are solved
in full by the workflow; here they are counted. With --write the table replaces
benchmarks/projected.md.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from speed import machine

from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey
from torrey.cell.system import AffineSystem
from torrey.geometry import Disc, Discs, MeshOptions
from torrey.gradients.waveforms import Pgse
from torrey.models.expansion import expand
from torrey.models.integration import Points
from torrey.models.validity import GROWTH_TOLERANCE
from torrey.reference.full import mesh_signal
from torrey.reference.ladder import climb
from torrey.reference.projected import projected_signals

HERE = Path(__file__).parent
DIRECTION = (0.0, 1.0)
FOUR = ((0.28, 0.30, 0.24), (0.75, 0.28, 0.18), (0.72, 0.72, 0.21), (0.25, 0.78, 0.14))
CELLS = {
    "one disc, R = 0.2": ((0.5, 0.5, 0.2),),
    "one disc, R = 0.4": ((0.5, 0.5, 0.4),),
    "four discs": FOUR,
}
SEQUENCES = tuple(Pgse(*times) for times in ((5, 25), (2, 40), (1, 10), (10, 15)))
RUNGS = 14
#: Steps per ramp of the full system; what doubling them changes, less a safe gain, is its error.
FULL_STEPS, FULL_GAIN = 48, 5.0


@dataclass(frozen=True)
class Sample:
    """Random points in one cell, and their signals by the full system."""

    operators: BlochTorrey
    L: np.ndarray
    kappa: np.ndarray
    q: np.ndarray
    sequence: np.ndarray
    full: np.ndarray
    full_error: np.ndarray


def sample(discs: Sequence[tuple[float, float, float]], count: int, seed: int) -> Sample:
    """Draw points and solve them in full."""
    shape = Discs(tuple(Disc((x, y), r) for x, y, r in discs))
    material = Material((3.0,) + (1.7,) * len(discs))
    operators = levels(shape, MeshOptions(0.1, 0), material)[0]
    rng = np.random.default_rng(seed)
    L = np.exp(rng.uniform(np.log(0.5), np.log(50.0), count))
    kappa = np.where(rng.random(count) < 0.1, 0.0, 10 ** rng.uniform(-4.0, 0.0, count))
    sequence = rng.integers(0, len(SEQUENCES), count)
    b = rng.uniform(0.0, 10.0, count)
    q = np.array([SEQUENCES[i].q_of_b(x) for i, x in zip(sequence, b, strict=True)])
    systems = [AffineSystem.at(operators, L[i], kappa[i], DIRECTION) for i in range(count)]
    rough, full = (
        np.array(
            [
                mesh_signal(systems[i], SEQUENCES[sequence[i]], q[i], steps).real
                for i in range(count)
            ]
        )
        for steps in (FULL_STEPS, 2 * FULL_STEPS)
    )
    return Sample(operators, L, kappa, q, sequence, full, np.abs(full - rough) / FULL_GAIN)


def rows(name: str, drawn: Sample, tolerances: Sequence[float]) -> list[str]:
    """Lines of the table for one cell."""
    ladder = climb(drawn.operators, DIRECTION, RUNGS)
    r2 = expand(drawn.operators, DIRECTION, 2).model
    lines = []
    for tolerance in tolerances:
        error, estimate, floors, reached, unstable = [], [], [], [], []
        start = time.process_time()
        for i, waveform in enumerate(SEQUENCES):
            k = np.flatnonzero(drawn.sequence == i)
            points = Points.of(drawn.q[k], drawn.L[k], drawn.kappa[k] / drawn.L[k])
            # The same ladder twice: no error in space.
            found = projected_signals([ladder] * 2, waveform, points, tolerance)
            error.append(np.abs(found.signal - drawn.full[k]) / drawn.full[k])
            estimate.append(found.error / drawn.full[k])
            floors.append(drawn.full_error[k] / drawn.full[k] + 1e-12)
            reached.append(found.reached)
            at = waveform, points.q, points.period, points.sigma
            unstable.append(r2.stability(*at).amplification > 1.0 + GROWTH_TOLERANCE)
        seconds = time.process_time() - start
        ok = np.concatenate(reached)
        e, s = np.concatenate(error)[ok], np.concatenate(estimate)[ok]
        floor = np.concatenate(floors)[ok]
        bounded = np.mean(e <= s + floor)
        near = s <= 50 * (e + floor)
        tight, strict = (np.mean(near | (x <= 1e-3 * tolerance)) for x in (e, s))
        lines.append(
            f"| {name} | {tolerance:.0e} | {len(ok)} | {ok.sum()} | {100 * bounded:.1f} % | "
            f"{100 * tight:.1f} % | {100 * strict:.1f} % | "
            f"{np.max(e / np.maximum(s, floor)):.1f} | "
            f"{np.max(e) / tolerance:.2f} | {np.median(s / np.maximum(e, floor)):.0f} | "
            f"{np.concatenate(unstable).sum()} | {1e3 * seconds / len(ok):.0f} ms |"
        )
    return lines


def _about() -> list[str]:
    """What was drawn and compared, from the head of this file."""
    text = (__doc__ or "").split("--write]\n")[1]
    return text.split(" With --write")[0].splitlines()


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=1000, help="in all cells together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="replace benchmarks/projected.md")
    options = parser.parse_args()
    share = options.points // len(CELLS)
    counts = [share, share, options.points - 2 * share]
    lines = []
    for (name, discs), count in zip(CELLS.items(), counts, strict=True):
        lines += rows(name, sample(discs, count, options.seed), (1e-3, 1e-5))
    text = "\n".join(
        [
            "# Projected references at random points",
            "",
            f"{machine()}, one thread, {date.today()}; `python benchmarks/projected.py --write` "
            "makes this file.",
            *_about(),
            "",
            "| cell | tolerance | points | reached | error <= estimate | estimate <= 50 x error, "
            "or error <= 1e-3 of the tolerance | estimate <= 50 x error, or estimate <= 1e-3 of "
            "the tolerance | worst error / estimate | worst error / tolerance | "
            "median estimate / error | R2 unstable | per signal |",
            "|-|-|-|-|-|-|-|-|-|-|-|-|",
            *lines,
            "",
        ]
    )
    print(text)
    if options.write:
        (HERE / "projected.md").write_text(text)


if __name__ == "__main__":
    main()
