"""A Slurm of one node, without systemd, for as long as some tests need it.

Debian's packages ``slurm-wlm`` and ``munge`` hold the daemons. The commands that jobs call look for
the configuration in one place only, which root alone can write.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

CONFIGURATION = Path("/etc/slurm/slurm.conf")
# Its first line says whose it is, so that one left behind can be told from a real one.
SIGNATURE = "# Written by a test of process "
DAEMONS = ("munged", "slurmctld", "slurmd")

# What remains to be done for a test that was killed itself: process, configuration, daemons.
WATCH = 'while kill -0 "$0" 2>&-; do sleep 1; done; rm -f "$1"; shift; kill "$@"'

TEMPLATE = """\
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
AccountingStorageType=accounting_storage/none
# Memory is measured each second, and a job that takes more than it asked for is killed.
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
MpiDefault=none
MinJobAge=600
ReturnToService=2
KillWait=2
# The node may have more cores and memory than this machine: what a job asks for is what counts.
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=5
NodeName={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=64000 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def why_not() -> str | None:
    """Why no Slurm can be started here, or None."""
    missing = [name for name in DAEMONS if _daemon(name) is None]
    if missing:
        return (
            f"{', '.join(missing)} not found: apt-get install --no-install-recommends "
            "slurm-wlm munge"
        )
    if os.getuid() != 0:
        return f"only root can write {CONFIGURATION}"
    if CONFIGURATION.exists() and not _left_behind(CONFIGURATION.read_text(errors="replace")):
        return f"{CONFIGURATION} exists: this machine has a Slurm already"
    return None


def _daemon(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


def _left_behind(text: str) -> bool:
    """Whether a test wrote this configuration that is no more."""
    first = text.partition("\n")[0]
    return first.startswith(SIGNATURE) and not Path(f"/proc/{first[len(SIGNATURE) :]}").exists()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


@dataclass
class Slurm:
    """The daemons of one node.

    Attributes
    ----------
    folder : Path
        Where all of them keep their files.
    """

    folder: Path
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    watch: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start all daemons and wait until the node is idle."""
        self.folder.chmod(0o755)
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        key = self.folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(1024))
        names = {f"--{kind}": self.folder / f"munge.{kind.split('-')[0]}" for kind in KINDS}
        # munged listens for everybody, in a folder of root's, which it would refuse unforced.
        self._run("munged", "--foreground", "--force", *(f"{k}={v}" for k, v in names.items()))
        self._wait_until((self.folder / "munge.socket").exists)
        controller_port, node_port = _free_ports(2)
        CONFIGURATION.parent.mkdir(exist_ok=True)
        CONFIGURATION.write_text(
            f"{SIGNATURE}{os.getpid()}\n"
            + TEMPLATE.format(
                host=socket.gethostname().partition(".")[0],
                folder=self.folder,
                controller_port=controller_port,
                node_port=node_port,
            )
        )
        self._run("slurmctld", "-D", "-i")
        self._run("slurmd", "-D")
        numbers = [str(process.pid) for process in self.running]
        words = ["sh", "-c", WATCH, str(os.getpid()), str(CONFIGURATION), *numbers]
        self.watch = subprocess.Popen(words, start_new_session=True)
        self._wait_until(lambda: "idle" in self.ask("sinfo", "--noheader", "--format=%T"))

    def stop(self) -> None:
        """Stop all daemons and whatever jobs they have, and remove the configuration."""
        try:
            if len(self.running) == len(DAEMONS):
                self.ask("scancel", "--user=root")
                self._wait_until(lambda: not self.queue(), patience=20)
        finally:
            for process in reversed(self.running):
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            CONFIGURATION.unlink(missing_ok=True)
            if self.watch is not None:
                self.watch.kill()
                self.watch.wait()

    def ask(self, *words: str) -> str:
        """What a command of Slurm answers, or nothing where it fails."""
        answer = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
        return answer.stdout

    def queue(self) -> list[str]:
        """Numbers of the jobs that wait or run."""
        return self.ask("squeue", "--noheader", "--format=%i").split()

    def _run(self, name: str, *words: str) -> None:
        program = _daemon(name)
        assert program is not None
        with (self.folder / f"{name}.out").open("wb") as output:
            self.running.append(
                subprocess.Popen(
                    [program, *words],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            )

    def _wait_until(self, happened: object, patience: float = 60.0) -> None:
        assert callable(happened)
        deadline = time.monotonic() + patience
        while not happened():
            dead = [p.args for p in self.running if p.poll() is not None]
            assert not dead, self._logs(dead)
            assert time.monotonic() < deadline, self._logs(dead)
            time.sleep(0.2)

    def _logs(self, dead: Iterable[object]) -> str:
        texts = [f"ended: {list(dead)}"]
        for path in sorted([*self.folder.glob("*.log"), *self.folder.glob("*.out")]):
            texts += [f"--- {path.name}", *path.read_text(errors="replace").splitlines()[-15:]]
        return "\n".join(texts)


# Files of munged.
KINDS = ("key-file", "socket", "pid-file", "log-file", "seed-file")
