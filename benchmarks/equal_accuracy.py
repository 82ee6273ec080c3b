"""Time to the same accuracy: FreeFEM at its cheapest, and Torrey.

    OMP_NUM_THREADS=1 python benchmarks/equal_accuracy.py [--write]

The signal of benchmarks/speed.py: one disc of radius 0.4, L = 10 um, D = 3 and 1.7 um2/ms,
kappa = 0.05 um/ms, PGSE of 5 and 25 ms along y, b = 4 ms/um2. Process time on one thread, user and
system. With --write the table and the picture replace benchmarks/equal_accuracy.md, .png and .pdf.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from fast_signals import CASES
from freefem import STEPS, Outcome, Runs, Survey, cheapest, limit_of, outcome, program
from speed import DISC_R040, POINT, WAVEFORM, machine

import torrey as tr
from torrey.figures.drawing import Drawing
from torrey.figures.style import COLUMN, MM, SMALL, CurveLabel, label_ends, new_figure, styled
from torrey.gradients.protocol import Measurement
from torrey.gradients.waveforms import Waveform
from torrey.reference.ladder import Ladder
from torrey.reference.span import Span
from torrey.reference.tables import table_signals

HERE = Path(__file__).parent
TARGETS = (1e-3, 1e-4, 1e-5, 1e-6)
#: Largest b and every Delta of the table, whose truth is computed.
B = 4.0
#: Seconds that an attempt of FreeFEM may take.
LIMIT = 60.0
TABLE = CASES[0].table()
#: Elements of the truth, other than those that the program takes by itself, and its tolerances.
TRUTH_SIZE, TRUTH_TOLERANCE, TABLE_TRUTH = 0.08, 1e-8, 1e-7


REPORT = """\
# Equal accuracy

{machine}, one thread, {today}; `python benchmarks/equal_accuracy.py --write` makes this file and
its picture. Process time, user and system: seconds are those of this machine, with other work on
its {cores} processors (a load of {load}); ratios are of one run.

![Time against the accuracy that is asked for](equal_accuracy.png)

The signal of [speed.md](speed.md): one disc of radius 0.4, L = 10 um, D = 3 and 1.7 um2/ms,
kappa = 0.05 um/ms, PGSE of 5 and 25 ms along y, b = 4 ms/um2. Errors are relative to the truth,
S = {truth}: by Torrey in full, on other elements ({size} of the cell) than those that are
timed, with an estimate of {estimate}. {gap}

{head}
{rows}

- FreeFEM: the least time of all runs of `benchmarks/reference.edp` (P2, Crank-Nicolson,
  extrapolated in time) whose error is within what is asked, in any of the ways below. Who does not
  know the truth has to find these settings first; FreeFEM estimates no error.
- Torrey, in full: `tr.Cell(...).signal(..., tolerance=..., method="full")`, from the mesh to the
  estimate. It chooses meshes and steps by itself, and takes two meshes at least, which is more
  accurate than 1e-3 asks for.
- Torrey, a table: 20 b up to 4 ms/um2 and four Delta of 20 to 50 ms, by projected models on the
  meshes that the tolerance asks for, error estimates included. The error is the largest of those
  of the four signals at the largest b, the estimate the largest of all.
- Torrey's imports, {imports} s once a process, are left out; the start of FreeFEM, 0.03 s, is not.

## Ways of FreeFEM

| way | {names} |
|-{bars}|
{ways}

