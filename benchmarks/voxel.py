"""Cost of one signal of a voxel against the size of its box.

    python benchmarks/voxel.py 75 150 300 600 > out.txt
    python benchmarks/voxel.py 1500 --threads 2

Discs of 1 to 5 um, 20,000 in 1.5 mm and as dense in smaller boxes, gaps of 0.2 um; D = 3 um^2/ms,
kappa = 1e-5 m/s, delta = Delta = 80 ms, b = 1 ms/um^2, tolerance 1e-3. Prints the head of the table
of voxel.md and a row for each box, with times of the processor; progress, and the wall time of the
three runs, go to the standard error.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time

from torrey.geometry.balls.packing_files import StoredPacking
from torrey.geometry.balls.radius_laws import RadiusLaw
from torrey.geometry.balls.random_packing import RandomPacking
from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import Pgse
from torrey.voxel.medium import DiscMedium
from torrey.voxel.signals import task_of, voxel_signal
from torrey.voxel.triangulation import triangulate

_DENSITY = 20_000 / 1500.0**2
_COLUMNS = (
    *("box (um)", "discs", "unknowns", "steps", "iterations", "iterations per step", "mesh (s)"),
    *("signal (s)", "us per unknown and step", "GB", "S", "in space", "in time"),
)


def row(box: float, threads: int) -> str:
    """Compute one signal and describe what it took."""
    shape = RandomPacking(
        box=box,
        radius=RadiusLaw(uniform=(1.0, 5.0)),
        count=round(_DENSITY * box**2),
        gap=0.2,
        seed=1,
    )
    medium = DiscMedium.of(StoredPacking.of(shape))
    began = time.process_time()
    mesh = triangulate(medium)
    meshing = time.process_time() - began
    waveform = Pgse(80.0, 80.0)
    point = Point(box, 0.01, waveform, waveform.q_of_b(1.0), (1.0, 0.0))
    task = task_of(medium, point, (3.0, 3.0), box * 2 / 3, 1e-3)
    start = time.process_time()
    found = voxel_signal(
        mesh, task, threads=threads, say=lambda text: print(text, file=sys.stderr, flush=True)
    )
    processor = time.process_time() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    per = processor / (found.unknowns * found.steps) * 1e6
    return (
        f"| {box:g} | {len(medium.radii):,} | {found.unknowns:,} | {found.steps} | "
        f"{found.iterations} | {found.iterations / found.steps:.1f} | {meshing:.1f} | "
        f"{processor:.0f} | {per:.1f} | "
        f"{memory:.2f} | {found.signal.real:.6f} | {found.space_error:.1e} | "
        f"{found.time_error:.1e} |"
    )


def main() -> None:
    """Print a row for each box."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("boxes", type=float, nargs="+", help="sides of boxes (um)")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    print("| " + " | ".join(_COLUMNS) + " |\n|" + "-|" * len(_COLUMNS))
    for box in given.boxes:
        print(row(box, given.threads), flush=True)


if __name__ == "__main__":
    main()
