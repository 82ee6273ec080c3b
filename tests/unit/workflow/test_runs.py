"""Who may start a run in a folder, and what becomes of what a killed one left."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from torrey.workflow import runs
from torrey.workflow.clocks import settle_future_times
from torrey.workflow.processes import Life, Process, read_process, this_process
from torrey.workflow.runs import MARK, Run, RunError, begin_run


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / ".snakemake"
    folder.mkdir()
    return folder


def begin(state: Path, *words: str, dry: bool = False) -> Run | None:
    return begin_run(state, state.parent / "results", words, dry)


def leave_lock(state: Path) -> Path:
    lock = state / "locks" / "0.output.lock"
    lock.parent.mkdir()
    lock.write_text("results/x.nc\n")
    return lock


def leave_record(state: Path, process: Process) -> Path:
    record = state / "runs" / f"{process.label()}.json"
    record.parent.mkdir(exist_ok=True)
    record.write_text(process.to_json())
    return record


def a_dead_process() -> Process:
    """A process of this machine whose number belongs to another one by now: this one."""
    me = this_process()
    return replace(me, start=me.start - 1)


def of_another_host() -> Process:
    return replace(a_dead_process(), host="another")


# Processes


def test_a_process_lives_until_it_is_killed_though_nobody_asks_for_its_exit_code():
    with subprocess.Popen(["sleep", "1000"]) as child:
        start = int(Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[19])
        process = replace(this_process(), pid=child.pid, start=start)
        assert process.life(this_process()) is Life.ALIVE
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # remains a zombie
        assert process.life(this_process()) is Life.DEAD
    assert process.life(this_process()) is Life.DEAD


def test_a_number_that_another_process_got_later_is_no_sign_of_life():
    assert a_dead_process().life(this_process()) is Life.DEAD


@pytest.mark.parametrize(
    ("change", "life"),
    [
        ({}, Life.ALIVE),
        ({"host": "another"}, Life.UNKNOWN),
        ({"machine": "another with the same name"}, Life.UNKNOWN),
        ({"boot": "before it was started again"}, Life.DEAD),
        ({"namespace": "pid:[1]"}, Life.UNKNOWN),
        ({"boot": ""}, Life.UNKNOWN),
    ],
)
def test_only_its_own_machine_knows_whether_a_process_lives(change, life):
    me = replace(this_process(), machine="installed here")
    assert replace(me, **change).life(me) is life


def test_two_machines_of_one_name_that_do_not_know_their_installation_stay_apart():
    me = replace(this_process(), machine="")
    assert replace(me, boot="other").life(me) is Life.UNKNOWN


def test_the_record_of_a_process_can_be_read_back():
    me = this_process()
    assert Process.from_json(me.to_json()) == me


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "3", "null", '"host"', "{", json.dumps({"host": "a", "pid": "1"})]
)
def test_anything_else_is_not_the_record_of_a_process(text):
    with pytest.raises(ValueError, match=r"."):
        Process.from_json(text)


# Beginning


def test_a_run_has_a_record_as_long_as_it_lasts(state):
    with begin(state) as run:
        assert read_process(run.record).pid == os.getpid()
        assert os.environ[MARK] == run.record.stem
    assert list((state / "runs").iterdir()) == []
    assert MARK not in os.environ


def test_a_fork_of_a_run_does_not_end_it(state):
    with begin(state) as run:
        if (child := os.fork()) == 0:
            run.end()
            os._exit(0)
        os.waitpid(child, 0)
        assert run.record.exists()


def test_the_lock_of_a_dead_run_goes_with_its_record(state):
    lock, record = leave_lock(state), leave_record(state, a_dead_process())
    with begin(state):
        assert not lock.exists()
        assert not record.exists()


def test_a_lock_that_no_run_of_this_workflow_has_made_stays(state):
    lock = leave_lock(state)
    with begin(state):
        assert lock.exists()


def test_a_second_run_beside_a_living_one_is_refused_with_its_name(state):
    lock = leave_lock(state)
    dead = leave_record(state, a_dead_process())
    living = leave_record(state, this_process())
    with pytest.raises(RunError, match=rf"locked.*process {os.getpid()} of .* on "):
        begin(state)
    assert lock.exists()
    assert set((state / "runs").iterdir()) == {dead, living}


def test_a_second_run_on_another_host_is_refused_however_often_it_is_tried(state, monkeypatch):
    monkeypatch.setattr(fcntl, "flock", lambda *_: None)  # locks that stay on their host
    monkeypatch.setattr(socket, "gethostname", lambda: "a")
    with begin(state) as first:
        lock = leave_lock(state)
        monkeypatch.setattr(socket, "gethostname", lambda: "b")
        for _ in range(2):
            with pytest.raises(RunError, match=r"on a since .*snakemake --unlock"):
                begin(state)
        assert lock.exists()
        assert first.record.exists()


def test_no_lock_of_the_file_system_is_needed(state, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    monkeypatch.setattr(fcntl, "lockf", refuse)
    leave_record(state, a_dead_process())
    with begin(state) as run:
        assert run.record.exists()


def test_unlocking_declares_dead_what_is_not_known_to_live(state):
    other = leave_record(state, of_another_host())
    damaged = state / "runs" / "damaged.json"
    damaged.write_bytes(b"\xff\x00")
    folder = state / "runs" / "folder.json"
    folder.mkdir()
    living = leave_record(state, this_process())
    assert begin(state, "--unlock") is None
    assert [path.exists() for path in (other, damaged, folder, living)] == [False] * 3 + [True]


def test_after_unlocking_a_run_begins_and_dies_without_more_questions(state):
    leave_record(state, of_another_host())
    begin(state, "--unlock")
    leave_record(state, a_dead_process())
    with begin(state) as run:
        assert run.record.exists()


def test_who_asks_for_no_lock_gets_none(state):
    living = leave_record(state, this_process())
    with begin(state, "--nolock"):
        assert living.exists()


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"", b"{}", None])
def test_a_record_that_cannot_be_read_is_named_with_what_to_do(state, content):
    record = state / "runs" / "old.json"
    record.parent.mkdir()
    if content is None:
        record.mkdir()
    else:
        record.write_bytes(content)
    with pytest.raises(RunError, match=r"old\.json cannot be read .*snakemake --unlock"):
        begin(state)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"elsewhere", None])
def test_the_note_of_an_earlier_version_is_no_obstacle(state, content):
    note = state / "running"
    if content is None:
        note.mkdir()
    else:
        note.write_bytes(content)
    with begin(state) as run:
        assert run.record.exists()


@pytest.mark.parametrize(
    ("words", "dry"),
    [((), True), (["--dag"], False), (["--report=x.html"], False), (["--lint"], False)],
)
def test_who_only_asks_writes_nothing_and_is_never_refused(state, words, dry):
    records = [leave_record(state, this_process()), leave_record(state, a_dead_process())]
    lock = leave_lock(state)
    assert begin(state, *words, dry=dry) is None
    assert all(record.exists() for record in records)
    assert set((state / "runs").iterdir()) == set(records)
    assert lock.exists()


def test_dry_runs_beside_a_living_run_do_not_make_it_forgotten(state):
    with begin(state) as run:
        for _ in range(3):
            begin(state, dry=True)
        assert run.record.exists()


def test_of_two_runs_that_start_at_once_not_both_go_on(state):
    code = (
        "import sys, time; from pathlib import Path; from torrey.workflow.runs import begin_run\n"
        "state = Path(sys.argv[1])\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "begin_run(state, state.parent / 'results'); print('runs', flush=True); time.sleep(100)\n"
    )
    starts = [
        subprocess.Popen(
            [sys.executable, "-c", code, state],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for _ in range(4)
    ]
    try:
        assert [start.stdout.readline() for start in starts] == ["ready\n"] * 4
        for start in starts:
            start.stdin.write("\n")
            start.stdin.flush()
        deadline = time.monotonic() + 20
        while sum(start.poll() is None for start in starts) > 1 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert sum(start.poll() is None for start in starts) <= 1
    finally:
        for start in starts:
            start.kill()
            start.communicate()


def test_jobs_that_outlive_a_killed_run_are_ended_and_others_are_not(state, capsys):
    record = leave_record(state, a_dead_process())
    orphan = subprocess.Popen(["sleep", "1000"], env={**os.environ, MARK: record.stem})
    stranger = subprocess.Popen(["sleep", "1000"], env={**os.environ, MARK: "another-1-run"})
    try:
        with begin(state):
            assert orphan.wait(5) == -signal.SIGKILL
            assert stranger.poll() is None
        assert "1 process behind, which is ended" in capsys.readouterr().out
    finally:
        for process in (orphan, stranger):
            process.kill()
            process.wait()


def test_a_folder_that_cannot_be_written_is_named_before_any_work(state, monkeypatch):
    results = state.parent / "results"
    results.mkdir()
    monkeypatch.setattr(os, "access", lambda path, _: Path(path) != results)
    for dry in (False, True):
        with pytest.raises(RunError, match=rf"{results} cannot be written by user"):
            begin(state, dry=dry)


def test_a_full_disk_is_told_in_one_sentence(state, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(RunError, match="No space left"):
        begin(state)


# Times


def make(folder: Path, times: dict[str, int]) -> None:
    folder.mkdir()
    for name, seconds in times.items():
        (folder / name).touch()
        os.utime(folder / name, (seconds, seconds))


def order(folder: Path) -> list[str]:
    return sorted((p.name for p in folder.iterdir()), key=lambda n: (folder / n).stat().st_mtime_ns)


def test_times_in_the_future_become_the_present_in_the_same_order(tmp_path):
    now = 1_000_000
    make(
        tmp_path / "results",
        {"past": now - 5, "first": now + 10, "last": now + 99, "mid": now + 50},
    )
    settled = settle_future_times(tmp_path / "results", now * 10**9)
    assert {path.name for path in settled} == {"first", "mid", "last"}
    assert order(tmp_path / "results") == ["past", "first", "mid", "last"]
    assert (tmp_path / "results" / "last").stat().st_mtime_ns == now * 10**9
    assert (tmp_path / "results" / "past").stat().st_mtime == now - 5


def test_files_of_one_time_keep_one_time(tmp_path):
    make(tmp_path / "results", {"a": 2000, "b": 2000})
    settle_future_times(tmp_path / "results", 1000 * 10**9)
    assert (tmp_path / "results" / "a").stat().st_mtime == 1000
    assert (tmp_path / "results" / "b").stat().st_mtime == 1000


def test_a_file_of_somebody_else_from_the_future_is_named(state, monkeypatch):
    make(state.parent / "results", {"a": int(time.time()) + 1000})

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "utime", refuse)
    with pytest.raises(RunError, match=r"touch .*results/a"):
        begin(state)
    assert list((state / "runs").iterdir()) == []


def test_a_run_tells_whose_times_it_has_set(state, capsys):
    make(state.parent / "results", {"a": int(time.time()) + 1000})
    with begin(state):
        assert "results/a" in capsys.readouterr().out
    assert (state.parent / "results" / "a").stat().st_mtime <= time.time() + 1


def test_patience_with_killed_processes_has_an_end(state, monkeypatch):
    leave_record(state, a_dead_process())
    monkeypatch.setattr(runs, "marked_processes", lambda *_: {2**22 + 1})
    monkeypatch.setattr(runs, "_PATIENCE", 0.0)
    with pytest.raises(RunError, match="do not end"):
        begin(state)
