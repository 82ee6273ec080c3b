"""A call that may never end, ended: in a child of this process, with a limit of processor time.

Compiled code hears no exception of Python's, so that only the system can stop it.
"""

from __future__ import annotations

import math
import os
import pickle
import resource
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")

#: Children that are forked while other threads hold locks of the system's libraries are safe only
#: here.
_CAN_FORK = sys.platform == "linux"


class OutOfTimeError(RuntimeError):
    """A call took more processor time than it was given."""


class ChildError(RuntimeError):
    """A call ended without a result and without an exception."""


def call_limited(call: Callable[[], T], seconds: float) -> T:
    """Make a call in a child process that may take so much processor time.

    Where processes cannot be forked safely, which is everywhere but on Linux, the call is made
    here and without a limit.

    Parameters
    ----------
    call : callable
        Its result goes through `pickle`; what else it changes is lost.
    seconds : float
        Of processor time, rounded up to whole seconds. Waiting does not count.

    Returns
    -------
    What the call returns.

    Raises
    ------
    OutOfTimeError
        If the call takes longer.
    ChildError
        If the child is ended by somebody else, or crashes.
    Exception
        What the call raises.
    """
    if not _CAN_FORK:
        return call()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _answer(call, seconds, writing)
    os.close(writing)
    ended = False
    try:
        with open(reading, "rb") as pipe:
            answer = pipe.read()
        _, status = os.waitpid(child, 0)
        ended = True
    finally:
        if not ended:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    result: T = _result(answer, status, seconds)
    return result


def _answer(call: Callable[[], T], seconds: float, writing: int) -> NoReturn:
    """Be the child: never return, whatever happens."""
    code = 1
    try:
        _set_limit(seconds)
        try:
            answer: tuple[bool, object] = (True, call())
        except Exception as error:
            answer = (False, error)
        with open(writing, "wb") as pipe:
            pipe.write(_pickled(answer))
        code = 0
    finally:
        os._exit(code)


def _set_limit(seconds: float) -> None:
    """Ask the system to end this process, unless somebody has asked for less before."""
    wanted = math.ceil(seconds)
    soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    others = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_CPU, (min([wanted, *others]), hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)


def _pickled(answer: tuple[bool, object]) -> bytes:
    try:
        return pickle.dumps(answer, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        return pickle.dumps((False, ChildError(f"the result cannot be pickled: {error!r}")))


def _result(answer: bytes, status: int, seconds: float) -> Any:
    """Read what the child has written, or say how it ended."""
    if status == 0:
        returned, found = pickle.loads(answer)
        if returned:
            return found
        raise found
    ended_by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if ended_by == signal.SIGXCPU:
        raise OutOfTimeError(f"not ended after {math.ceil(seconds)} s of processor time")
    if ended_by == signal.SIGINT:
        raise KeyboardInterrupt
    how = signal.Signals(ended_by).name if ended_by else f"exit code {os.WEXITSTATUS(status)}"
    raise ChildError(f"the child process ended with {how}")
