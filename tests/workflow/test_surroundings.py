"""Runs where something around them is missing: locks, rights, space, a home, a right clock."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from support.project import CELL, CONFIG, WALL_SLAB, Project

from torrey.workflow.processes import this_process

UNDONE = (WALL_SLAB, "results/studies/wall/signals.nc")
MESH = "results/geometry/walls/mesh.nc"

# Python's own locks, as on a file system that has none.
NO_LOCKS = """\
import errno, fcntl, os

def refuse(*_):
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

fcntl.flock = fcntl.lockf = refuse
"""
# The same for what is written in C, HDF5 above all.
NO_LOCKS_IN_C = """\
#include <errno.h>
int flock(int file, int operation) { errno = ENOLCK; return -1; }
"""
# Locks that other machines do not see, and another machine.
ANOTHER_HOST = """\
import fcntl, socket
socket.gethostname = lambda: "{name}"
fcntl.flock = lambda *_: None
"""
# A job that has begun and does not end.
HANGING = """\
import os, time
rename = os.replace

def hang(source, target, **options):
    if str(target).endswith("R0.nc"):
        open("hangs", "w").close()
        time.sleep(1000)
    rename(source, target, **options)

os.replace = hang
"""


@pytest.fixture(scope="module")
def done(origin: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A small project in which all is made; not to be changed."""
    project = Project.create(tmp_path_factory.mktemp("done") / "project", CELL, origin)
    run = project.run("--cores=2", "studies")
    assert run.code == 0, run.text
    return project


@pytest.fixture
def project(done: Project, tmp_path: Path) -> Project:
    return done.copy(tmp_path / "project")


@pytest.fixture
def empty(origin: Path, tmp_path: Path) -> Project:
    return Project.create(tmp_path / "project", CELL, origin)


def loading(project: Project, folder: Path, *texts: str, **environment: str) -> Project:
    """The same project, each Python of which executes these texts first."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("\n".join(texts), encoding="utf-8")
    path = f"{folder}{os.pathsep}{project.path('src')}"
    return Project(project.root, {"PYTHONPATH": path, **environment})


def assert_passes(project: Project, *words: str) -> str:
    run = project.run("--cores=2", *(words or ["studies"]))
    assert run.code == 0, run.text
    return run.text


def assert_refused(project: Project, reason: str, *words: str) -> None:
    """One clear line, nothing done."""
    run = project.run("--cores=2", *(words or ["studies"]))
    assert run.code == 1, run.text
    assert "Traceback" not in run.text
    assert [line for line in run.text.splitlines() if reason in line], run.text
    assert not run.jobs


def undo(project: Project) -> None:
    """Leave something to do: the models, whose job may hang, and the table with them."""
    for name in UNDONE:
        project.path(name).unlink()


def records(project: Project) -> list[Path]:
    return list(project.path(".snakemake/runs").glob("*"))


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 300
    while not path.exists():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def without_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rights of files count for root too."""
    if os.getuid() != 0:
        return
    if shutil.which("setpriv") is None:
        pytest.skip("root may write everywhere, and setpriv, which would change that, is missing")
    start = subprocess.Popen

    def unprivileged(words: list[str], **options: object) -> subprocess.Popen[str]:
        return start(["setpriv", "--inh-caps=-all", "--bounding-set=-all", *words], **options)

    monkeypatch.setattr(subprocess, "Popen", unprivileged)


# Locks


@pytest.mark.slow
@pytest.mark.fault(
    "file systems without locks",
    "the run needs none",
)
def test_a_run_needs_no_locks_of_python(empty, tmp_path):
    assert_passes(loading(empty, tmp_path / "site", NO_LOCKS))


@pytest.mark.slow
@pytest.mark.fault(
    "file systems without locks",
    "the run needs none",
)
def test_a_run_needs_no_locks_of_hdf5(empty, tmp_path):
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler to make a library without locks")
    library = tmp_path / "nolocks.so"
    source = tmp_path / "nolocks.c"
    source.write_text(NO_LOCKS_IN_C)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True)
    assert_passes(Project(empty.root, {"LD_PRELOAD": str(library)}))


@pytest.mark.slow
@pytest.mark.fault(
    "a second machine starts a run beside a living one that it cannot see",
    "refused, and the way out is told",
)
def test_two_hosts_never_work_at_once_and_the_way_out_is_told(project, tmp_path):
    undo(project)
    first = loading(project, tmp_path / "a", ANOTHER_HOST.format(name="host-a"), HANGING)
    second = loading(project, tmp_path / "b", ANOTHER_HOST.format(name="host-b"))
    process = first.start("--cores=2", "studies")
    try:
        wait_for(project.path("hangs"), process)
        for _ in range(2):
            assert_refused(second, "locked: another run may live here")
            assert process.poll() is None
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    # It may still live, as far as the second host knows.
    assert_refused(second, "snakemake --unlock")
    assert_passes(second, "--unlock")
    assert_passes(second)
    assert records(project) == []


@pytest.mark.slow
@pytest.mark.fault(
    "a run is killed with all its jobs, and its lock stays",
    "the next one on this machine starts",
)
def test_a_run_that_was_killed_is_no_obstacle_on_its_own_host(project, tmp_path):
    undo(project)
    first = loading(project, tmp_path / "a", ANOTHER_HOST.format(name="host-a"), HANGING)
    first.kill_when(project.path("hangs").exists, "--cores=2", "studies")
    assert len(records(project)) == 1
    assert_passes(loading(project, tmp_path / "b", ANOTHER_HOST.format(name="host-a")))
    assert records(project) == []


