"""The scripts of profiles/cluster-generic understand what manuals of schedulers say they answer."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "profiles" / "cluster-generic"
TOOLS = ("sh", "sed", "timeout", "mkdir", "cat")


class Scheduler:
    """A machine that has a few commands only, some of which say what they are told to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.commands = folder / "bin"
        self.commands.mkdir()
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found is not None
            (self.commands / tool).symlink_to(found)

    def answers(self, command: str, text: str, code: int = 0) -> None:
        path = self.commands / command
        path.write_text(
            f"#!/bin/sh\necho \"$@\" >>{self.folder}/calls\ncat <<'END'\n{text}\nEND\nexit {code}\n"
        )
        path.chmod(0o755)

    def run(self, script: str, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [SCRIPTS / script, *words],
            cwd=self.folder,
            env={"PATH": str(self.commands)},
            capture_output=True,
            text=True,
            timeout=30,
        )

    def status(self) -> str:
        run = self.run("status.sh", "17")
        assert run.returncode == 0, run.stderr
        return run.stdout.strip()

    @property
    def calls(self) -> str:
        return (self.folder / "calls").read_text().strip()


@pytest.fixture
def machine(tmp_path: Path) -> Scheduler:
    return Scheduler(tmp_path)


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("PENDING", "running"),
        ("RUNNING", "running"),
        ("COMPLETING", "running"),
        ("COMPLETED", "success"),
        ("FAILED", "failed"),
        ("CANCELLED", "failed"),
        ("TIMEOUT", "failed"),
        ("OUT_OF_MEMORY", "failed"),
    ],
)
def test_states_of_slurm(machine, state, status):
    machine.answers("sbatch", "")
    machine.answers(
        "scontrol", f"JobId=17 JobName=torrey JobState={state} Reason=None ExitCode=0:0"
    )
    assert machine.status() == status


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("PEND", "running"),
        ("RUN", "running"),
        ("SSUSP", "running"),
        ("DONE", "success"),
        ("EXIT", "failed"),
        ("Job <17> is not found", "failed"),
        ("LSF is down. Please wait ...", "running"),
    ],
)
def test_states_of_lsf(machine, state, status):
    machine.answers("bsub", "")
    machine.answers("bjobs", state)
    assert machine.status() == status


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ("Job Id: 17.host\n    job_state = Q", "running"),
        ("Job Id: 17.host\n    job_state = R", "running"),
        ("Job Id: 17.host\n    job_state = F\n    Exit_status = 0", "success"),
        ("Job Id: 17.host\n    job_state = F\n    Exit_status = 271", "failed"),
        ("Job Id: 17.host\n    job_state = F\n    Exit_status = -29", "failed"),
        ("Job Id: 17.host\n    job_state = F", "failed"),
        ("qstat: Unknown Job Id 17.host", "failed"),
        ("Connection refused\nqstat: cannot connect to server host (errno=111)", "running"),
    ],
)
def test_states_of_pbs(machine, answer, status):
    machine.answers("qsub", "")
    machine.answers("qstat", answer)
    assert machine.status() == status


def test_a_scheduler_that_knows_a_job_no_more_has_lost_it(machine):
    machine.answers("sbatch", "")
    machine.answers("scontrol", "slurm_load_jobs error: Invalid job id specified", 1)
    assert machine.status() == "failed"


@pytest.mark.parametrize(
    ("command", "answer", "words"),
    [
        ("sbatch", "17", "--cpus-per-task=1 --mem=2000 --time=90"),
        ("bsub", "Job <17> is submitted to default queue <normal>.", "-M 2000MB -W 90"),
        ("qsub", "17", "-l select=1:ncpus=1:mem=2000mb -l walltime=1:30:00"),
    ],
)
def test_a_job_is_submitted_with_its_memory_and_time(machine, command, answer, words):
    machine.answers(command, answer)
    run = machine.run("submit.sh", "2000", "90", "1", "job.sh")
    assert run.stdout == "17\n"
    assert words in machine.calls
    assert machine.calls.split()[-1] == "job.sh"


def test_a_machine_without_a_scheduler_is_told_so(machine):
    run = machine.run("submit.sh", "2000", "90", "1", "job.sh")
    assert run.returncode == 1
    assert "found none of sbatch (Slurm), bsub (LSF), qsub (PBS)" in run.stderr


@pytest.mark.parametrize("command", ["scancel", "bkill", "qdel"])
def test_jobs_are_cancelled_by_what_there_is(machine, command):
    machine.answers(command, "")
    assert machine.run("cancel.sh", "17", "18").returncode == 0
    assert machine.calls == "17 18"
