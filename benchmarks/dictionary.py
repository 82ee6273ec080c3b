"""What a dictionary costs: planning, memory and signals per second, against its size.

    OMP_NUM_THREADS=1 python benchmarks/dictionary.py [--reference N] [--model N] [--write]

A disc of radius 0.4, D = 3 and 1.7 um^2/ms; periods of 5 to 12 um, permeabilities of 1e-5 to
1e-4 m/s, PGSE of 5 ms and five Delta of 10 to 50 ms, 20 b up to 4,000 s/mm^2, one direction; by
projected references to 1e-3, and by the model R2. Sizes are 1e4, 1e5 and 1e6 signals: up to the N
of its kind all blocks are computed, of a larger one its first and last (its first, of references),
and gathered are as many blocks of random numbers as it has. Peaks are VmHWM of the jobs, looked at
every 50 ms; rates are signals per second of process time of the jobs that compute them, start-up
and error estimates included. With --write the table replaces benchmarks/dictionary.md.
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
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from speed import machine

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.config import load
from torrey.gradients.blocks import blocks_of
from torrey.study.dictionary import BlockSignals, write_dictionary
from torrey.workflow.dictionaries import dictionary_files
from torrey.workflow.layout import Layout

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
    return [*command, "--cores=2", "--quiet=all", "--configfile=large.yaml", "dictionaries"]


def planned(command: list[str], folder: Path) -> tuple[float, float]:
    """Process time and wall time of a plan in seconds."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([*command, "--dry-run"], cwd=folder, check=True, capture_output=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return used, wall


def watched(command: list[str], folder: Path) -> Jobs:
    """What the jobs of a run use."""
    jobs, log = Jobs(), folder / "run.log"
    with log.open("w") as stream:
        process = subprocess.Popen(command, cwd=folder, stdout=stream, stderr=stream)
        while process.poll() is None:
            jobs.look(folder)
            time.sleep(0.05)
    if process.returncode:
        sys.exit(log.read_text(encoding="utf-8"))
    return jobs


def blocks_of_run(folder: Path) -> list[str]:
    """Paths of the blocks of the dictionary."""
    layout = Layout(load([folder / "large.yaml"]))
    return [path for path, stage, _ in dictionary_files(layout) if "gather" not in stage.rule]


def gathered(folder: Path) -> float:
    """Peak (MB) of a process that gathers blocks of random numbers."""
    call = [sys.executable, str(HERE / "dictionary.py"), "--gather", str(folder)]
    done = subprocess.run(call, check=True, capture_output=True, text=True)
    return float(done.stdout)


def gather(folder: Path) -> None:
    """Gather blocks of random numbers, and print the peak of this process (MB)."""
    entry = load([folder / "large.yaml"]).dictionaries["large"]
    random = np.random.default_rng(1)

    def values() -> Iterator[dict[str, NDArray[Any]]]:
        for block in blocks_of(entry.sweep):
            size = block.sweep.size
            signal, error = random.random(size).astype(complex), random.random(size)
            yield BlockSignals(block.sweep, signal, error, np.ones(size)).values()

    write_dictionary(
        folder / "signals.nc", (), entry.sweep, entry.models, values(), Provenance("benchmark")
    )
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def row(size: int, model: str, largest: float) -> str:
    """One line of the table; of a dictionary that is too large for a run some blocks are made."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        command = configured(size, model, folder)
        cpu, wall = planned(command, folder)
        blocks = blocks_of_run(folder)
        if size > largest:
            ends = [blocks[0], blocks[-1]] if model == "R2" else blocks[:1]
            command, gathering = [*command[:-1], *ends], gathered(folder)
            counted = f"{len(ends)} of {len(blocks)}"
        else:
            counted = f"all {len(blocks)}"
        jobs = watched(command, folder)
        solve = "solve_dictionary" if model == "reference" else "evaluate_dictionary"
        done = sum(len(signals_of(file)) for file in folder.rglob("batches/**/*.nc"))
        rate = done / sum(jobs.seconds[solve].values())
        if size <= largest:
            gathering = jobs.peak["gather_dictionary"]
        return (
            f"| {model}, {size:,} | {cpu:.1f} s ({wall:.1f} s) | {counted} "
            f"| {jobs.peak[solve]:.0f} MB | {gathering:.0f} MB | {rate:.0f} |"
        )


def signals_of(file: Path) -> NDArray[Any]:
    """Signals of a block, flat."""
    return artifacts.read(file)["signal_real"].ravel()


def main() -> None:
    """Print the table, or write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference", type=float, default=1e6, help="largest run of references")
    parser.add_argument("--model", type=float, default=1e6, help="largest run of R2")
    parser.add_argument("--gather", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--write", action="store_true", help="replace benchmarks/dictionary.md")
    given = parser.parse_args()
    if given.gather is not None:
        gather(given.gather)
        return
    most = {"R2": given.model, "reference": given.reference}
    lines = [
        "| dictionary, signals | plan, process time (wall) | blocks computed "
        "| peak of a job that computes | peak of the job that gathers | signals per CPU-second |",
        "|-|-|-|-|-|-|",
    ]
    for model, largest in most.items():
        for size in SIZES:
            lines.append(row(size, model, largest))
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
