"""How long the pieces take, one thread, beside a finite-element program where it is installed.

    OMP_NUM_THREADS=1 python benchmarks/speed.py [--write]

Each figure is the median of several runs of process time in a fresh state: nothing is cached from
one run to the next but the imports. With --write the table replaces benchmarks/speed.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from freefem import Settings, program, run

from torrey.base.lazy import Lazy
from torrey.cell.assembly import assemble
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey, bloch_torrey
from torrey.geometry import Disc, Discs, MeshOptions
from torrey.geometry.meshing import build_meshes
from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import Pgse
from torrey.models.expansion import expand
from torrey.models.integration import Points
from torrey.models.tensors import papers_tensors
from torrey.reference.full import reference_signal
from torrey.reference.ladder_levels import climb_meshes
from torrey.reference.projected import projected_signals

HERE = Path(__file__).parent
MEMBRANES = np.array([[0, 1]])
MATERIAL = Material((3.0, 1.7))
DISC_R040 = Discs((Disc((0.5, 0.5), 0.4),))
WAVEFORM = Pgse(5.0, 25.0)
POINT = Point(10.0, 0.05, WAVEFORM, WAVEFORM.q_of_b(4.0), (0.0, 1.0))
TRUTH = 0.17872234  # the same signal by another finite-element program, extrapolated


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    seconds: float
    asked: str
    note: str


def operators(size: float, refinements: int) -> Lazy[BlochTorrey]:
    """Meshes now, operators when asked for."""
    meshes = build_meshes(DISC_R040, MeshOptions(size, refinements))

    def level(k: int) -> BlochTorrey:
        return bloch_torrey(assemble(meshes[k], MEMBRANES), MATERIAL)

    return Lazy.of(level, len(meshes))


def median(function: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    """Median process time of several calls, and the last result."""
    times, result = [], None
    for _ in range(repeats):
        start = time.process_time()
        result = function()
        times.append(time.process_time() - start)
    return statistics.median(times), result


def reference(repeats: int) -> list[Row]:
    """One reference signal, with its error estimate."""

    def from_nothing():
        return reference_signal(operators(0.1, 2), POINT, 1e-4)

    whole, result = median(from_nothing, repeats)
    levels = operators(0.1, 2)
    list(levels[:2])
    solve, _ = median(lambda: reference_signal(levels, POINT, 1e-4), repeats)
    error = abs(result.signal - TRUTH) / TRUTH
    note = (
        f"S = {result.signal.real:.7f}, error {error:.0e}, estimate "
        f"{result.error / abs(result.signal):.0e}"
    )
    return [
        Row("reference signal, tolerance 1e-4: mesh, operators, solution", whole, "1.0", note),
        Row("the same, solution alone", solve, "", note),
    ]


def tensors(repeats: int) -> list[Row]:
    """Operators and tensors after meshing, about 6,000 degrees of freedom."""
    mesh = build_meshes(DISC_R040, MeshOptions(0.0615, 1))[1]

    def run():
        cell = bloch_torrey(assemble(mesh, MEMBRANES), MATERIAL)
        return cell, papers_tensors(cell)

    seconds, (cell, result) = median(run, repeats)
    note = f"{cell.cell.n_dofs} dofs, D^e = {result.D[0, 0, 0]:.6f} um2/ms"
    recursion, _ = median(
        lambda: expand(bloch_torrey(assemble(mesh, MEMBRANES), MATERIAL), (0.0, 1.0), 2), repeats
    )
    return [
        Row("operators and the papers' tensors, after meshing", seconds, "0.5", note),
        Row("operators and G_0 to G_2 by recursion, after meshing", recursion, "0.5", note),
    ]


def second_order(repeats: int) -> list[Row]:
    """R2 for 1,000 b-values."""
    model = expand(operators(0.1, 1)[1], (0.0, 1.0), 2).model
    q = WAVEFORM.q_of_b(1.0) * np.sqrt(np.linspace(0.0, 4.0, 1000))
    seconds, signals = median(lambda: model.signal(WAVEFORM, q, 10.0, 0.005), repeats)
    note = f"S(b = 4000 s/mm2) = {signals[-1].real:.6f}"
    return [Row("R2 for 1,000 b-values", seconds, "0.2", note)]


def projected(repeats: int) -> list[Row]:
    """A table of 20 b-values and four diffusion times by projected models."""
    tolerance = 1e-5

    def offline():
        levels = operators(0.065, 1)
        return levels, tuple(ladder.whole for ladder in climb_meshes(levels, POINT.direction, 9))

    build, (levels, ladders) = median(offline, repeats)
    waveforms = [Pgse(5.0, Delta) for Delta in (20.0, 30.0, 40.0, 50.0)]
    b = np.linspace(0.2, 4.0, 20)

    def online():
        return [
            projected_signals(
                ladders, w, Points.of(np.sqrt(b / w.b_factor), POINT.period, POINT.sigma), tolerance
            )
            for w in waveforms
        ]

    seconds, tables = median(online, repeats)
    reached = sum(int(table.reached.sum()) for table in tables)
    worst = max(float((table.error / np.abs(table.signal)).max()) for table in tables)
    # What the full system says of four of them.
    differences = []
    for w, table in zip(waveforms, tables, strict=True):
        point = Point(POINT.period, POINT.permeability, w, w.q_of_b(4.0), POINT.direction)
        full = reference_signal(operators(0.07, 2), point, 1e-6)
        differences.append(abs(table.signal[-1] - full.signal) / abs(full.signal))
    vectors = max(ladders[0].ranks[rung] for table in tables for rung in table.rung)
    note = (
        f"{reached} of 80 reached, estimate at most {worst:.0e}, error at b = 4000 s/mm2 at most "
        f"{max(differences):.0e}, up to {vectors} vectors"
    )
    dofs = ", ".join(str(level.cell.n_dofs) for level in levels)
    return [
        Row("projected references: mesh, operators, bases", build, "0.6", f"{dofs} dofs"),
        Row("then each of 80 signals, tolerance 1e-5", seconds / 80, "0.005", note),
    ]


def freefem(repeats: int) -> list[Row]:
    """The same reference signal by FreeFEM, with the settings of its script."""
    if not (path := program()):
        return []
    made = [found for _ in range(repeats) if (found := run(path, Settings())) is not None]
    value = made[-1].signal
    note = f"S = {value:.7f}, error {abs(value - TRUTH) / TRUTH:.0e}, no estimate"
    return [
        Row(
            "the same signal by FreeFEM (benchmarks/reference.edp)",
            statistics.median(one.seconds for one in made),
            "",
            note,
        )
    ]


def machine() -> str:
    """Processor and versions."""
    info = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.*)", info.read_text()) if info.exists() else []
    return f"{(names or [platform.processor()])[0]}, Python {platform.python_version()}"


def processor_seconds() -> float:
    """Processor time of this process and of its children that have ended.

    Meshes in space are made by children.
    """
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def table(rows: list[Row]) -> str:
    """The table as Markdown."""
    lines = [
        "# Speed",
        "",
        f"{machine()}, one thread, {date.today()}. Process time, median; "
        "`python benchmarks/speed.py --write` makes this file.",
        "Seconds are those of this machine, ratios of one run; other work on its "
        f"{os.cpu_count()} processors at the end: a load of {os.getloadavg()[1]:.0f}.",
        "",
        "The signals of a table are integrated step by step here; together they share their first "
        "pulse: [fast_signals.md](fast_signals.md). FreeFEM has the settings of its script here, "
        "whose error is larger: what it takes to the same accuracy is in "
        "[equal_accuracy.md](equal_accuracy.md), with [a picture](equal_accuracy.png).",
        "",
        "| what | s | at most | result |",
        "|-|-|-|-|",
        *(f"| {r.what} | {r.seconds:.4f} | {r.asked} | {r.note} |" for r in rows),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--write", action="store_true", help="replace benchmarks/speed.md")
    options = parser.parse_args()
    rows = [
        row
        for measure in (reference, projected, freefem, tensors, second_order)
        for row in measure(options.repeats)
    ]
    text = table(rows)
    print(text)
    if options.write:
        (HERE / "speed.md").write_text(text)


if __name__ == "__main__":
    main()
