"""Do estimates of numerical errors hold? Signals at random points, beside much better ones.

    OMP_NUM_THREADS=1 python benchmarks/estimates.py [--kind layers] [--first 0] [--count 20]
        [--table]

Kind and number make a cell, the same on every machine: layers, a disc, an obstacle, four discs, a
sphere, each examined at five random waveforms and directions with sixty strengths each, twenty in
the first cells; L from 1 to 30 um and kappa from 1e-7 to 1e-3 m/s (a tenth: none), both even on a
logarithmic scale; diffusivities of 0.5 to 3 um^2/ms; b from 0 to 10,000 s/mm^2; PGSE with and
without ramps, double PGSE and a sampled waveform; tolerances of 1e-3, 1e-4 and 1e-5. What they are
compared with is the projected reference on another mesh, to a thirtieth of the tolerance, or to a
tenth where that takes too long; what is left of its own error by its own estimate is granted.
Waveforms where a tenth takes too long, too, are left out, and counted, with all that follow in the
same cell (of layers, from the cells with sixty strengths on). The full reference, which takes up to
minutes, is examined in some of the cells. Signals below 1e-4 are left out.

All of it takes hours: each waveform in a cell adds a line per method to benchmarks/estimates.csv as
it is done, and what is there already is not computed again. --table makes benchmarks/estimates.md
from what is there.
"""

from __future__ import annotations

import argparse
import math
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from speed import machine, processor_seconds

import torrey as tr
from torrey.base.errors import TorreyError
from torrey.geometry import Shape
from torrey.gradients.waveforms import SampledWaveform, Waveform

HERE = Path(__file__).parent
SEED = 20261129
#: Cells of each kind in the survey.
KINDS = {"layers": 200, "disc": 50, "obstacle": 35, "four discs": 15, "sphere": 8}
#: Waveforms in each cell, each with a direction and so many strengths.
WAVES, POINTS = 5, 60
POINTS_FILE = HERE / "estimates.csv"
METHODS = ("projected", "full")
COLUMNS = ("points", "above", "ratio", "share", "large", "near", "median", "seconds")
TOLERANCES = (1e-3, 1e-4, 1e-5)
#: The full reference is examined in one of so many cells, at the first waveform.
FULL = {"layers": 4, "disc": 20, "obstacle": 20, "four discs": 20, "sphere": 15}
#: By which the tolerance of what is compared with is smaller, and its elements.
_BETTER, _SMALLER = (30.0, 10.0), 0.8
#: For what is compared with, processor seconds per attempt; for what is examined.
PATIENCE, OWN_PATIENCE = (5.0, 15.0), 20.0
#: How much longer everything may take in space.
LONGER = {"sphere": 6.0}
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
    longer: float


@dataclass(frozen=True)
class Found:
    """Errors, estimates and allowances of points over their signals; seconds for all of them."""

    b: np.ndarray
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
    # Nothing passes the surface of an obstacle, which may take magnetisation.
    passing_name = "surface_relaxivity" if kind == "obstacle" else "permeability"
    passing = {passing_name: f"{kappa:.6g} m/s"}
    cells = [
        tr.Cell(shape, D, L, mesh=tr.MeshOptions(part * size), **passing)
        for part in (1.0, _SMALLER)
    ]
    waveform, _ = _waveform(rng)
    b = np.sort(rng.uniform(0.0, 10.0, POINTS))
    direction = _direction(rng, shape.dimension)
    text = f"{kind} {number}: {shape} D {D} L {L} kappa {kappa:.6g} {passing_name} {tolerance:g}"
    longer = LONGER.get(kind, 1.0)
    return Draw(cells[0], cells[1], waveform, b, direction, tolerance, text, longer)


def redrawn(drawn: Draw, kind: str, number: int, wave: int) -> Draw:
    """The same cell, and asked as exactly, at another waveform; the same where it is the first."""
    if wave == 0:
        return drawn
    rng = np.random.default_rng([SEED, list(KINDS).index(kind), number, wave])
    waveform, name = _waveform(rng)
    b = np.sort(rng.uniform(0.0, 10.0, POINTS))
    direction = _direction(rng, len(drawn.direction))
    text = f"{drawn.text} wave {wave} {name}"
    return replace(drawn, waveform=waveform, b=b, direction=direction, text=text)


