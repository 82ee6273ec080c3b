"""Tables of projected references by a shared first pulse, beside those integrated step by step.

    OMP_NUM_THREADS=1 python benchmarks/fast_signals.py [--write]

One disc of radius 0.4, D = 3 and 1.7 um2/ms, PGSE with delta = 5 ms along y, after the basis. Both
roads solve the same points with the same bases to the same tolerance in one run, error estimates
included. Process time, the best of several runs. Beside tables of one cell stands one signal by
FreeFEM as benchmarks/speed.py runs it, also the best of several, with an error of 3e-4 and no
estimate: benchmarks/equal_accuracy.md has what it takes to the same accuracy. With --write the
table replaces benchmarks/fast_signals.md.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from freefem import Settings, least, program
from speed import POINT, machine, operators

from torrey.gradients.waveforms import Pgse
from torrey.reference.ladder import Ladder
from torrey.reference.ladder_levels import climb_meshes
from torrey.reference.projected import projected_signals
from torrey.reference.tables import Table, table_signals

HERE = Path(__file__).parent
DELTA, HEIGHT = 5.0, 11


@dataclass(frozen=True)
class Case:
    """A table of signals, what each of them or all may take (s), and how often it is made."""

    name: str
    periods: tuple[float, ...]
    permeabilities: tuple[float, ...]
    Deltas: tuple[float, ...]
    b: tuple[float, ...]
    tolerance: float
    asked: str
    repeats: tuple[int, int]

    def table(self) -> Table:
        """All its points; the meshes resolve layers at membranes in all of them."""
        L, kappa = (x.ravel() for x in np.meshgrid(self.periods, self.permeabilities))
        waveforms = [Pgse(DELTA, Delta) for Delta in self.Deltas]
        strengths = {w: np.sqrt(np.array(self.b) / w.b_factor) for w in waveforms}
        count = len(L) * len(waveforms) * len(self.b)
        return Table.of(L, kappa / L, strengths, np.ones(count, dtype=bool))


def even(first: float, last: float, count: int) -> tuple[float, ...]:
    """Evenly spaced values."""
    return tuple(np.linspace(first, last, count).tolist())


CASES = (
    Case(
        "20 b x 4 Delta",
        (10.0,),
        (0.05,),
        even(20.0, 50.0, 4),
        even(0.2, 4.0, 20),
        1e-5,
        "0.8 ms per signal",
        (15, 1),
    ),
    Case(
        "100 b x 10 Delta",
        (10.0,),
        (0.05,),
        even(15.0, 60.0, 10),
        even(0.04, 4.0, 100),
        1e-5,
        "0.2 ms per signal",
        (7, 1),
    ),
    Case(
        "10 L x 10 kappa x 5 Delta x 10 b",
        tuple(np.geomspace(2.0, 20.0, 10).tolist()),
        tuple(np.geomspace(0.001, 0.5, 10).tolist()),
        even(20.0, 60.0, 5),
        even(0.4, 4.0, 10),
        1e-3,
        "5 s for all",
        (3, 1),
    ),
)


def best(function: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    """Least process time of several calls, and the last result."""
    times, result = [], None
    for _ in range(repeats):
        start = time.process_time()
        result = function()
        times.append(time.process_time() - start)
    return min(times), result


def stepped(ladders: Sequence[Ladder], table: Table, tolerance: float) -> list[Any]:
    """The same table by steps in time, waveform by waveform."""
    cells = np.arange(len(table.periods))[:, None] * len(table.q)
    found = []
    for number, waveform in enumerate(table.waveforms):
        rows = (cells + np.flatnonzero(table.waveform == number)).ravel()
        found.append((rows, projected_signals(ladders, waveform, table.points[rows], tolerance)))
    return found


def line(case: Case, ladders: Sequence[Ladder], freefem: float | None) -> str:
    """A line of the table; beside one signal by FreeFEM (s), if there is one."""
    table = case.table()
    count = len(table.layers)
    after, found = best(lambda: table_signals(ladders, table, case.tolerance), case.repeats[0])
    before, parts = best(lambda: stepped(ladders, table, case.tolerance), case.repeats[1])
    gap, share, reached = 0.0, 0.0, 0
    for rows, part in parts:
        new = found.take(rows)
        both = part.reached & new.reached
        reached += int(part.reached.sum())
        change = np.abs(new.signal - part.signal)[both]
        gap = max(gap, float((change / np.abs(part.signal)[both]).max()))
        share = max(share, float((change / (new.error + part.error)[both]).max()))
    beside = " | "
    if freefem and len(table.periods) == 1:
        beside = f"{freefem:.2f} | {freefem / (after / count):.0f}"
    return (
        f"| {case.name} | {case.tolerance:.0e} | {before:.2f} | {1e3 * before / count:.2f} | "
        f"{after:.3f} | {1e3 * after / count:.3f} | {before / after:.0f} | {case.asked} | "
        f"{reached}, {int(found.reached.sum())} of {count} | {gap:.0e} | {share:.2f} | "
        f"{beside} |"
    )


def _about() -> list[str]:
    """What was computed, from the head of this file."""
    text = (__doc__ or "").split("--write]\n")[1]
    return text.split(" With --write")[0].splitlines()


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="replace benchmarks/fast_signals.md")
    options = parser.parse_args()
    levels = operators(0.065, 1)
    ladders = [ladder.whole for ladder in climb_meshes(levels, POINT.direction, HEIGHT)]
    path = program()
    freefem = least(path, Settings(), 5).seconds if path else None
    text = "\n".join(
        [
            "# Tables of signals",
            "",
            f"{machine()}, one thread, {date.today()}; `python benchmarks/fast_signals.py --write` "
            "makes this file.",
            *_about(),
            f"Other work on {os.cpu_count()} processors at the end: a load of "
            f"{os.getloadavg()[1]:.0f}.",
            "",
            "| table | tolerance | step by step, s | ms per signal | shared, s | ms per signal | "
            "times faster | asked | reached by each | largest difference / S | "
            "largest difference / both estimates | a signal by FreeFEM, s | "
            "FreeFEM / each signal, shared |",
            "|-|-|-|-|-|-|-|-|-|-|-|-|-|",
            *(line(case, ladders, freefem) for case in CASES),
            "",
        ]
    )
    print(text)
    if options.write:
        (HERE / "fast_signals.md").write_text(text)


if __name__ == "__main__":
    main()
