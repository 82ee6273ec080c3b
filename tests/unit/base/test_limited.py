"""Calls that may never end."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

import numpy as np
import pytest

from torrey.base.limited import ChildError, OutOfTimeError, call_limited
from torrey.geometry.mesh import FoldedError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="calls are limited on Linux alone")


def for_ever():
    while True:
        pass


@pytest.fixture
def forked(monkeypatch):
    """Numbers of the processes that are made."""
    found, fork = [], os.fork

    def recorded() -> int:
        child = fork()
        found.append(child)
        return child

    monkeypatch.setattr(os, "fork", recorded)
    return found


def is_gone(child: int) -> bool:
    try:
        os.kill(child, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_call_returns_what_it_returns_from_another_process():
    assert call_limited(lambda: {"pid": 1}, 10.0) == {"pid": 1}
    assert call_limited(os.getpid, 10.0) != os.getpid()


def test_results_larger_than_a_pipe_come_whole():
    assert call_limited(lambda: bytes(10_000_000), 10.0) == bytes(10_000_000)


def test_an_exception_comes_with_what_it_carries():
    def fold():
        raise FoldedError(np.ones((2, 3)), np.full(2, 0.5))

    with pytest.raises(FoldedError) as caught:
        call_limited(fold, 10.0)
    assert caught.value.places.shape == (2, 3)
    assert caught.value.sizes.tolist() == [0.5, 0.5]


def test_a_call_that_never_ends_is_ended(forked):
    with pytest.raises(OutOfTimeError, match="not ended after 1 s of processor time"):
        call_limited(for_ever, 0.2)
    (child,) = forked
    assert is_gone(child)


def test_waiting_takes_no_time():
    assert call_limited(lambda: time.sleep(1.5) or "slept", 1.0) == "slept"


def test_who_ended_a_child_is_said():
    with pytest.raises(ChildError, match="SIGKILL"):
        call_limited(lambda: os.kill(os.getpid(), signal.SIGKILL), 10.0)
    with pytest.raises(ChildError, match="exit code 3"):
        call_limited(lambda: os._exit(3), 10.0)


def test_a_result_that_cannot_travel_is_an_error():
    with pytest.raises(ChildError, match="cannot be pickled"):
        call_limited(lambda: lambda: None, 10.0)


def test_an_interrupt_ends_the_child(forked):
    main = threading.get_ident()
    # Workers that run tests ignore interrupts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Timer(0.3, lambda: signal.pthread_kill(main, signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            call_limited(for_ever, 60.0)
    finally:
        signal.signal(signal.SIGINT, before)
    (child,) = forked
    assert is_gone(child)