def _direction(rng: np.random.Generator, d: int) -> tuple[float, ...]:
    return (1.0,) if d == 1 else tuple(_unit(rng, d))


def _unit(rng: np.random.Generator, d: int) -> list[float]:
    n = rng.standard_normal(d)
    return (n / np.linalg.norm(n)).tolist()


def _shape(rng: np.random.Generator, kind: str) -> Shape:
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


def examine(drawn: Draw, methods: Sequence[str]) -> Iterator[tuple[str, Found]]:
    """Errors and estimates at the points of a cell by each method; none where it is refused."""
    b = drawn.b
    for _ in range(4):
        try:
            signals, seconds = [], []
            for method in methods:
                start = processor_seconds()
                with limited(OWN_PATIENCE * drawn.longer):
                    signals.append(_signal(drawn.cell, drawn, b, drawn.tolerance, method))
                seconds.append(processor_seconds() - start)
            truth = _truth(drawn, b)
        except TimeoutError:
            return
        except tr.ToleranceError:
            b = b / 3
            continue
        size = np.abs(truth.values)
        kept = size > _LEAST_SIGNAL
        granted = (truth.numerical_error.values / size)[kept]
        for method, S, spent in zip(methods, signals, seconds, strict=True):
            error = (np.abs(S.values - truth.values) / size)[kept]
            estimate = (S.numerical_error.values / size)[kept]
            yield method, Found(b[kept], error, estimate, granted, spent)
        return


def _truth(drawn: Draw, b: np.ndarray) -> Any:
    # In space a tenth of the tolerance asks for a mesh that takes minutes.
    better_ones = (3.0,) if len(drawn.direction) == 3 else _BETTER
    for better, patience in zip(better_ones, PATIENCE[-len(better_ones) :], strict=True):
        try:
            with limited(patience * drawn.longer):
                return _signal(drawn.better, drawn, b, drawn.tolerance / better, "projected")
        except (tr.ToleranceError, TimeoutError):
            continue
    raise TimeoutError


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise TimeoutError after some seconds of processor time."""

    late = False

    def stop(*_: object) -> None:
        nonlocal late
        late = True
        raise TimeoutError

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    except Exception as error:
        # What is interrupted may turn one exception into another.
        if late:
            raise TimeoutError from error
        raise
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)


def _signal(cell: tr.Cell, drawn: Draw, b: np.ndarray, tolerance: float, method: str) -> Any:
    return cell.signal(
        drawn.waveform, b=b, direction=drawn.direction, tolerance=tolerance, method=method
    )


def summary(tolerance: float, found: Found) -> dict[str, float]:
    """What counts of a cell by one method: `COLUMNS`."""
    excess = np.maximum(found.error - found.granted, 0.0)
    large = found.error > 1e-3 * tolerance
    over = found.estimate[large] / found.error[large]
    return {
        "points": len(excess),
        "above": int(np.sum(excess > found.estimate)),
        "ratio": np.max(excess / found.estimate, initial=0.0),
        "share": np.max(excess / tolerance, initial=0.0),
        "large": len(over),
        "near": int(np.sum(over <= 50.0)),
        "median": np.median(over) if len(over) else np.nan,
        "seconds": found.seconds,
    }


def row(kind: str, method: str, cells: pd.DataFrame) -> str:
    """A line of the table."""
    total = cells.sum(numeric_only=True)
    entries = [
        kind,
        method,
        f"{total.points:.0f}",
        str(int(np.sum(cells.points == 0))),
        f"{100 * (1 - total.above / total.points):.2f} %" if total.points else "",
        f"{cells.ratio.max():.2f}" if total.points else "",
        f"{cells.share.max():.2f}" if total.points else "",
        f"{100 * total.near / total.large:.1f} %" if total.large else "",
        f"{cells['median'].median():.0f}" if total.large else "",
        f"{1e3 * total.seconds / total.points:.0f} ms" if total.points else "",
    ]
    return f"| {' | '.join(entries)} |\n"


HEAD = """\
# Do estimates of numerical errors hold?

