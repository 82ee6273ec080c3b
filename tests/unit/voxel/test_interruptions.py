"""A run that was killed goes on where it was, to the same bytes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from support.voxels import small_medium, small_meshes

from torrey.base import artifacts
from torrey.base.artifacts import StorageError
from torrey.gradients.waveforms import Pgse
from torrey.voxel import signals
from torrey.voxel.assembly import Properties
from torrey.voxel.checkpoints import Checkpoint, Progress
from torrey.voxel.results import VoxelError
from torrey.voxel.signals import Task, voxel_signal
from torrey.voxel.steps import Stepper

PULSES = Pgse(10.0, 15.0)
TASK = Task(
    small_medium(), 25.0, Properties(3.0, 3.0, 0.02, (1.0, 0.0)), PULSES, PULSES.q_of_b(1.0), 3e-2
)


class Killed(BaseException):
    """Stands for a signal that ends the process."""


def watch(monkeypatch, most: float = np.inf) -> list[int]:
    """Count the steps that are taken, in a list of their own, and kill the run after some."""
    advance, taken = Stepper.advance, []

    def counted(self, *given):
        if len(taken) >= most:
            raise Killed
        advance(self, *given)
        taken.append(1)

    monkeypatch.setattr(Stepper, "advance", counted)
    return taken


@pytest.fixture(scope="module")
def whole():
    """The signal of a run that nobody kills, and its steps."""
    with pytest.MonkeyPatch.context() as patch:
        taken = watch(patch)
        return voxel_signal(small_meshes(0)[0], TASK), len(taken)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_a_killed_run_ends_in_the_same_bytes(tmp_path, monkeypatch, whole, share):
    signal, steps = whole
    before = round(share * steps)
    checkpoint = Checkpoint(tmp_path / "checkpoints" / "one.npz", "key", interval=0.0)
    with monkeypatch.context() as patch:
        watch(patch, most=before)
        with pytest.raises(Killed):
            voxel_signal(small_meshes(0)[0], TASK, checkpoint=checkpoint)
    said: list[str] = []
    taken = watch(monkeypatch)
    again = voxel_signal(small_meshes(0)[0], TASK, checkpoint=checkpoint, say=said.append)
    assert again == signal
    assert len(taken) == steps - before
    assert "goes on after" in said[0]
    assert said[-1].startswith("all runs: ")
    assert said[-1].endswith(" of them in earlier jobs")
    assert not checkpoint.path.parent.exists()


def test_progress_of_another_job_or_damaged_is_not_taken(tmp_path):
    path = tmp_path / "one.npz"
    Checkpoint(path, "key").save(Progress({"coarse": {"real": 0.5}}))
    assert Checkpoint(path, "key").load() == Progress({"coarse": {"real": 0.5}})
    assert Checkpoint(path, "another").load() is None
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(content)
    assert Checkpoint(path, "key").load() is None
    path.write_text("nonsense")
    assert Checkpoint(path, "key").load() is None


def test_progress_is_said_with_the_time_left(monkeypatch):
    monkeypatch.setattr(signals, "_SAYING", 0.0)
    said: list[str] = []
    voxel_signal(small_meshes(0)[0], TASK, say=said.append)
    lines = [line for line in said if "s left" in line]
    assert lines[0].startswith("coarse: ")
    assert lines[-1].startswith("fine: 25.0 of 25 ms")
    assert lines[-1].endswith(" 0 s left")


def test_the_time_of_all_parts_is_told(tmp_path):
    checkpoint = Checkpoint(tmp_path / "one.npz", "key")
    done = {"real": 0.5, "imag": 0.0, "unknowns": 10, "trace": [[0.1, 1]] * 3}
    done["iterations"] = 4
    names = ("coarse", "coarse, short steps", "fine")
    checkpoint.save(Progress(dict.fromkeys(names, done), seconds=1000.0))
    said: list[str] = []
    voxel_signal(small_meshes(0)[0], TASK, checkpoint=checkpoint, say=said.append)
    assert said == [
        "goes on after 1000 s of an earlier job",
        "all runs: 1000 s, 1000 s of them in earlier jobs",
    ]


def test_a_tolerance_that_is_missed_is_an_error():
    strict = Task(TASK.medium, 25.0, TASK.properties, PULSES, TASK.q, 3e-4)
    with pytest.raises(VoxelError, match=r"tolerance is 3\.0e-04"):
        voxel_signal(small_meshes(0)[0], strict)


def test_a_folder_that_another_job_takes_away_is_made_again(tmp_path, monkeypatch):
    ours, other = (Checkpoint(tmp_path / "deep" / f"{name}.npz", name) for name in ("one", "two"))
    taken = []

    def take(path):
        # Between the making of the folder and that of the file in it.
        if len(taken) < 2:
            other.remove()
            taken.append(not path.parent.exists())

    monkeypatch.setattr(artifacts, "_sweep", take)
    ours.save(Progress({"coarse": {}}))
    assert taken == [True, True]
    assert ours.load().done == {"coarse": {}}
    monkeypatch.setattr(artifacts, "_sweep", lambda path: other.remove())
    ours.remove()
    with pytest.raises(StorageError, match="No such file"):
        ours.save(Progress({}))


def test_history_is_kept_exactly(tmp_path):
    checkpoint = Checkpoint(tmp_path / "one.npz", "key")
    numbers = np.random.default_rng(0).standard_normal((8, 50)) + 1j
    history = signals.History(0.1 + 0.2, 1 / 3, 3, 1, 12, [(1 / 3, 3)], numbers)
    checkpoint.save(Progress({}, "fine", 1, history, 3.5))
    found = checkpoint.load()
    assert found.history.time == 0.1 + 0.2
    assert found.history.step == 1 / 3
    assert [tuple(step) for step in found.history.trace] == [(1 / 3, 3)]
    assert np.array_equal(found.history.differences, numbers)
    assert json.dumps(found.done) == "{}"