The cheapest of all meshes and steps that should take {limit} s or less: process time in s, edges
along a side of the cell and around the disc, steps of a pulse in the two runs that are extrapolated
in time, and error. Edges are straight: the polygon has the area of the disc, not the length of the
circle. Two meshes are extrapolated by the square of the length of their edges. In the third row the
permeability is multiplied by circle over polygon, which costs nothing. In these rows what the mesh
misses and what the steps miss are together within what is asked, whatever their signs. The last row
is the cheapest of all runs and pairs that were made on the way, where the two happen to cancel for
this signal.
"""
HEAD = (
    "asked",
    "FreeFEM, s (settings; error)",
    "Torrey, one signal in full, s (error, estimate)",
    "FreeFEM / Torrey in full",
    "Torrey: mesh, operators, bases, s",
    "then ms for each signal of a table (reached; error, estimate)",
    "FreeFEM / Torrey, each signal",
)


@dataclass(frozen=True)
class Way:
    """How FreeFEM is used: its name, the colour and mark of its curve, `Survey.attempts`."""

    name: str
    short: str
    color: str
    marker: str
    arc: bool
    n_meshes: int


WAYS = (
    Way("one mesh", "FreeFEM, one mesh", "#B84F00", "s", False, 1),
    Way("two meshes, extrapolated", "FreeFEM, two meshes", "#A04E7C", "^", False, 2),
    Way(
        "one mesh, flux of the circle",
        "FreeFEM, one mesh,\nflux of the circle",
        "#A87000",
        "v",
        True,
        1,
    ),
)


@dataclass(frozen=True)
class Full:
    """One signal in full, from nothing: time (s), error and estimate relative to the signal."""

    seconds: float
    error: float
    estimate: float


@dataclass(frozen=True)
class Tabled:
    """The table: times (s) from nothing to the bases and of all signals, and its errors."""

    offline: float
    seconds: float
    reached: int
    count: int
    error: float
    estimate: float

    @property
    def each(self) -> float:
        """Time of one signal."""
        return self.seconds / self.count


@dataclass(frozen=True)
class Found:
    """All that was measured, by target."""

    truth: float
    estimate: float
    other: float | None
    freefem: tuple[dict[Way, Outcome | None], ...]
    chance: tuple[Outcome | None, ...]
    full: tuple[Full, ...]
    tabled: tuple[Tabled, ...]
    imports: float
    load: float

    def best(self, k: int) -> Outcome | None:
        """The cheapest of all ways of FreeFEM."""
        made = [o for o in self.freefem[k].values() if o]
        return min(made, key=lambda o: o.seconds, default=None)


def cell(mesh: tr.MeshOptions | None = None) -> tr.Cell:
    """The cell, of which nothing is known yet."""
    D = {"outside": 3.0, "inside": 1.7}
    return tr.Cell(DISC_R040, D, POINT.period, POINT.permeability, mesh=mesh)


def in_full(where: tr.Cell, waveform: Waveform, tolerance: float) -> tuple[float, float]:
    """Signal and its estimated error."""
    found = where.signal(
        waveform, b=B, direction=POINT.direction, tolerance=tolerance, method="full"
    )
    return found.item(), found.numerical_error.item()


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    """Process time of a call, and its result."""
    start = time.process_time()
    result = function()
    return time.process_time() - start, result


def repeated(function: Callable[[], Any]) -> tuple[float, Any]:
    """Least process time of some calls, fewer if they are long, and the last result."""
    seconds, result = timed(function)
    for _ in range(4 if seconds < 1.0 else 1):
        again, result = timed(function)
        seconds = min(seconds, again)
    return seconds, result


def one(target: float, truth: float) -> Full:
    """Mesh, operators, solution and estimate."""
    seconds, (signal, error) = repeated(lambda: in_full(cell(), WAVEFORM, target))
    return Full(seconds, abs(signal - truth) / truth, error / abs(signal))


def table(target: float, truths: dict[Waveform, float]) -> Tabled:
    """The table on meshes and with bases that it asks for, and again when they are there."""

    def bases() -> Sequence[Ladder]:
        new = cell()
        asked = [
            Measurement(TABLE.waveforms[k], float(q), POINT.direction)
            for k, q in zip(TABLE.waveform, TABLE.q, strict=True)
        ]
        return new.medium.ladders.of(Span.of(new.site.sweep(tuple(asked))))

    def from_nothing() -> tuple[Sequence[Ladder], Any]:
        ladders = bases()
        return ladders, table_signals(ladders, TABLE, target)

    first, (ladders, found) = repeated(from_nothing)
    seconds = min(timed(lambda: table_signals(ladders, TABLE, target))[0] for _ in range(15))
    worst = 0.0
    for k, waveform in enumerate(TABLE.waveforms):
        last = np.flatnonzero(TABLE.waveform == k)[-1]
        worst = max(worst, abs(found.signal[last] - truths[waveform]) / truths[waveform])
    estimate = float((found.error / np.abs(found.signal))[found.reached].max())
    count = len(found.signal)
    return Tabled(first - seconds, seconds, int(found.reached.sum()), count, worst, estimate)


def import_seconds() -> float:
    """What a process spends before it can mesh, solve and label: once, not for each signal."""
    modules = "torrey.door.cell, torrey.reference.tables, torrey.geometry.drawing"
    before = os.times()
    subprocess.run([sys.executable, "-c", f"import {modules}"], check=True)
    after = os.times()
    return (
        after.children_user + after.children_system - before.children_user - before.children_system
    )


def by_chance(runs: Runs, truth: float, target: float) -> Outcome | None:
    """The cheapest of all that was made, also where errors of mesh and steps cancel."""
    made = [found for attempt in runs.made() if (found := outcome(attempt, runs, truth))]
    return min((o for o in made if o.error <= target), key=lambda o: o.seconds, default=None)


def measure() -> Found | None:
    """Everything; None without FreeFEM."""
    if not (path := program()):
        return None
    fine = cell(tr.MeshOptions(TRUTH_SIZE))
    truth, estimate = in_full(fine, WAVEFORM, TRUTH_TOLERANCE)
    say(f"Torrey says {truth:.12f} +- {estimate:.1e}")
    runs = Runs(path, 2 * LIMIT)
    other = limit_of(runs)
    say(f"FreeFEM says {other}")
    # No accuracy wants fewer steps than the last but two, so that longer runs are of no use.
    survey = Survey.make(runs, LIMIT * 3 / STEPS[4])
    freefem = []
    for target in TARGETS:
        found = {}
        for way in WAYS:
            forecasts = survey.forecasts(survey.attempts(way.arc, way.n_meshes), truth)
            made = cheapest(forecasts, lambda a: outcome(a, runs, truth), target, LIMIT)
            if made:
                runs.again(made.attempt)
                made = outcome(made.attempt, runs, truth)
            found[way] = made
            say(f"{target:.0e} {way.name}: {found[way]}")
        freefem.append(found)
    truths = {w: in_full(fine, w, TABLE_TRUTH)[0] for w in TABLE.waveforms}
    in_full(cell(), WAVEFORM, 1e-2)  # all imports are made
    return Found(
        truth,
        estimate / truth,
        other,
        tuple(freefem),
        tuple(by_chance(runs, truth, target) for target in TARGETS),
        tuple(one(target, truth) for target in TARGETS),
        tuple(table(target, truths) for target in TARGETS),
        import_seconds(),
        os.getloadavg()[1],
    )


def say(text: str) -> None:
    """How far it is."""
    print(text, file=sys.stderr, flush=True)


def seconds_text(seconds: float) -> str:
    """Two digits."""
    return f"{seconds:.2f}" if seconds < 10 else f"{seconds:.0f}"


def outcome_text(found: Outcome | None) -> str:
    """Time, settings and error."""
    if found is None:
        return f"not reached in {LIMIT:.0f} s"
    return f"{seconds_text(found.seconds)} ({found.attempt}; {found.error:.0e})"


def document(found: Found) -> str:
    """The report as Markdown."""
    rows = []
    for k, target in enumerate(TARGETS):
        full, tabled, best = found.full[k], found.tabled[k], found.best(k)
        ratios = [f"{best.seconds / s:.2g}" if best else "" for s in (full.seconds, tabled.each)]
        if best:
            ratios[1] = f"{best.seconds / tabled.each:,.0f}"
        rows.append(
            f"| {target:.0e} | {outcome_text(best)} | {seconds_text(full.seconds)} "
            f"({full.error:.0e}, {full.estimate:.0e}) | {ratios[0]} | "
            f"{seconds_text(tabled.offline)} | {1e3 * tabled.each:.2f} "
            f"({tabled.reached} of {tabled.count}; {tabled.error:.0e}, {tabled.estimate:.0e}) | "
            f"{ratios[1]} |"
        )
    names = " | ".join(f"{target:.0e}" for target in TARGETS)
    ways = [
        f"| {way.name} | {' | '.join(outcome_text(f[way]) for f in found.freefem)} |"
        for way in WAYS
    ]
    ways.append(f"| by chance | {' | '.join(map(outcome_text, found.chance))} |")
    gap = (
        f"FreeFEM, extrapolated, says {found.other:.9f}: it differs\nby "
        f"{abs(found.other - found.truth) / found.truth:.0e}, relative."
        if found.other
        else f"FreeFEM ended before its own extrapolation, for runs of more than {2 * LIMIT:.0f} s."
    )
    return REPORT.format(
        machine=machine(),
        today=date.today(),
        load=f"{found.load:.0f}",
        cores=os.cpu_count(),
        size=TRUTH_SIZE,
        head=f"| {' | '.join(HEAD)} |\n{'|-' * len(HEAD)}|",
        truth=f"{found.truth:.10f}",
        estimate=f"{found.estimate:.0e}",
        gap=gap,
        imports=f"{found.imports:.1f}",
        limit=f"{LIMIT:.0f}",
        rows="\n".join(rows),
        names=names,
        bars="|-" * len(TARGETS),
        ways="\n".join(ways),
    )


def curves(found: Found) -> list[tuple[str, str, str, str, list[float]]]:
    """Name, colour, mark, line and seconds by target of all that is drawn; nan if not reached."""
    lines = [
        (way.short, way.color, way.marker, "--", [o.seconds if o else math.nan for o in made])
        for way in WAYS
        for made in [[f[way] for f in found.freefem]]
    ]
    tabled = found.tabled
    whole = [(t.offline + t.seconds) / t.count for t in tabled]
    blue, green, black = "#0072B2", "#00795A", "#000000"
    lines += [
        ("Torrey, one signal\nfrom nothing", black, "o", "-", [f.seconds for f in found.full]),
        ("Torrey, each of 80\nwith their bases", green, "^", "-", whole),
        ("Torrey, each of 80\nafter the bases", blue, "D", "-", [t.each for t in tabled]),
    ]
    return lines


@styled
def picture(found: Found) -> Drawing:
    """Time against the accuracy that is asked for."""
    figure = new_figure(1.5 * COLUMN, 92 * MM)
    ax = figure.add_subplot()
    labels = []
    for name, color, marker, style, seconds in curves(found):
        ax.loglog(TARGETS, seconds, color=color, marker=marker, linestyle=style, markersize=4)
        reached = [k for k, s in enumerate(seconds) if not math.isnan(s)]
        if not reached:
            continue
        last = CurveLabel(TARGETS[reached[-1]], seconds[reached[-1]], name, color)
        if reached[-1] + 1 == len(TARGETS):
            labels.append(last)
        else:
            text = f"{name}:\nno more in {LIMIT:.0f} s"
            place = {"xytext": (0, 6), "textcoords": "offset points", "ha": "center"}
            ax.annotate(text, (last.x, last.y), color=color, fontsize=SMALL, **place)
    ax.set_xlim(2e-3, 7e-7)
    ax.set_xlabel("relative error that is asked for (smaller to the right)")
    ax.set_ylabel("processor time (s)")
    ax.grid(axis="y", linewidth=0.3, color="#DDDDDD")
    label_ends(ax, labels, gap=2.4)
    return Drawing(figure, {})


def save(found: Found) -> None:
    """Report and picture."""
    (HERE / "equal_accuracy.md").write_text(document(found))
    figure = picture(found).figure
    with mpl.rc_context({"pdf.fonttype": 42}):
        figure.savefig(HERE / "equal_accuracy.pdf", metadata={"CreationDate": None})
    figure.savefig(HERE / "equal_accuracy.png", dpi=200, metadata={"Software": None})


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="replace benchmarks/equal_accuracy.*")
    options = parser.parse_args()
    found = measure()
    if found is None:
        return
    print(document(found))
    if options.write:
        save(found)


if __name__ == "__main__":
    main()