{machine}, one thread, {today}; `python benchmarks/estimates.py` draws the cells by the seed {seed},
`--table` makes this file.

{text}

| cells | method | points | waveforms left out | error <= estimate | worst error / estimate \
| worst error / tolerance | estimate <= 50 x error | median estimate / error | per point, all in |
|-|-|-|-|-|-|-|-|-|-|
"""


def table() -> str:
    """The document of all cells that are known."""
    cells = pd.read_csv(POINTS_FILE)
    text = (__doc__ or "").split("\n\n")[2]
    lines = [HEAD.format(machine=machine(), today=date.today(), seed=SEED, text=text)]
    for (kind, method), some in cells.groupby(["kind", "method"], sort=False):
        lines.append(row(str(kind), str(method), some))
    lines += [row("all", str(method), some) for method, some in cells.groupby("method", sort=False)]
    drawn = cells.groupby("kind", sort=False).number.nunique()
    share = ", ".join(f"{n} of {kind}" for kind, n in drawn.items())
    lines.append(f"\nCells: {share}.\n")
    return "".join(lines)


def add(drawn: Draw, kind: str, number: int, wave: int, left_out: bool) -> bool:
    """Examine a waveform in a cell, and add it to those that are known; whether it is left out."""
    first = {"kind": kind, "number": number, "wave": wave, "tolerance": drawn.tolerance}
    rows: list[dict[str, Any]] = []
    methods = METHODS if wave == 0 and number % FULL[kind] == 0 else METHODS[:1]
    try:
        for method, found in () if left_out else examine(drawn, methods):
            rows.append(first | {"method": method} | summary(drawn.tolerance, found))
            for line in told(drawn, found):
                print(method, line, file=sys.stderr, flush=True)
    except TorreyError as error:
        print(f"{drawn.text}: {error}", file=sys.stderr, flush=True)
    empty = [first | {"method": method, "points": 0} for method in methods]
    frame = pd.DataFrame(rows or empty, columns=[*first, "method", *COLUMNS])
    known = POINTS_FILE.exists()
    frame.to_csv(POINTS_FILE, mode="a", header=not known, index=False, float_format="%.3g")
    return not rows


def told(drawn: Draw, found: Found) -> Iterator[str]:
    """Points whose error is above the estimate."""
    excess = found.error - found.granted
    for k in np.flatnonzero(excess > found.estimate):
        yield (
            f"{drawn.text}: b {found.b[k]:.4g}: error {found.error[k]:.2e}, estimate "
            f"{found.estimate[k]:.2e}, granted {found.granted[k]:.1e}"
        )


def main() -> None:
    """Draw and compare, or make the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int)
    parser.add_argument("--kind", choices=list(KINDS))
    parser.add_argument("--table", action="store_true")
    given = parser.parse_args()
    if given.table:
        (HERE / "estimates.md").write_text(table(), encoding="utf-8")
        return
    done, empty = set(), set()
    if POINTS_FILE.exists():
        known = pd.read_csv(POINTS_FILE)
        done = set(zip(known.kind, known.number, known.wave, strict=True))
        none = known[known.points == 0]
        empty = set(zip(none.kind, none.number, none.wave, strict=True))
    for kind, count in KINDS.items():
        if given.kind not in (None, kind):
            continue
        last = count if given.count is None else min(given.first + given.count, count)
        for number in range(given.first, last):
            first, left_out = draw(kind, number), (kind, number, 0) in empty
            for wave in range(WAVES):
                if (kind, number, wave) not in done:
                    drawn = redrawn(first, kind, number, wave)
                    # What takes long is the cell, as a rule.
                    left_out = add(drawn, kind, number, wave, left_out)


if __name__ == "__main__":
    main()
