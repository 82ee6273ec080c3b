"""One alarm at a time, and that Snakemake is what its use was written for."""

from __future__ import annotations

import inspect
import threading

from snakemake.scheduling.job_scheduler import JobScheduler

from torrey.workflow.alarms import Alarm


def test_calls_that_come_before_it_rings_are_one() -> None:
    rung = threading.Semaphore(0)
    alarm = Alarm(rung.release)
    for _ in range(50):
        alarm(0.2)
    assert rung.acquire(timeout=30.0)
    assert not rung.acquire(timeout=0.5)
    alarm(0.0)
    assert rung.acquire(timeout=30.0)


def test_it_may_be_set_while_it_rings() -> None:
    rung: list[int] = []
    done = threading.Event()

    def ring() -> None:
        rung.append(len(rung))
        if len(rung) < 5:
            alarm(0.0)
        else:
            done.set()

    alarm = Alarm(ring)
    alarm(0.0)
    assert done.wait(timeout=30.0)
    assert rung == [0, 1, 2, 3, 4]


def test_snakemake_asks_as_it_did() -> None:
    """`workflow/rules/common.smk` puts an alarm in the place of this method."""
    source = inspect.getsource(JobScheduler)
    assert "self._schedule_reevalutation(self.job_rate_limiter.timespan)" in source
    assert "self._open_jobs.release()" in inspect.getsource(JobScheduler._schedule_reevalutation)