@pytest.mark.slow
@pytest.mark.fault(
    "a run is killed and its jobs live on",
    "the next run on this machine ends them first",
)
def test_jobs_that_outlive_their_run_are_ended_by_the_next_one(project, tmp_path):
    undo(project)
    process = loading(project, tmp_path / "a", HANGING).start("--cores=2", "studies")
    wait_for(project.path("hangs"), process)
    process.kill()  # the main process alone, as a machine without memory does
    process.wait()
    try:
        assert "has left" in assert_passes(project)
    finally:
        deadline = time.monotonic() + 10
        while _group_lives(process.pid):
            if time.monotonic() > deadline:
                os.killpg(process.pid, signal.SIGKILL)
                pytest.fail("a job of the killed run lives")
            time.sleep(0.05)
    assert not project.leftovers()


def _group_lives(group: int) -> bool:
    states = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(words[2]) == group and words[0] not in "ZX":
            states.append(stat)
    return bool(states)


def test_a_dry_run_leaves_no_trace_and_is_not_refused(project):
    living = project.path(".snakemake/runs/living.json")
    living.parent.mkdir(exist_ok=True)
    living.write_text(this_process().to_json())
    assert project.plan("studies") == set()
    assert records(project) == [living]


@pytest.mark.fault(
    "two runs at once in one folder",
    "the second is refused with the name of the first",
)
def test_a_second_run_is_refused_with_the_name_of_the_first(project):
    living = project.path(".snakemake/runs/living.json")
    living.parent.mkdir(exist_ok=True)
    living.write_text(this_process().to_json())
    assert_refused(project, f"locked: another run lives here, process {os.getpid()} of")
    assert records(project) == [living]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["bytes", "folder"])
@pytest.mark.fault(
    "notes of an earlier version that are no text",
    "ignored",
)
def test_the_note_of_an_earlier_version_stops_nothing(project, kind):
    note = project.path(".snakemake/running")
    note.unlink(missing_ok=True)
    note.mkdir() if kind == "folder" else note.write_bytes(b"\xff\xfe\x00")
    assert_passes(project)


@pytest.mark.fault(
    "the record of a run that cannot be read",
    "refused, and the record is named",
)
def test_a_record_that_cannot_be_read_is_named(project):
    damaged = project.path(".snakemake/runs/damaged.json")
    damaged.parent.mkdir(exist_ok=True)
    damaged.write_bytes(b"\xff\xfe\x00")
    assert_refused(project, "damaged.json cannot be read")


# Rights and space


@pytest.mark.parametrize("words", [(), ("--dry-run",)])
@pytest.mark.fault(
    "a second user without the right to write",
    "one line that says so",
)
def test_a_second_user_gets_one_clear_line(project, without_rights, words):
    for folder in (".snakemake", *(str(p) for p in project.path("results").rglob("*"))):
        if project.path(folder).is_dir():
            project.path(folder).chmod(0o555)
    assert_refused(project, "cannot be written by user", *words, "studies")


@pytest.mark.slow
@pytest.mark.fault(
    "a home folder that cannot be written",
    "the run does not need it",
)
def test_a_home_that_cannot_be_written_is_not_needed(empty, tmp_path, without_rights):
    home = tmp_path / "home"
    home.mkdir(mode=0o555)
    strict = Project(empty.root, {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")})
    strict.environment["MPLCONFIGDIR"] = str(home / "matplotlib")
    assert_passes(strict, "studies", "figures")
    assert list(home.iterdir()) == []


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with no space left."""
    folder = tmp_path / "full"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("a full disk has to be mounted, which this user may not")
    try:
        with (folder / "all").open("wb", buffering=0) as file:
            while file.write(b"0" * 4096) == 4096:
                pass
    except OSError:
        pass
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.slow
@pytest.mark.fault(
    "a full temporary folder",
    "the run does not need it",
)
def test_a_full_temporary_folder_is_not_needed(empty, full_disk):
    assert_passes(Project(empty.root, {"TMPDIR": str(full_disk)}))


# Clocks


@pytest.mark.slow
@pytest.mark.parametrize("names", [(MESH,), (MESH, "results/geometry/walls/operators.nc")])
@pytest.mark.fault(
    "inputs whose times lie in the future",
    "set to the present, with a word; the run goes on",
)
def test_inputs_from_the_future_stop_no_job(project, names):
    ahead = time.time() + 86400
    for name in names:
        os.utime(project.path(name), (ahead, ahead))
    project.edit(CONFIG, "400 s/mm^2", "500 s/mm^2")
    assert "lay in the future" in assert_passes(project)
    assert max(p.stat().st_mtime for p in project.results().values()) <= time.time() + 1
    assert project.plan("studies") == set()


def test_every_profile_names_the_scheduler_that_needs_no_files():
    for profile in (Path(__file__).parents[2] / "profiles").glob("*/config.yaml"):
        settings = yaml.safe_load(profile.read_text(encoding="utf-8"))
        assert settings["scheduler"] == "greedy", profile
        assert "source-cache" not in settings["shared-fs-usage"], profile
