"""How long signals of spheres in space take, from nothing, one thread.

    OMP_NUM_THREADS=1 python benchmarks/space_speed.py [--write]

Spheres in a cubic cell of 10 um, D = 2 um^2/ms outside and 1 um^2/ms inside, 2e-5 m/s, PGSE of
10 ms and 30 ms, references to 1e-3 of the signal: imports, mesh, operators, basis and signals, in
process time, each line in a process of its own. A table is 30 directions over the half sphere at
b = 1,000 and 2,500 s/mm^2; one signal is that of (1, 0, 0) at 2,500 s/mm^2. The last column
is the relative difference from another line: of the first from the finer mesh, and of the one in
full from the first. With --write the table replaces
benchmarks/space_speed.md.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from speed import machine, processor_seconds
from table_in_space import half_sphere

import torrey as tr

HERE = Path(__file__).parent
WAVEFORM = tr.Pgse("10 ms", "30 ms")
TOLERANCE = 1e-3
ONE = (tr.Sphere((0.5, 0.5, 0.5), 0.35),)
TWO = (tr.Sphere((0.27, 0.3, 0.3), 0.22), tr.Sphere((0.7, 0.7, 0.68), 0.27))


@dataclass(frozen=True)
class Line:
    """One line of the table.

    Attributes
    ----------
    spheres : tuple of Sphere
    size : float
        Of the elements of the first mesh; one refinement may follow.
    count : int
        Directions; one of (1, 0, 0) at the larger b-value alone.
    method : str
    most : tuple of float
        Seconds and GiB that it may take.
    beside : str
        The line that its signals are compared with, if any.
    """

    spheres: tuple[tr.Sphere, ...]
    size: float
    count: int
    method: Any = "auto"
    most: tuple[float, float] | None = None
    beside: str = ""


LINES = {
    "one sphere, one signal": Line(ONE, 0.2, 1, most=(20, 3), beside="one sphere, finer mesh"),
    "one sphere, one signal in full": Line(ONE, 0.2, 1, "full", beside="one sphere, one signal"),
    "one sphere, a table of 60": Line(ONE, 0.2, 30, most=(60, 3)),
    "two spheres, one signal": Line(TWO, 0.2, 1, most=(120, 3)),
    "two spheres, a table of 60": Line(TWO, 0.2, 30, most=(120, 3)),
    "one sphere, finer mesh": Line(ONE, 0.072, 1, most=(300, 4)),
}


def measure(line: Line) -> dict[str, Any]:
    """Compute one line in this process."""
    cell = tr.Cell(
        tr.Spheres(line.spheres),
        [2.0, *[1.0] * len(line.spheres)],
        "10 um",
        "2e-5 m/s",
        mesh=tr.MeshOptions(line.size, 1),
    )
    directions = half_sphere(30)[:: 30 // line.count] if line.count > 1 else [(1.0, 0.0, 0.0)]
    b = [1.0, 2.5] if line.count > 1 else [2.5]
    S = cell.signal(WAVEFORM, b=b, direction=directions, tolerance=TOLERANCE, method=line.method)
    return {
        "seconds": processor_seconds(),
        "memory": max(map(_peak, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))),
        "unknowns": [level.cell.n_dofs for level in cell.medium.levels],
        "estimate": float((S.numerical_error / np.abs(S)).max()),
        "signals": S.values.tolist(),
    }


def _peak(who: int) -> float:
    """Largest memory (GiB) of this process, or of one of its children."""
    return resource.getrusage(who).ru_maxrss / 2**20


def in_a_process(name: str) -> dict[str, Any]:
    """The same in a process of its own, whose time and memory are all its own."""
    environment = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    done = subprocess.run(
        [sys.executable, __file__, "--line", name],
        capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip
    print(name, done.stdout[:100], file=sys.stderr)
    return dict(json.loads(done.stdout))


def difference(name: str, found: dict[str, dict[str, Any]]) -> str:
    """Largest relative difference from the line that one is compared with."""
    beside = LINES[name].beside
    if beside not in found:
        return ""
    mine, other = (np.array(found[one]["signals"]) for one in (name, beside))
    return f"{np.abs(mine / other - 1).max():.1e}"


def row(name: str, found: dict[str, dict[str, Any]]) -> str:
    """One line as Markdown."""
    one, most = found[name], LINES[name].most
    unknowns = ", ".join(f"{n:,}" for n in one["unknowns"])
    limits = f"{most[0]:.0f} s, {most[1]:.0f} GiB" if most else ""
    return (
        f"| {name} | {unknowns} | {one['seconds']:.1f} | {one['memory']:.1f} | {limits} | "
        f"{one['estimate']:.1e} | {difference(name, found)} |"
    )


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help="replace benchmarks/space_speed.md")
    parser.add_argument("--line", choices=LINES, help="measure one line in this process")
    options = parser.parse_args()
    if options.line:
        print(json.dumps(measure(LINES[options.line])))
        return
    found = {name: in_a_process(name) for name in LINES}
    about = (__doc__ or "").split("--write]\n")[1].split(" With --write")[0].splitlines()
    text = "\n".join(
        [
            "# Spheres in space",
            "",
            f"{machine()}, one thread, {date.today()}; "
            "`python benchmarks/space_speed.py --write` makes this file.",
            *about,
            "",
            "| what | unknowns | s | GiB | at most | largest estimated error | difference |",
            "|-|-|-|-|-|-|-|",
            *(row(name, found) for name in found),
            "",
        ]
    )
    print(text)
    if options.write:
        (HERE / "space_speed.md").write_text(text)


if __name__ == "__main__":
    main()
