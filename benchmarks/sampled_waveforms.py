"""What sampled waveforms cost beside named ones of the same b, and how far their signals are.

    OMP_NUM_THREADS=1 python benchmarks/sampled_waveforms.py [--write] [--quick]

A trapezoid as 4,031 samples of 10 us beside its name; free waveforms of 1,001 samples of 1e-4 mT/m
(g on a cone at the magic angle, which turns once: b in all directions; in the plane without the
component along the axis), of fewer samples and of fewer digits, beside a double PGSE. With --write
the table replaces benchmarks/sampled_waveforms.md; --quick leaves the sphere out.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from speed import machine

from torrey.base.lazy import Lazy
from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey
from torrey.geometry import Disc, Discs, MeshOptions, Shape, Sphere, Spheres
from torrey.gradients.acquisition import read_waveform
from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import DoublePgse, SampledWaveform, TrapezoidalPgse, Waveform
from torrey.models.expansion import expand
from torrey.models.integration import Points
from torrey.models.projection import project
from torrey.reference.full import reference_signal
from torrey.reference.ladder_levels import climb_meshes
from torrey.reference.projected import projected_signals

HERE = Path(__file__).parent
PERIOD, KAPPA = 8.0, 0.02
MATERIAL = Material((2.5, 1.2))
DISC = Discs((Disc((0.5, 0.5), 0.35),))
BALL = Spheres((Sphere((0.5, 0.5, 0.5), 0.35),))
TIME = 50.0
NAMED = TrapezoidalPgse(10.0, 30.0, 0.3)
DOUBLE = DoublePgse(5.0, 20.0, 0.0, 90.0)


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    waveform: str
    segments: int
    seconds: float
    signal: complex

    def line(self, first: Row) -> str:
        """The line, beside the first of its kind."""
        ratio = self.seconds / first.seconds
        S = f"{abs(self.signal):.8f}" if np.isfinite(self.signal) else ""
        return (
            f"| {self.what} | {self.waveform} | {self.segments} | {self.seconds:.3f} "
            f"| {ratio:.2f} | {S} |"
        )


def in_file(times: np.ndarray, G: np.ndarray, digits: int) -> SampledWaveform:
    """A waveform by way of a file with so many digits."""
    names = ["gx", "gy", "gz"][: G.shape[1]]
    head = ",".join(["time (ms)", *(f"{name} (mT/m)" for name in names)])
    rows = [
        ",".join([f"{t:.3f}", *(f"{x:.{digits}f}" for x in g)])
        for t, g in zip(times, G, strict=True)
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "w.csv"
        path.write_text("\n".join([head, *rows]) + "\n")
        return read_waveform(path).waveform()


def trapezoid() -> SampledWaveform:
    """The named one on a raster of 10 us."""
    t = np.arange(4031) * 0.01
    G = np.interp(t, [0.0, 0.3, 10.0, 10.3, 30.0, 30.3, 40.0, 40.3], [0, 60, 60, 0, 0, -60, -60, 0])
    return in_file(t, G[:, None], 6)


def free(components: int, count: int = 1001, digits: int = 4) -> SampledWaveform:
    """G on a raster from g on a cone at the magic angle, whose size is sin^2."""
    t = np.linspace(0.0, TIME, count)
    x = t / TIME
    size, growth = np.sin(np.pi * x) ** 2, np.pi / TIME * np.sin(2 * np.pi * x)
    # The share of int sin^4 up to x: turns once, evenly in b.
    turn = 2 * np.pi * (x - 2 * np.sin(2 * np.pi * x) / (3 * np.pi)
                        + np.sin(4 * np.pi * x) / (12 * np.pi))  # fmt: skip
    rate = 2 * np.pi / TIME * (8.0 / 3.0) * np.sin(np.pi * x) ** 4
    c, s = np.cos(turn), np.sin(turn)
    across = np.sqrt(2.0 / 3.0)
    G = np.stack(
        [
            across * (growth * c - size * rate * s),
            across * (growth * s + size * rate * c),
            np.sqrt(1.0 / 3.0) * growth,
        ],
        axis=1,
    )
    G *= 80.0 / np.abs(G).max()
    return in_file(t, G[:, :components], digits)


def timed(function: Callable[[], complex], repeats: int = 3) -> tuple[float, complex]:
    """Least process time of some calls, and the result."""
    best, result = np.inf, complex(np.nan)
    for _ in range(repeats):
        start = time.process_time()
        result = function()
        best = min(best, time.process_time() - start)
    return best, result


def measured(
    what: str,
    waveforms: Sequence[tuple[str, Waveform]],
    solve: Callable[[Waveform], complex],
    repeats: int = 3,
) -> Iterator[Row]:
    """One row per waveform."""
    for name, waveform in waveforms:
        if repeats > 1:
            solve(waveform)  # factors and bases that all share
        seconds, signal = timed(lambda w=waveform: solve(w), repeats)
        yield Row(what, name, len(waveform.segments), seconds, signal)


def full(operators: Sequence[BlochTorrey], b: float, tolerance: float):
    """Solve one signal in full."""
    d = operators[0].cell.dimension

    def solve(w: Waveform) -> complex:
        point = Point(PERIOD, KAPPA, w, w.q_of_b(b), (1.0, *(0.0,) * (d - 1)))
        return reference_signal(operators, point, tolerance).signal

    return solve


def projected(operators: Sequence[BlochTorrey], components: int, b: float, tolerance: float):
    """Solve one signal by projected references."""
    axes = np.eye(operators[0].cell.dimension)[:components]
    ladders = climb_meshes(operators, axes, 10)

    def solve(w: Waveform) -> complex:
        points = Points.of(w.q_of_b(b), PERIOD, KAPPA / PERIOD)
        found = projected_signals(ladders, w, points, tolerance)
        assert found.reached.all()
        return complex(found.signal[0])

    return solve


def model(operators: BlochTorrey, components: int, b: float, what: str):
    """Evaluate R2 at 20 b-values up to b, or its stability."""
    axes = np.eye(operators.cell.dimension)
    models = {k: expand(operators, axes[:k], 2).model for k in range(2, components + 1)}

    def solve(w: Waveform) -> complex:
        R2 = models[w.n_components]
        q = w.q_of_b(b) * np.sqrt(np.linspace(0.05, 1.0, 20))
        if what == "R2":
            return complex(R2.signal(w, q, PERIOD, KAPPA / PERIOD)[-1])
        return complex(np.max(R2.stability(w, q, PERIOD, KAPPA / PERIOD).amplification))

    return solve


def cumulants(operators: BlochTorrey, components: int):
    """Coefficients of q^0 to q^4; the last one is shown relative to the square of the second."""
    P3 = project(operators, np.eye(operators.cell.dimension)[:components], 3)

    def solve(w: Waveform) -> complex:
        c = P3.taylor(w, PERIOD, KAPPA / PERIOD)
        return complex(c[4] / c[2] ** 2)

    return solve


def built(shape: Shape, size: float, refinements: int) -> Lazy[BlochTorrey]:
    """Operators of a cell."""
    return levels(shape, MeshOptions(size, refinements), MATERIAL)


def main() -> None:
    """Measure everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    named = [("trapezoid", NAMED), ("4,031 samples of it", trapezoid())]
    plane = [
        ("double PGSE", DOUBLE),
        ("101 samples x 2", free(2, 101)),
        ("1,001 samples x 2", free(2)),
        ("the same, to 0.1 mT/m", free(2, digits=1)),
    ]
    space = [("double PGSE", DOUBLE), ("1,001 samples x 3", free(3))]
    disc = built(DISC, 0.15, 2)
    groups = [
        measured("disc, full, 1e-3", named, full(disc, 1.0, 1e-3)),
        measured("disc, projected, 1e-3", named, projected(disc, 1, 1.0, 1e-3)),
        measured("disc, full, 1e-3", plane, full(disc, 1.0, 1e-3)),
        measured("disc, full, 1e-4", plane, full(disc, 1.0, 1e-4), 1),
        measured("disc, projected, 1e-3", plane, projected(disc, 2, 1.0, 1e-3)),
        measured("disc, R2, 20 b", plane, model(disc[0], 2, 1.0, "R2")),
        measured("disc, cumulants of P3", plane, cumulants(disc[0], 2)),
        measured("disc, stability of R2, 20 b", plane, model(disc[0], 2, 1.0, "stability"), 1),
    ]
    if not options.quick:
        ball = built(BALL, 0.5, 1)
        groups += [
            measured("sphere, R2, 20 b", space, model(ball[0], 3, 1.0, "R2")),
            measured("sphere, full, 2e-2", space, full(ball, 1.0, 2e-2), 1),
        ]
    lines = [
        "# Sampled waveforms",
        "",
        f"{machine()}, one thread, {date.today()}. Process time of one signal (b = 1,000 s/mm^2, "
        "meshes, operators and bases not counted), least of three; "
        "`python benchmarks/sampled_waveforms.py --write` makes this file.",
        "",
        "| what | waveform | segments | s | ratio | S |",
        "|-|-|-|-|-|-|",
    ]
    for group in groups:
        rows = list(group)
        lines += [row.line(rows[0]) for row in rows]
        print("\n".join(lines[-len(rows) :]), flush=True)
    text = "\n".join(lines) + "\n"
    if options.write:
        (HERE / "sampled_waveforms.md").write_text(text)


if __name__ == "__main__":
    main()
