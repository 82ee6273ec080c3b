"""Kills at random moments, full disks, flipped bits: the same results, or a clear word."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from support.project import CONFIG, SHORT, SHORT_CHANGED, TARGETS, Project

from torrey.base import artifacts
from torrey.base.seals import DamagedError

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
# Runs, jobs and groups, each of a run that is new and of one that follows a change.
SEEDS = range(6)


def jobs_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Processes that run a script of the workflow."""
    found = []
    for child in psutil.Process(process.pid).children(recursive=True):
        try:
            if any(word.endswith(".py") and ".snakemake" in word for word in child.cmdline()):
                found.append(child)
        except psutil.Error:
            continue
    return found


def strike(project: Project, seed: int) -> str:
    """Start a run and hit it, one of its jobs or all of it, at a random moment."""
    draw = random.Random(seed)
    whom = ("run", "job", "group")[seed % 3]
    number = draw.choice(SIGNALS)
    process = project.start("--cores=2", *TARGETS)
    wait = draw.uniform(2.0, 14.0)
    deadline = time.monotonic() + wait
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
    if whom == "job":
        while process.poll() is None and not (found := jobs_of(process)):
            time.sleep(0.01)
        if process.poll() is None:
            found[0].send_signal(number)
    elif process.poll() is None and whom == "group":
        os.killpg(process.pid, number)
    elif process.poll() is None:
        process.send_signal(number)
    try:
        process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        # As whoever shuts a machine down: what does not end when it is asked to is killed.
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    return f"{whom} {number.name} after {wait:.1f} s: exit code {process.returncode}"


@pytest.mark.slow
@pytest.mark.fault(
    "SIGKILL, SIGTERM or SIGINT to a run, a job or the whole group, at a random moment of a run "
    "that is new or follows a change",
    "started again, the run ends in the files of an undisturbed one, byte for byte",
)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_struck_run_ends_in_the_same_results_when_it_is_started_again(
    short, short_scratch, origin, tmp_path, seed
):
    if seed % 2:
        project = short.copy(tmp_path / "project")
        project.write(CONFIG, SHORT_CHANGED)
    else:
        project = Project.create(tmp_path / "project", SHORT_CHANGED, origin)
    story = strike(project, seed)
    run = project.run("--cores=2", *TARGETS)
    assert run.code == 0, f"{story}\n{run.text}"
    assert_same_values(project, short_scratch, story)


def assert_same_values(project: Project, expected: Project, story: str = "") -> None:
    results = project.results()
    for name, path in expected.results().items():
        assert name in results, f"{story}: {name} is missing"
        assert results[name].read_bytes() == path.read_bytes(), f"{story}: {name}"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, which can be filled."""
    place = tmp_path / "project" / "results"
    place.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(place)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("a file system can only be mounted by root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=False)


def remount(place: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(place)], check=True)


def on_disk(origin: Path, place: Path) -> Project:
    """A project whose results are on a file system of their own."""
    root = place.parent
    fresh = Project.create(root.with_name("copy"), SHORT, origin)
    for part in fresh.root.iterdir():
        shutil.move(part, root / part.name)
    return Project(root)


DISKS = {
    "no space": ("size=300k", "No space left|MB are free"),
    "no inodes": ("size=1g,nr_inodes=12", "No space left"),
    "read only": ("size=1g,ro", "Read-only file system|cannot be written"),
}


@pytest.mark.slow
@pytest.mark.fault(
    "the disk of the results has no space, no inodes, or may not be written",
    "the run stops and says what cannot be written and why; with space, the next one ends right",
)
@pytest.mark.parametrize(("options", "message"), DISKS.values(), ids=DISKS)
def test_a_disk_that_takes_no_more_is_said_and_survived(
    small_disk, short, origin, options, message
):
    project = on_disk(origin, small_disk)
    remount(small_disk, options)
    run = project.run("--cores=2", *TARGETS)
    assert run.code != 0, run.text
    assert any(part in run.text for part in message.split("|")), run.text
    remount(small_disk, "size=1g,nr_inodes=100000,rw")
    run = project.run("--cores=2", *TARGETS)
    assert run.code == 0, run.text
    assert_same_values(project, short)


@pytest.mark.slow
@pytest.mark.fault(
    "one bit of a result is flipped, wherever in the file",
    "whoever reads the file stops and says that it is damaged, and which one to delete",
)
@pytest.mark.parametrize("part", range(15))
def test_a_flipped_bit_never_goes_unnoticed(small, tmp_path, part):
    """A hundred bits each: one file after the other, at random places."""
    rng = np.random.default_rng(part)
    files = list(small.results().values())
    unnoticed = []
    for i in range(100):
        source = files[(100 * part + i) % len(files)]
        content = bytearray(source.read_bytes())
        place = int(rng.integers(len(content)))
        content[place] ^= 1 << int(rng.integers(8))
        path = tmp_path / source.name
        path.write_bytes(content)
        try:
            artifacts.read(path)
        except DamagedError:
            continue
        unnoticed.append((source, place))
    assert unnoticed == []


@pytest.mark.slow
@pytest.mark.fault(
    "a result is cut off, empty, or replaced by one of another cell or study",
    "the next run makes it again, and what was made from it",
)
@pytest.mark.parametrize("seed", range(6))
def test_damaged_and_swapped_files_are_made_again(small, tmp_path, seed):
    project = small.copy(tmp_path / "project")
    draw = random.Random(seed)
    paths = {}
    for path in project.results().values():
        paths.setdefault(path.name, []).append(path)
    name = draw.choice([n for n, found in sorted(paths.items()) if len(found) > 1])
    one, other = draw.sample(paths[name], 2)
    if seed % 2:
        shutil.copy2(other, one)
    else:
        one.write_bytes(one.read_bytes()[: draw.choice([0, 100, -1, -200])])
    run = project.run("--cores=2", *TARGETS)
    assert run.code == 0, run.text
    assert_same_values(project, small, f"{one} {seed}")
