"""What a dictionary costs: planning, memory and signals per second, against its size.

    OMP_NUM_THREADS=1 python benchmarks/dictionary.py [--reference N] [--model N] [--write]

A disc of radius 0.4, D = 3 and 1.7 um^2/ms; periods of 5 to 12 um, permeabilities of 1e-5 to
1e-4 m/s, PGSE of 5 ms and five Delta of 10 to 50 ms, 20 b up to 4,000 s/mm^2, one direction; by
projected references to 1e-3, and by the model R2. Sizes are 1e4, 1e5 and 1e6 signals, each as far
as the N of its kind says. Peaks are VmHWM of the jobs, looked at every 10 ms; rates are signals per
second of process time of the jobs that compute them, start-up and error estimates included. With
--write the table replaces benchmarks/dictionary.md.
"""

from __future__ import annotations

import argparse
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from speed import machine

HERE = Path(__file__).parent
SNAKEFILE = HERE.parent / "Snakefile"
SIZES = (10_000, 100_000, 1_000_000)
_ROWS = 100
_TICK = os.sysconf("SC_CLK_TCK")

CONFIG = """\
geometries:
  disc: {{kind: discs, cells: [{{center: [0.5, 0.5], radius: 0.4}}]}}
dictionaries:
  large:
    geometry: disc
    diffusivity: {{outside: 3e-3 mm^2/s, inside: 1.7e-3 mm^2/s}}
    period: {{start: 5 um, stop: 12 um, num: {periods}}}
    permeability: {{start: 1e-5 m/s, stop: 1e-4 m/s, num: {permeabilities}}}
    waveform: {{kind: pgse, delta: 5 ms, Delta: {{start: 10 ms, stop: 50 ms, num: 5}}}}
    b: {{start: 0 s/mm^2, stop: 4000 s/mm^2, num: 20}}
    directions: [[1, 0]]
    models: {model}
    tolerance: 1e-3
"""


@dataclass
class Jobs:
    """Largest memory (MB) and process time (s) of the jobs of each rule, by process."""

    peak: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    seconds: dict[str, dict[int, float]] = field(default_factory=lambda: defaultdict(dict))

    def look(self, folder: Path) -> None:
        """Note what the processes that run a script in a folder use."""
        for process in Path("/proc").iterdir():
            if not process.name.isdecimal():
                continue
            try:
                words = (process / "cmdline").read_bytes().decode().split("\0")
                if len(words) < 2 or str(folder) != os.readlink(process / "cwd"):
                    continue
                script = next((w for w in words if ".snakemake/scripts/" in w), "")
                rule = Path(script).stem.split(".")[-1] if script else "snakemake"
                status = (process / "status").read_text()
                times = (process / "stat").read_text().rpartition(")")[2].split()
            except (OSError, ValueError):
                continue
            size = next((x for x in status.splitlines() if x.startswith("VmHWM")), "")
            if size:
                self.peak[rule] = max(self.peak[rule], int(size.split()[1]) / 1024)
                used = (int(times[11]) + int(times[12])) / _TICK
                self.seconds[rule][int(process.name)] = used


def configured(size: int, model: str, folder: Path) -> list[str]:
    """Write a configuration; the command that makes its dictionary."""
    cells = size // _ROWS
    periods = math.isqrt(cells)
    text = CONFIG.format(periods=periods, permeabilities=cells // periods, model=model)
    (folder / "large.yaml").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", f"--snakefile={SNAKEFILE}"]
    return [*command, "--cores=1", "--quiet=all", "--configfile=large.yaml", "dictionaries"]


def planned(command: list[str], folder: Path) -> tuple[float, float]:
    """Process time and wall time of a plan in seconds."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([*command, "--dry-run"], cwd=folder, check=True, capture_output=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return used, wall


def row(size: int, model: str, runs: bool) -> str:
    """One line of the table; a dictionary that is too large for a run is planned alone."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        command = configured(size, model, folder)
        cpu, wall = planned(command, folder)
        cells = [f"{model}, {size:,}", f"{cpu:.1f} s ({wall:.1f} s)"]
        if not runs:
            return f"| {' | '.join([*cells, *('not run',) * 4])} |"
        jobs, log = Jobs(), folder / "run.log"
        with log.open("w") as stream:
            process = subprocess.Popen(command, cwd=folder, stdout=stream, stderr=stream)
            while process.poll() is None:
                jobs.look(folder)
                time.sleep(0.01)
        if process.returncode:
            sys.exit(log.read_text(encoding="utf-8"))
        solve = "solve_dictionary" if model == "reference" else "evaluate_dictionary"
        rate = size / sum(jobs.seconds[solve].values())
        large = (folder / "results/dictionaries/large/signals.nc").stat().st_size / 1e6
        return (
            f"| {' | '.join(cells)} | {jobs.peak[solve]:.0f} MB "
            f"| {jobs.peak['gather_dictionary']:.0f} MB | {rate:.0f} | {large:.1f} MB |"
        )


def main() -> None:
    """Print the table, or write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference", type=float, default=1e6, help="largest run of references")
    parser.add_argument("--model", type=float, default=1e6, help="largest run of R2")
    parser.add_argument("--write", action="store_true", help="replace benchmarks/dictionary.md")
    given = parser.parse_args()
    most = {"reference": given.reference, "R2": given.model}
    lines = [
        "| dictionary, signals | plan, process time (wall) | peak of a job that computes "
        "| peak of the job that gathers | signals per CPU-second | file |",
        "|-|-|-|-|-|-|",
    ]
    for model, largest in most.items():
        for size in SIZES:
            lines.append(row(size, model, size <= largest))
            print(lines[-1], flush=True)
    about = (__doc__ or "").split("\n\n")[2]
    text = (
        f"# What a dictionary costs\n\n{machine()}, one thread, {date.today()}; "
        "`python benchmarks/dictionary.py --write` makes this file.\n\n"
        f"{about}\n\n" + "\n".join(lines) + "\n"
    )
    if given.write:
        (HERE / "dictionary.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
