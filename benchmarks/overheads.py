"""What the workflow costs beside the computing: jobs, plans, and a run in which nothing is to do.

    OMP_NUM_THREADS=1 python benchmarks/overheads.py [--finished DIRECTORY] [--write]

All times are process times of whole commands with their children, except those called wall time.
A finished run of config/default.yaml is looked for in DIRECTORY (the project itself, if not said).
With --write the table replaces benchmarks/overheads.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
SNAKEMAKE = [sys.executable, "-m", "snakemake", "--cores=1", f"--snakefile={ROOT / 'Snakefile'}"]

STUDY = """\
geometries:
  cell: {{kind: layers, thicknesses: [0.6, 0.4], mesh: {{size: 0.25, refinements: 1}}}}
studies:
  sweep:
    geometry: cell
    diffusivity: {{outside: 3e-3 mm^2/s, inside: 1.7e-3 mm^2/s}}
    period: {{start: 1 um, stop: 10 um, num: {n}}}
    permeability: {{start: 1e-5 m/s, stop: 1e-4 m/s, num: {n}}}
    waveform: {{kind: pgse, delta: 2 ms, Delta: {{start: 5 ms, stop: 9 ms, num: {m}}}}}
    b: {{start: 0 s/mm^2, stop: 2000 s/mm^2, num: {n}}}
    directions: [[1]]
    models: [reference]
    tolerance: 1e-2
"""


def spent(command: list[str], directory: Path) -> tuple[float, float]:
    """Process time and wall time of a command and its children, in seconds."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def per_job(directory: Path) -> tuple[float, float]:
    """Process time of a job that solves next to nothing, and what it says that it took itself."""
    (directory / "jobs.yaml").write_text(STUDY.format(n=2, m=5))
    target = ["--configfile=jobs.yaml", "--", "results/studies/sweep/signals.nc"]
    spent([*SNAKEMAKE, *target], directory)
    idle, _ = spent([*SNAKEMAKE, *target], directory)
    busy, _ = spent([*SNAKEMAKE, "--forcerun=solve_reference", *target], directory)
    logs = list(directory.glob("results/logs/solve_reference/**/*.log"))
    own = [float(log.read_text().rsplit(": ", 1)[1].split()[0]) for log in logs]
    return (busy - idle) / (len(logs) + 1), statistics.median(own)


def verification(directory: Path) -> float:
    """Seconds to check 100 MB."""
    call = (
        "import time, numpy as np; from pathlib import Path; from torrey.base import seals;"
        "Path('big').write_bytes(np.random.default_rng(1).bytes(100_000_000));"
        "seals.sign('big', ''); start = time.process_time(); seals.check('big');"
        "print(time.process_time() - start)"
    )
    command = [sys.executable, "-c", call]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True)
    return float(done.stdout)


def plan(directory: Path) -> tuple[float, float]:
    """Process and wall time of a dry run of 5,000 points."""
    (directory / "plan.yaml").write_text(STUDY.format(n=10, m=5))
    command = [*SNAKEMAKE, "--dry-run", "--configfile=plan.yaml", "--", "studies"]
    return min(spent(command, directory) for _ in range(3))


def warm(directory: Path) -> tuple[float, float] | None:
    """Process and wall time of `snakemake figures` where all is made; None where it is not."""
    if not (directory / "results" / "figures").is_dir():
        return None
    command = [sys.executable, "-m", "snakemake", "--cores=1", "figures"]
    return min(spent(command, directory) for _ in range(3))


def rows(finished: Path) -> list[tuple[str, str, str]]:
    """What was measured, the figures, and what is asked for."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        job, own = per_job(directory)
        table = [
            ("a job that solves next to nothing", f"{job:.2f} s", "at most 1.2 s"),
            ("of which between its start and its end by its log (wall time)", f"{own:.2f} s", ""),
            ("checking the content of 100 MB", f"{verification(directory):.2f} s", ""),
        ]
        cpu, wall = plan(directory)
        table.append(("plan of 5,000 points", f"{cpu:.1f} s, wall {wall:.1f} s", "at most 8 s"))
    found = warm(finished)
    if found:
        cpu, wall = found
        text = f"{cpu:.1f} s, wall {wall:.1f} s"
        table.append(("`snakemake figures`, nothing to do", text, "at most 5 s"))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--finished", type=Path, default=ROOT)
    arguments = parser.parse_args()
    processor = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    lines = [
        "# What the workflow costs beside the computing",
        "",
        f"{processor}, Python {platform.python_version()}, numpy {np.__version__}, "
        f"{date.today().isoformat()}; process time with children (`benchmarks/overheads.py`).",
        "",
        "| what | measured | asked |",
        "|-|-|-|",
        *(f"| {what} | {value} | {asked} |" for what, value, asked in rows(arguments.finished)),
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    if arguments.write:
        Path(__file__).with_suffix(".md").write_text(text)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
