"""Do estimates of numerical errors hold? Signals at random points, beside much better ones.

    OMP_NUM_THREADS=1 python benchmarks/estimates.py [--part 0.02] [--kind layers] [--method full]
        [--first 0]

Number and kind make a cell and its points, the same on every machine: layers, a disc, an obstacle,
four discs, a sphere; L from 1 to 30 um and kappa from 1e-7 to 1e-3 m/s (a tenth: none), both even
on a logarithmic scale; diffusivities of 0.5 to 3 um^2/ms; b from 0 to 10,000 s/mm^2; PGSE with and
without ramps, double PGSE and a sampled waveform; tolerances of 1e-3, 1e-4 and 1e-5. What they are
compared with is the full reference on another mesh, to a thirtieth of the tolerance; what is left
of its own error by its own estimate is granted. Signals below 1e-4 are left out.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from speed import machine, processor_seconds

import torrey as tr
from torrey.base.errors import TorreyError
from torrey.gradients.waveforms import SampledWaveform, Waveform

HERE = Path(__file__).parent
SEED = 20261129
#: Cells of each kind in the survey, of `POINTS` points each.
KINDS = {"layers": 800, "disc": 300, "obstacle": 250, "four discs": 100, "sphere": 30}
POINTS = 8
TOLERANCES = (1e-3, 1e-4, 1e-5)
#: By which the tolerance of what is compared with is smaller, and its elements.
_BETTER, _SMALLER = 30.0, 0.8
_LEAST_SIGNAL = 1e-4


@dataclass(frozen=True)
class Draw:
    """A cell, its points, and how exactly they are asked for."""

    cell: tr.Cell
    better: tr.Cell
    waveform: Waveform
    b: np.ndarray
    direction: tuple[float, ...]
    tolerance: float
    text: str


@dataclass(frozen=True)
class Found:
    """Errors, estimates and allowances of points over their signals; seconds for all."""

    tolerance: float
    error: np.ndarray
    estimate: np.ndarray
    granted: np.ndarray
    seconds: float


def draw(kind: str, number: int) -> Draw:
    """What a kind and a number stand for."""
    rng = np.random.default_rng([SEED, list(KINDS).index(kind), number])
    shape = _shape(rng, kind)
    # Those of a sphere take long below 1e-3.
    tolerance = float(rng.choice(TOLERANCES[:1] if kind == "sphere" else TOLERANCES))
    L = f"{math.exp(rng.uniform(0.0, math.log(30.0))):.6g} um"
    kappa = 0.0 if rng.uniform() < 0.1 else 10 ** rng.uniform(-7.0, -3.0)
    D = rng.uniform(0.5, 3.0, shape.n_compartments).tolist()
    size = {1: 0.1, 2: 0.1, 3: 0.3}[shape.dimension]
    cells = [
        tr.Cell(shape, D, L, f"{kappa:.6g} m/s", mesh=tr.MeshOptions(part * size))
        for part in (1.0, _SMALLER)
    ]
    waveform, name = _waveform(rng)
    b = np.sort(rng.uniform(0.0, 10.0, POINTS))
    direction = {1: (1.0,), 2: tuple(_unit(rng, 2)), 3: tuple(_unit(rng, 3))}[shape.dimension]
    text = f"{kind} {number}: {shape} D {D} L {L} kappa {kappa:.3g} {name} {tolerance:g}"
    return Draw(cells[0], cells[1], waveform, b, direction, tolerance, text)


def _unit(rng: np.random.Generator, d: int) -> list[float]:
    n = rng.standard_normal(d)
    return (n / np.linalg.norm(n)).tolist()


def _shape(rng: np.random.Generator, kind: str) -> tr.shapes.Shape:
    if kind == "layers":
        parts = rng.dirichlet(np.full(int(rng.integers(1, 5)), 2.0)) + 0.01
        return tr.shapes.Layers(tuple((parts / parts.sum()).tolist()))
    if kind == "four discs":
        places = ((0.28, 0.30, 0.24), (0.75, 0.28, 0.18), (0.72, 0.72, 0.21), (0.25, 0.78, 0.14))
        return tr.Discs(tuple(tr.Disc((x, y), r) for x, y, r in places))
    radius = float(rng.uniform(0.1, 0.49))
    if kind == "sphere":
        return tr.Spheres((tr.Sphere((0.5, 0.5, 0.5), min(radius, 0.45)),))
    interior = "obstacle" if kind == "obstacle" else "water"
    return tr.Discs((tr.Disc((0.5, 0.5), radius),), interior=interior)


def _waveform(rng: np.random.Generator) -> tuple[Waveform, str]:
    delta, gap = float(rng.uniform(1.0, 10.0)), float(rng.uniform(0.1, 30.0))
    kind = str(rng.choice(["pgse", "trapezoids", "double", "sampled"]))
    if kind == "double":
        mixing, angle = float(rng.uniform(0.0, 20.0)), float(rng.choice([0.0, 180.0]))
        return tr.DoublePgse(delta, delta + gap, mixing, angle), kind
    if kind == "trapezoids":
        rise = float(rng.uniform(0.05, 1.0)) * delta
        return tr.TrapezoidalPgse(delta, delta + rise + gap, rise), kind
    if kind == "sampled":
        t = np.linspace(0.0, 4 * delta, 65)
        G = np.sin(2 * np.pi * t / t[-1]) + rng.uniform(-0.8, 0.8) * np.sin(4 * np.pi * t / t[-1])
        G[0] = G[-1] = 0.0
        return SampledWaveform("wave", "gradient", tuple(t.tolist()), tuple((g,) for g in G)), kind
    return tr.Pgse(delta, delta + gap), kind


def examine(drawn: Draw, method: str) -> Found | None:
    """Errors and estimates at the points of a cell; None where the tolerance is refused."""
    b, start = drawn.b, processor_seconds()
    for _ in range(4):
        try:
            S = _signal(drawn.cell, drawn, b, drawn.tolerance, method)
            seconds = processor_seconds() - start
            truth = _signal(drawn.better, drawn, b, drawn.tolerance / _BETTER, "full")
        except tr.ToleranceError:
            b, start = b / 3, processor_seconds()
            continue
        size = np.abs(truth.values)
        kept = size > _LEAST_SIGNAL
        error = np.abs(S.values - truth.values) / size
        estimate = S.numerical_error.values / size
        granted = truth.numerical_error.values / size
        return Found(drawn.tolerance, error[kept], estimate[kept], granted[kept], seconds)
    return None


def _signal(cell: tr.Cell, drawn: Draw, b: np.ndarray, tolerance: float, method: str) -> Any:
    return cell.signal(
        drawn.waveform, b=b, direction=drawn.direction, tolerance=tolerance, method=method
    )


def told(drawn: Draw, found: Found) -> Iterator[str]:
    """Points whose error is above the estimate."""
    excess = found.error - found.granted
    for k in np.flatnonzero(excess > found.estimate):
        yield (
            f"{drawn.text}: b {drawn.b[k]:.4g}: error {found.error[k]:.2e}, estimate "
            f"{found.estimate[k]:.2e}, granted {found.granted[k]:.1e}"
        )


def row(kind: str, method: str, found: list[Found | None]) -> str:
    """A line of the table."""
    kept = [f for f in found if f is not None]
    error, estimate, granted = (
        np.concatenate([getattr(f, name) for f in kept])
        for name in ("error", "estimate", "granted")
    )
    tolerance = np.concatenate([np.full(len(f.error), f.tolerance) for f in kept])
    excess = np.maximum(error - granted, 0.0)
    large = error > 1e-3 * tolerance
    near = estimate[large] <= 50 * error[large]
    entries = [
        kind,
        method,
        str(len(error)),
        str(len(found) - len(kept)),
        f"{100 * np.mean(excess <= estimate):.2f} %",
        f"{np.max(excess / estimate):.2f}",
        f"{np.max(excess / tolerance):.2f}",
        f"{100 * np.mean(near):.1f} %" if len(near) else "",
        f"{np.median(estimate[large] / error[large]):.0f}" if len(near) else "",
        f"{1e3 * sum(f.seconds for f in kept) / len(error):.0f} ms",
    ]
    return f"| {' | '.join(entries)} |"


HEAD = """\
| cells | method | points | cells refused | error <= estimate | worst error / estimate \\
| worst error / tolerance | estimate <= 50 x error | median estimate / error | per point, all in |
|-|-|-|-|-|-|-|-|-|-|
"""


def main() -> None:
    """Draw, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", type=float, default=1.0)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--kind", choices=list(KINDS))
    parser.add_argument("--method", choices=["auto", "full", "projected"])
    given = parser.parse_args()
    print(f"{machine()}, {date.today()}\n\n{HEAD}", end="")
    for kind, count in KINDS.items():
        if given.kind not in (None, kind):
            continue
        for method in [given.method] if given.method else ["projected", "full"]:
            found = []
            for number in range(given.first, given.first + max(1, round(given.part * count))):
                drawn = draw(kind, number)
                try:
                    found.append(examine(drawn, method))
                except TorreyError as error:
                    print(f"{drawn.text}: {error}", file=sys.stderr, flush=True)
                    found.append(None)
                    continue
                if found[-1] is not None:
                    for line in told(drawn, found[-1]):
                        print(line, file=sys.stderr, flush=True)
            print(row(kind, method, found), flush=True)


if __name__ == "__main__":
    main()
