"""Mutated configurations and files of acquisitions: accepted or refused, how fast, in what memory.

    OMP_NUM_THREADS=1 python benchmarks/fuzzing.py [--examples 10000] [--seed 1] [--write]

Each example is a valid input with random mutations of its text, its bytes or its structure (see
tests/fuzz), read as the workflow reads it before its first job. A process reads 250 of them and
says of each what became of it, how much processor time it took and the largest memory meanwhile; a
process that dies is counted against the example that it read. With --write the table replaces
benchmarks/fuzzing.md.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from speed import machine

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "tests"))

from support.documents import write_files  # noqa: E402
from support.examination import KINDS  # noqa: E402

SECONDS, MEGABYTES = 5.0, 500.0
#: Memory that a process may take before it is refused more (bytes), and its examples.
CEILING, AT_ONCE = 4 * 2**30, 250


@dataclass(frozen=True)
class Example:
    """What became of one input: ``accepted``, ``refused`` or the name of an exception."""

    kind: str
    seed: int
    outcome: str
    seconds: float
    megabytes: float


def examine(kind: str, seed: int, folder: Path) -> Example:
    """Read one input, which its seed determines."""
    Path("/proc/self/clear_refs").write_text("5")  # the largest memory from here on
    start = time.process_time()
    try:
        outcome, _ = KINDS[kind](Random(seed), folder)
    except BaseException as error:  # whatever it is, it is counted
        outcome = type(error).__name__
        traceback.print_exc()
    seconds = time.process_time() - start
    status = Path("/proc/self/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return Example(kind, seed, outcome, seconds, int(peak.split()[1]) / 1024)


def work(kind: str, first: int, count: int) -> None:
    """Read some inputs in this process and say what became of each."""
    resource.setrlimit(resource.RLIMIT_AS, (CEILING, CEILING))
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_files(folder)
        for seed in range(first, first + count):
            print(json.dumps(asdict(examine(kind, seed, folder))), flush=True)


def examples(kind: str, first: int, count: int) -> Iterator[Example]:
    """Read inputs in processes of their own."""
    last = first + count
    while first < last:
        part = min(AT_ONCE, last - first)
        call = [sys.executable, __file__, "--work", kind, str(first), str(part)]
        done = subprocess.run(call, stdout=subprocess.PIPE, text=True)
        found = [Example(**json.loads(line)) for line in done.stdout.splitlines()]
        yield from found
        if len(found) < part:
            yield Example(kind, first + len(found), f"died ({done.returncode})", 0.0, 0.0)
            found.append(found[-1] if found else Example(kind, first, "died", 0.0, 0.0))
        first += len(found)


def row(kind: str, found: list[Example]) -> str:
    """A row of the table."""
    good = [sum(each.outcome == outcome for each in found) for outcome in ("accepted", "refused")]
    slowest, largest = max(e.seconds for e in found), max(e.megabytes for e in found)
    cells = [
        kind,
        len(found),
        *good,
        len(found) - sum(good),
        f"{slowest:.2f} s",
        f"{largest:.0f} MB",
    ]
    return f"| {' | '.join(map(str, cells))} |"


def table(groups: dict[str, list[Example]], seed: int) -> str:
    """The table as Markdown."""
    whole = [example for found in groups.values() for example in found]
    return "\n".join(
        [
            "# Fuzzing",
            "",
            f"{machine()}, one thread, {date.today()}; `python benchmarks/fuzzing.py --write` "
            f"makes this file (seeds {seed} to {max(e.seed for e in whole)}).",
            "",
            "Valid inputs with random mutations, read as the workflow reads them before its first",
            "job. Times are of the processor, without the start of the process; memory is all that",
            "the process has, the libraries included. None may end in a traceback, take more than",
            f"{SECONDS:g} s or more than {MEGABYTES:g} MB.",
            "",
            "| input | examples | accepted | refused | tracebacks | slowest | peak memory |",
            "|-|-|-|-|-|-|-|",
            *(row(kind, found) for kind, found in groups.items()),
            row("all", whole),
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--work", nargs=3, metavar=("KIND", "FIRST", "COUNT"), help="used inside")
    options = parser.parse_args()
    if options.work:
        work(options.work[0], *map(int, options.work[1:]))
        return
    share = -(-options.examples // len(KINDS))
    groups = {kind: list(examples(kind, options.seed, share)) for kind in KINDS}
    text = table(groups, options.seed)
    print(text)
    whole = [example for found in groups.values() for example in found]
    bad = [
        e
        for e in whole
        if e.outcome not in ("accepted", "refused")
        or e.seconds > SECONDS
        or e.megabytes > MEGABYTES
    ]
    for example in bad:
        print(example, file=sys.stderr)
    if options.write:
        (HERE / "fuzzing.md").write_text(text, encoding="utf-8")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
